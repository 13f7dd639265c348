"""What a server, or the network before it, does to our client: resets, silence, floods, and a thousand of them."""

import socket
import time

from client_role import Host, switching
from victim import fds, status_number, victim
from wire import BINARY, PING, PONG, TEXT, close_code, close_frame, frame, header, push, read_all, reset, send_unless_gone, unmask_frames

KIB = 1024


def run(table):
    host = Host()
    with victim() as target:
        resets(table, target, host)
        half_closed(table, target, host)
        flood_behind_close(table, target, host)
    with victim() as target:
        pongs(table, target, host)
        linear(table, target, host)
    with victim("heartbeat_ms=200", "heartbeat_timeout_ms=300") as target:
        wrong_pongs(table, target, host)
    with victim("send_timeout_ms=500") as target:
        stalled(table, target, host)
    short_memory(table, host)
    with victim("quiet=1") as target:
        cycles(table, target, host)
    timeouts = ("handshake_timeout_ms", "close_timeout_ms", "message_timeout_ms", "send_timeout_ms")
    with victim("quiet=1", *[f"{name}=4000000000" for name in timeouts]) as target:
        idle(table, target, host)


def told(info):
    return f"code {info['code']} error {info['error']} open {info['open']}" if info else "no on_close"


def resets(table, target, host):
    for name, prepare in {
        "idle": b"",
        "inside a header": header(BINARY, 70000, False)[:3],
        "inside a message": header(BINARY, 70000, False) + b"x" * 1000,
        "behind a message": frame(TEXT, b"x" * 1000, False),
        "behind 1,000 messages": frame(TEXT, b"x" * 100, False) * 1000,
        "behind a ping": frame(PING, b"x", False),
    }.items():
        peer = host.open(target)
        send_unless_gone(peer, prepare)
        reset(peer)
        info = target.closed()
        table.equal(f"client: N04 RST, {name}", "code 1006 error LIBWS_ERR_IO open 1", told(info))
    small = Host(receive_buffer=4096)
    peer = small.open(target)
    target.ask(f"push {8 << 20}")
    time.sleep(0.05)
    queued = int(target.ask("buffered"))
    reset(peer)
    info = target.closed()
    ok = info is not None and info["code"] == "1006" and 0 < int(info["unsent"]) <= queued
    table.row("client: N04 RST with 8 MiB pending", "1006, unsent > 0", told(info), ok, f"{info and info['unsent']} of {queued} bytes unsent")
    peer = host.open(target)
    target.ask("pause 1")
    push(peer, frame(BINARY, bytes(64 * KIB), False) * 200, stalled=0.2)
    reset(peer)
    table.equal("client: N04 RST while reading is paused", "code 1006 error LIBWS_ERR_IO open 1", told(target.closed()))
    table.equal("client: N04 on_close exactly once for each of the above", target.counts()["opened"], target.counts()["closed"])


def half_closed(table, target, host):
    peer = host.open(target)
    peer.sendall(frame(TEXT, b"last words", False))
    peer.shutdown(socket.SHUT_WR)
    info = target.closed()
    peer.close()
    table.equal("client: N04 their FIN behind a message", "code 1006 error LIBWS_ERR_IO open 1", told(info))
    peer = host.open(target)
    peer.sendall(close_frame(1000, mask=False))
    peer.shutdown(socket.SHUT_WR)
    info = target.closed()
    table.equal("client: N04 their FIN behind a Close", "code 1000 error LIBWS_OK open 1", told(info))
    peer.close()


def flood_behind_close(table, target, host):
    many = frame(BINARY, bytes(1 << 20), False)
    peer = host.open(target)
    target.settle()
    heap, cpu, messages = target.heap(), target.cpu_ms(), target.counts()["messages"]
    target.peak()
    send_unless_gone(peer, close_frame(1000, mask=False))
    for _ in range(100):
        send_unless_gone(peer, many)
    info = target.closed()
    growth = (target.peak() - heap) / KIB
    seen = f"{info and info['code']}, {target.counts()['messages'] - messages} messages"
    table.row("client: F26 their Close, then 100 MB", "1000, 0 messages", seen, seen == "1000, 0 messages" and growth <= 640,
              f"{growth:.0f} KiB, {target.cpu_ms() - cpu:.0f} ms CPU")
    peer.close()


def pongs(table, target, host):
    peer = host.open(target)
    target.settle()
    before, cpu, heard = target.heap(), target.cpu_ms(), target.counts()["pongs"]
    data = frame(PONG, b"pong", False) * 100000
    for _ in range(10):
        peer.sendall(data)
    peer.sendall(close_frame(1000, mask=False))
    answer = b""
    while close_code(unmask_frames(answer)) is None and (piece := peer.recv(4096)):
        answer += piece
    grown = (target.heap() - before) / KIB
    ok = close_code(unmask_frames(answer)) == 1000 and target.counts()["pongs"] - heard == 1000000 and grown <= 64
    table.row("client: F25 1,000,000 unsolicited pongs", "ignored", close_code(unmask_frames(answer)), ok,
              f"{grown:.1f} KiB, {target.cpu_ms() - cpu:.0f} ms CPU")
    peer.close()


def wrong_pongs(table, target, host):
    peer = host.open(target)
    info, sent = None, 0
    while info is None and sent < 400:
        send_unless_gone(peer, frame(PONG, bytes(8), False))
        sent += 1
        info = target.closed(0.02)
    table.row("client: F25 wrong pongs do not count as alive", "LIBWS_ERR_TIMEOUT", info and info["error"],
              bool(info) and info["error"] == "LIBWS_ERR_TIMEOUT", f"{sent} wrong pongs")
    peer.close()


def linear(table, target, host):
    """N against 4N, as frames.py does it with the server."""
    for name, (begin, item, count) in {
        "one-byte fragments": (frame(0x02, b"x", False), frame(0x00, b"x", False), 20000),
        "text fragments that split characters": (frame(0x01, b"", False), frame(0x00, b"\xe2", False) + frame(0x00, b"\x82\xac", False), 10000),
        "empty messages": (b"", frame(BINARY, b"", False), 20000),
        "pings": (b"", frame(PING, b"x" * 125, False), 20000),
    }.items():
        spent = []
        for n in (count, 4 * count):
            best = float("inf")
            for _ in range(3):
                peer = host.open(target)
                target.settle()
                before = target.cpu_ms()
                send_unless_gone(peer, begin + item * n + close_frame(1000, mask=False))
                peer.shutdown(socket.SHUT_WR)
                read_all(peer)
                target.settle()
                best = min(best, target.cpu_ms() - before)
                peer.close()
            spent.append(best)
        table.row(f"client: F: {name}, {count} and {4 * count}", "linear", f"{spent[0]:.2f} and {spent[1]:.2f} ms",
                  spent[1] <= 8 * spent[0] + 1, f"{spent[1] / spent[0]:.1f} times for 4 times")


def stalled(table, target, host):
    """F24: who does not read for send_timeout_ms is given up."""
    small = Host(receive_buffer=4096)
    peer = small.open(target)
    target.ask(f"push {8 << 20}")
    info = target.closed()
    table.row("client: F24 nothing is read for send_timeout_ms", "LIBWS_ERR_TIMEOUT, unsent > 0", told(info),
              bool(info) and info["error"] == "LIBWS_ERR_TIMEOUT" and int(info["unsent"]) > 0, info and f"{info['unsent']} bytes unsent")
    peer.close()


def short_memory(table, host):
    """R04: requests for more than 4 KiB fail, from the k-th on, one or a thousand of them."""
    outcomes = {"closed 1011": 0, "echoed": 0, "other ends": 0, "served again": 0, "failed requests": 0}
    runs = 0
    for first in (1, 2, 3, 4):
        for count in (1, 1000):
            runs += 1
            with victim() as target:
                peer = host.open(target)
                # The loop's own buffers are there when memory becomes short.
                peer.sendall(frame(TEXT, b"hello", False))
                peer.recv(64)
                target.ask(f"fail {first} {count}")
                for first_byte in (0x02, *[0x00] * 18, 0x80):
                    send_unless_gone(peer, frame(first_byte, bytes(50000), False))
                    time.sleep(0.001)
                send_unless_gone(peer, close_frame(1000, mask=False))
                # A server ends TCP first: without that our client would wait for it.
                data = b""
                peer.settimeout(5)
                try:
                    while close_code(unmask_frames(data)) is None and (piece := peer.recv(1 << 18)):
                        data += piece
                except OSError:
                    pass
                code = close_code(unmask_frames(data))
                outcomes["failed requests"] += int(target.ask("failed"))
                outcomes["closed 1011" if code == 1011 else "echoed" if code == 1000 else "other ends"] += 1
                target.ask("fail 1 0")
                peer.close()
                peer = host.open(target)
                peer.sendall(frame(TEXT, b"again", False))
                outcomes["served again"] += unmask_frames(peer.recv(64)) == [(TEXT, b"again")]
                peer.close()
    text = ", ".join(f"{value} {name}" for name, value in outcomes.items())
    ok = outcomes["served again"] == runs and outcomes["closed 1011"] >= runs // 2 and not outcomes["other ends"]
    table.row(f"client: R04 memory for more than 4 KiB fails, {runs} ways", "1011 of that connection only", text, ok, text)


def cycles(table, target, host):
    """R03: 2,000 connections to a server that is rude every second time."""
    figures = []
    for i in range(2000):
        peer, head = host.take(target)
        if i % 4 == 0:
            reset(peer)
            continue
        peer.sendall(switching(head))
        if i % 4 == 2:
            peer.sendall(header(BINARY, 1000, False) + b"cut")
            reset(peer)
            continue
        peer.sendall(close_frame(1000, mask=False))
        peer.close()
        if i in (401, 1997):
            target.until("closed", i - 10)
            target.settle()
            figures.append((fds(target.pid), status_number(target.pid, "VmRSS"), target.heap()))
    (fds_then, rss_then, heap_then), (fds_now, rss_now, heap_now) = figures
    table.equal("client: R03 2,000 connections, half of them rude: ends", 2000, target.until("closed", 2000))
    table.row("client: R03 descriptors", f"{fds_then} +- 8", fds_now, abs(fds_now - fds_then) <= 8)
    change = 100 * (rss_now - rss_then) / rss_then
    table.row("client: R03 RSS after 400 and 2,000", "+- 2 %", f"{change:+.2f} %", change <= 2, f"{rss_then} and {rss_now} KiB")
    table.bound("client: R03 heap growth from 400 to 2,000", (heap_now - heap_then) / KIB, 64, "KiB")


def idle(table, target, host):
    """R02: clients that wait for a 101, are open, hold half a message or wait for a Close: the loop sleeps."""
    peers = []
    for state in range(4):
        for _ in range(100):
            peer, head = host.take(target)
            peers.append(peer)
            if state > 0:
                peer.sendall(switching(head))
            if state == 2:
                peer.sendall(header(BINARY, 1 << 20, False) + b"half")
            if state == 3:
                target.until("opened", len(peers) - 100)
                target.ask("close 1000")
    target.settle()
    cpu, woken = target.cpu_ms(), status_number(target.pid, "voluntary_ctxt_switches")
    time.sleep(2)
    wakeups = (status_number(target.pid, "voluntary_ctxt_switches") - woken) / 2
    table.bound("client: R02 400 clients in four states: CPU", (target.cpu_ms() - cpu) / 20, 1, "%", fails_above=10)
    table.bound("client: R02 400 clients in four states: wake-ups", wakeups, 5, "per second")
    for peer in peers:
        peer.close()
