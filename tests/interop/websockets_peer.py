"""The `websockets` package as a peer: `websockets_peer.py client URL` or `websockets_peer.py server`. See README.md."""

from dialogue import COMPRESSED, MAX_MESSAGE, PING, check, main, messages, soon, told_to_stop
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

OPTIONS = {"compression": "deflate" if COMPRESSED else None, "max_size": MAX_MESSAGE}


async def client(url):
    async with connect(url, **OPTIONS) as socket:
        for name, payload in messages():
            await socket.send(payload)
            check(await soon(socket.recv()) == payload, name)
        await soon(await socket.ping(PING))
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
    stopped = told_to_stop()
    async with serve(echo, "127.0.0.1", 0, **OPTIONS) as listener:
        print(f"listening on ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main(client, server)
