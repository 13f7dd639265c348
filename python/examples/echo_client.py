"""Sends the lines of its input and prints what comes back: `echo_client.py [URL]`. The end of the input closes."""

import sys
import threading

import libws


def main(url):
    opened, answered = threading.Event(), threading.Semaphore(0)
    ended = threading.Event()

    def on_message(conn, message):
        print(message, flush=True)
        answered.release()

    def on_close(conn, info):
        if not info.was_clean:
            print(f"closed: {info.code} {info.detail}", file=sys.stderr)
        opened.set()
        ended.set()
        answered.release()

    with libws.Loop() as loop:
        conn = loop.connect(url, on_open=lambda conn: opened.set(), on_message=on_message, on_close=on_close)
        # The loop runs on a thread of its own, so that this one can wait for input.
        loop.start()
        opened.wait()
        for line in sys.stdin:
            if ended.is_set():
                break
            conn.send(line.rstrip("\n"))
            answered.acquire()
        if not ended.is_set():
            conn.close()
        ended.wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9001")
    except KeyboardInterrupt:
        pass
    except libws.Error as error:
        sys.exit(str(error))
