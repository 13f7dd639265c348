"""What the C side knows as `user` and `arg`: integer keys into a dict, so that no pointer can go stale.

Single dict and set operations are atomic in CPython, so nothing here needs a lock that a fork could leave locked.
"""

from __future__ import annotations

import itertools
import os
import threading
from ctypes import CFUNCTYPE
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Set, Tuple

from ._abi import lib
from ._connection import Connection
from ._listener import Listener

if TYPE_CHECKING:
    from ._loop import Loop
    from ._options import Handlers
    from ._timer import Timer

SWEEP_AT_LEAST = 64


class Endpoint:
    """One listen or connect: its handlers and the object that it was answered with."""

    __slots__ = ("assigned", "client", "handlers", "keys", "listener", "loop", "sweep_at")

    def __init__(self, loop: "Loop", handlers: "Handlers") -> None:
        self.loop = loop
        self.handlers = handlers
        self.listener: Optional[Listener] = None
        self.client: Optional[Connection] = None
        # Keys made by Request.user, and those of them whose request has no answer yet.
        self.keys: Set[int] = set()
        self.assigned: Dict[int, int] = {}
        self.sweep_at = SWEEP_AT_LEAST


class Assigned:
    """What the application attached to a request: the `user` of its connection."""

    __slots__ = ("endpoint", "user")

    def __init__(self, endpoint: Endpoint, user: Any) -> None:
        self.endpoint = endpoint
        self.user = user


class Call:
    """A function with its arguments: a post, or a timer's."""

    __slots__ = ("arguments", "function", "loop", "timer")

    def __init__(
        self, loop: "Loop", function: Callable[..., object], arguments: Tuple[Any, ...], timer: "Optional[Timer]"
    ) -> None:
        self.loop = loop
        self.function = function
        self.arguments = arguments
        self.timer = timer


_numbers: Iterator[int] = itertools.count(1)
_records: Dict[int, object] = {}
connections: Dict[int, Connection] = {}
"""Every connection that a callback has brought and whose on_close has not returned, by its id."""


def add(record: object) -> int:
    """Remembers a record and returns its key, which is never 0."""
    key = next(_numbers)
    _records[key] = record
    return key


def get(key: Optional[int]) -> Any:
    """The record of a key, or None."""
    return _records.get(key or 0)


def drop(key: Optional[int]) -> Any:
    """Forgets a record and returns it, or None."""
    return _records.pop(key or 0, None)


def assign(endpoint: Endpoint, request: int, user: Any) -> int:
    """A key that carries `user` to the connection that `request` may become."""
    if len(endpoint.assigned) >= endpoint.sweep_at:
        sweep(endpoint)
    key = add(Assigned(endpoint, user))
    endpoint.keys.add(key)
    endpoint.assigned[key] = request
    return key


def unassign(endpoint: Endpoint, key: int) -> None:
    """Forgets a key of `assign`."""
    endpoint.assigned.pop(key, None)
    endpoint.keys.discard(key)
    drop(key)


def sweep(endpoint: Endpoint) -> None:
    """Forgets what was attached to requests that ended unanswered, of which libws tells nobody."""
    for key, request in list(endpoint.assigned.items()):
        if lib.libws_request_set_user(request, key) < 0:
            unassign(endpoint, key)
    endpoint.sweep_at = max(SWEEP_AT_LEAST, 2 * len(endpoint.assigned))


def retire(endpoint: Endpoint) -> None:
    """Forgets every key of an endpoint that has ended."""
    for key in list(endpoint.keys):
        unassign(endpoint, key)


def endpoint_of(key: Optional[int]) -> Tuple[Optional[Endpoint], Any]:
    """The endpoint behind a callback's `user`, and what the application attached."""
    record = get(key)
    if isinstance(record, Assigned):
        return record.endpoint, record.user
    return (record, None) if isinstance(record, Endpoint) else (None, None)


def adopt(number: int, key: Optional[int]) -> Optional[Connection]:
    """The object of a connection whose first callback this is."""
    endpoint, user = endpoint_of(key)
    if endpoint is None:
        return None
    conn = endpoint.client or Connection(endpoint, number, user)
    conn._id = number
    if key is not None:
        endpoint.assigned.pop(key, None)
    connections[number] = conn
    return conn


def report(loop: "Optional[Loop]", error: BaseException, where: str, handler: object) -> None:
    """Hands an exception of a callback to sys.unraisablehook.

    KeyboardInterrupt and SystemExit end `Loop.run` instead, if that is what this thread is in.
    """
    if loop is not None and not isinstance(error, Exception) and loop._driver == threading.get_ident():
        loop._raise_later = error
    else:
        _Thunk(_Ignored(error, where, handler))()


_Thunk = CFUNCTYPE(None)


class _Ignored:
    """Raises an exception where ctypes hands it to sys.unraisablehook: the hook's argument cannot be made otherwise."""

    def __init__(self, error: BaseException, where: str, handler: object) -> None:
        self.error = error
        self.where = where
        self.handler = handler

    def __call__(self) -> None:
        raise self.error

    def __repr__(self) -> str:
        return f"<{self.where} {self.handler!r}>"


def _forget_parent() -> None:
    """In a child of fork: the parent's ids are dead here."""
    _records.clear()
    connections.clear()


os.register_at_fork(after_in_child=_forget_parent)
