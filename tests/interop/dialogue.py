"""What the Python peers share: the messages of the dialogue in README.md, and how a check is told."""

import asyncio
import os
import signal
import sys

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1000003]
MAX_MESSAGE = 16 * 1024 * 1024
STEP_SECONDS = 20
PING = b"are you there?"
COMPRESSED = os.environ.get("COMPRESSION", "none") != "none"


def text(size):
    """Text of exactly `size` bytes of UTF-8: three-byte characters, then ASCII for the rest."""
    return "网" * (size // 3) + "x" * (size % 3)


def binary(size):
    return bytes((index * 7 + size) & 0xFF for index in range(size))


def messages():
    """(name, payload) of each message."""
    for kind, make in (("text", text), ("binary", binary)):
        for size in SIZES:
            yield f"{kind} of {size} bytes", make(size)


def check(ok, name):
    print("ok" if ok else "FAIL", name, flush=True)
    if not ok:
        sys.exit(1)


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, STEP_SECONDS)


def told_to_stop():
    """An event that SIGINT sets."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    return stopped


def main(client, server=None):
    """`PEER client URL` or `PEER server`."""
    if sys.argv[1] == "client":
        asyncio.run(client(sys.argv[2]))
    elif server:
        asyncio.run(server())
    else:
        sys.exit("this peer is a client only")
