"""A WebSocket client of bare sockets, which answers nothing by itself."""

import socket
import struct
from urllib.parse import urlsplit

SECONDS = 20
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(opcode, payload):
    """A whole masked frame of at most 125 bytes; the mask is zero."""
    return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(payload)) + payload


class Raw:
    """An open connection to the server at `url`; a context manager."""

    def __init__(self, url):
        host = urlsplit(url).netloc
        self.socket = socket.create_connection(host.rsplit(":", 1), SECONDS)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(HANDSHAKE.format(host=host).encode())
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def send(self, *frames):
        """Sends frames in one segment."""
        self.socket.sendall(b"".join(frames))

    def read(self):
        """The next short frame as `(opcode, payload)`; None at the end."""
        head = self.stream.read(2)
        return (head[0] & 15, self.stream.read(head[1])) if len(head) == 2 else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()
