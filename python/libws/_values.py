"""From Python's values to C's: text, payloads, lists, headers. What C cannot take is refused here."""

from __future__ import annotations

import os
from typing import Iterable, Mapping, Optional, Tuple, Union

from ._errors import InvalidError, Utf8Error

Data = Union[str, bytes, bytearray, memoryview]
"""What a message can be: str is sent as text, the others as binary."""

Names = Union[str, Iterable[str]]
"""One or several names: "chat.v2, chat.v1" or ["chat.v2", "chat.v1"]."""

Headers = Union[Mapping[str, str], Iterable[Tuple[str, str]]]
"""HTTP headers: a mapping, or pairs when a name comes twice."""

TEXT, BINARY = 1, 2
_UNCOMPRESSED = 256
_UINT32_MAX = 2**32 - 1
_INT32_MAX = 2**31 - 1


def utf8(value: str, what: str) -> bytes:
    """The UTF-8 of a str. Raises TypeError, and Utf8Error for lone surrogates."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise Utf8Error(f"{what}: {error.reason}") from None


def c_text(value: str, what: str) -> bytes:
    """UTF-8 for a NUL-terminated argument, so without a NUL."""
    text = utf8(value, what)
    if b"\0" in text:
        raise InvalidError(f"{what} contains a NUL")
    return text


def optional_text(value: Optional[str], what: str) -> Optional[bytes]:
    """As `c_text`; None stays None."""
    return None if value is None else c_text(value, what)


def octets(value: Union[bytes, bytearray, memoryview], what: str) -> bytes:
    """The bytes of a buffer. Raises TypeError for anything else."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{what} must be bytes, bytearray or memoryview, not {type(value).__name__}")


def payload(value: Data, compress: bool = True) -> Tuple[int, bytes]:
    """The kind and the bytes of a message."""
    form = 0 if compress else _UNCOMPRESSED
    if isinstance(value, str):
        return TEXT | form, utf8(value, "data")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BINARY | form, octets(value, "data")
    raise TypeError(f"data must be str, bytes, bytearray or memoryview, not {type(value).__name__}")


def names(value: Optional[Names], what: str) -> Optional[bytes]:
    """A list as the C API wants it: "a, b"."""
    if value is None or isinstance(value, str):
        return optional_text(value, what)
    items = list(value)
    for item in items:
        if isinstance(item, str) and "," in item:
            raise InvalidError(f"{what}: {item!r} contains a comma")
    return b", ".join(c_text(item, what) for item in items)


def codes(value: Iterable[int]) -> Optional[bytes]:
    """Close codes as the C API wants them: "1000, 4001"."""
    return ", ".join(str(integer(code, 0, 65535, "reconnect_final_codes")) for code in value).encode() or None


def header_lines(value: Optional[Headers]) -> Optional[bytes]:
    """Header lines; a line break in a name or a value, which would smuggle in another header, is refused."""
    if value is None:
        return None
    try:
        pairs = [(name, text) for name, text in (value.items() if isinstance(value, Mapping) else value)]
    except (TypeError, ValueError):
        raise TypeError("headers must be a mapping or pairs of names and values") from None
    lines = []
    for name, text in pairs:
        line = c_text(name, "a header's name") + b": " + c_text(text, "a header's value")
        if b"\r" in line or b"\n" in line:
            raise InvalidError(f"header {name!r} contains a line break")
        if ":" in name:
            raise InvalidError(f"header name {name!r} contains a colon")
        lines.append(line + b"\r\n")
    return b"".join(lines)


def folder(value: Optional[Union[str, "os.PathLike[str]"]]) -> Optional[bytes]:
    """A path."""
    return None if value is None else c_text(os.fspath(value), "static_root")


def integer(value: int, least: int, most: int, what: str) -> int:
    """A number in its range: ctypes would cut it silently."""
    if not isinstance(value, int):
        raise TypeError(f"{what} must be int, not {type(value).__name__}")
    if not least <= value <= most:
        raise InvalidError(f"{what} is {value}: {least} to {most}")
    return int(value)


def uint32(value: int, what: str) -> int:
    """0 to 2**32 - 1."""
    return integer(value, 0, _UINT32_MAX, what)


def int32(value: int, what: str) -> int:
    """-2**31 to 2**31 - 1."""
    return integer(value, -_INT32_MAX - 1, _INT32_MAX, what)
