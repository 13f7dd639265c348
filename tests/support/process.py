"""Child processes: servers that say where they listen, commands with a time limit."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time

START_SECONDS = 20
STOP_SECONDS = 10


class Failed(Exception):
    """A child process did not do its part; the text says which and how."""


class Server:
    """A running server that printed `listening on URL`; `lines` has what it prints afterwards.

    `passed_over` has the lines that `wait_for_line` did not want; `status` is how it ended, None while it runs.
    """

    def __init__(self, process, url, lines):
        self.process, self.url, self.lines = process, url, lines
        self.passed_over = []
        self.status = None
        self.pid = process.pid

    def wait_for_line(self, prefix, seconds=10):
        """The next line that starts with `prefix`, or None if it does not come in time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                return None
            if line.startswith(prefix):
                return line
            self.passed_over.append(line)


def _read_lines(stream, lines):
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


@contextlib.contextmanager
def server(command, environment=None, **options):
    """Starts `command`, waits for its `listening on URL`, ends it with SIGINT at the end of the block.

    `options` go to Popen. A server that had to be killed, or that ended by itself, is an error.
    """
    try:
        command = [str(part) for part in command]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, **options)
    except OSError as error:
        raise Failed(f"{command[0]} does not start: {error.strerror}") from error
    lines = queue.Queue()
    threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True).start()
    running = Server(process, "", lines)
    try:
        line = running.wait_for_line("listening on ", START_SECONDS)
        if line is None:
            raise Failed(f"{command[0]} did not print `listening on URL`")
        running.url = line.removeprefix("listening on ").strip()
        yield running
        running.status = stop(process, command[0])
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def stop(process, name):
    """Asks a server to end with SIGINT and returns its status: 0, or that very signal. It must end soon."""
    if process.poll() is not None:
        raise Failed(f"{name} ended by itself with status {process.returncode}")
    process.send_signal(signal.SIGINT)
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} did not end on SIGINT") from None
    if status not in (0, -signal.SIGINT):
        raise Failed(f"{name} ended with status {status} on SIGINT")
    return status


def run(command, seconds, **options):
    """Runs `command` in a group of its own and returns `(status, output)`.

    The group is killed after `seconds`; the status is then None. A program that is not there has status 127.
    """
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            **options,
        )
    except OSError as error:
        return 127, f"{command[0]} does not start: {error.strerror}\n"
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return None, output + f"\n{command[0]}: killed after {seconds} s\n"
