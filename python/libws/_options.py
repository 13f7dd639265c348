"""Options of listen and connect, and their way into C structs."""

from __future__ import annotations

import ctypes
import inspect
from dataclasses import dataclass, fields
from typing import Any, Callable, Optional, Union

from . import _abi, _callbacks
from ._connection import CloseInfo, Connection
from ._listener import Listener
from ._request import Request
from ._values import integer, uint32

OFF = 2**32 - 1
"""Switches a numeric setting off: no limit, no deadline, no heartbeat."""

_KEEP_READING = 1
_PUBLISH_SKIPS = 2
_DEFLATE = 4
_DEFLATE_TAKEOVER = 8
_DEFLATE_PEER_TAKEOVER = 16
_FLAGS = {
    "keep_reading": _KEEP_READING,
    "publish_skips": _PUBLISH_SKIPS,
    "deflate": _DEFLATE,
    "deflate_takeover": _DEFLATE_TAKEOVER,
    "deflate_peer_takeover": _DEFLATE_PEER_TAKEOVER,
}

OnUpgrade = Callable[[Request], Optional[int]]
OnRequest = Callable[[Request], object]
OnOpen = Callable[[Connection], object]
OnMessage = Callable[[Connection, Any], object]
OnPong = Callable[[Connection, bytes], object]
OnDrain = Callable[[Connection], object]
OnClose = Callable[[Connection, CloseInfo], object]
OnListenerClose = Callable[[Listener], object]
OnRetry = Callable[[Connection, CloseInfo, int], object]


@dataclass(frozen=True)
class Settings:
    """Limits and deadlines of connections, both roles. 0 is the default, which stands in brackets; see also OFF."""

    max_message: int = 0
    """Bytes of one received message [16 MiB]; over it the connection is closed with 1009."""

    max_parts: int = 0
    """Frames of one received message [100,000]; over it: closed with 1008."""

    high_water: int = 0
    """Queued bytes above which `Connection.send` returns False and reading stops [256 KiB]."""

    low_water: int = 0
    """Queued bytes at which `on_drain` comes and reading goes on [64 KiB]."""

    max_buffered: int = 0
    """Queued bytes at which `Connection.send` raises FullError [1 MiB]."""

    heartbeat_ms: int = 0
    """A ping is sent after this many ms of silence [25,000]; OFF: never."""

    heartbeat_timeout_ms: int = 0
    """The connection is dead if the ping has no answer after this many ms [20,000]."""

    handshake_timeout_ms: int = 0
    """The whole opening: name, TCP and HTTP, in ms [10,000]."""

    close_timeout_ms: int = 0
    """The close handshake, in ms [3,000]."""

    message_timeout_ms: int = 0
    """A message unfinished after this many ms must have come at 256 bytes a second or more [60,000]."""

    send_timeout_ms: int = 0
    """Queued bytes of which none leaves for this many ms end the connection [30,000]."""

    keep_reading: bool = False
    """Go on reading a connection whose own send queue is above `high_water`."""

    publish_skips: bool = False
    """`Loop.publish` skips a subscriber at `max_buffered` instead of closing it with 1013."""

    deflate: bool = False
    """permessage-deflate (RFC 7692): a client offers it, a server accepts it. The other `deflate_` settings need it."""

    deflate_takeover: bool = False
    """Our messages may refer to earlier ones: smaller, and up to 380 KB for each connection that sends."""

    deflate_peer_takeover: bool = False
    """The peer's messages may refer to earlier ones: up to 32 KiB for each connection."""

    deflate_level: int = 0
    """1, fastest, to 9, smallest [6]."""

    deflate_min_bytes: int = 0
    """Shorter messages are not compressed [128 bytes]."""

    deflate_window_bits: int = 0
    """The largest window of our compressor, as a power of two, 9 to 15 [15]."""

    deflate_peer_window_bits: int = 0
    """The same for the peer's compressor [15]; a client that does not let its window be chosen keeps 15."""

    def _to_c(self) -> "_abi.Settings":
        out = _abi.Settings(struct_size=ctypes.sizeof(_abi.Settings))
        for field in fields(self):
            if field.name in _FLAGS:
                out.flags |= _FLAGS[field.name] * bool(getattr(self, field.name))
            else:
                setattr(out, field.name, uint32(getattr(self, field.name), field.name))
        return out


@dataclass(frozen=True)
class Handlers:
    """The callbacks of one listen or connect."""

    on_upgrade: Optional[OnUpgrade] = None
    on_request: Optional[OnRequest] = None
    on_open: Optional[OnOpen] = None
    on_message: Optional[OnMessage] = None
    on_pong: Optional[OnPong] = None
    on_drain: Optional[OnDrain] = None
    on_close: Optional[OnClose] = None
    on_listener_close: Optional[OnListenerClose] = None
    on_retry: Optional[OnRetry] = None

    def __post_init__(self) -> None:
        for field in fields(self):
            must_be_function(getattr(self, field.name), field.name, optional=True)

    def to_c(self) -> "_abi.Handlers":
        """The C table: what nobody wants to hear stays NULL, but for the ends, which tidy up."""
        out = _abi.Handlers(struct_size=ctypes.sizeof(_abi.Handlers))
        for field in fields(self):
            if getattr(self, field.name) is not None:
                setattr(out, field.name, _callbacks.TRAMPOLINES[field.name])
        out.on_close = _callbacks.TRAMPOLINES["on_close"]
        out.on_listener_close = _callbacks.TRAMPOLINES["on_listener_close"]
        return out


def must_be_function(value: object, what: str, optional: bool = False) -> None:
    """Refuses what cannot be called, and coroutine functions, which nobody would await."""
    if value is None and optional:
        return
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {type(value).__name__}")
    if inspect.iscoroutinefunction(value):
        raise TypeError(f"{what} must be a plain function, not a coroutine function")


def settings_pointer(settings: Optional[Settings]) -> Any:
    """A pointer for the `settings` of an option struct."""
    if settings is None:
        return None
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be libws.Settings, not {type(settings).__name__}")
    return ctypes.pointer(settings._to_c())


def descriptor(value: Optional[Union[int, Any]]) -> int:
    """A descriptor or a socket; 0 means none to libws, so 0 itself cannot be given."""
    if value is None:
        return 0
    number = value if isinstance(value, int) else value.fileno()
    return integer(number, 1, 2**31 - 1, "fd")
