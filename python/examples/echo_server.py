"""Sends every message back: `echo_server.py [URL]`. Ctrl-C ends it."""

import sys

import libws


def on_message(conn, message):
    try:
        conn.send(message)
    except libws.FullError:
        # The peer sends without reading what comes back.
        conn.close(1013, "read what you asked for")


def main(url):
    with libws.Loop() as loop:
        listener = loop.listen(url, on_message=on_message)
        print("listening on", listener.url, flush=True)
        loop.run()


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9001")
    except KeyboardInterrupt:
        pass
    except libws.Error as error:
        sys.exit(str(error))
