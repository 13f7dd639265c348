"""The functions that libws calls. Their C halves live as long as the module, and no exception leaves them."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, Optional

from . import _abi, _records
from ._abi import lib
from ._connection import CloseInfo, Connection
from ._errors import make_error
from ._records import Endpoint, adopt, connections, endpoint_of, report
from ._request import Request

ACCEPT = 1
DEFER = 2
_INTERNAL_ERROR = 1011
_TEXT = 1
_COMPRESSED = 2


def _close_info(pointer: Any) -> CloseInfo:
    info = pointer.contents
    detail = info.detail.decode("utf-8", "replace")
    return CloseInfo(
        code=info.code,
        reason=ctypes.string_at(info.reason, info.reason_len).decode("utf-8", "replace"),
        sent_code=info.sent_code,
        was_open=bool(info.was_open),
        was_clean=bool(info.was_clean),
        error=make_error(info.error, detail) if info.error < 0 else None,
        detail=detail,
        unsent=info.unsent,
    )


def _failed(conn: Optional[Connection], error: BaseException, name: str) -> None:
    """A handler of a connection raised: tell, and close with 1011. A connection that is closing already goes on so."""
    if conn is None:
        report(None, error, name, None)
        return
    endpoint = conn._endpoint
    if isinstance(endpoint, Endpoint):
        report(endpoint.loop, error, name, getattr(endpoint.handlers, name))
    lib.libws_close(conn._id, _INTERNAL_ERROR, None)


def _find(number: int, key: Optional[int]) -> Optional[Connection]:
    return connections.get(number) or adopt(number, key)


def _call(name: str, conn: Optional[Connection], make_arguments: Callable[[], Any]) -> None:
    """Calls the handler `name` of a connection, if there is one."""
    try:
        if conn is not None:
            handler = getattr(conn._endpoint.handlers, name)  # type: ignore[attr-defined]
            if handler is not None:
                handler(conn, *make_arguments())
    except BaseException as error:
        _failed(conn, error, name)


def on_message(number: int, message: Any, key: Optional[int]) -> None:
    """One message; the copy that Python needs is made here."""
    conn = None
    try:
        conn = connections.get(number) or adopt(number, key)
        if conn is not None:
            message = message.contents
            data = ctypes.string_at(message.data, message.len)
            conn._compressed = message.flags & _COMPRESSED != 0
            conn._endpoint.handlers.on_message(  # type: ignore[attr-defined]
                conn, data.decode() if message.kind == _TEXT else data
            )
    except BaseException as error:
        _failed(conn, error, "on_message")


def on_open(number: int, key: Optional[int]) -> None:
    """A connection is open; its object is made here if it is a server's."""
    _call("on_open", _find(number, key), tuple)


def on_drain(number: int, key: Optional[int]) -> None:
    """The queue is short again."""
    _call("on_drain", _find(number, key), tuple)


def on_pong(number: int, data: Optional[int], length: int, key: Optional[int]) -> None:
    """A pong."""
    _call("on_pong", _find(number, key), lambda: (ctypes.string_at(data, length) if data else b"",))


def on_retry(number: int, info: Any, after_ms: int, key: Optional[int]) -> None:
    """A connection is to be dialled again."""
    _call("on_retry", _find(number, key), lambda: (_close_info(info), after_ms))


def on_close(number: int, info: Any, key: Optional[int]) -> None:
    """The end of a connection: its object is forgotten here."""
    conn = _find(number, key)
    try:
        _call("on_close", conn, lambda: (_close_info(info),))
    finally:
        connections.pop(number, None)
        record = _records.get(key)
        if isinstance(record, _records.Assigned) and key:
            _records.unassign(record.endpoint, key)
        elif isinstance(record, Endpoint) and record.client is not None and key:
            _records.drop(key)
            record.loop._live.discard(key)


def on_listener_close(number: int, key: Optional[int]) -> None:
    """The end of a listener and of all that belonged to it."""
    endpoint = _records.get(key)
    if not isinstance(endpoint, Endpoint) or not key:
        return
    handler = endpoint.handlers.on_listener_close
    try:
        if handler is not None and endpoint.listener is not None:
            endpoint.listener._id = number
            handler(endpoint.listener)
    except BaseException as error:
        report(endpoint.loop, error, "on_listener_close", handler)
    finally:
        _records.drop(key)
        _records.retire(endpoint)
        endpoint.loop._live.discard(key)


def _status(answer: object) -> int:
    """What on_upgrade may return; anything else is a mistake of the application."""
    if isinstance(answer, int) and (answer in (ACCEPT, DEFER) or 300 <= answer <= 599):
        return int(answer)
    raise TypeError(f"on_upgrade returned {answer!r}: ACCEPT, DEFER or a status of 300 to 599")


def on_upgrade(number: int, key: Optional[int]) -> int:
    """Decides an upgrade; an exception refuses it with 500."""
    endpoint, _ = endpoint_of(key)
    if endpoint is None:
        return 500
    request = None
    handler = endpoint.handlers.on_upgrade
    try:
        request = Request(endpoint, number)
        answer = handler(request) if handler is not None else ACCEPT
        # An answer that was given already counts, not what is returned.
        status = DEFER if request.answered else _status(answer)
    except BaseException as error:
        report(endpoint.loop, error, "on_upgrade", handler)
        status = 500
    if request is not None:
        if status == ACCEPT:
            request._hand_over()
        elif status != DEFER and request._key in endpoint.assigned:
            request._forget_user()
    return status


def on_request(number: int, key: Optional[int]) -> None:
    """A plain request; an exception answers it with 500, unless it has an answer."""
    endpoint, _ = endpoint_of(key)
    if endpoint is None:
        return
    handler = endpoint.handlers.on_request
    try:
        if handler is not None:
            handler(Request(endpoint, number))
    except BaseException as error:
        report(endpoint.loop, error, "on_request", handler)
        lib.libws_respond(number, 500, None, None, 0)


def on_timer(_loop: int, number: int, key: Optional[int]) -> None:
    """A timer's beat."""
    call = _records.get(key)
    if call is None or call.timer is None:
        return
    call.timer._id = number
    _run(call, "timer")


def on_last_timer(_loop: int, number: int, key: Optional[int]) -> None:
    """The only beat of a one-shot timer."""
    call = _records.drop(key)
    if call is None or call.timer is None:
        return
    call.timer._id = number
    _run(call, "timer")
    call.loop._live.discard(key)


def on_post(_loop: int, key: Optional[int]) -> None:
    """A function that was posted."""
    call = _records.drop(key)
    if call is not None:
        _run(call, "post")
        call.loop._live.discard(key)


def _run(call: "_records.Call", message: str) -> None:
    try:
        call.function(*call.arguments)
    except BaseException as error:
        report(call.loop, error, message, call.function)


def on_log(level: int, line: bytes, key: Optional[int]) -> None:
    """A line of a loop's log."""
    function = _records.get(key)
    try:
        if function is not None:
            function(level, line.decode("utf-8", "replace"))
    except BaseException as error:
        report(None, error, "log", function)


# Module globals: libws may call them until the interpreter ends.
TRAMPOLINES: Dict[str, Any] = {
    "on_message": _abi.MessageCallback(on_message),
    "on_open": _abi.ConnCallback(on_open),
    "on_drain": _abi.ConnCallback(on_drain),
    "on_pong": _abi.PongCallback(on_pong),
    "on_retry": _abi.RetryCallback(on_retry),
    "on_close": _abi.CloseCallback(on_close),
    "on_listener_close": _abi.ListenerCallback(on_listener_close),
    "on_upgrade": _abi.UpgradeCallback(on_upgrade),
    "on_request": _abi.RequestCallback(on_request),
    "on_timer": _abi.TimerCallback(on_timer),
    "on_last_timer": _abi.TimerCallback(on_last_timer),
    "on_post": _abi.PostCallback(on_post),
    "on_log": _abi.LogCallback(on_log),
}
"""The C functions by the name of their Python half."""
