"""The `websockets` package as a peer: `python_peer.py client URL` or `python_peer.py server`. See README.md."""

import asyncio
import signal
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1000003]
OPTIONS = {"compression": None, "max_size": 16 * 1024 * 1024}
STEP_SECONDS = 20


def text(size):
    """Text of exactly `size` bytes of UTF-8: three-byte characters, then ASCII for the rest."""
    return "网" * (size // 3) + "x" * (size % 3)


def binary(size):
    return bytes((index * 7 + size) & 0xFF for index in range(size))


def check(ok, name):
    print("ok" if ok else "FAIL", name, flush=True)
    if not ok:
        sys.exit(1)


async def client(url):
    async with connect(url, **OPTIONS) as socket:
        for kind, make in (("text", text), ("binary", binary)):
            for size in SIZES:
                payload = make(size)
                await socket.send(payload)
                echo = await asyncio.wait_for(socket.recv(), STEP_SECONDS)
                check(echo == payload, f"{kind} of {size} bytes")
        pong = await socket.ping(b"are you there?")
        await asyncio.wait_for(pong, STEP_SECONDS)
        check(True, "ping")
        await socket.close(3001, "bye")
        check((socket.close_code, socket.close_reason) == (3001, "bye"), "close with 3001 bye")


async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except ConnectionClosed:
        pass
    print(f"closed {socket.close_code} {socket.close_reason}", flush=True)


async def server():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    async with serve(echo, "127.0.0.1", 0, **OPTIONS) as listener:
        print(f"listening on ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(client(sys.argv[2]) if sys.argv[1] == "client" else server())
