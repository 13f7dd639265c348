"""Exceptions: one class for every LIBWS_ERR_* of the C API."""

from __future__ import annotations

from typing import Dict, Type

from ._abi import lib


class Error(Exception):
    """Something libws refused or could not do; the base of all exceptions of this package.

    `str(error)` is a sentence for people, such as "bind 127.0.0.1:80: Permission denied".
    """

    code: int = 0
    """The number of the C API: LIBWS_ERR_*, negative."""

    os_error: int
    """The errno behind it, or 0."""

    def __init__(self, message: str = "", os_error: int = 0) -> None:
        super().__init__(message or self.name)
        self.os_error = os_error

    @property
    def name(self) -> str:
        """The name of the C API: "LIBWS_ERR_FULL"."""
        name: bytes = lib.libws_result_name(self.code)
        return name.decode()


class InvalidError(Error, ValueError):
    """An argument has a value that is not allowed; the message names it."""

    code = -1


class GoneError(Error):
    """There is no such loop, listener, connection, request or timer any more."""

    code = -2


class StateError(Error):
    """Not possible in this state: a send after close, or a loop call inside a callback."""

    code = -3


class ThreadError(Error):
    """Another thread runs the loop."""

    code = -4


class FullError(Error):
    """`max_buffered` is reached and nothing was queued: wait for `on_drain`."""

    code = -5


class TooBigError(Error):
    """A message or a head is over its limit."""

    code = -6


class Utf8Error(Error, ValueError):
    """A text, a close reason or a name cannot be written as UTF-8."""

    code = -7


class AddressError(Error):
    """A bad URL or address, or the name did not resolve."""

    code = -8


class SystemCallError(Error):
    """The operating system said no; `os_error` is its errno."""

    code = -9


class HandshakeError(Error):
    """The peer's HTTP answer was not an upgrade."""

    code = -11


class ProtocolError(Error):
    """The peer broke RFC 6455."""

    code = -12


class TimedOutError(Error):
    """A deadline passed."""

    code = -13


class UnsupportedError(Error):
    """Not possible on this system, or with this version of the library."""

    code = -14


class NoMemoryError(Error):
    """Memory could not be had."""

    code = -15


class InternalError(Error):
    """A bug in libws, contained."""

    code = -99


_CLASSES: Dict[int, Type[Error]] = {
    kind.code: kind
    for kind in (
        InvalidError,
        GoneError,
        StateError,
        ThreadError,
        FullError,
        TooBigError,
        Utf8Error,
        AddressError,
        SystemCallError,
        HandshakeError,
        ProtocolError,
        TimedOutError,
        UnsupportedError,
        NoMemoryError,
        InternalError,
    )
}


def make_error(code: int, message: str, os_error: int = 0) -> Error:
    """The exception for a negative result; a code that these bindings do not know is a plain Error with that code."""
    error = _CLASSES.get(code, Error)(message, os_error)
    error.code = code
    return error


def check(result: int) -> int:
    """Hands back a result of the library, or raises what it stands for, with this thread's last failure."""
    if result >= 0:
        return result
    text: bytes = lib.libws_last_error()
    raise make_error(result, text.decode("utf-8", "replace"), lib.libws_last_os_error())
