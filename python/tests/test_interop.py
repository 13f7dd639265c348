"""The bindings and the PyPI package `websockets`, both ways: each checks the echo of every size, a ping and a close."""

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
except ImportError:
    connect = None

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1000003]
OPTIONS = {"compression": None, "max_size": 16 * 1024 * 1024}


def payloads():
    """Text of exactly so many bytes of UTF-8, and binary."""
    for size in SIZES:
        yield "网" * (size // 3) + "x" * (size % 3)
        yield bytes((index * 7 + size) & 0xFF for index in range(size))


@unittest.skipIf(connect is None, "websockets is not installed: pip install -r tests/python/requirements.txt")
class Interop(unittest.TestCase):
    def test_websockets_as_client(self):
        async def dialogue(url):
            async with connect(url, **OPTIONS) as peer:
                for payload in payloads():
                    await peer.send(payload)
                    self.assertEqual(await asyncio.wait_for(peer.recv(), SECONDS), payload)
                await asyncio.wait_for(await peer.ping(b"are you there?"), SECONDS)
                await peer.close(3001, "bye")
                self.assertEqual((peer.close_code, peer.close_reason), (3001, "bye"))

        server = Heard()
        with background(on_close=server.handler("close")) as (_, listener):
            in_thread(lambda: asyncio.run(dialogue(listener.url)))
            _, info = server.next("close")
            self.assertEqual((info.code, info.reason, info.was_clean), (3001, "bye", True))

    def test_websockets_as_server(self):
        closed, ready = Heard(), Heard()

        async def echo(peer):
            with contextlib.suppress(ConnectionClosed):
                async for message in peer:
                    await peer.send(message)
            closed.events.put(("closed", (peer.close_code, peer.close_reason)))

        async def server():
            stop = asyncio.Event()
            async with serve(echo, "127.0.0.1", 0, **OPTIONS) as listening:
                end = lambda loop=asyncio.get_running_loop(): loop.call_soon_threadsafe(stop.set)
                ready.events.put(("ready", listening.sockets[0].getsockname()[1], end))
                await stop.wait()

        thread = threading.Thread(target=lambda: asyncio.run(server()))
        thread.start()
        port, end = ready.next("ready")
        try:
            with libws.Loop() as loop:
                heard = Heard()
                conn = loop.connect(f"ws://127.0.0.1:{port}", **heard.handlers("open", "message", "pong", "close"))
                loop.start()
                heard.next("open")
                for payload in payloads():
                    conn.send(payload)
                    self.assertEqual(heard.next("message")[1], payload)
                conn.ping(b"are you there?")
                self.assertEqual(heard.next("pong")[1], b"are you there?")
                conn.close(3001, "bye")
                info = heard.next("close")[1]
                self.assertEqual((info.code, info.reason, info.was_clean), (3001, "bye", True))
                self.assertEqual(closed.next("closed"), (3001, "bye"))
        finally:
            end()
            thread.join(SECONDS)
