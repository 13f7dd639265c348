"""The servers: how each is installed below target/bench-env, started, and called in the table."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

from support import tools
from support.paths import ROOT, TARGET
from support.tally import Missing

BENCHES = ROOT / "benches"
PEERS = BENCHES / "peers"
ENV = TARGET / "bench-env"
CC = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]


@dataclass
class Peer:
    """A server; `commands` by mode, with {port} in them. `flags` says how it is built or set."""

    name: str
    version: str
    commands: dict
    flags: str = ""
    environment: dict = field(default_factory=dict)

    def command(self, mode, port):
        """The command for a mode, or None where the server does not have it."""
        words = self.commands.get(mode)
        return words and [str(word).replace("{port}", str(port)) for word in words]


def modes(start, *names):
    """The commands of a server that takes PORT and MODE."""
    return {name: [*start, "{port}", name] for name in names}


def load_generator():
    """Builds the load generator and returns its path."""
    return cargo(BENCHES / "load/Cargo.toml") / "wsload"


def cargo(manifest):
    """Builds a crate of the bench with its lock file, optimised; returns where its programs are."""
    directory = ENV / "cargo"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest]
    tools.must([*command, "--target-dir", directory], cwd=ROOT, seconds=1200)
    return directory / "release"


def libws():
    """libws as `make install` ships it, with the echo server of the examples."""
    prefix = ENV / "libws"
    tools.must(["make", "--no-print-directory", "install", f"PREFIX={prefix}"], cwd=ROOT, seconds=1200)
    linked = [f"-I{prefix}/include", f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-lws"]
    echo, other = ENV / "echo_server", ENV / "libws_server"
    tools.must([*CC, "-D_POSIX_C_SOURCE=200809L", "-o", echo, ROOT / "examples-c/echo_server.c", *linked])
    tools.must([*CC, "-o", other, PEERS / "libws/libws_server.c", *linked])
    commands = {"plain": [echo, "ws://127.0.0.1:{port}"], **modes([other], "broadcast", "deflate", "takeover")}
    commands["deflate-fast"] = [other, "{port}", "deflate", "1"]
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    return Peer("libws", version, commands, "examples-c/echo_server, the installed libws.so, defaults")


def _npm():
    npm = tools.debian("npm", "npm")
    directory = ENV / "npm"
    manifests = [PEERS / "node/package.json", PEERS / "node/package-lock.json"]

    def build():
        directory.mkdir(parents=True)
        for manifest in manifests:
            shutil.copy(manifest, directory)
        tools.must([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory)

    return tools.build_once(directory, tools.digest(*manifests), build)


def node_ws():
    packages = _npm()
    version = _npm_version("ws")
    node = subprocess.run([tools.debian("node", "nodejs"), "--version"], capture_output=True, text=True).stdout.strip()
    start = [shutil.which("node"), PEERS / "node/ws.mjs"]
    commands = modes(start, "plain", "broadcast") | {
        mode: [*start, "{port}", "deflate"] for mode in ("deflate", "takeover")
    }
    return Peer("ws", version, commands, f"Node {node}", {"NPM_PACKAGES": str(packages)})


def bun():
    # The package's own install script does no more than to choose one of these.
    found = sorted((_npm() / "node_modules/@oven").glob("bun-linux-*/bin/bun"))
    working = [path for path in found if subprocess.run([path, "--version"], capture_output=True).returncode == 0]
    if not working:
        raise Missing("bun has no program for this machine")
    start = [working[0], PEERS / "node/bun.mjs"]
    commands = modes(start, "plain", "broadcast") | {
        mode: [*start, "{port}", "deflate"] for mode in ("deflate", "takeover")
    }
    return Peer("bun", _npm_version("bun"), commands, "Bun.serve")


def _npm_version(name):
    manifest = (PEERS / "node/package.json").read_text()
    return re.search(rf'"{name}": "(.*)"', manifest)[1]


def _crate(name, binary):
    lock = (PEERS / "rust/Cargo.lock").read_text()
    version = re.search(rf'name = "{name}"\nversion = "(.*)"', lock)[1]
    return Peer(name, version, {"plain": [cargo(PEERS / "rust/Cargo.toml") / binary, "{port}"]}, "release, one thread")


def tokio_tungstenite():
    return _crate("tokio-tungstenite", "tokio_tungstenite")


def fastwebsockets():
    return _crate("fastwebsockets", "fastwebsockets")


def libwebsockets():
    tools.debian_file("/usr/include/libwebsockets.h", "libwebsockets-dev")
    program = ENV / "lws_server"
    tools.must([*CC, "-o", program, PEERS / "lws/lws_server.c", "-lwebsockets"])
    query = ["dpkg-query", "-W", "-f", "${Version}", "libwebsockets-dev"]
    version = subprocess.run(query, capture_output=True, text=True).stdout or "of this system"
    return Peer("libwebsockets", version, modes([program], "plain", "deflate"), "Debian's build")


def _python(name):
    requirements = PEERS / "python/requirements.txt"
    directory = ENV / "python"

    def build():
        tools.must([sys.executable, "-m", "venv", directory])
        tools.must([directory / "bin/pip", "install", "--quiet", "-r", requirements])

    tools.build_once(directory, tools.digest(requirements) + sys.version, build)
    version = re.search(rf"^{name}==(.*)$", requirements.read_text(), re.MULTILINE)[1]
    command = [directory / "bin/python", PEERS / f"python/{name}_server.py", "{port}"]
    return Peer(name, version, {"plain": command}, f"CPython {sys.version.split()[0]}, asyncio")


def picows():
    return _python("picows")


def websockets():
    return _python("websockets")


def aiohttp():
    return _python("aiohttp")


MAKERS = {
    "ws": node_ws,
    "bun": bun,
    "tokio-tungstenite": tokio_tungstenite,
    "fastwebsockets": fastwebsockets,
    "libwebsockets": libwebsockets,
    "picows": picows,
    "websockets": websockets,
    "aiohttp": aiohttp,
}
# In "deflate-fast" libws compresses at level 1, and the others do what they do in "deflate".
MODES = ("plain", "deflate", "deflate-fast", "takeover", "broadcast")


def by_command(text):
    """A server given as `name=command {port}`; with {mode} in it, it is started for every mode."""
    name, _, command = text.partition("=")
    words = shlex.split(command)
    if not re.fullmatch(r"[\w.+-]+", name) or not any("{port}" in word for word in words):
        raise SystemExit(f"PEER is `name=command {{port}}`, not `{text}`")
    if name in MAKERS or name == "libws":
        raise SystemExit(f"PEER {name}: the bench has a server of that name")
    if not shutil.which(words[0]):
        raise SystemExit(f"PEER {name}: {words[0]} is not a program")
    has_modes = any("{mode}" in word for word in words)
    commands = {
        mode: [word.replace("{mode}", mode.removesuffix("-fast")) for word in words]
        for mode in (MODES if has_modes else MODES[:1])
    }
    shown = " ".join([os.path.basename(words[0]), *words[1:]])
    return Peer(name, "by command", commands, f"`{shown}`")
