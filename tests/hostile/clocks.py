"""Clocks that jump, callbacks that block, and many timers at once."""

import signal
import socket
import time

from support.process import run as run_program
from victim import OUT, victim
from wire import PING, PONG, TEXT, frame, open_ws

HEARTBEATS = ("heartbeat_ms=50", "heartbeat_timeout_ms=1000", "quiet=1")


def run(table):
    with victim(*HEARTBEATS, environment={"LD_PRELOAD": str(OUT / "wall_clock.so")}) as target:
        jumps = 0

        def jump():
            nonlocal jumps
            jumps += 1
            target.process.send_signal(signal.SIGUSR2)

        answered, echoed = live_through(target, jump)
    table.row("L01 the wall clock jumps by a day, to and fro", "no effect", f"echoed {echoed}", echoed and answered >= 5, f"{jumps} jumps, {answered} heartbeats answered")
    status, output = run_program(["unshare", "-T", "--monotonic", "86400000", "--boottime", "86400000", "true"], 10)
    if status != 0:
        table.skip("L01 the monotonic clock is shifted", f"unshare -T is not allowed here: {output.strip()[-80:]}")
    else:
        with victim(*HEARTBEATS, wrapper=["unshare", "-T", "--monotonic", "86400000", "--boottime", "86400000"]) as target:
            answered, echoed = live_through(target, lambda: None)
        table.row("L01 the monotonic clock is shifted by 1,000 days", "no effect", f"echoed {echoed}", echoed and answered >= 5, f"{answered} heartbeats answered")
    blocked(table)
    _, output = run_program([OUT / "timers"], 60)
    figures = dict(pair.split("=", 1) for pair in output.split() if "=" in pair)
    ok = figures.get("alive") == "1" and float(figures.get("late_ms", "inf")) <= 1000 and int(figures["fired"]) >= 20 * 20000
    table.row("X03 20,000 timers in the same tick, 20 times", "<= 100 ms late, the connection lives", f"{figures.get('late_ms')} ms late", ok, output.strip())


def blocked(table):
    """A04: a callback that takes its time delays the others, and that is all."""
    with victim() as target, open_ws(target.port) as slow, open_ws(target.port) as other:
        slow.sendall(frame(TEXT, b"sleep"))
        started = time.monotonic()
        for i in range(10):
            other.sendall(frame(TEXT, b"hello"))
        echoes = other.recv(70, socket.MSG_WAITALL)
        waited = time.monotonic() - started
        right = echoes == b"\x81\x05hello" * 10 and slow.recv(7, socket.MSG_WAITALL) == b"\x81\x05sleep"
        closed = target.counts()["closed"]
    table.row("A04 a callback blocks for 1 s", "others are late, nothing is lost", f"right {right}, {closed} closed", right and not closed,
              f"the other waited {waited:.2f} s")


def live_through(target, disturb):
    """Answers heartbeats for a second, with a disturbance every 100 ms; then echoes."""
    answered, next_time, data = 0, 0.0, b""
    end = time.monotonic() + 1.0
    with open_ws(target.port) as sock:
        sock.settimeout(0.05)
        while time.monotonic() < end:
            if time.monotonic() >= next_time:
                disturb()
                next_time = time.monotonic() + 0.1
            try:
                data += sock.recv(4096)
            except TimeoutError:
                continue
            while len(data) >= 10 and data[:2] == bytes([PING, 8]):
                sock.sendall(frame(PONG, data[2:10]))
                data, answered = data[10:], answered + 1
        sock.settimeout(5)
        sock.sendall(frame(TEXT, b"still"))
        while b"\x81\x05still" not in data:
            piece = sock.recv(4096)
            if not piece:
                return answered, False
            data += piece
        return answered, target.counts()["closed"] == 0
