"""What the tests share: an echo server on a thread, recorders, child processes."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import libws

PYTHON = Path(__file__).resolve().parents[1]
ROOT = PYTHON.parent
SECONDS = 20


class Heard:
    """Callbacks that put what they hear into a queue: `heard.next("close")`."""

    def __init__(self):
        self.events = queue.Queue()

    def handler(self, name, then=None):
        def handle(*arguments):
            self.events.put((name, *arguments))
            if then is not None:
                return then(*arguments)

        return handle

    def handlers(self, *names):
        return {f"on_{name}": self.handler(name) for name in names or ("open", "message", "close")}

    def next(self, name):
        """The arguments of the next event called `name`; others before it are thrown away."""
        while True:
            event = self.events.get(timeout=SECONDS)
            if event[0] == name:
                return event[1] if len(event) == 2 else event[1:]


def echo(conn, message):
    conn.send(message)


@contextlib.contextmanager
def background(**handlers):
    """A loop on its own thread with one listener: yields `(loop, listener)`."""
    with libws.Loop() as loop:
        listener = loop.listen("ws://127.0.0.1:0", **{"on_message": echo, **handlers})
        loop.start()
        yield loop, listener


@contextlib.contextmanager
def unraisable():
    """A list of what goes to sys.unraisablehook meanwhile."""
    caught, before = [], sys.unraisablehook
    # Only types and texts are kept: the hook's argument must not be resurrected.
    sys.unraisablehook = lambda args: caught.append((args.exc_type, str(args.exc_value), f"{args.err_msg} {args.object!r}"))
    try:
        yield caught
    finally:
        sys.unraisablehook = before


def spawn(code, *arguments, **options):
    """A child interpreter that runs `code` with libws importable."""
    paths = [str(PYTHON), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.Popen(
        # Newer Pythons warn of a fork while there are threads, which is what some of these children are for.
        [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        **options,
    )


def finish(process, seconds=60):
    """Waits for a child: `(status, output)`; the status is None if it hung and was killed."""
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return None, output


def run_child(code, *arguments, seconds=60, **options):
    return finish(spawn(code, *arguments, **options), seconds)


def in_thread(function):
    """Runs a function on another thread and hands back what it returned, or raises what it raised."""
    out = []

    def run():
        try:
            out.append((function(), None))
        except BaseException as error:
            out.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(SECONDS)
    value, error = out[0]
    if error is not None:
        raise error
    return value
