"""A chat room: `chat.py [URL]`. Everybody names himself in the URL, ws://host:port/?name=Ann, and hears all others."""

import sys
from urllib.parse import parse_qs, urlsplit

import libws

ROOM = "room"


def on_upgrade(request):
    """Nobody comes in without a name; the connection then carries it."""
    name = parse_qs(urlsplit(request.target).query).get("name", [""])[0]
    if not 1 <= len(name) <= 20:
        return 400
    request.user = name
    return libws.ACCEPT


def main(url):
    loop = libws.Loop()

    def on_open(conn):
        conn.subscribe(ROOM)
        loop.publish(ROOM, f"* {conn.user} is here")

    def on_message(conn, message):
        if isinstance(message, str):
            loop.publish(ROOM, f"{conn.user}: {message}", exclude=conn)

    def on_close(conn, info):
        loop.publish(ROOM, f"* {conn.user} has left")

    # One who does not read is skipped, not waited for.
    settings = libws.Settings(max_message=4096, publish_skips=True)
    with loop:
        listener = loop.listen(
            url, on_upgrade=on_upgrade, on_open=on_open, on_message=on_message, on_close=on_close, settings=settings
        )
        print("listening on", listener.url, flush=True)
        loop.run()


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9001")
    except KeyboardInterrupt:
        pass
    except libws.Error as error:
        sys.exit(str(error))
