"""A listening socket."""

from __future__ import annotations

import ctypes

from ._abi import lib
from ._errors import check

_URL_BYTES = 4096


class Listener:
    """A listening socket; `Loop.listen` makes it. Every method may be called from any thread.

    Once it is closed they raise GoneError.
    """

    __slots__ = ("__weakref__", "_id")

    def __init__(self) -> None:
        """Listeners are made by `Loop.listen`."""
        self._id = 0

    def __repr__(self) -> str:
        return f"<libws.Listener {self._id:#x}>"

    @property
    def port(self) -> int:
        """The port it listens on, 1 to 65535; 0 for a Unix socket. Errors: GoneError."""
        return check(lib.libws_listener_port(self._id))

    @property
    def url(self) -> str:
        """Its URL with the real port: "ws://127.0.0.1:40312". Errors: GoneError."""
        out = ctypes.create_string_buffer(_URL_BYTES)
        length = check(lib.libws_listener_url(self._id, out, _URL_BYTES))
        return out.raw[:length].decode("utf-8", "replace")

    def close(self) -> None:
        """Stops listening. Open connections live on; `on_listener_close` follows the last `on_close`.

        Errors: GoneError.
        """
        check(lib.libws_listener_close(self._id))
