"""A WebSocket connection, and what is told about it."""

from __future__ import annotations

import ctypes
import enum
from dataclasses import dataclass
from typing import Any, Optional, Union

from ._abi import ConnInfo, lib
from ._errors import Error, check
from ._values import Data, c_text, int32, octets, payload


class ReadyState(enum.IntEnum):
    """Where a connection is in its life; the numbers of the browser's readyState."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class Role(enum.IntEnum):
    """Which side of a connection we are."""

    SERVER = 1
    CLIENT = 2


@dataclass(frozen=True)
class CloseInfo:
    """How a connection ended."""

    code: int
    """The peer's close code; 1005: its Close had none, 1006: it sent no Close (RFC 6455 section 7.1.5)."""

    reason: str
    """The peer's reason; may be empty."""

    sent_code: int
    """The code that we sent; 1005: an empty Close, 0: no Close frame sent."""

    was_open: bool
    """Whether `on_open` was called."""

    was_clean: bool
    """Whether both Close frames were exchanged."""

    error: Optional[Error]
    """Why it broke; None if nothing did."""

    detail: str
    """A sentence for logs: "HTTP 403", "no pong for 20000 ms"."""

    unsent: int
    """Bytes that were queued and never left."""


@dataclass(frozen=True)
class ConnectionInfo:
    """What `Connection.info` tells."""

    role: Role
    """Which side we are."""

    ready_state: ReadyState
    """Where it is in its life."""

    round_trip_us: Optional[int]
    """Of the newest answered heartbeat, in microseconds; None: none yet."""

    buffered_amount: int
    """Bytes queued and not yet taken by the system."""

    peer: str
    """"127.0.0.1:40312", "[::1]:80", "unix"; at most 63 bytes."""

    protocol: str
    """The chosen subprotocol, or ""; at most 63 bytes."""

    deflate: bool
    """Whether permessage-deflate was agreed (RFC 7692)."""


class Connection:
    """One WebSocket, either role. `Loop.connect` returns it, `on_open` brings it.

    Every callback of a connection gets the same object. Every method may be called from any thread. Once the
    connection has ended they raise GoneError.
    """

    __slots__ = ("__weakref__", "_compressed", "_endpoint", "_id", "user")

    user: Any
    """Whatever you like to keep with the connection; libws does not look at it. See also `Request.user`."""

    def __init__(self, endpoint: object, number: int, user: Any = None) -> None:
        """Connections are made by libws, not by you."""
        self._compressed = False
        self._endpoint = endpoint
        self._id = number
        self.user = user

    def __repr__(self) -> str:
        return f"<libws.Connection {self._id:#x} {self.ready_state.name}>"

    def send(self, data: Data, *, compress: bool = True) -> bool:
        """Sends a whole message: str as text, bytes, bytearray and memoryview as binary. The bytes are copied.

        compress: False keeps it from being compressed, for a message that holds a secret beside what an attacker may
        choose. True compresses it if that was agreed, see `Settings.deflate`.

        Returns True, or False when the queue is now above `high_water`: the message is on its way, wait for `on_drain`
        before the next one. Errors: FullError (nothing was queued), Utf8Error (a lone surrogate), StateError (not
        open), GoneError, NoMemoryError; TypeError for other data. After each nothing was sent.
        """
        kind, octets = payload(data, compress)
        return check(lib.libws_send(self._id, kind, octets, len(octets))) == 0

    def ping(self, data: Union[bytes, bytearray, memoryview] = b"") -> None:
        """Sends a ping with at most 125 bytes; `on_pong` brings the answer. The heartbeat pings by itself.

        Errors: InvalidError (too long), StateError (not open), FullError, GoneError.
        """
        view = octets(data, "data")
        check(lib.libws_ping(self._id, view, len(view)))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Begins the close handshake; `on_close` follows. While connecting it aborts.

        code: 1000-1003, 1007-1014, 3000-4999, or 0 for an empty Close; reason: at most 123 bytes of UTF-8. Errors:
        StateError (closing already: the first close wins), InvalidError, Utf8Error, GoneError.
        """
        check(lib.libws_close(self._id, int32(code, "code"), c_text(reason, "reason")))

    def terminate(self) -> None:
        """Ends the connection without a Close frame; `on_close` follows with 1006. Errors: GoneError."""
        check(lib.libws_terminate(self._id))

    def pause(self) -> None:
        """Stops reading, so that TCP pushes back on the peer. The heartbeat rests meanwhile. Errors: GoneError."""
        check(lib.libws_pause(self._id, 1))

    def resume(self) -> None:
        """Goes on reading after `pause`. Errors: GoneError."""
        check(lib.libws_pause(self._id, 0))

    @property
    def ready_state(self) -> ReadyState:
        """Where it is in its life; CLOSED if it is gone. Never raises."""
        state: int = lib.libws_ready_state(self._id)
        return ReadyState(state) if 0 <= state <= 3 else ReadyState.CLOSED

    @property
    def message_compressed(self) -> bool:
        """Whether the message that `on_message` was given last came compressed. Never raises."""
        return self._compressed

    @property
    def buffered_amount(self) -> int:
        """Bytes queued and not yet taken by the system. Errors: GoneError."""
        return check(lib.libws_buffered_amount(self._id))

    def info(self) -> ConnectionInfo:
        """Peer, subprotocol, round trip and more. From another thread it waits for the loop. Errors: GoneError."""
        info = ConnInfo(struct_size=ctypes.sizeof(ConnInfo))
        check(lib.libws_info(self._id, ctypes.byref(info)))
        return ConnectionInfo(
            role=Role(info.role),
            ready_state=ReadyState(info.ready_state),
            round_trip_us=None if info.round_trip_us < 0 else info.round_trip_us,
            buffered_amount=info.buffered_amount,
            peer=info.peer.decode("utf-8", "replace"),
            protocol=info.protocol.decode("utf-8", "replace"),
            deflate=bool(info.deflate),
        )

    def subscribe(self, topic: str) -> None:
        """Subscribes to a topic of the loop, 1 to 1,024 bytes; twice is the same as once. See `Loop.publish`.

        Subscriptions end with the connection. Errors: StateError (not open), InvalidError, GoneError.
        """
        check(lib.libws_subscribe(self._id, c_text(topic, "topic")))

    def unsubscribe(self, topic: str) -> None:
        """Ends a subscription; if there is none, that is fine. Errors: InvalidError, GoneError."""
        check(lib.libws_unsubscribe(self._id, c_text(topic, "topic")))
