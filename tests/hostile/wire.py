"""Raw sockets, raw frames, raw HTTP: what an attacker needs, with nothing that would stop it from breaking rules."""

import contextlib
import re
import select
import socket
import struct
import time

SECONDS = 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x01\x02\x03\x04"
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


def masked(payload, key=MASK):
    """`payload` under the mask `key`."""
    whole = int.from_bytes(payload, "little")
    mask = int.from_bytes((key * (len(payload) // 4 + 1))[: len(payload)], "little")
    return (whole ^ mask).to_bytes(len(payload), "little")


def header(first, length, mask, form=None):
    """A frame header; `form` 16 or 64 writes the length longer than need be."""
    bit = 0x80 if mask else 0
    if length < 126 and form is None:
        head = bytes([first, bit | length])
    elif length < 65536 and form != 64:
        head = bytes([first, bit | 126]) + struct.pack(">H", length)
    else:
        head = bytes([first, bit | 127]) + struct.pack(">Q", length)
    return head + (MASK if mask else b"")


def frame(first, payload=b"", mask=True):
    """A whole frame; `mask` is true toward a server."""
    return header(first, len(payload), mask) + (masked(payload) if mask else payload)


def close_frame(code, reason=b"", mask=True):
    return frame(CLOSE, struct.pack(">H", code) + reason, mask)


def port_of(url):
    return int(url.rsplit(":", 1)[1].strip("/"))


def connect(port, seconds=SECONDS, receive_buffer=None, address="127.0.0.1"):
    """A TCP connection; a small `receive_buffer` makes a peer that does not read felt at once."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect((address, port))
    return sock


def upgrade(port, path="/", without=(), more="", key=KEY):
    """The text of an opening handshake, less the headers named in `without`, plus `more`."""
    lines = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if name not in without)
    return f"GET {path} HTTP/1.1\r\n{text}{more}\r\n".encode("latin-1")


def read_head(sock):
    """The bytes up to and with the empty line, and what came behind them; b"" at the end of the stream."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return data, b""
        data += piece
    head, rest = data.split(b"\r\n\r\n", 1)
    return head + b"\r\n\r\n", rest


def open_ws(port, receive_buffer=None, more=""):
    """A WebSocket connection by hand."""
    sock = connect(port, receive_buffer=receive_buffer)
    sock.sendall(upgrade(port, more=more))
    head, rest = read_head(sock)
    assert head.startswith(b"HTTP/1.1 101 ") and not rest, head
    return sock


def read_all(sock, seconds=SECONDS, most=1 << 30):
    """Everything up to the end of the stream, and how it ended: 'end', 'reset' or 'open'."""
    data, deadline = bytearray(), time.monotonic() + seconds
    while len(data) < most:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = sock.recv(1 << 18)
        except (TimeoutError, socket.timeout):
            return bytes(data), "open"
        except OSError:
            return bytes(data), "reset"
        if not piece:
            return bytes(data), "end"
        data += piece
    return bytes(data), "open"


def frames(data):
    """The unmasked frames in `data`: a list of (first byte, payload)."""
    found, at = [], 0
    while at + 2 <= len(data):
        first, length, at = data[at], data[at + 1] & 0x7F, at + 2
        if length == 126:
            length, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif length == 127:
            length, at = struct.unpack_from(">Q", data, at)[0], at + 8
        found.append((first, data[at : at + length]))
        at += length
    return found


def unmask_frames(data):
    """The masked frames in `data`, as (first byte, payload)."""
    found, at = [], 0
    while at + 2 <= len(data):
        first, length, at = data[at], data[at + 1] & 0x7F, at + 2
        if length == 126:
            length, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif length == 127:
            length, at = struct.unpack_from(">Q", data, at)[0], at + 8
        key, at = data[at : at + 4], at + 4
        found.append((first, masked(data[at : at + length], key)))
        at += length
    return found


def close_code(found):
    """The code of the last Close among frames: 1005 for an empty one, None if there is no Close."""
    for first, payload in reversed(found):
        if first == CLOSE:
            return struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
    return None


def status(data):
    """The status of an HTTP response, None if `data` is none."""
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", data)
    return int(match.group(1)) if match else None


def send_unless_gone(sock, data):
    """Sends what the peer takes; it may end the stream in the middle."""
    with contextlib.suppress(OSError):
        sock.sendall(data)


def exchange(port, request, seconds=SECONDS):
    """Sends `request`, and returns the answer and how the stream ended."""
    with connect(port, seconds) as sock:
        send_unless_gone(sock, request)
        return read_all(sock, seconds)


def reset(sock):
    """Ends the connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def push(sock, data, stalled=1.0):
    """Sends until nothing has been taken for `stalled` seconds; returns how many bytes went."""
    sock.setblocking(False)
    view, sent = memoryview(data), 0
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    while sent < len(view):
        if not poller.poll(stalled * 1000):
            break
        try:
            sent += sock.send(view[sent : sent + (1 << 18)])
        except BlockingIOError:
            continue
        except OSError:
            break
    sock.setblocking(True)
    sock.settimeout(SECONDS)
    return sent
