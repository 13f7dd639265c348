"""An HTTP request that waits for its answer."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Union

from . import _records
from ._abi import lib
from ._errors import GoneError, check
from ._values import Headers, c_text, header_lines, int32, octets, optional_text, utf8

_PEER_BYTES = 512


class Request:
    """An HTTP request: an upgrade to decide (`on_upgrade`) or a plain one (`on_request`).

    It may be kept and answered later, from any thread. Once it is answered, its deadline has passed or the peer has
    gone, its methods raise GoneError.
    """

    __slots__ = ("__weakref__", "_endpoint", "_id", "_key", "answered", "body", "method", "target")

    method: str
    """"GET"."""

    target: str
    """"/path?query"."""

    answered: bool
    """Whether `accept` or `respond` of this object has succeeded."""

    body: bytes
    """The body of a plain request; b"" if it has none."""

    def __init__(self, endpoint: "_records.Endpoint", number: int) -> None:
        """Requests are made by libws, not by you."""
        self._endpoint = endpoint
        self._id = number
        self._key = 0
        self.answered = False
        self.method = (lib.libws_request_method(number) or b"").decode("latin-1")
        self.target = (lib.libws_request_target(number) or b"").decode("latin-1")
        length = ctypes.c_size_t()
        body = lib.libws_request_body(number, ctypes.byref(length))
        self.body = ctypes.string_at(body, length.value) if body else b""

    def __repr__(self) -> str:
        return f"<libws.Request {self._id:#x} {self.method} {self.target}>"

    def header(self, name: str) -> Optional[str]:
        """The first value of a header, whatever the case of its name; None if there is none.

        Only inside the callback that brought the request. Errors: GoneError (outside it).
        """
        value: Optional[bytes] = lib.libws_request_header(self._id, c_text(name, "name"))
        if value is None and lib.libws_request_method(self._id) is None:
            raise GoneError("headers can be read only inside the callback that brought the request")
        # Header values are bytes (RFC 9110 section 5.5); nearly always they are ASCII.
        return None if value is None else value.decode("utf-8", "replace")

    @property
    def peer(self) -> str:
        """Where it comes from: "127.0.0.1:40312". From another thread it waits for the loop. Errors: GoneError."""
        out = ctypes.create_string_buffer(_PEER_BYTES)
        length = check(lib.libws_request_peer(self._id, out, _PEER_BYTES))
        return out.raw[:length].decode("utf-8", "replace")

    @property
    def user(self) -> Any:
        """What `Connection.user` will be if this upgrade is accepted. Set it before you accept.

        Errors of setting: GoneError.
        """
        record = _records.get(self._key)
        return record.user if isinstance(record, _records.Assigned) else None

    @user.setter
    def user(self, value: Any) -> None:
        record = _records.get(self._key)
        if isinstance(record, _records.Assigned):
            check(lib.libws_request_set_user(self._id, self._key))
            record.user = value
            return
        key = _records.assign(self._endpoint, self._id, value)
        try:
            check(lib.libws_request_set_user(self._id, key))
        except GoneError:
            _records.unassign(self._endpoint, key)
            raise
        self._key = key

    def accept(self, protocol: Optional[str] = None, headers: Optional[Headers] = None) -> None:
        """Accepts an upgrade; `on_open` follows.

        protocol: None takes the first of the listener's that was offered, "" none; headers are added to the answer.
        From another thread it waits for the loop. Errors: GoneError (answered before, deadline passed, peer gone),
        StateError (a plain request), InvalidError (a header, or a protocol that was not offered).
        """
        lines = header_lines(headers)
        name = optional_text(protocol, "protocol")
        # From here on the connection owns the key: its on_close drops it.
        pending = self._endpoint.assigned.pop(self._key, None)
        try:
            check(lib.libws_accept(self._id, name, lines))
        except GoneError:
            # Answered before: by an accept, whose connection still owns the key, or by nobody.
            if pending is not None:
                self._forget_user()
            raise
        except BaseException:
            if pending is not None:
                self._endpoint.assigned[self._key] = pending
            raise
        self.answered = True

    def respond(
        self,
        status: int,
        body: Union[str, bytes, bytearray, memoryview] = b"",
        headers: Optional[Headers] = None,
    ) -> None:
        """Answers with a status of 200 to 599; for an upgrade 300 to 599, which refuses it.

        A str body is sent as UTF-8. Content-Length, Connection and Date are added. From another thread it waits for
        the loop. Errors: as `accept`.
        """
        content = utf8(body, "body") if isinstance(body, str) else octets(body, "body")
        check(lib.libws_respond(self._id, int32(status, "status"), header_lines(headers), content, len(content)))
        self.answered = True
        self._forget_user()

    def _forget_user(self) -> None:
        if self._key:
            _records.unassign(self._endpoint, self._key)
            self._key = 0

    def _hand_over(self) -> None:
        """The upgrade is about to be accepted: from here on the connection owns the key."""
        self._endpoint.assigned.pop(self._key, None)
