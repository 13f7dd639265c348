"""What the bindings are for: every part of the API used as meant."""

import http.client
import os
import socket
import tempfile
import threading
import unittest
from urllib.parse import urlsplit

import libws
from libws import _records

from .support import SECONDS, Heard, background, echo, unraisable


class Use(unittest.TestCase):
    def connect(self, loop, url, *names, **options):
        heard = Heard()
        conn = loop.connect(url, **heard.handlers(*(names or ("open", "message", "close", "pong"))), **options)
        return conn, heard

    def opened(self, loop, url, **options):
        conn, heard = self.connect(loop, url, **options)
        heard.next("open")
        return conn, heard

    def test_text_and_binary_of_every_type(self):
        with background() as (loop, listener):
            conn, heard = self.opened(loop, listener.url)
            for sent, back in (
                ("网络", "网络"),
                ("", ""),
                ("nul \0 inside", "nul \0 inside"),
                (b"\0\xff", b"\0\xff"),
                (b"", b""),
                (bytearray(b"abc"), b"abc"),
                (memoryview(b"abcdef")[::2], b"ace"),
            ):
                self.assertIs(conn.send(sent), True)
                self.assertEqual(heard.next("message"), (conn, back))

    def test_close_codes_and_reason_reach_both_sides(self):
        server = Heard()
        with background(on_close=server.handler("close")) as (loop, listener):
            conn, heard = self.opened(loop, listener.url)
            conn.close(3001, "bye")
            for _, info in (heard.next("close"), server.next("close")):
                self.assertEqual((info.code, info.reason, info.sent_code), (3001, "bye", 3001))
                self.assertTrue(info.was_clean and info.was_open)
                self.assertIsNone(info.error)

    def test_a_connect_that_fails(self):
        with socket.socket() as taken, libws.Loop() as loop:
            taken.bind(("127.0.0.1", 0))
            loop.start()
            _, heard = self.connect(loop, f"ws://127.0.0.1:{taken.getsockname()[1]}")
            _, info = heard.next("close")
            self.assertFalse(info.was_open)
            self.assertIsInstance(info.error, libws.SystemCallError)
            self.assertEqual(str(info.error), info.detail)

    def test_ping_and_pong(self):
        with background() as (loop, listener):
            conn, heard = self.opened(loop, listener.url)
            conn.ping(b"are you there?")
            self.assertEqual(heard.next("pong"), (conn, b"are you there?"))
            conn.ping()
            self.assertEqual(heard.next("pong"), (conn, b""))
            with self.assertRaises(libws.InvalidError):
                conn.ping(b"x" * 126)

    def test_the_same_object_in_every_callback(self):
        server = Heard()
        with background(**server.handlers()) as (loop, listener):
            conn, heard = self.opened(loop, listener.url, user="mine")
            self.assertEqual(conn.user, "mine")
            conn.send("x")
            conn_at_open = server.next("open")
            self.assertIs(server.next("message")[0], conn_at_open)
            conn.close()
            self.assertIs(server.next("close")[0], conn_at_open)
            self.assertIs(heard.next("close")[0], conn)

    def test_info_and_states(self):
        with background(protocols=["chat.v2", "chat.v1"]) as (loop, listener):
            conn, heard = self.opened(loop, listener.url, protocols="chat.v1")
            info = conn.info()
            self.assertEqual((info.role, info.ready_state), (libws.Role.CLIENT, libws.ReadyState.OPEN))
            self.assertEqual((info.protocol, info.peer), ("chat.v1", f"127.0.0.1:{listener.port}"))
            self.assertEqual((info.round_trip_us, conn.buffered_amount), (None, 0))
            self.assertEqual(listener.url, f"ws://127.0.0.1:{listener.port}")
            conn.close()
            heard.next("close")

    def test_send_tells_pending_and_full_and_on_drain_follows(self):
        settings = libws.Settings(high_water=60_000, low_water=1_000, max_buffered=200_000, heartbeat_ms=libws.OFF)
        server = Heard()
        with background(on_open=server.handler("open"), on_message=None) as (loop, listener):
            conn, heard = self.connect(loop, listener.url, "open", "drain", "close", settings=settings)
            heard.next("open")
            peer = server.next("open")
            peer.pause()
            answers = set()
            with self.assertRaises(libws.FullError) as raised:
                for _ in range(10_000):
                    answers.add(conn.send(bytes(50_000)))
            self.assertEqual(answers, {True, False})
            self.assertEqual(raised.exception.name, "LIBWS_ERR_FULL")
            self.assertGreaterEqual(conn.buffered_amount, 0)
            peer.resume()
            self.assertIs(heard.next("drain"), conn)

    def test_terminate(self):
        with background() as (loop, listener):
            conn, heard = self.opened(loop, listener.url)
            conn.terminate()
            self.assertEqual(heard.next("close")[1].code, 1006)

    def test_upgrades_are_decided(self):
        def decide(request):
            self.assertEqual((request.method, request.body), ("GET", b""))
            if request.target == "/no":
                return 403
            if request.target == "/answered":
                request.respond(429, "later", {"Retry-After": "7"})
                return None
            if request.target == "/accepted":
                request.user = "early"
                request.accept(headers={"X-One": "1"})
                return None
            if request.target == "/later":
                request.user = "wrong"
                request.user = "late"
                self.assertEqual(request.user, "late")
                threading.Thread(target=request.accept).start()
                return libws.DEFER
            request.user = request.header("x-name")
            self.assertIsNone(request.header("no-such-header"))
            self.assertTrue(request.peer.startswith("127.0.0.1:"))
            return libws.ACCEPT

        server = Heard()
        with unraisable() as caught, background(on_upgrade=decide, on_open=server.handler("open")) as (loop, listener):
            for path, user in (("/accepted", "early"), ("/later", "late"), ("/", "Ann")):
                conn, heard = self.opened(loop, listener.url + path, headers=[("X-Name", "Ann")])
                self.assertEqual(server.next("open").user, user)
                conn.close()
                heard.next("close")
            for path, status in (("/no", "403"), ("/answered", "429")):
                _, heard = self.connect(loop, listener.url + path)
                info = heard.next("close")[1]
                self.assertIn(status, info.detail)
                self.assertIsInstance(info.error, libws.HandshakeError)
        self.assertEqual(caught, [])

    def test_plain_requests_and_files(self):
        kept = []

        def answer(request):
            if request.method == "POST":
                kept.append(request)
                threading.Thread(target=lambda: request.respond(201, b"got " + request.body)).start()
            else:
                request.respond(200, f"{request.target} für {request.header('host')}", {"X-Is": "it"})

        with background(on_request=answer) as (_, listener):
            host = urlsplit(listener.url).netloc
            client = http.client.HTTPConnection(host, timeout=SECONDS)
            client.request("GET", "/a?b=c")
            response = client.getresponse()
            self.assertEqual((response.status, response.headers["X-Is"]), (200, "it"))
            self.assertEqual(response.read().decode(), f"/a?b=c für {host}")
            client.request("POST", "/", body=b"\0\1")
            self.assertEqual(client.getresponse().read(), b"got \0\1")
            client.close()
            with self.assertRaises(libws.GoneError):
                kept[0].header("host")
        with tempfile.TemporaryDirectory() as folder, libws.Loop() as loop:
            with open(os.path.join(folder, "page.txt"), "w") as file:
                file.write("hello")
            listener = loop.listen("ws://127.0.0.1:0", static_root=folder)
            loop.start()
            client = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=SECONDS)
            client.request("GET", "/page.txt")
            self.assertEqual(client.getresponse().read(), b"hello")
            client.close()

    def test_topics(self):
        reached = Heard()
        with background(on_open=lambda conn: conn.subscribe("news"), on_message=None) as (loop, listener):
            clients = [self.opened(loop, listener.url) for _ in range(3)]
            loop.post(lambda: reached.events.put(("count", loop.publish("news", "hello"))))
            self.assertEqual(reached.next("count"), 3)
            for conn, heard in clients:
                self.assertEqual(heard.next("message"), (conn, "hello"))
            self.assertEqual(loop.publish("news", b"bytes"), 0)
            self.assertEqual(clients[0][1].next("message")[1], b"bytes")

    def test_timers_and_posts(self):
        heard = Heard()
        beats = []
        with libws.Loop() as loop:

            def beat(number):
                beats.append(number)
                if len(beats) == 3:
                    timer.stop()

            timer = loop.start_timer(0, beat, 7, every_ms=1)
            loop.start_timer(1, heard.handler("once"), "a", "b")
            loop.post(heard.handler("post"), 1)
            loop.run()
            self.assertEqual(beats, [7, 7, 7])
            self.assertEqual(heard.next("post"), 1)
            self.assertEqual(heard.next("once"), ("a", "b"))
            with self.assertRaises(libws.GoneError):
                timer.stop()

    def test_run_ends_when_nothing_is_left_and_stop_ends_it_sooner(self):
        with libws.Loop() as loop:
            loop.run()
            listener = loop.listen("ws://127.0.0.1:0")
            loop.start_timer(1, loop.stop)
            loop.run()
            loop.stop()
            loop.run()
            loop.start()
            loop.stop()
            loop.start_timer(1, listener.close)
            loop.start()
            loop.close()

    def test_reconnect_and_offline_queue(self):
        heard = Heard()
        with libws.Loop() as loop:
            first = loop.listen("ws://127.0.0.1:0", on_message=lambda conn, message: conn.terminate())
            conn = loop.connect(
                first.url,
                reconnect=True,
                reconnect_min_ms=1,
                reconnect_max_ms=5,
                offline_queue=1000,
                reconnect_final_codes=[4001],
                **heard.handlers("open", "retry", "message", "close"),
            )
            loop.start()
            heard.next("open")
            conn.send("drop me")
            _, info, after_ms = heard.next("retry")
            self.assertEqual(info.code, 1006)
            self.assertLessEqual(after_ms, 1000)
            heard.next("open")
            conn.close(4001)
            heard.next("close")

    def test_embedded_in_asyncio(self):
        import asyncio

        async def main():
            heard = Heard()
            with libws.Loop() as loop:
                listener = loop.listen("ws://127.0.0.1:0", on_message=echo)
                done = asyncio.get_running_loop().create_future()
                asyncio.get_running_loop().add_reader(loop.fileno(), loop.run_once)
                loop.connect(
                    listener.url,
                    on_open=lambda conn: conn.send("hello"),
                    on_message=lambda conn, message: done.set_result(message),
                )
                loop.run_once()
                self.assertIsInstance(loop.timeout_ms(), int)
                self.assertEqual(await asyncio.wait_for(done, SECONDS), "hello")
                asyncio.get_running_loop().remove_reader(loop.fileno())

        asyncio.run(main())

    def test_log(self):
        lines = []
        with libws.Loop(log=lambda level, line: lines.append((level, line)), log_level=4) as loop:
            listener = loop.listen("ws://127.0.0.1:0", path="/only")
            loop.start()
            _, heard = self.connect(loop, listener.url + "/other")
            heard.next("close")
        self.assertTrue(lines)
        self.assertTrue(all(isinstance(line, str) and 1 <= level <= 4 for level, line in lines))

    def test_a_listening_socket_made_elsewhere(self):
        with libws.Loop() as loop:
            made = socket.create_server(("127.0.0.1", 0))
            port = made.getsockname()[1]
            listener = loop.listen("ws://127.0.0.1:0", fd=made.detach())
            self.assertEqual(listener.port, port)

    def test_unix_sockets(self):
        with tempfile.TemporaryDirectory() as folder, libws.Loop() as loop:
            listener = loop.listen(f"ws+unix:{folder}/a.sock", on_message=echo, hosts="*")
            loop.start()
            self.assertEqual((listener.port, listener.url), (0, f"ws+unix:{folder}/a.sock"))
            conn, heard = self.opened(loop, listener.url)
            conn.send("x")
            self.assertEqual(heard.next("message")[1], "x")

    def test_nothing_is_kept_of_what_has_ended(self):
        closed = Heard()
        before = set(_records._records)

        def decide(request):
            request.user = object()
            return libws.ACCEPT if request.target == "/" else 403

        with background(on_upgrade=decide, on_listener_close=closed.handler("gone")) as (loop, listener):
            for path in ["/", "/no"] * 100:
                conn, heard = self.connect(loop, listener.url + path, "open", "close")
                if path == "/":
                    heard.next("open")
                    conn.close()
                heard.next("close")
            # A client's on_close may come before its server's.
            closed_all = Heard()
            for _ in range(50):
                loop.post(closed_all.handler("turn"))
                closed_all.next("turn")
            self.assertEqual(len(set(_records._records) - before), 1)
            self.assertEqual(_records.connections, {})
            listener.close()
            self.assertIs(closed.next("gone"), listener)
        self.assertEqual(set(_records._records), before)

    def test_what_was_attached_to_requests_that_died_is_swept(self):
        kept = []

        def decide(request):
            request.user = "waits"
            kept.append(request)
            return libws.DEFER

        with background(on_upgrade=decide) as (loop, listener):
            for _ in range(300):
                conn, heard = self.connect(loop, listener.url, "close")
                deadline = threading.Event()
                while not kept:
                    deadline.wait(0.001)
                conn.terminate()
                heard.next("close")
                while True:
                    try:
                        kept[0].peer
                    except libws.GoneError:
                        break
                kept.clear()
            self.assertLess(len(_records._records), 2 * _records.SWEEP_AT_LEAST)
