"""aiohttp as a peer: `aiohttp_peer.py client URL` or `aiohttp_peer.py server`. See README.md."""

import aiohttp
from aiohttp import WSMsgType, web
from dialogue import COMPRESSED, MAX_MESSAGE, PING, check, main, messages, soon, told_to_stop


async def client(url):
    async with aiohttp.ClientSession() as session:
        # Without `autoping` pongs are ours to see; pings then are, too.
        options = {"autoping": False, "max_msg_size": MAX_MESSAGE, "compress": 15 if COMPRESSED else 0}
        async with session.ws_connect(url, **options) as socket:
            for name, payload in messages():
                await (socket.send_str if isinstance(payload, str) else socket.send_bytes)(payload)
                message = await soon(socket.receive())
                kind = WSMsgType.TEXT if isinstance(payload, str) else WSMsgType.BINARY
                check(message.type == kind and message.data == payload, name)
            await socket.ping(PING)
            message = await soon(socket.receive())
            check(message.type == WSMsgType.PONG and bytes(message.data) == PING, "ping")
            # `close` would take the answer for itself and keep its code, but not its reason.
            await socket._writer.close(3001, b"bye")
            message = await soon(socket.receive())
            check((message.type, message.data, message.extra) == (WSMsgType.CLOSE, 3001, "bye"), "close with 3001 bye")


async def echo(request):
    socket = web.WebSocketResponse(autoclose=False, max_msg_size=MAX_MESSAGE, compress=COMPRESSED)
    await socket.prepare(request)
    while True:
        message = await socket.receive()
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        else:
            break
    if message.type == WSMsgType.CLOSE:
        print(f"closed {message.data} {message.extra}", flush=True)
        await socket.close(code=message.data, message=message.extra.encode())
    return socket


async def server():
    stopped = told_to_stop()
    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"listening on ws://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    main(client, server)
