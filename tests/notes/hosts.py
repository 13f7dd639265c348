"""The two hosts that editors meet at: ours (`notes-serve`) and npm's reference server of y-websocket."""

import os
import queue
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

from support.process import Failed

HERE = Path(__file__).resolve().parent
START_SECONDS = 60
STOP_SECONDS = 30


class NotesServe:
    """Our host. It can be killed and started again: same data, same port, same links."""

    def __init__(self, program, data, notes):
        self.command = [*program, "--data", data]
        for note in notes:
            self.command += ["--note", note]
        self.wanted = len(notes)
        self.port = 0
        self.process = None
        self.start()

    def start(self):
        command = [*self.command, "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True).start()
        links = {"edit": [], "read": []}
        while min(len(links["edit"]), len(links["read"])) < self.wanted:
            try:
                line = self.lines.get(timeout=START_SECONDS)
            except queue.Empty:
                raise Failed(f"notes-serve printed only {links}") from None
            if line is None:
                raise Failed(f"notes-serve ended with status {self.process.wait()} after {links}")
            kind, _, link = line.partition(" ")
            if kind in links:
                links[kind].append(link.strip())
        self.edit, self.read = links["edit"], links["read"]
        self.port = urlsplit(self.edit[0]).port

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def kill(self):
        """As a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Returns its status: it must end on SIGTERM by itself."""
        if self.process.poll() is not None:
            return f"ended by itself with status {self.process.returncode}"
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return "does not end on SIGTERM"

    def memory_kb(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class ReferenceServer:
    """npm's `@y/websocket-server`. It knows no tokens: a link is a room."""

    def __init__(self, npm_packages):
        command = [shutil.which("node"), HERE / "y_server.mjs"]
        environment = {**os.environ, "NPM_PACKAGES": str(npm_packages)}
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise Failed("the reference server does not start")
        self.port = urlsplit(line.split()[-1]).port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def through(link, proxy):
    """The same link, led through a proxy."""
    parts = urlsplit(link)
    return parts._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
