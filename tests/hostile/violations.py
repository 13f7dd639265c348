"""Frames that break RFC 6455, and the close code that each must have; both roles are attacked with them."""

import struct

from wire import BINARY, CLOSE, PING, PONG, TEXT, frame, header

PROTOCOL, NOT_UTF8, POLICY, TOO_BIG = 1002, 1007, 1008, 1009
CONTINUATION, FIN = 0x00, 0x80
LIMIT = 16 << 20


def rows(mask):
    """(name, bytes, close code) of each violation; `mask` is what the receiver is due."""

    def put(first, payload=b""):
        return frame(first, payload, mask)

    yield "F01 wrong masking", frame(TEXT, b"abc", not mask), PROTOCOL
    yield "F01 wrong masking of a ping", frame(PING, b"abc", not mask), PROTOCOL
    yield "F01 wrong masking of an empty frame", frame(BINARY, b"", not mask), PROTOCOL
    for name, bits in {"RSV1": 0x40, "RSV2": 0x20, "RSV3": 0x10, "all RSV": 0x70}.items():
        yield f"F02 {name} on a text", put(TEXT | bits, b"abc"), PROTOCOL
        yield f"F02 {name} on a ping", put(PING | bits, b"abc"), PROTOCOL
        yield f"F02 {name} on a Close", put(CLOSE | bits), PROTOCOL
        yield f"F02 {name} on a continuation", put(0x01, b"a") + put(FIN | bits, b"b"), PROTOCOL
    for opcode in (*range(3, 8), *range(11, 16)):
        yield f"F03 opcode {opcode}", put(FIN | opcode, b"abc"), PROTOCOL
        yield f"F03 opcode {opcode} without FIN", put(opcode, b"abc"), PROTOCOL
    for name, first in {"ping": PING, "pong": PONG, "Close": CLOSE}.items():
        for length in (126, 127, 65536):
            yield f"F04 {name} of {length} bytes", put(first, b"\x03\xe8" + b"x" * (length - 2)), PROTOCOL
        yield f"F04 {name} without FIN", put(first & 0x7F, b""), PROTOCOL
    yield "F04 ping that claims 2^63 - 1 bytes", header(PING, (1 << 63) - 1, mask), PROTOCOL
    yield "F05 continuation first", put(FIN, b"abc"), PROTOCOL
    yield "F05 continuation first, no FIN", put(CONTINUATION, b"abc"), PROTOCOL
    yield "F05 text inside a fragmented text", put(0x01, b"a") + put(TEXT, b"b"), PROTOCOL
    yield "F05 binary inside a fragmented text", put(0x01, b"a") + put(BINARY, b"b"), PROTOCOL
    yield "F05 a second beginning", put(0x01, b"a") + put(0x01, b"b"), PROTOCOL
    yield "F05 continuation after the end", put(0x01, b"a") + put(FIN, b"b") + put(FIN, b"c"), PROTOCOL
    for length in (0, 1, 125):
        yield f"F06 {length} bytes in a 16-bit length", header(BINARY, length, mask, 16) + b"x" * length, PROTOCOL
    for length in (0, 125, 126, 65535):
        yield f"F06 {length} bytes in a 64-bit length", header(BINARY, length, mask, 64) + b"x" * length, PROTOCOL
    yield "F08 Close of 1 byte", put(CLOSE, b"\x03"), PROTOCOL
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield f"F08 Close {code}", put(CLOSE, struct.pack(">H", code)), PROTOCOL
    for name, reason in {"bad": b"\xff", "cut": b"\xe2\x82", "surrogate": b"\xed\xa0\x80", "overlong": b"\xc0\xaf"}.items():
        yield f"F08 {name} UTF-8 in a reason", put(CLOSE, b"\x03\xe8" + reason), NOT_UTF8
    for name, text in {
        "bad byte": b"\xff",
        "cut": b"\xe2\x82",
        "surrogate": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf",
        "above U+10FFFF": b"\xf4\x90\x80\x80",
        "lone continuation": b"ab\x80",
    }.items():
        yield f"F: text, {name}", put(TEXT, text), NOT_UTF8
        yield f"F: text, {name}, far inside", put(TEXT, b"x" * 70000 + text + b"x" * 70000), NOT_UTF8
    yield "F: bad byte in the first of many fragments", put(0x01, b"\xff") + put(CONTINUATION, b"a"), NOT_UTF8
    for name, length in {
        "2^63": 1 << 63,
        "2^64 - 1": (1 << 64) - 1,
    }.items():
        yield f"F10 length {name}, the top bit is set", header(BINARY, length, mask), TOO_BIG
    for name, length in {
        "2^63 - 1": (1 << 63) - 1,
        "2^62": 1 << 62,
        "2^32": 1 << 32,
        "2^32 - 1": (1 << 32) - 1,
        "2^31": 1 << 31,
        "limit + 1": LIMIT + 1,
    }.items():
        yield f"F10 length {name}", header(BINARY, length, mask), TOO_BIG
        yield f"F10 length {name} of a fragment", put(0x02, b"x") + header(CONTINUATION, length, mask), TOO_BIG
    yield "F10 fragments, one byte over the limit", put(0x02, b"x") + header(FIN, LIMIT, mask), TOO_BIG


def accepted(mask):
    """(name, bytes, code and reason of our own Close that must be answered): what looks odd and is right."""
    for code in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999):
        yield f"F08 Close {code} is taken", frame(CLOSE, struct.pack(">H", code), mask), code
    yield "F08 empty Close is taken", frame(CLOSE, b"", mask), 1005
    yield "F08 Close with 123 bytes of reason is taken", frame(CLOSE, b"\x03\xe8" + b"x" * 123, mask), 1000
    yield "F05 Close inside a fragmented message is taken", frame(0x01, b"a", mask) + frame(CLOSE, b"\x03\xe8", mask), 1000
    yield "F05 ping inside a fragmented message is taken", frame(0x01, b"a", mask) + frame(PING, b"p", mask) + frame(
        FIN, b"b", mask
    ) + frame(CLOSE, b"\x03\xe8", mask), 1000
