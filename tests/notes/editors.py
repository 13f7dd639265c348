"""Editors behind the line protocol of README.md: the app without a window, and stock Yjs clients."""

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path

from support.process import Failed

HERE = Path(__file__).resolve().parent
ANSWER_SECONDS = 60
WAIT_SECONDS = 90
POLL_SECONDS = 0.05


def until(condition, seconds=WAIT_SECONDS):
    """Waits until `condition()` is true; returns whether it became so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class Editor:
    """One editor process. Every command is a line of JSON and has one line as its answer."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.lock = threading.Lock()
        self.answers = queue.Queue()
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def ask(self, do, **arguments):
        with self.lock:
            try:
                self.process.stdin.write(json.dumps({"do": do, **arguments}, ensure_ascii=False) + "\n")
                self.process.stdin.flush()
                line = self.answers.get(timeout=ANSWER_SECONDS)
            except (OSError, queue.Empty) as error:
                raise Failed(f"{self.name} does not answer `{do}`: {error!r}") from error
        if line is None:
            raise Failed(f"{self.name} ended with status {self.process.wait()} at `{do}`")
        answer = json.loads(line)
        if not answer.get("ok"):
            raise Failed(f"{self.name} fails at `{do}`: {answer.get('error')}")
        return answer

    def text(self):
        return self.ask("text")["text"]

    def insert(self, at, text):
        self.ask("insert", at=at, text=text)

    def delete(self, at, count=1):
        self.ask("delete", at=at, count=count)

    def state(self):
        return self.ask("state")

    def is_live(self):
        return self.state()["state"] == "live"

    def kill(self):
        """As a power cut does."""
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends the process by closing its input."""
        try:
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Makers:
    """Makes both kinds of editors and the proxies before them."""

    def __init__(self, headless_editor, npm_packages, scratch, proxies):
        self.program, self.scratch, self.proxies = headless_editor, scratch, proxies
        self.environment = {"NPM_PACKAGES": str(npm_packages)}
        self.made = 0

    def node(self, link, name):
        return Editor(name, [shutil.which("node"), HERE / "node_editor.mjs", link, name], self.environment)

    def app_command(self, link, name):
        self.made += 1
        return [self.program, "--data", self.scratch / f"editor-{self.made}", "--name", name, "--join", link]

    def app(self, link, name):
        return Editor(name, self.app_command(link, name))


def all_equal(editors):
    """Whether all editors show the same text."""
    return len({editor.text() for editor in editors}) == 1
