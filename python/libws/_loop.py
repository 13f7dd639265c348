"""An event loop: the one thing an application makes itself."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Set, Type, Union

from . import _abi, _callbacks, _records
from ._abi import lib
from ._connection import Connection
from ._errors import Error, GoneError, StateError, ThreadError, check
from ._listener import Listener
from ._options import (
    Handlers,
    OnClose,
    OnDrain,
    OnListenerClose,
    OnMessage,
    OnOpen,
    OnPong,
    OnRequest,
    OnRetry,
    OnUpgrade,
    Settings,
    descriptor,
    must_be_function,
    settings_pointer,
)
from ._timer import Timer
from ._values import Data, Headers, Names, c_text, codes, folder, header_lines, int32, names, optional_text, payload, uint32

# How long Ctrl-C may take: Python handles signals only between two slices.
_SLICE_MS = 100
_EXIT_SECONDS = 2.0

_loops: Dict[int, "Loop"] = {}


class Loop:
    """An event loop: one thread at a time runs it and every callback of its connections.

    Use it in a `with` block, or call `close` when you are done; what is left is closed when the interpreter exits.
    Methods may be called from any thread unless they say otherwise. On a closed loop they raise GoneError.

    log: gets `(level, line)` on the loop's thread; None: silence. log_level: lines up to this level, 1 errors,
    2 warnings, 3 what peers did, 4 everything. deflate_memory: bytes that the compression of its connections may hold
    [64 MiB]; beyond it they go without takeover. Errors: SystemCallError (no descriptor left).
    """

    def __init__(
        self, log: Optional[Callable[[int, str], object]] = None, log_level: int = 0, *, deflate_memory: int = 0
    ) -> None:
        must_be_function(log, "log", optional=True)
        options = _abi.LoopOptions(
            struct_size=ctypes.sizeof(_abi.LoopOptions),
            log_level=int32(log_level, "log_level"),
            deflate_memory=uint32(deflate_memory, "deflate_memory"),
        )
        self._id = 0
        self._log_key = 0
        # Keys of what keeps `run` going: listeners, client connections, timers, posts.
        self._live: Set[int] = set()
        self._turns = threading.Lock()
        self._driver = 0
        self._raise_later: Optional[BaseException] = None
        self._stop_asked = False
        self._started = False
        if log is not None:
            self._log_key = _records.add(log)
            options.log, options.log_user = _callbacks.TRAMPOLINES["on_log"], self._log_key
        out = ctypes.c_uint64()
        try:
            check(lib.libws_loop_new(ctypes.byref(options), ctypes.byref(out)))
        except Error:
            _records.drop(self._log_key)
            raise
        self._id = out.value
        _loops[self._id] = self

    def __repr__(self) -> str:
        return f"<libws.Loop {self._id:#x}{'' if self._id in _loops else ' closed'}>"

    def __enter__(self) -> "Loop":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with contextlib.suppress(GoneError):
            self.close()

    # ---- Running -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Runs the loop on this thread until `stop`, or until no listener, connection, timer or post is left.

        Ctrl-C raises KeyboardInterrupt here, as do sys.exit() and KeyboardInterrupt in a callback. Not inside a
        callback. Errors: GoneError, StateError (in a callback), ThreadError (another thread runs the loop).
        """
        with self._driving(), _interrupts(self) as interrupted:
            slice_ms = _SLICE_MS if threading.current_thread() is threading.main_thread() else -1
            self._turn(0)
            while self._live and not self._stop_asked and not interrupted:
                self._turn(slice_ms)
            if self._stop_asked or interrupted:
                # The library noted the stop too: a last turn takes it back, or the next run would end at once.
                self._turn(0)
            self._stop_asked = False
        if interrupted:
            raise KeyboardInterrupt

    def run_once(self, timeout_ms: int = 0) -> None:
        """Runs one turn on this thread: waits up to timeout_ms (-1: for ever) and handles what happened.

        For a loop of your own, together with `fileno` and `timeout_ms`. While it waits, Ctrl-C has to wait too. Not
        inside a callback. Errors: as `run`, and InvalidError for a timeout below -1.
        """
        with self._driving():
            self._turn(timeout_ms)

    def start(self) -> None:
        """Runs the loop on a thread of its own until `stop` or `close`; callbacks then come on that thread.

        Errors: GoneError, StateError (it runs already, or in a callback of this loop), SystemCallError (no thread).
        """
        if self._driver:
            raise StateError("the loop runs already")
        check(lib.libws_loop_start(self._id))
        self._started = True
        self._stop_asked = False

    def stop(self) -> None:
        """Asks the loop to stop soon: `run` returns, the background thread ends. Legal in callbacks and signal handlers.

        A loop that does not run stops as soon as it runs. It can be run or started again. Errors: GoneError.
        """
        check(lib.libws_loop_stop(self._id))
        if self._driver or not self._started:
            self._stop_asked = True
        self._started = False

    def close(self) -> None:
        """Ends the loop: closes everything, runs every `on_close` and every post, and joins the background thread.

        All its objects are dead afterwards. Not inside a callback. Errors: GoneError (closed before), StateError (in
        a callback, or another thread is in `run`).
        """
        try:
            with self._driving():
                check(lib.libws_loop_free(self._id))
        except ThreadError as error:
            raise StateError(f"{error}: stop it first") from error
        _loops.pop(self._id, None)
        for key in list(self._live):
            endpoint = _records.drop(key)
            if isinstance(endpoint, _records.Endpoint):
                _records.retire(endpoint)
        self._live.clear()
        _records.drop(self._log_key)
        self._raise_now()

    def fileno(self) -> int:
        """The descriptor that is readable when the loop has something to do; it belongs to the loop.

        Poll it together with `timeout_ms`, then call `run_once(0)`. On the loop's thread, or while nobody runs it.
        Errors: GoneError, ThreadError (another thread runs it), UnsupportedError (no such descriptor).
        """
        return check(lib.libws_loop_fd(self._id))

    def timeout_ms(self) -> Optional[int]:
        """How long the loop may be left alone, in ms; None: until its descriptor is readable. Errors: as `fileno`."""
        out = ctypes.c_int32()
        check(lib.libws_loop_timeout(self._id, ctypes.byref(out)))
        return None if out.value < 0 else out.value

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """Calls `function(*arguments)` on the loop's thread, exactly once, in `close` at the latest.

        Errors: GoneError.
        """
        must_be_function(function, "function")
        key = self._add(_records.Call(self, function, arguments, None))
        self._keep(key, lib.libws_loop_post(self._id, _callbacks.TRAMPOLINES["on_post"], key))

    def start_timer(
        self, after_ms: int, function: Callable[..., object], *arguments: Any, every_ms: int = 0
    ) -> Timer:
        """Calls `function(*arguments)` on the loop's thread after after_ms and then, unless it is 0, every every_ms.

        Beats that were missed are left out. From another thread it waits for the loop. Errors: GoneError, InvalidError.
        """
        must_be_function(function, "function")
        after, every = uint32(after_ms, "after_ms"), uint32(every_ms, "every_ms")
        timer = Timer(self)
        timer._key = self._add(_records.Call(self, function, arguments, timer))
        callback = _callbacks.TRAMPOLINES["on_timer" if every else "on_last_timer"]
        out = ctypes.c_uint64()
        result = lib.libws_timer_start(self._id, after, every, callback, timer._key, ctypes.byref(out))
        self._keep(timer._key, result)
        timer._id = out.value
        return timer

    # ---- Server and client -------------------------------------------------------------------------------------------

    def listen(
        self,
        url: str,
        *,
        on_upgrade: Optional[OnUpgrade] = None,
        on_request: Optional[OnRequest] = None,
        on_open: Optional[OnOpen] = None,
        on_message: Optional[OnMessage] = None,
        on_pong: Optional[OnPong] = None,
        on_drain: Optional[OnDrain] = None,
        on_close: Optional[OnClose] = None,
        on_listener_close: Optional[OnListenerClose] = None,
        settings: Optional[Settings] = None,
        path: Optional[str] = None,
        protocols: Optional[Names] = None,
        origins: Optional[Names] = None,
        hosts: Optional[Names] = None,
        headers: Optional[Headers] = None,
        static_root: Optional[Union[str, "os.PathLike[str]"]] = None,
        backlog: int = 0,
        max_connections: int = 0,
        max_body: int = 0,
        keep_alive_ms: int = 0,
        reuse_port: bool = False,
        fd: Optional[Any] = None,
    ) -> Listener:
        """Listens on url: "ws://127.0.0.1:9001", "ws://[::]:0" (any free port), "ws+unix:/run/a.sock".

        Callbacks, all on the loop's thread:

        - `on_upgrade(request)` decides: return ACCEPT, DEFER (answer later with `Request.accept` or `Request.respond`)
          or an HTTP status of 300 to 599; nothing if it answered itself. None accepts all that path, origins and hosts
          let through. An exception refuses with 500.
        - `on_request(request)`: a plain HTTP request, to be answered with `Request.respond`, now or later.
        - `on_open(conn)`, `on_message(conn, message)` with str or bytes, `on_pong(conn, data)`
        - `on_drain(conn)`: after send returned False or raised FullError: there is room again.
        - `on_close(conn, info)`: exactly once, and the last call for a connection.
        - `on_listener_close(listener)`: the listener is closed and its last on_close has returned.

        An exception in a callback goes to sys.unraisablehook and closes its connection with 1011.

        path: only this path upgrades, others get 404. protocols: subprotocols, best first. origins: allowed origins or
        "*"; None: the same host and port as in Host. hosts: allowed values of Host or "*"; None: loopback names on a
        loopback address, anything elsewhere. headers: added to every 101. static_root: plain GETs are answered with the
        files of this folder. backlog [1,024]. max_connections: sockets at one time [the descriptor limit minus 64].
        max_body: bytes of a plain request's body [1 MiB]. keep_alive_ms: an HTTP connection without a request is
        closed after it [15,000]. reuse_port: SO_REUSEPORT. fd: a listening socket made elsewhere (its number, or a
        detached socket's), which belongs to the listener from then on.

        From another thread it waits for the loop. Errors: AddressError (the URL), SystemCallError (bind, listen,
        static_root), InvalidError (an option), GoneError.
        """
        handlers = Handlers(
            on_upgrade=on_upgrade,
            on_request=on_request,
            on_open=on_open,
            on_message=on_message,
            on_pong=on_pong,
            on_drain=on_drain,
            on_close=on_close,
            on_listener_close=on_listener_close,
        )
        options = _abi.ListenOptions(
            struct_size=ctypes.sizeof(_abi.ListenOptions),
            settings=settings_pointer(settings),
            path=optional_text(path, "path"),
            protocols=names(protocols, "protocols"),
            origins=names(origins, "origins"),
            hosts=names(hosts, "hosts"),
            headers=header_lines(headers),
            static_root=folder(static_root),
            backlog=uint32(backlog, "backlog"),
            max_connections=uint32(max_connections, "max_connections"),
            max_body=uint32(max_body, "max_body"),
            keep_alive_ms=uint32(keep_alive_ms, "keep_alive_ms"),
            reuse_port=int(bool(reuse_port)),
            fd=descriptor(fd),
        )
        endpoint = _records.Endpoint(self, handlers)
        listener = endpoint.listener = Listener()
        listener._id = self._begin(lib.libws_listen, url, endpoint, options)
        return listener

    def connect(
        self,
        url: str,
        *,
        on_open: Optional[OnOpen] = None,
        on_message: Optional[OnMessage] = None,
        on_pong: Optional[OnPong] = None,
        on_drain: Optional[OnDrain] = None,
        on_close: Optional[OnClose] = None,
        on_retry: Optional[OnRetry] = None,
        settings: Optional[Settings] = None,
        user: Any = None,
        protocols: Optional[Names] = None,
        origin: Optional[str] = None,
        headers: Optional[Headers] = None,
        reconnect: bool = False,
        reconnect_min_ms: int = 0,
        reconnect_max_ms: int = 0,
        reconnect_attempts: int = 0,
        reconnect_stable_ms: int = 0,
        reconnect_final_codes: Iterable[int] = (),
        offline_queue: int = 0,
        offline_drop_oldest: bool = False,
    ) -> Connection:
        """Begins to connect to url: "ws://host:port/path?query", "ws+unix:/run/a.sock:/path".

        The connection comes back at once; `on_open` or `on_close` tells what became of it. Callbacks as in `listen`,
        and `on_retry(conn, info, after_ms)`: it was lost or an attempt failed, the next attempt comes after after_ms.

        user: the connection's `user`. protocols: subprotocols to offer, best first. origin: the Origin header.
        headers: added to the request. reconnect: dial again when the connection is lost or cannot be made, with
        delays of at most reconnect_min_ms [500], doubling up to reconnect_max_ms [30,000]; after reconnect_attempts
        failures in a row [OFF] it is given up; a connection that lived for reconnect_stable_ms [5,000] starts over.
        reconnect_final_codes: close codes of the server after which it is not dialled again. offline_queue: bytes of
        messages kept while the connection is not open; offline_drop_oldest: a full queue drops its oldest messages.

        Errors: AddressError (the URL), InvalidError (an option), GoneError.
        """
        handlers = Handlers(
            on_open=on_open,
            on_message=on_message,
            on_pong=on_pong,
            on_drain=on_drain,
            on_close=on_close,
            on_retry=on_retry,
        )
        options = _abi.ConnectOptions(
            struct_size=ctypes.sizeof(_abi.ConnectOptions),
            settings=settings_pointer(settings),
            protocols=names(protocols, "protocols"),
            origin=optional_text(origin, "origin"),
            headers=header_lines(headers),
            reconnect=int(bool(reconnect)),
            reconnect_min_ms=uint32(reconnect_min_ms, "reconnect_min_ms"),
            reconnect_max_ms=uint32(reconnect_max_ms, "reconnect_max_ms"),
            reconnect_attempts=uint32(reconnect_attempts, "reconnect_attempts"),
            reconnect_stable_ms=uint32(reconnect_stable_ms, "reconnect_stable_ms"),
            offline_queue=uint32(offline_queue, "offline_queue"),
            offline_drop_oldest=int(bool(offline_drop_oldest)),
            reconnect_final_codes=codes(reconnect_final_codes),
        )
        endpoint = _records.Endpoint(self, handlers)
        conn = endpoint.client = Connection(endpoint, 0, user)
        conn._id = self._begin(lib.libws_connect, url, endpoint, options)
        return conn

    def publish(
        self, topic: str, data: Data, exclude: Optional[Connection] = None, *, compress: bool = True
    ) -> int:
        """Sends a message to every subscriber of a topic but `exclude`; compress as in `Connection.send`.

        On the loop's thread it returns how many it reached, elsewhere 0. A subscriber at `max_buffered` is closed with
        1013, or skipped with `Settings.publish_skips`. Errors: GoneError, InvalidError, Utf8Error.
        """
        if exclude is not None and not isinstance(exclude, Connection):
            raise TypeError(f"exclude must be libws.Connection, not {type(exclude).__name__}")
        kind, octets = payload(data, compress)
        number = exclude._id if exclude is not None else 0
        return check(lib.libws_publish(self._id, c_text(topic, "topic"), number, kind, octets, len(octets)))

    # ---- Inside ------------------------------------------------------------------------------------------------------

    def _begin(self, function: Any, url: str, endpoint: "_records.Endpoint", options: Any) -> int:
        """libws_listen or libws_connect; returns the new id. The key is known before the first callback can come."""
        address = c_text(url, "url")
        key = self._add(endpoint)
        out = ctypes.c_uint64()
        table = endpoint.handlers.to_c()
        result = function(self._id, address, ctypes.byref(table), key, ctypes.byref(options), ctypes.byref(out))
        self._keep(key, result)
        return out.value

    def _add(self, record: object) -> int:
        key = _records.add(record)
        self._live.add(key)
        return key

    def _keep(self, key: int, result: int) -> None:
        """Raises the error of a call that was handed a key, which is then forgotten."""
        try:
            check(result)
        except Error:
            self._live.discard(key)
            _records.drop(key)
            raise

    @contextlib.contextmanager
    def _driving(self) -> Iterator[None]:
        """Makes this thread the one that runs the loop; between two slices the library cannot see that there is one."""
        me = threading.get_ident()
        # A child that was forked inside a callback finds a new lock when it comes back here.
        turns = self._turns
        if not turns.acquire(blocking=False):
            if self._driver == me:
                raise StateError("not inside a callback")
            if lib.libws_loop_timeout(self._id, ctypes.byref(ctypes.c_int32())) == GoneError.code:
                raise GoneError("no such loop (any more)")
            raise ThreadError("another thread runs the loop")
        self._driver = me
        try:
            yield
        finally:
            self._driver = 0
            turns.release()

    def _turn(self, timeout_ms: int) -> None:
        check(lib.libws_loop_run_once(self._id, int32(timeout_ms, "timeout_ms")))
        self._raise_now()

    def _raise_now(self) -> None:
        """Raises the KeyboardInterrupt or SystemExit of a callback."""
        error, self._raise_later = self._raise_later, None
        if error is not None:
            raise error


@contextlib.contextmanager
def _interrupts(loop: Loop) -> Iterator[Set[int]]:
    """While the main thread runs a loop, Ctrl-C is noted, so that it cannot get lost in a callback's first line.

    The second Ctrl-C is raised where it comes: for a callback that does not return. A handler that the application
    installed stays.
    """
    noted: Set[int] = set()

    def note(number: int, frame: Optional[FrameType]) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.add(number)
        lib.libws_loop_stop(loop._id)

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield noted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _close_all() -> None:
    """Ends every loop while the interpreter can still run their callbacks.

    A loop that another thread runs is stopped first, and left alone if that thread does not come back from a callback.
    """
    deadline = time.monotonic() + _EXIT_SECONDS
    for loop in list(_loops.values()):
        while True:
            try:
                loop.close()
            except StateError:
                if time.monotonic() < deadline:
                    with contextlib.suppress(GoneError):
                        loop.stop()
                    time.sleep(0.001)
                    continue
            except GoneError:
                pass
            break


def _after_fork() -> None:
    """In a child of fork: the parent's loops are dead here."""
    for loop in _loops.values():
        loop._live.clear()
        loop._turns = threading.Lock()
        loop._driver = 0
    _loops.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
