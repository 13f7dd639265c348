"""Runs one row: all its servers on one core, the load generator on another."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass

START_SECONDS = 20
RUN_SECONDS = 400
# Others on the machine shall not get in between; only root may ask for that. On a machine that does other work as
# well, that work all but stands still while a row is measured.
REALTIME = os.SCHED_RR


class Broken(Exception):
    """A server or the load generator did not do its part."""


class Unfit(Broken):
    """One server cannot take part in a row; `port` says which."""

    def __init__(self, port, text):
        super().__init__(text)
        self.port = port


def cores():
    """The core of the servers and the core of the load generator."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise SystemExit("the bench needs two cores: one for the servers, one for the load generator")
    return available[0], available[-1]


def _on_core(core):
    def prepare():
        os.sched_setaffinity(0, {core})
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, REALTIME, os.sched_param(1))
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    return prepare


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _running(peer, mode, core):
    """Starts a server, waits until its port answers, ends it with SIGTERM."""
    port = _free_port()
    process = subprocess.Popen(
        peer.command(mode, port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **peer.environment},
        preexec_fn=_on_core(core),
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unfit(port, f"{peer.name} does not listen (status {process.poll()})")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()


def _drive(program, row, servers, cycles, core):
    """Runs the load generator over `[(port, pid)]`; returns its lines as dicts."""
    listed = ",".join(f"{port}:{pid}" for port, pid in servers)
    command = [program, *row.arguments(), "--servers", listed, "--cycles", str(cycles)]
    options = {"capture_output": True, "text": True, "timeout": RUN_SECONDS, "preexec_fn": _on_core(core)}
    try:
        result = subprocess.run(command, **options)
    except subprocess.TimeoutExpired:
        raise Broken(f"{row.name}: not done after {RUN_SECONDS} s") from None
    if result.returncode != 0:
        sentence = result.stderr.strip()
        port = re.search(r"port (\d+)", sentence)
        raise Unfit(int(port[1]), sentence) if port else Broken(f"{row.name}: {sentence}")
    return [json.loads(line) for line in result.stdout.splitlines()]


@dataclass
class Measured:
    """A row's lines, by the name of the server, and why a server is missing."""

    row: object
    lines: dict
    missing: dict
    fixed_rate: float = None

    def values(self, name, key):
        """A figure of each cycle, in the order of the cycles."""
        lines = [line for line in self.lines.get(name, []) if "cycle" in line]
        return [line[key] for line in sorted(lines, key=lambda line: line["cycle"]) if key in line]

    def whole(self, name):
        """The line that is about all cycles together, or None."""
        return next((line for line in self.lines.get(name, []) if "cycle" not in line), None)

    def median(self, name, key):
        values = self.values(name, key)
        return statistics.median(values) if values else None


def measure(program, row, peers, cycles):
    """Measures a row. A server that fails is left out, and the others are measured without it."""
    server_core, client_core = cores()
    taking_part = [peer for peer in peers if peer.command(row.server_mode, 0)]
    missing = {}
    while taking_part:
        with contextlib.ExitStack() as stack:
            servers = []
            try:
                for peer in taking_part:
                    servers.append(stack.enter_context(_running(peer, row.server_mode, server_core)))
                lines = _drive(program, row, servers, cycles, client_core)
            except Unfit as unfit:
                ports = [port for port, _ in servers]
                at = ports.index(unfit.port) if unfit.port in ports else len(servers)
                peer = taking_part.pop(at)
                missing[peer.name] = str(unfit)
                print(f"  {row.name}: without {peer.name}: {unfit}", flush=True)
                continue
        names = [peer.name for peer in taking_part]
        by_name = {name: [line for line in lines if line.get("target") == i] for i, name in enumerate(names)}
        fixed = next((line["fixed_rate"] for line in lines if "fixed_rate" in line), None)
        return Measured(row, by_name, missing, fixed)
    return Measured(row, {}, missing)
