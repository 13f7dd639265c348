"""A TCP proxy on loopback that a test can make slow, cut, black-hole or refuse; one thread runs them all."""

import asyncio
import random
import threading


class _Connection:
    """One proxied connection. `swallow` reads on and passes nothing on, as a network that has gone does."""

    def __init__(self, client, server):
        self.writers = (client, server)
        self.swallow = False

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()


class Proxies:
    """The thread and its event loop."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def proxy(self, port, seed=0):
        proxy = Proxy(self, port, seed)
        proxy.port = self.call(proxy.listen())
        return proxy


class Proxy:
    """Listens on `port` of its own and passes everything on to `target`."""

    def __init__(self, proxies, target, seed):
        self.proxies, self.target = proxies, target
        self.random = random.Random(seed)
        self.connections = []
        self.refusing = False
        self.delay = 0.0
        self.accepted = 0
        self.cuts = self.black_holes = 0

    async def listen(self):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def _accept(self, reader, writer):
        self.accepted += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, far_writer)
        self.connections.append(connection)
        await asyncio.gather(
            self._pass(connection, reader, far_writer), self._pass(connection, far_reader, writer), return_exceptions=True
        )
        connection.cut()
        self.connections.remove(connection)

    async def _pass(self, connection, reader, writer):
        """Pieces of random size after a random time, so that frames are torn and glued together."""
        try:
            while data := await reader.read(self.random.choice((1, 7, 200, 65536)) if self.delay else 65536):
                if self.delay:
                    await asyncio.sleep(self.random.random() * self.delay)
                if not connection.swallow:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            # Half a connection is of no use to a WebSocket.
            if not connection.swallow:
                connection.cut()

    def offline(self):
        """Cuts everything and lets nobody in."""
        self.refusing = True
        self.cut()

    def online(self):
        self.refusing = False

    def cut(self):
        async def cut():
            for connection in list(self.connections):
                self.cuts += 1
                connection.cut()

        self.proxies.call(cut())

    def black_hole(self):
        """What is under way from now on is lost; both ends keep a connection that looks open."""

        async def swallow():
            for connection in self.connections:
                self.black_holes += 1
                connection.swallow = True

        self.proxies.call(swallow())
