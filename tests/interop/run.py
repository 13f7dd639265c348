#!/usr/bin/env python3
"""Lets libws and its peers talk in both directions: `run.py [--peers]`. See README.md."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import EXAMPLES, TESTS_C
from support.process import Failed, run, server
from support.tally import Missing, Tally

# 8 texts, 8 binaries, a ping and the close.
CLIENT_CHECKS = 18
DIALOGUE_SECONDS = 120


class Peer:
    """A program that speaks both forms of README.md."""

    def __init__(self, name, command, environment=None):
        self.name, self.command = name, command
        self.environment = {**os.environ, **(environment or {})}

    def client(self, url):
        return run([*self.command, "client", url], DIALOGUE_SECONDS, env=self.environment)

    def server(self):
        return server([*self.command, "server"], self.environment)


class Libws:
    """The two programs of libws: the example server and the test client."""

    name = "libws"

    def client(self, url):
        return run([TESTS_C / "ws_client", "interop", url], DIALOGUE_SECONDS)

    def server(self):
        return server([EXAMPLES / "echo_server", "ws://127.0.0.1:0"])


def node():
    packages = tools.npm_packages(HERE)
    return Peer("ws", [shutil.which("node"), HERE / "node_peer.mjs"], {"NPM_PACKAGES": str(packages)})


def python():
    return Peer("websockets", [tools.python_env(HERE / "requirements.txt"), HERE / "python_peer.py"])


def tungstenite():
    return Peer("tungstenite", [tools.cargo_binary(HERE / "tungstenite/Cargo.toml", "tungstenite-peer")])


def dialogue(tally, client, serving, says_close):
    """One client against one server; `says_close` is whether the server prints how it was closed."""
    title = f"{client.name} -> {serving.name}"
    try:
        with serving.server() as running:
            status, output = client.client(running.url)
            lines = output.splitlines()
            ok = [line for line in lines if line.startswith("ok ")]
            for line in ok:
                tally.check(True, f"{title}: {line.removeprefix('ok ')}")
            if status != 0 or len(ok) != CLIENT_CHECKS:
                detail = f"status {status}, {len(ok)} of {CLIENT_CHECKS} checks\n{output[-2000:]}"
                tally.check(False, f"{title}: the whole dialogue", detail)
            if says_close:
                line = running.wait_for_line("closed ")
                tally.check(line == "closed 3001 bye", f"{title}: the server was closed with 3001 bye", str(line))
    except Failed as failed:
        tally.check(False, title, str(failed))


def libws_with(tally, make_peer):
    """Both directions between libws and one peer."""
    try:
        peer = make_peer()
    except Missing as missing:
        tally.skip(2 * CLIENT_CHECKS + 1, str(missing))
        return
    dialogue(tally, peer, Libws(), says_close=False)
    dialogue(tally, Libws(), peer, says_close=True)


def main(arguments):
    tally = Tally()
    makers = [node, python, tungstenite]
    if arguments == ["--peers"]:
        peers = [make() for make in makers]
        for client in peers:
            for serving in peers:
                dialogue(tally, client, serving, says_close=True)
    else:
        for make in makers:
            libws_with(tally, make)
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
