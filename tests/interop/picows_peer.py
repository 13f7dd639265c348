"""picows as a peer: `picows_peer.py client URL`. It has no compression. See README.md."""

import asyncio

from dialogue import PING, check, main, messages, soon
from picows import WSListener, WSMsgType, ws_connect


class Frames(WSListener):
    """Hands every frame on: messages of our server are never fragmented."""

    def __init__(self):
        self.heard = asyncio.Queue()

    def on_ws_frame(self, transport, frame):
        close = (frame.get_close_code(), frame.get_close_reason()) if frame.msg_type == WSMsgType.CLOSE else None
        self.heard.put_nowait((frame.msg_type, frame.fin, close or frame.get_payload_as_bytes()))


async def client(url):
    transport, frames = await ws_connect(Frames, url)
    for name, payload in messages():
        kind = WSMsgType.TEXT if isinstance(payload, str) else WSMsgType.BINARY
        data = payload.encode() if isinstance(payload, str) else payload
        transport.send(kind, data)
        check(await soon(frames.heard.get()) == (kind, True, data), name)
    transport.send_ping(PING)
    check(await soon(frames.heard.get()) == (WSMsgType.PONG, True, PING), "ping")
    transport.send_close(3001, b"bye")
    check(await soon(frames.heard.get()) == (WSMsgType.CLOSE, True, (3001, "bye")), "close with 3001 bye")
    transport.disconnect()
    await soon(transport.wait_disconnected())


if __name__ == "__main__":
    main(client)
