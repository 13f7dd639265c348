"""What many peers cost: memory for each, CPU while nothing happens, descriptors that come back."""

import resource
import socket
import time

from victim import fds, status_number, victim
from wire import BINARY, TEXT, close_code, close_frame, connect, frame, frames, header, open_ws, push, read_all, read_head, reset, send_unless_gone, upgrade

KIB = 1024
MOST = 19900
HELLO = frame(TEXT, b"hello")
ECHO = b"\x81\x05hello"


def run(table):
    idle_states(table)
    cycles(table)
    short_memory(table)
    crowd(table)


def descriptors(table, name, wanted):
    """How many of `wanted` connections the limit of this process allows; fewer are said in words."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = soft - 80
    if most < wanted:
        table.skip(name, f"the hard limit of descriptors is {soft}: {most} connections instead of {wanted}")
    return min(wanted, most)


def open_many(port, count):
    """`count` WebSockets, opened 200 at a time. Loopback has 28,000 ports for each of its addresses."""
    opened = []
    while len(opened) < count:
        batch = []
        for _ in range(min(200, count - len(opened))):
            sock = connect(port)
            sock.sendall(upgrade(port))
            batch.append(sock)
        for sock in batch:
            head, rest = read_head(sock)
            assert head.startswith(b"HTTP/1.1 101 ") and not rest, head
        opened += batch
    return opened


def echo_all(socks):
    """How many of the peers get their message back."""
    for sock in socks:
        sock.sendall(HELLO)
    good = 0
    for sock in socks:
        good += sock.recv(len(ECHO), socket.MSG_WAITALL) == ECHO
    return good


def quiet_window(target, seconds=2.0):
    """CPU in per cent and wake-ups a second of a loop that has nothing to do."""
    target.settle()
    cpu, woken = target.cpu_ms(), status_number(target.pid, "voluntary_ctxt_switches")
    time.sleep(seconds)
    wakeups = (status_number(target.pid, "voluntary_ctxt_switches") - woken) / seconds
    return (target.cpu_ms() - cpu) / seconds / 10, wakeups


def crowd(table):
    """19,900 connections in one process: opened, echoed, idle, closed."""
    count = descriptors(table, "R: 19,900 connections", MOST)
    # Opening them may take longer than the usual 25 s of silence, and a ping would be in the way of the echo.
    with victim("quiet=1", "heartbeat_ms=600000") as target:
        open_many(target.port, 1)[0].close()
        target.until("closed", 1)
        target.settle()
        heap, rss = target.heap(), status_number(target.pid, "VmRSS")
        socks = open_many(target.port, count)
        table.equal(f"R: {count:,} connections opened", count + 1, target.until("opened", count + 1), f"{target.cpu_ms():.0f} ms CPU")
        target.settle()
        each = (target.heap() - heap) / count
        table.bound("R: heap of an idle connection", each, 256, "bytes")
        rss_each = (status_number(target.pid, "VmRSS") - rss) * KIB / count
        table.bound("R: RSS of an idle connection", rss_each, 256, "bytes")
        cpu = target.cpu_ms()
        good = echo_all(socks)
        table.equal("R: each of them echoed", count, good, f"{(target.cpu_ms() - cpu) * 1000 / count:.1f} us CPU each")
        percent, wakeups = quiet_window(target)
        table.bound("R: idle, CPU", percent, 1, "%", fails_above=10)
        # Each connection's first deadline was that of its handshake, 10 s; when it is due, it moves once.
        table.bound("R: idle, wake-ups", wakeups, count // 10, "per second")
        for sock in socks:
            sock.sendall(close_frame(1000))
        for sock in socks:
            sock.close()
        table.equal("R: each of them closed", count + 1, target.until("closed", count + 1))
        target.settle()
        left = (target.heap() - heap) / KIB
        # The tables of the loop and of the ids stay, for the next crowd.
        table.row("R: heap when they are gone", f"<= {256 * count // KIB} KiB", f"{left:.0f} KiB", left <= 256 * count / KIB, f"{left:.0f} KiB")


def idle_states(table):
    """R02: 5,000 connections in every state, and the loop sleeps."""
    count = descriptors(table, "R02", 5000) // 5
    settings = [f"{name}=4000000000" for name in ("handshake_timeout_ms", "close_timeout_ms", "message_timeout_ms", "send_timeout_ms")]
    with victim("quiet=1", *settings) as target:
        socks = open_many(target.port, 2 * count)
        for sock in socks[:count]:
            sock.sendall(header(BINARY, 1 << 20, True) + b"half a message")
        for _ in range(count):
            sock = connect(target.port)
            sock.sendall(upgrade(target.port)[:70])
            socks.append(sock)
        # Full: their echoes do not fit into the little that they let in.
        block = frame(BINARY, bytes(60 * KIB))
        full = [open_ws(target.port, receive_buffer=2048) for _ in range(40)]
        for sock in full:
            push(sock, block * 100, stalled=0.01)
        socks += full
        paused = open_many(target.port, 1)
        target.until("opened", 2 * count + 41)
        time.sleep(0.05)
        closing = []
        with victim("quiet=1", "mode=sink", *settings) as second:
            for _ in range(count):
                sock = open_ws(second.port)
                second.ask("close 1000")
                closing.append(sock)
            for _ in range(count - 1):
                closing.append(open_ws(second.port))
                second.ask("pause 1")
                closing[-1].sendall(b"\x82" * 64)
            for name, process, states in (
                ("half handshakes, half messages, idle, 40 full queues", target, len(socks) + len(paused)),
                ("closing, paused", second, len(closing)),
            ):
                percent, wakeups = quiet_window(process)
                table.bound(f"R02 {states:,} connections ({name}): CPU", percent, 1, "%", fails_above=10)
                table.bound(f"R02 {states:,} connections ({name}): wake-ups", wakeups, 5, "per second")
            for sock in closing:
                sock.close()
        for sock in socks + paused:
            sock.close()


def cycles(table):
    """R03: 10,000 connections come and go, half of them rudely."""
    rounds, batch = 50, 200
    with victim("quiet=1") as target:

        def one_round():
            for i, sock in enumerate(open_many(target.port, batch)):
                if i % 4 == 0:
                    reset(sock)
                elif i % 4 == 2:
                    sock.sendall(header(BINARY, 1000, True) + b"cut")
                    sock.close()
                else:
                    sock.sendall(HELLO + close_frame(1000))
                    sock.close()

        figures, done = [], 0
        for i in range(rounds):
            one_round()
            done += batch
            if i in (rounds // 5, rounds - 1):
                target.until("closed", done)
                target.settle()
                deadline = time.monotonic() + 4
                while fds(target.pid) > 8 and time.monotonic() < deadline:
                    time.sleep(0.02)
                figures.append((fds(target.pid), status_number(target.pid, "VmRSS"), target.heap()))
        (fds_then, rss_then, heap_then), (fds_now, rss_now, heap_now) = figures
        table.equal("R03 10,000 cycles, half of them rude: ends", rounds * batch, target.counts()["closed"])
        table.equal("R03 descriptors", fds_then, fds_now)
        change = 100 * (rss_now - rss_then) / rss_then
        table.row("R03 RSS after 2,200 and 10,000", "+- 2 %", f"{change:+.2f} %", change <= 2, f"{rss_then} and {rss_now} KiB")
        table.bound("R03 heap growth from 2,200 to 10,000", (heap_now - heap_then) / KIB, 64, "KiB")


def short_memory(table):
    """R04: from the k-th request for more than 4 KiB on, 1 or 1,000 of them fail."""
    outcomes = {"closed 1011": 0, "echoed": 0, "other ends": 0, "others unharmed": 0, "served again": 0, "failed requests": 0}
    runs = 0
    for first in (1, 2, 3, 4, 5, 6):
        for count in (1, 1000):
            runs += 1
            with victim() as target:
                with open_ws(target.port) as bystander, open_ws(target.port) as sock:
                    assert echo_all([bystander, sock]) == 2
                    target.ask(f"fail {first} {count}")
                    # A message in fragments, so that it is collected, and then echoed from a copy.
                    piece = bytes(50000)
                    for first_byte in (0x02, *[0x00] * 18, 0x80):
                        send_unless_gone(sock, frame(first_byte, piece))
                        time.sleep(0.001)
                    send_unless_gone(sock, close_frame(1000))
                    answer, _ = read_all(sock)
                    code = close_code(frames(answer))
                    outcomes["failed requests"] += int(target.ask("failed"))
                    target.ask("fail 1 0")
                    outcomes["closed 1011" if code == 1011 else "echoed" if code == 1000 else "other ends"] += 1
                    outcomes["others unharmed"] += echo_all([bystander]) == 1
                with open_ws(target.port) as sock:
                    sock.sendall(frame(BINARY, bytes(1 << 20)) + close_frame(1000))
                    answer, _ = read_all(sock)
                    outcomes["served again"] += close_code(frames(answer)) == 1000
    text = ", ".join(f"{value} {name}" for name, value in outcomes.items())
    ok = outcomes["others unharmed"] == outcomes["served again"] == runs and outcomes["closed 1011"] >= runs // 2 and not outcomes["other ends"]
    table.row(f"R04 memory for more than 4 KiB fails, {runs} ways", "1011 of that connection only", text, ok, text)
