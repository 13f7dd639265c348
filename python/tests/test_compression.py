"""permessage-deflate: between the bindings' own client and server, and with the PyPI package `websockets`, both ways."""

import asyncio
import contextlib
import threading
import unittest

import libws

from .support import SECONDS, Heard, background, in_thread

try:
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed
    from websockets.extensions.permessage_deflate import (
        ClientPerMessageDeflateFactory,
        PerMessageDeflate,
        ServerPerMessageDeflateFactory,
    )
except ImportError:
    connect = None

PROSE = "".join(f"price {number * 7919}, 心跳 " for number in range(200))
TAKEOVER = {"deflate": True, "deflate_takeover": True, "deflate_peer_takeover": True}


def told(conn, message):
    """Echoes, and tells first how the message came."""
    conn.send(f"{conn.message_compressed}")
    conn.send(message, compress=not str(message).startswith("a secret"))


class Compression(unittest.TestCase):
    def dialogue(self, server, client):
        """How each of three messages reached the server, and how its echo came back."""
        heard, there, back = Heard(), [], []
        with background(settings=libws.Settings(**server), on_message=told) as (loop, listener):

            def note(conn, message):
                if len(message) > 5:
                    back.append(conn.message_compressed)

            conn = loop.connect(
                listener.url,
                settings=libws.Settings(**client),
                on_message=heard.handler("message", note),
                on_open=heard.handler("open"),
            )
            heard.next("open")
            both = bool(server.get("deflate") and client.get("deflate"))
            self.assertIs(conn.info().deflate, both)
            for message in (PROSE, "a secret" + PROSE, PROSE.encode()):
                conn.send(message, compress=not str(message).startswith("a secret"))
                there.append(heard.next("message")[1] == "True")
                self.assertEqual(heard.next("message")[1], message)
        return there, back

    def test_each_message_tells_how_it_came(self):
        never, chosen = [False] * 3, [True, False, True]
        plain, both = (never, never), (chosen, chosen)
        self.assertEqual(self.dialogue({}, {}), plain)
        self.assertEqual(self.dialogue({"deflate": True}, {}), plain)
        self.assertEqual(self.dialogue({}, {"deflate": True}), plain)
        self.assertEqual(self.dialogue({"deflate": True}, {"deflate": True}), both)
        self.assertEqual(self.dialogue(TAKEOVER, TAKEOVER), both)
        small = {"deflate_window_bits": 9, "deflate_peer_window_bits": 10, "deflate_level": 1}
        self.assertEqual(self.dialogue({**TAKEOVER, **small}, {**TAKEOVER, "deflate_level": 9}), both)
        self.assertEqual(self.dialogue({**TAKEOVER, "deflate_min_bytes": 1 << 20}, TAKEOVER), (chosen, never))

    def test_topics(self):
        ways, done = [], threading.Event()

        def note(conn, message):
            ways.append((message, conn.message_compressed))
            if len(ways) == 2:
                done.set()

        settings = libws.Settings(deflate=True)
        opened = Heard()
        with background(settings=settings, on_open=opened.handler("open", lambda c: c.subscribe("t"))) as (loop, listener):
            loop.connect(listener.url, settings=settings, on_message=note)
            opened.next("open")
            loop.publish("t", PROSE)
            loop.publish("t", PROSE, compress=False)
            self.assertTrue(done.wait(SECONDS))
        self.assertEqual(ways, [(PROSE, True), (PROSE, False)])

    def test_without_memory_it_goes_without_takeover(self):
        heard = Heard()
        with libws.Loop(deflate_memory=1) as loop:
            settings = libws.Settings(**TAKEOVER)
            listener = loop.listen("ws://127.0.0.1:0", settings=settings, on_message=told)
            conn = loop.connect(listener.url, settings=settings, **heard.handlers("open", "message"))
            loop.start()
            heard.next("open")
            conn.send(PROSE)
            self.assertEqual([heard.next("message")[1] for _ in range(2)], ["True", PROSE])

    def test_what_is_refused(self):
        with libws.Loop() as loop:
            for settings, word in (
                ({"deflate_level": 6}, "deflate_level without LIBWS_DEFLATE"),
                ({"deflate_takeover": True}, "LIBWS_DEFLATE_TAKEOVER without"),
                ({"deflate": True, "deflate_level": 10}, "deflate_level is 10"),
                ({"deflate": True, "deflate_window_bits": 8}, "deflate_window_bits is 8"),
                ({"deflate": True, "deflate_min_bytes": -1}, "deflate_min_bytes is -1"),
            ):
                for function in (loop.listen, loop.connect):
                    with self.assertRaisesRegex(libws.InvalidError, word):
                        function("ws://127.0.0.1:0", settings=libws.Settings(**settings))
        with self.assertRaises(libws.InvalidError):
            libws.Loop(deflate_memory=-1)


PARAMETERS = [
    {},
    {"server_no_context_takeover": True, "client_no_context_takeover": True},
    {"server_no_context_takeover": True, "client_max_window_bits": 9},
    {"client_no_context_takeover": True, "server_max_window_bits": 10},
    {"server_max_window_bits": 12, "client_max_window_bits": 15},
]
"""What the other side asks for, or insists on."""

OURS = [
    {"deflate": True},
    TAKEOVER,
    {**TAKEOVER, "deflate_window_bits": 9, "deflate_peer_window_bits": 9},
    {"deflate": True, "deflate_takeover": True, "deflate_level": 1},
]


def payloads():
    """Text and binary of many sizes, several of each, so that later ones can refer to earlier ones."""
    for size in (0, 1, 127, 128, 2000, 70000, 500000):
        for turn in range(3):
            yield (PROSE * (size // len(PROSE) + 1))[turn : size + turn]
            yield bytes((index * 7 + turn) * index >> 3 & 0xFF for index in range(size))


@unittest.skipIf(connect is None, "websockets is not installed: pip install -r tests/python/requirements.txt")
class CompressionInterop(unittest.TestCase):
    def test_websockets_as_client(self):
        async def dialogue(url, parameters):
            # True asks without a value for our window; the factory has no other way to say so.
            factory = ClientPerMessageDeflateFactory(**{"client_max_window_bits": True, **parameters})
            async with connect(url, compression=None, extensions=[factory], max_size=None) as peer:
                (extension,) = peer.protocol.extensions
                self.assertIsInstance(extension, PerMessageDeflate)
                for payload in payloads():
                    await peer.send(payload)
                    self.assertEqual(await asyncio.wait_for(peer.recv(), SECONDS), payload)

        for ours in OURS:
            for parameters in PARAMETERS:
                with self.subTest(ours=ours, theirs=parameters):
                    ways = set()

                    def echo(conn, message, ways=ways):
                        ways.add(conn.message_compressed)
                        conn.send(message)

                    with background(settings=libws.Settings(**ours), on_message=echo) as (_, listener):
                        in_thread(lambda: asyncio.run(dialogue(listener.url, parameters)))
                    self.assertIn(True, ways)

    def test_websockets_as_server(self):
        async def echo(peer):
            with contextlib.suppress(ConnectionClosed):
                async for message in peer:
                    await peer.send(message)

        async def server(parameters, ready):
            stop = asyncio.Event()
            factory = ServerPerMessageDeflateFactory(**parameters)
            async with serve(echo, "127.0.0.1", 0, compression=None, extensions=[factory], max_size=None) as listening:
                end = lambda loop=asyncio.get_running_loop(): loop.call_soon_threadsafe(stop.set)
                ready.events.put(("ready", listening.sockets[0].getsockname()[1], end))
                await stop.wait()

        for parameters in PARAMETERS:
            ready = Heard()
            thread = threading.Thread(target=lambda p=parameters, r=ready: asyncio.run(server(p, r)))
            thread.start()
            port, end = ready.next("ready")
            try:
                for ours in OURS:
                    with self.subTest(ours=ours, theirs=parameters), libws.Loop() as loop:
                        self.client(loop, port, ours)
            finally:
                end()
                thread.join(SECONDS)

    def client(self, loop, port, ours):
        heard, ways = Heard(), set()
        conn = loop.connect(
            f"ws://127.0.0.1:{port}",
            settings=libws.Settings(**ours),
            on_open=heard.handler("open"),
            on_message=heard.handler("message", lambda conn, _: ways.add(conn.message_compressed)),
        )
        loop.start()
        heard.next("open")
        self.assertTrue(conn.info().deflate)
        for payload in payloads():
            conn.send(payload)
            self.assertEqual(heard.next("message")[1], payload)
        self.assertIn(True, ways)
