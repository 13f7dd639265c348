#!/usr/bin/env python3
"""Lets libws and its peers talk in both directions: `run.py [--peers] [PEER...]`. See README.md."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import EXAMPLES, TARGET, TESTS_C
from support.process import Failed, run, server
from support.tally import Missing, Tally

# 8 texts, 8 binaries, a ping and the close.
CLIENT_CHECKS = 18
DIALOGUE_SECONDS = 120

# Peers are told "none" or "deflate" in the variable COMPRESSION; libws gets the words of its test programs. Each set asks
# something else of the peer: no context takeover at all, both, ours only, and small windows.
COMPRESSIONS = {
    "none": [],
    "no takeover": ["deflate"],
    "takeover": ["deflate", "takeover", "peer-takeover"],
    "takeover of ours": ["deflate", "takeover", "min=1", "level=1"],
    "windows of 9 bits": ["deflate", "takeover", "peer-takeover", "bits=9", "peer-bits=9"],
}

# Two have no compression, and libwebsockets 4.1.6 fails an assertion of its own when it sends an empty message with it.
NO_DEFLATE = {"picows", "tungstenite", "libwebsockets"}


class Peer:
    """A program that speaks the forms of README.md; `pings` is whether its interface can send one."""

    def __init__(self, name, command, environment=None, pings=True):
        self.name, self.command = name, command
        self.environment = {**os.environ, **(environment or {})}
        self.checks = CLIENT_CHECKS if pings else CLIENT_CHECKS - 1

    def told(self, compression):
        return {**self.environment, "COMPRESSION": "none" if compression == "none" else "deflate"}

    def client(self, url, compression):
        return run([*self.command, "client", url], DIALOGUE_SECONDS, env=self.told(compression))

    def server(self, compression):
        return server([*self.command, "server"], self.told(compression))


class Libws:
    """libws: the example server, or the test server where it is to compress, and the test client."""

    name, checks = "libws", CLIENT_CHECKS

    def client(self, url, compression):
        return run([TESTS_C / "ws_client", "interop", url, *COMPRESSIONS[compression]], DIALOGUE_SECONDS)

    def server(self, compression):
        program = EXAMPLES / "echo_server" if compression == "none" else TESTS_C / "ws_server"
        must = [] if compression == "none" else ["must"]
        return server([program, "ws://127.0.0.1:0", *COMPRESSIONS[compression], *must])


def javascript(name, **options):
    def make():
        packages = str(tools.npm_packages(HERE))
        environment = {"NPM_PACKAGES": packages}
        if name == "chromium":
            environment["CHROMIUM"] = tools.debian("chromium", "chromium")
        return Peer(name, [shutil.which("node"), HERE / f"{name}_peer.mjs"], environment, **options)

    return make


def python(name):
    return lambda: Peer(name, [tools.python_env(HERE / "requirements.txt"), HERE / f"{name}_peer.py"])


def tungstenite():
    return Peer("tungstenite", [tools.cargo_binary(HERE / "tungstenite/Cargo.toml", "tungstenite-peer")])


def libwebsockets():
    program, source = TARGET / "tests-interop" / "lws_server", HERE / "lws_server.c"
    tools.debian_file("/usr/include/libwebsockets.h", "libwebsockets-dev")
    program.parent.mkdir(parents=True, exist_ok=True)
    warnings = ["-Wall", "-Wextra", "-Werror"]
    # Its own headers are no test of ours.
    tools.must(["cc", "-std=gnu11", "-O2", *warnings, "-Wno-unused-parameter", "-o", program, source, "-lwebsockets"])
    return Peer("libwebsockets", [program])


# Each peer, whether it is a client of ours, and whether it is a server of ours.
PEERS = {
    "ws": (javascript("ws"), True, True),
    "undici": (javascript("undici", pings=False), True, False),
    "chromium": (javascript("chromium", pings=False), True, False),
    "websockets": (python("websockets"), True, True),
    "aiohttp": (python("aiohttp"), True, True),
    "picows": (python("picows"), True, False),
    "tungstenite": (tungstenite, True, True),
    "libwebsockets": (libwebsockets, False, True),
}


def dialogue(tally, client, serving, compression, says_close):
    """One client against one server; `says_close` is whether the server prints how it was closed."""
    title = f"{client.name} -> {serving.name}" + ("" if compression == "none" else f", {compression}")
    try:
        with serving.server(compression) as running:
            status, output = client.client(running.url, compression)
            lines = output.splitlines()
            ok = [line for line in lines if line.startswith("ok ")]
            for line in ok:
                tally.check(True, f"{title}: {line.removeprefix('ok ')}")
            if status != 0 or len(ok) != client.checks:
                detail = f"status {status}, {len(ok)} of {client.checks} checks\n{output[-2000:]}"
                tally.check(False, f"{title}: the whole dialogue", detail)
            if says_close:
                line = running.wait_for_line("closed ")
                tally.check(line == "closed 3001 bye", f"{title}: the server was closed with 3001 bye", str(line))
    except Failed as failed:
        tally.check(False, title, str(failed))


def libws_with(tally, make_peer, is_client, is_server):
    """libws and one peer, in the directions that the peer has."""
    try:
        peer = make_peer()
    except Missing as missing:
        tally.skip(len(COMPRESSIONS) * (CLIENT_CHECKS * is_client + (CLIENT_CHECKS + 1) * is_server), str(missing))
        return
    for compression in COMPRESSIONS:
        if compression != "none" and peer.name in NO_DEFLATE:
            continue
        if is_client:
            dialogue(tally, peer, Libws(), compression, says_close=False)
        if is_server:
            dialogue(tally, Libws(), peer, compression, says_close=True)


def among_peers(tally, chosen):
    """Every client with every server, libws left out, also compressed: what fails here is no fault of ours."""
    made = {name: make() for name, (make, _, _) in chosen.items()}
    for client, (_, is_client, _) in chosen.items():
        for serving, (_, _, is_server) in chosen.items():
            for compression in ("none", "deflate") if is_client and is_server else ():
                if compression != "none" and {client, serving} & NO_DEFLATE:
                    continue
                dialogue(tally, made[client], made[serving], compression, says_close=True)


def main(arguments):
    tally = Tally()
    names = [name for name in arguments if name != "--peers"] or list(PEERS)
    unknown = set(names) - set(PEERS)
    if unknown:
        sys.exit(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    chosen = {name: PEERS[name] for name in names}
    if "--peers" in arguments:
        among_peers(tally, chosen)
    else:
        for peer in chosen.values():
            libws_with(tally, *peer)
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
