"""Every wrong use is an exception, never a crash: dead objects, wrong types, callbacks that fail, threads, GC."""

import gc
import http.client
import threading
import unittest
import weakref

import libws

from .support import SECONDS, Heard, background, echo, in_thread, unraisable


def dead():
    """One object of each kind whose loop is closed."""
    requests = []

    def decide(request):
        requests.append(request)
        return libws.ACCEPT

    heard = Heard()
    with background(on_upgrade=decide) as (loop, listener):
        conn = loop.connect(listener.url, **heard.handlers("open"))
        heard.next("open")
        timer = loop.start_timer(60_000, print)
    return loop, listener, conn, requests[0], timer


class DeadObjects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.loop, cls.listener, cls.conn, cls.request, cls.timer = dead()

    def gone(self, **calls):
        for name, call in calls.items():
            with self.subTest(name), self.assertRaises(libws.GoneError):
                call()
            with self.subTest(name, thread="another"), self.assertRaises(libws.GoneError):
                in_thread(call)

    def test_loop(self):
        loop = self.loop
        self.gone(
            run=loop.run,
            run_once=loop.run_once,
            start=loop.start,
            stop=loop.stop,
            close=loop.close,
            fileno=loop.fileno,
            timeout_ms=loop.timeout_ms,
            post=lambda: loop.post(print),
            start_timer=lambda: loop.start_timer(1, print),
            listen=lambda: loop.listen("ws://127.0.0.1:0"),
            connect=lambda: loop.connect("ws://127.0.0.1:1"),
            publish=lambda: loop.publish("a", "b"),
        )
        self.assertEqual(loop._live, set())

    def test_listener_and_timer(self):
        listener = self.listener
        self.gone(port=lambda: listener.port, url=lambda: listener.url, close=listener.close, stop=self.timer.stop)

    def test_connection(self):
        conn = self.conn
        self.gone(
            send=lambda: conn.send("x"),
            ping=conn.ping,
            close=conn.close,
            terminate=conn.terminate,
            pause=conn.pause,
            resume=conn.resume,
            buffered_amount=lambda: conn.buffered_amount,
            info=conn.info,
            subscribe=lambda: conn.subscribe("a"),
            unsubscribe=lambda: conn.unsubscribe("a"),
        )
        self.assertIs(conn.ready_state, libws.ReadyState.CLOSED)

    def test_request(self):
        request = self.request
        self.gone(
            accept=request.accept,
            respond=lambda: request.respond(403),
            header=lambda: request.header("host"),
            peer=lambda: request.peer,
            user=lambda: setattr(request, "user", 1),
        )
        self.assertEqual(request.target, "/")

    def test_all_of_them_can_be_printed(self):
        for thing in (self.loop, self.listener, self.conn, self.request, self.timer):
            self.assertIn("libws.", repr(thing))

    def test_with_after_close(self):
        with libws.Loop() as loop:
            loop.close()


class WrongTypes(unittest.TestCase):
    def refused(self, kind, *calls):
        for number, call in enumerate(calls):
            with self.subTest(number), self.assertRaises(kind):
                call()

    def test_connection(self):
        heard = Heard()
        with background() as (loop, listener):
            conn = loop.connect(listener.url, **heard.handlers("open", "message"))
            heard.next("open")
            self.refused(
                TypeError,
                *(lambda data=data: conn.send(data) for data in (None, 5, 1.5, ["a"], object(), {})),
                lambda: conn.ping("text"),
                lambda: conn.ping(5),
                lambda: conn.close("1000"),
                lambda: conn.close(1000, b"bytes"),
                lambda: conn.subscribe(b"a"),
                lambda: conn.subscribe(None),
                lambda: loop.publish("a", 5),
                lambda: loop.publish("a", "b", exclude=7),
            )
            self.refused(
                libws.InvalidError,
                lambda: conn.close(1005),
                lambda: conn.close(2**32 + 1000),
                lambda: conn.close(-1),
                lambda: conn.close(1000, "x" * 124),
                lambda: conn.close(1000, "cut\0off"),
                lambda: conn.subscribe(""),
                lambda: conn.subscribe("x" * 1025),
                lambda: conn.subscribe("cut\0off"),
            )
            self.refused(
                libws.Utf8Error,
                lambda: conn.send("\ud800"),
                lambda: conn.close(1000, "\ud800"),
                lambda: conn.subscribe("\ud800"),
            )
            conn.send("still alive")
            self.assertEqual(heard.next("message")[1], "still alive")

    def test_loop(self):
        with libws.Loop() as loop:
            url = "ws://127.0.0.1:0"

            async def coroutine(conn):
                pass

            self.refused(
                TypeError,
                lambda: libws.Loop(log="x"),
                lambda: libws.Loop(log_level="x"),
                lambda: loop.post(None),
                lambda: loop.post(coroutine),
                lambda: loop.start_timer("1", print),
                lambda: loop.start_timer(1.5, print),
                lambda: loop.start_timer(1, 2),
                lambda: loop.run_once("1"),
                lambda: loop.listen(None),
                lambda: loop.listen(b"ws://127.0.0.1:0"),
                lambda: loop.listen(url, on_message="x"),
                lambda: loop.listen(url, on_open=coroutine),
                lambda: loop.listen(url, nonsense=1),
                lambda: loop.listen(url, settings={}),
                lambda: loop.listen(url, settings=libws.Settings(max_message="1")),
                lambda: loop.listen(url, protocols=5),
                lambda: loop.listen(url, protocols=[5]),
                lambda: loop.listen(url, headers=["X", 1]),
                lambda: loop.listen(url, static_root=7),
                lambda: loop.connect(url, headers={"A": 1}),
                lambda: loop.connect(url, reconnect_final_codes=["1000"]),
            )
            self.refused(
                libws.InvalidError,
                lambda: loop.run_once(-2),
                lambda: loop.start_timer(-1, print),
                lambda: loop.start_timer(2**32, print),
                lambda: loop.listen(url, path="no-slash"),
                lambda: loop.listen(url, headers={"X": "a\r\nSet-Cookie: b"}),
                lambda: loop.listen(url, headers={"X\n": "a"}),
                lambda: loop.listen(url, headers={"X: y": "a"}),
                lambda: loop.listen(url, protocols=["a, b"]),
                lambda: loop.listen(url, fd=0),
                lambda: loop.listen(url, settings=libws.Settings(max_message=-1)),
                lambda: loop.listen(url + "\0"),
            )
            self.refused(libws.AddressError, lambda: loop.listen("http://x"), lambda: loop.connect("ws://"))
            with self.assertRaises(libws.SystemCallError) as raised:
                loop.listen("ws+unix:/no/such/folder/a.sock")
            self.assertEqual(raised.exception.os_error, 2)
            self.assertEqual(loop._live, set())

    def test_what_on_upgrade_may_not_return(self):
        for answer in (None, 0, 200, 600, "yes", 2**32 + 1, -1):
            with self.subTest(answer), unraisable() as caught:
                heard = Heard()
                with background(on_upgrade=lambda request, answer=answer: answer) as (loop, listener):
                    loop.connect(listener.url, **heard.handlers("close"))
                    self.assertIn("500", heard.next("close")[1].detail)
                self.assertEqual([kind for kind, *_ in caught], [TypeError])


class Boom(Exception):
    """What the failing callbacks raise."""


def boom(*_):
    raise Boom("in a callback")


def deep(*_):
    # A helper with fixed arguments: CPython 3.13 before 3.13.8 does not check the depth of calls to `f(*_)`, and such a
    # recursion never ends, with or without libws (python/cpython#132744).
    return deeper(0)


def deeper(depth):
    return deeper(depth + 1) + 1


class FailingCallbacks(unittest.TestCase):
    def closed_with_1011(self, error, action=None, **handlers):
        """The server's handler fails; the client is closed with 1011."""
        heard = Heard()
        with unraisable() as caught:
            with background(**handlers) as (loop, listener):
                conn = loop.connect(listener.url, **heard.handlers())
                if action:
                    heard.next("open")
                    action(conn)
                self.assertEqual(heard.next("close")[1].code, 1011)
            self.assertEqual(caught[0][0], error)
            (name,) = handlers
            self.assertIn(name, caught[0][2])

    def test_on_open(self):
        self.closed_with_1011(Boom, on_open=boom)

    def test_on_message(self):
        self.closed_with_1011(Boom, lambda conn: conn.send("x"), on_message=boom)

    def test_on_message_by_endless_recursion(self):
        self.closed_with_1011(RecursionError, lambda conn: conn.send("x"), on_message=deep)

    def test_on_message_with_the_wrong_arguments(self):
        self.closed_with_1011(TypeError, lambda conn: conn.send("x"), on_message=lambda: None)

    def test_system_exit_and_interrupt_on_a_background_thread(self):
        for kind in (SystemExit, KeyboardInterrupt, GeneratorExit):

            def end(*_, kind=kind):
                raise kind

            with self.subTest(kind.__name__):
                self.closed_with_1011(kind, on_open=end)

    def test_on_pong(self):
        heard = Heard()
        with unraisable() as caught, background(on_close=heard.handler("close")) as (loop, listener):
            loop.connect(listener.url, on_open=lambda conn: conn.ping(), on_pong=boom)
            self.assertEqual(heard.next("close")[1].code, 1011)
        self.assertEqual(caught[0][0], Boom)

    def test_on_drain(self):
        heard = Heard()
        settings = libws.Settings(high_water=10_000, low_water=1_000)

        def fill(conn):
            self.assertFalse(conn.send(bytes(1_000_000)))

        with unraisable() as caught, background(on_close=heard.handler("close")) as (loop, listener):
            loop.connect(listener.url, on_open=fill, on_drain=boom, settings=settings)
            self.assertEqual(heard.next("close")[1].code, 1011)
        self.assertEqual(caught[0][0], Boom)

    def test_on_retry(self):
        heard = Heard()
        with unraisable() as caught, background(on_open=lambda conn: conn.terminate()) as (loop, listener):
            loop.connect(listener.url, reconnect=True, on_retry=boom, **heard.handlers("close"))
            heard.next("close")
        self.assertEqual(caught[0][0], Boom)

    def test_on_close_and_on_listener_close(self):
        heard = Heard()
        with unraisable() as caught:
            with background(on_close=boom, on_listener_close=boom) as (loop, listener):
                conn = loop.connect(listener.url, **heard.handlers("open", "close"))
                heard.next("open")
                conn.close()
                heard.next("close")
            self.assertEqual([kind for kind, *_ in caught], [Boom, Boom])

    def test_on_upgrade_answers_500(self):
        for handler, error in ((boom, Boom), (deep, RecursionError)):
            heard = Heard()
            with unraisable() as caught, background(on_upgrade=handler) as (loop, listener):
                loop.connect(listener.url, **heard.handlers("close"))
                self.assertIn("500", heard.next("close")[1].detail)
            self.assertEqual(caught[0][0], error)

    def test_on_request_answers_500(self):
        with unraisable() as caught, background(on_request=boom) as (_, listener):
            client = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=SECONDS)
            client.request("GET", "/")
            self.assertEqual(client.getresponse().status, 500)
            client.close()
        self.assertEqual(caught[0][0], Boom)

    def test_timers_posts_and_the_log(self):
        with unraisable() as caught:
            with libws.Loop(log=boom, log_level=4) as loop:
                loop.post(boom)
                loop.start_timer(0, boom)
                loop.run()
                logged = len(caught)
                loop.listen("ws://127.0.0.1:0", path="/only")
            self.assertGreaterEqual(logged, 2)
            self.assertEqual({kind for kind, *_ in caught}, {Boom})

    def test_a_hook_that_fails_too(self):
        import sys

        heard, before = Heard(), (sys.unraisablehook, sys.stderr)
        sys.unraisablehook, sys.stderr = boom, None
        try:
            with background(on_open=boom) as (loop, listener):
                loop.connect(listener.url, **heard.handlers("close"))
                self.assertEqual(heard.next("close")[1].code, 1011)
        finally:
            sys.unraisablehook, sys.stderr = before

    def test_interrupt_and_exit_in_a_callback_end_run(self):
        for kind in (KeyboardInterrupt, SystemExit):

            def end(kind=kind):
                raise kind

            with libws.Loop() as loop, self.assertRaises(kind):
                loop.listen("ws://127.0.0.1:0")
                loop.post(end)
                loop.run()


class InsideCallbacks(unittest.TestCase):
    def test_calls_that_belong_outside(self):
        with libws.Loop() as loop, libws.Loop() as other:
            errors = []

            def call(*functions):
                for function in functions:
                    try:
                        function()
                        errors.append(None)
                    except libws.Error as error:
                        errors.append(type(error))

            loop.post(call, loop.run, loop.run_once, loop.close, loop.start, other.run, other.run_once, other.close)
            loop.run()
            self.assertEqual(errors, [libws.StateError] * 7)
            errors.clear()
            loop.start()
            called = threading.Event()
            loop.post(call, loop.run, loop.run_once, loop.close, loop.start)
            loop.post(called.set)
            self.assertTrue(called.wait(SECONDS))
            self.assertEqual(errors, [libws.StateError] * 4)

    def test_ending_a_connection_in_each_of_its_callbacks(self):
        for end in ("close", "terminate"):
            for where in ("open", "message", "pong"):
                with self.subTest(f"{end} in on_{where}"):
                    heard = Heard()

                    def handle(conn, *_, end=end):
                        getattr(conn, end)()

                    handlers = {f"on_{where}": handle}
                    with background(on_close=heard.handler("close")) as (loop, listener):
                        conn = loop.connect(
                            listener.url,
                            **{"on_open": lambda conn: (conn.send("x"), conn.ping()), **handlers},
                            on_close=heard.handler("client"),
                        )
                        heard.next("client")
                        with self.assertRaises(libws.Error):
                            conn.send("x")

    def test_in_on_close_a_send_is_refused_and_a_new_connect_is_not(self):
        heard = Heard()

        def again(conn, info):
            try:
                conn.send("too late")
            except libws.Error as error:
                heard.events.put(("refused", type(error)))
            loop.connect(listener.url, **heard.handlers("open"))

        with background() as (loop, listener):
            loop.connect(listener.url, on_open=lambda conn: conn.close(), on_close=again)
            self.assertEqual(heard.next("refused"), libws.StateError)
            heard.next("open")

    def test_closing_the_listener_in_its_callbacks(self):
        for where in ("on_upgrade", "on_open", "on_message", "on_close"):
            with self.subTest(where):
                heard, listeners = Heard(), []

                def close(*_):
                    try:
                        listeners[0].close()
                    except libws.GoneError:
                        pass
                    return libws.ACCEPT

                handlers = {where: close, "on_listener_close": heard.handler("gone")}
                with background(**handlers) as (loop, listener):
                    listeners.append(listener)
                    loop.connect(listener.url, on_open=lambda conn: (conn.send("x"), conn.close()))
                    self.assertIs(heard.next("gone"), listener)

    def test_a_second_close_does_not_win(self):
        heard = Heard()

        def twice(conn):
            conn.close(3001)
            try:
                conn.close(3002)
            except libws.StateError:
                heard.events.put(("refused",) * 2)

        with background(on_close=heard.handler("close")) as (loop, listener):
            loop.connect(listener.url, on_open=twice)
            heard.next("refused")
            self.assertEqual(heard.next("close")[1].code, 3001)


class Threads(unittest.TestCase):
    def test_eight_threads_send_subscribe_and_publish(self):
        heard = Heard()
        with background() as (loop, listener):
            conn = loop.connect(listener.url, **heard.handlers("open", "message"))
            heard.next("open")

            def work(number):
                for index in range(200):
                    conn.send(f"{number} {index}")
                    conn.subscribe("t")
                    loop.post(int)
                    loop.start_timer(0, int)

            threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
            for thread in threads:
                thread.start()
            seen = {number: 0 for number in range(8)}
            for _ in range(8 * 200):
                number, index = map(int, heard.next("message")[1].split())
                self.assertEqual(index, seen[number])
                seen[number] += 1
            for thread in threads:
                thread.join(SECONDS)

    def test_one_thread_at_a_time_runs_a_loop(self):
        with libws.Loop() as loop:
            loop.listen("ws://127.0.0.1:0")
            running = threading.Event()
            loop.post(running.set)
            thread = threading.Thread(target=loop.run)
            thread.start()
            self.assertTrue(running.wait(SECONDS))
            for call in (loop.run, loop.run_once):
                with self.assertRaises(libws.ThreadError):
                    call()
            for call in (loop.close, loop.start):
                with self.assertRaises(libws.StateError):
                    call()
            loop.stop()
            thread.join(SECONDS)
            loop.start()
            with self.assertRaises(libws.StateError):
                loop.start()
            for call in (loop.run, loop.run_once, loop.fileno, loop.timeout_ms):
                with self.assertRaises(libws.ThreadError):
                    call()

    def test_closing_from_many_threads_succeeds_once(self):
        for _ in range(20):
            loop = libws.Loop()
            listener = loop.listen("ws://127.0.0.1:0", on_message=echo)
            loop.start()
            for _ in range(4):
                loop.connect(listener.url, on_open=lambda conn: conn.send("x"))
            results = []

            def close():
                try:
                    loop.close()
                    results.append("closed")
                except libws.Error as error:
                    results.append(type(error))

            threads = [threading.Thread(target=close) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SECONDS)
            self.assertEqual(len(results), 4)
            self.assertEqual(results.count("closed"), 1)


class Garbage(unittest.TestCase):
    def test_objects_that_nobody_holds_stay_alive_with_their_connections(self):
        heard, opened = Heard(), Heard()

        def open_all():
            loop = libws.Loop()
            listener = loop.listen("ws://127.0.0.1:0", on_message=lambda conn, message: conn.send(message))
            for _ in range(50):
                loop.connect(listener.url, on_open=opened.handler("open"), on_message=heard.handler("message"))
            loop.start()
            return weakref.ref(loop)

        loop = open_all()
        for _ in range(50):
            gc.collect()
            opened.next("open").send("x")
            gc.collect()
            heard.next("message")[0].close()
        loop().close()
        del heard, opened
        gc.collect()
        self.assertIsNone(loop())

    def test_a_handler_that_collects(self):
        heard = Heard()

        def collect(conn, message):
            gc.collect()
            conn.send(message)

        with background(on_message=collect) as (loop, listener):
            for _ in range(20):
                loop.connect(listener.url, on_open=lambda conn: conn.send("x"), on_message=heard.handler("message"))
            for _ in range(20):
                heard.next("message")
