"""The process under attack: it answers questions about itself, and /proc answers the others."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

from support.paths import TARGET
from support.process import Failed
from wire import port_of

OUT = TARGET / "tests-hostile"
ANSWER_SECONDS = 20


class Victim:
    """A running `victim`; `port` is where it listens."""

    def __init__(self, process):
        self.process, self.pid, self.port, self.url = process, process.pid, 0, ""
        self.lines, self.closes, self.opens, self.answers = [], queue.Queue(), queue.Queue(), queue.Queue()

    def read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line.startswith("closed "):
                fields, detail = line.split(" detail=", 1)
                info = dict(pair.split("=", 1) for pair in fields.split()[1:])
                self.closes.put({**info, "detail": detail})
            elif line == "opened":
                self.opens.put(line)
            elif line.startswith("log "):
                self.lines.append(line[4:])
            else:
                self.answers.put(line)
        self.answers.put(None)

    def ask(self, command):
        """The answer to a command, without its first word."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        try:
            line = self.answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise Failed("the victim does not answer") from None
        if line is None:
            raise Failed(f"the victim has ended: status {self.process.wait(5)}")
        return line.split(" ", 1)[1] if " " in line else line

    def heap(self):
        return int(self.ask("heap"))

    def peak(self):
        """The most heap since the last question."""
        return int(self.ask("peak"))

    def counts(self):
        names = ("opened", "closed", "messages", "bytes", "pongs", "drains")
        return dict(zip(names, map(int, self.ask("counts").split())))

    def closed(self, seconds=ANSWER_SECONDS):
        """The next connection's end, or None."""
        try:
            return self.closes.get(timeout=seconds)
        except queue.Empty:
            return None

    def opened(self, seconds=ANSWER_SECONDS):
        try:
            return self.opens.get(timeout=seconds)
        except queue.Empty:
            return None

    def forget(self):
        """Empties what was heard so far."""
        for heard in (self.closes, self.opens):
            with contextlib.suppress(queue.Empty):
                while True:
                    heard.get_nowait()
        self.lines.clear()

    def until(self, name, value, seconds=ANSWER_SECONDS):
        """Waits until a count has this value at least; returns it."""
        deadline = time.monotonic() + seconds
        while (seen := self.counts()[name]) < value and time.monotonic() < deadline:
            time.sleep(0.005)
        return seen

    def cpu_ms(self):
        return cpu_ms(self.pid)

    def settle(self, seconds=5):
        """Waits until the loop sleeps: no CPU time in 20 ms."""
        deadline, before = time.monotonic() + seconds, -1.0
        while time.monotonic() < deadline and (now := self.cpu_ms()) != before:
            before = now
            time.sleep(0.02)

    def alive(self):
        return self.process.poll() is None


def cpu_ms(pid):
    """CPU time of a process's first thread, which runs the loop, in ms."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def status_number(pid, field):
    """A number of the first thread's /proc status: VmRSS is in KiB."""
    for line in Path(f"/proc/{pid}/task/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@contextlib.contextmanager
def victim(*options, environment=None, wrapper=(), ends_well=True):
    """Starts a victim with options such as `mode=sink`; it must live to the end and then stop on request.

    `wrapper` is a command that runs it, such as strace.
    """
    command = [*map(str, wrapper), str(OUT / "victim"), *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "errors": "replace"}
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **pipes)
    running = Victim(process)
    reader = threading.Thread(target=running.read, daemon=True)
    reader.start()
    try:
        try:
            running.url = running.answer().removeprefix("on ")
        except Failed:
            raise Failed(f"the victim ended before it listened: status {process.wait(5)}") from None
        running.port = port_of(running.url) if running.url.startswith("ws://") else 0
        yield running
        if process.poll() is not None:
            raise Failed(f"the victim died with status {process.returncode}")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write("stop\n")
            process.stdin.flush()
        code = process.wait(10)
        if ends_well and code != 0:
            raise Failed(f"the victim ended with status {code}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stdin.close()
        reader.join(5)
        process.stdout.close()
