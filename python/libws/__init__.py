"""WebSocket client and server (RFC 6455) over the libws shared library.

    import libws

    with libws.Loop() as loop:
        loop.listen("ws://127.0.0.1:9001", on_message=lambda conn, message: conn.send(message))
        loop.run()

A Loop makes everything else: `listen` a Listener, `connect` a Connection, `start_timer` a Timer. Callbacks run on the
loop's thread, one at a time. All calls may come from any thread unless they say otherwise. A call on something that
has ended raises GoneError.
"""

from ._abi import lib as _lib
from ._callbacks import ACCEPT, DEFER
from ._connection import CloseInfo, Connection, ConnectionInfo, ReadyState, Role
from ._errors import (
    AddressError,
    Error,
    FullError,
    GoneError,
    HandshakeError,
    InternalError,
    InvalidError,
    NoMemoryError,
    ProtocolError,
    StateError,
    SystemCallError,
    ThreadError,
    TimedOutError,
    TooBigError,
    UnsupportedError,
    Utf8Error,
)
from ._listener import Listener
from ._loop import Loop
from ._options import OFF, Settings
from ._request import Request
from ._timer import Timer

__version__ = "0.1.0"
"""The version of these bindings."""


def library_version() -> str:
    """The version of the shared library that runs: "0.1.0"."""
    version: bytes = _lib.libws_version_string()
    return version.decode()


__all__ = [
    "ACCEPT",
    "DEFER",
    "OFF",
    "AddressError",
    "CloseInfo",
    "Connection",
    "ConnectionInfo",
    "Error",
    "FullError",
    "GoneError",
    "HandshakeError",
    "InternalError",
    "InvalidError",
    "Listener",
    "Loop",
    "NoMemoryError",
    "ProtocolError",
    "ReadyState",
    "Request",
    "Role",
    "Settings",
    "StateError",
    "SystemCallError",
    "ThreadError",
    "TimedOutError",
    "Timer",
    "TooBigError",
    "UnsupportedError",
    "Utf8Error",
    "library_version",
]
