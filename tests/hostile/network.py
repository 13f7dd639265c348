"""Faults of the network and of the system: resets, half-closed streams, system calls that fail, addresses."""

import contextlib
import os
import socket
import tempfile
import time
from pathlib import Path

import failing_calls
from support import tools
from support.process import run as run_program
from support.tally import Missing
from victim import OUT, fds, victim
from wire import BINARY, PING, TEXT, close_frame, connect, frame, frames, header, open_ws, push, read_all, read_head, reset, send_unless_gone, upgrade

KIB = 1024


def run(table):
    with victim() as target:
        resets(table, target)
        half_closed(table, target)
    with victim("quiet=1") as target:
        reset_storm(table, target)
    without_descriptors(table)
    failing_calls.run(table)
    addresses(table)


def told(info):
    return f"code {info['code']} error {info['error']} open {info['open']}" if info else "no on_close"


def resets(table, target):
    """N04: RST at every moment is 1006, once, and what was queued and did not leave is counted."""
    for name, prepare in {
        "idle": lambda sock: None,
        "inside a header": lambda sock: sock.sendall(header(BINARY, 70000, True)[:5]),
        "inside a message": lambda sock: sock.sendall(header(BINARY, 70000, True) + b"x" * 1000),
        "behind a message": lambda sock: sock.sendall(frame(TEXT, b"x" * 1000)),
        "behind 1,000 messages": lambda sock: sock.sendall(frame(TEXT, b"x" * 100) * 1000),
        "behind a ping": lambda sock: sock.sendall(frame(PING, b"x")),
    }.items():
        target.forget()
        sock = open_ws(target.port)
        prepare(sock)
        reset(sock)
        info = target.closed()
        # A write may notice first, then it is EPIPE; both are LIBWS_ERR_IO.
        table.equal(f"N04 RST, {name}", "code 1006 error LIBWS_ERR_IO open 1", told(info))
    target.forget()
    sock = open_ws(target.port, receive_buffer=4096)
    target.opened()
    target.ask(f"push {8 << 20}")
    time.sleep(0.05)
    queued = int(target.ask("buffered"))
    reset(sock)
    info = target.closed()
    table.row("N04 RST with 8 MiB pending", "1006, unsent > 0", f"{told(info)}, {info['unsent']} unsent", info["code"] == "1006" and 0 < int(info["unsent"]) <= queued,
              f"{info['unsent']} of {queued} bytes unsent")
    target.forget()
    sock = open_ws(target.port, receive_buffer=4096)
    target.opened()
    target.ask("pause 1")
    push(sock, frame(BINARY, bytes(64 * KIB)) * 200, stalled=0.2)
    reset(sock)
    info = target.closed()
    table.equal("N04 RST while reading is paused", "code 1006 error LIBWS_ERR_IO open 1", told(info))
    for name, cut in {"1 byte": 1, "half": 60, "all but one byte": -1}.items():
        sock = connect(target.port)
        sock.sendall(upgrade(target.port)[:cut])
        reset(sock)
    table.equal("N04 RST inside the handshake: no on_close", None, target.closed(0.2))


def half_closed(table, target):
    """N04: the peer ends its side only."""
    target.forget()
    with open_ws(target.port) as sock:
        sock.sendall(frame(TEXT, b"last words"))
        sock.shutdown(socket.SHUT_WR)
        data, ended = read_all(sock)
        info = target.closed()
        echoed = (TEXT, b"last words") in frames(data)
    table.row("N04 their FIN behind a message", "1006, the echo is counted unsent, TCP ends", f"{told(info)}, {info['unsent']} unsent, {ended}",
              info["code"] == "1006" and (echoed or info["unsent"] == "12") and ended != "open")
    with open_ws(target.port) as sock:
        target.forget()
        sock.sendall(close_frame(1000))
        sock.shutdown(socket.SHUT_WR)
        data, ended = read_all(sock)
        info = target.closed()
    table.row("N04 their FIN behind a Close", "1000, TCP ends", f"{told(info)}, {ended}", info["code"] == "1000" and ended == "end")
    with connect(target.port) as sock:
        target.forget()
        sock.sendall(upgrade(target.port))
        sock.shutdown(socket.SHUT_WR)
        data, ended = read_all(sock)
    info = target.closed(1)
    table.row("N04 their FIN behind the upgrade", "TCP ends, at most one on_close", f"{ended}, {told(info)}", ended != "open" and target.closed(0.1) is None)
    with open_ws(target.port) as sock:
        target.forget()
        target.opened(0.2)
        sock.shutdown(socket.SHUT_RD)  # what arrives now is answered with RST by some systems, not by Linux
        sock.sendall(frame(TEXT, b"x") + close_frame(1000))
        info = target.closed()
    table.row("N04 they read no more", "an end", told(info), bool(info))
    table.row("N04 urgent data", "echo True, end", *urgent(target))


def urgent(target):
    """A byte out of band is outside of the stream: it neither breaks nor stalls the connection."""
    with open_ws(target.port) as sock:
        sock.send(b"!", socket.MSG_OOB)
        sock.sendall(frame(TEXT, b"after") + close_frame(1000))
        data, ended = read_all(sock)
    seen = (TEXT, b"after") in frames(data)
    return f"echo {seen}, {ended}", seen and ended != "open"


def reset_storm(table, target):
    before = fds(target.pid)
    with open_ws(target.port):
        target.settle()
    target.until("closed", 1)
    target.settle()
    heap = target.heap()
    for i in range(500):
        sock = connect(target.port)
        sock.sendall(upgrade(target.port) + frame(TEXT, b"x") * (i % 7))
        reset(sock)
    deadline = time.monotonic() + 5
    while fds(target.pid) != before and time.monotonic() < deadline:
        time.sleep(0.02)
    counts = target.counts()
    table.equal("N04 500 RSTs behind the upgrade: descriptors", before, fds(target.pid))
    table.equal("N04 500 RSTs: as many ends as beginnings", counts["opened"], counts["closed"])
    table.bound("N04 500 RSTs: heap", (target.heap() - heap) / KIB, 128, "KiB")


def without_descriptors(table):
    """EMFILE: 200 peers, 64 descriptors. The listener does not spin, and serves again."""
    try:
        prlimit = tools.debian("prlimit", "util-linux")
    except Missing as missing:
        return table.skip("EMFILE", str(missing))
    with victim("quiet=1", "handshake_timeout_ms=2000", wrapper=[prlimit, "--nofile=64:64"]) as target:
        peers = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                peers.append(connect(target.port, seconds=2))
        time.sleep(0.3)
        cpu = target.cpu_ms()
        time.sleep(1.0)
        spent = target.cpu_ms() - cpu
        table.bound("EMFILE: 200 peers, 64 descriptors, CPU of one second", spent, 10, "ms")
        for peer in peers:
            peer.close()
        served = False
        for _ in range(100):
            with contextlib.suppress(OSError, AssertionError):
                with open_ws(target.port) as sock:
                    sock.sendall(frame(TEXT, b"again"))
                    served = sock.recv(7) == b"\x81\x05again"
                break
            time.sleep(0.05)
        table.equal("EMFILE: serves afterwards", True, served)


def addresses(table):
    """N09: what can be listened on, and what a bad address is told."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        busy = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        path = Path(folder, "s")
        file = Path(folder, "file")
        file.write_text("not a socket")
        closed = socket.create_server(("127.0.0.1", 0))
        free = closed.getsockname()[1]
        closed.close()
        rows = [
            ("IPv4", "+ws://127.0.0.1:0", "opened"),
            ("IPv4, any", "+ws://0.0.0.0:0", "opened"),
            ("localhost", "+ws://localhost:0", "opened"),
            ("unix", f"+ws+unix:{path}", "opened"),
            ("unix, again on the same path", f"+ws+unix:{path}", "opened"),
            ("unix, a path of 200 bytes", f"ws+unix:{folder}/{'x' * 200}", "LIBWS_ERR_IO"),
            ("unix, a folder that is not there", f"ws+unix:{folder}/none/s", "LIBWS_ERR_IO"),
            ("unix, a file is in the way", f"ws+unix:{file}", "LIBWS_ERR_IO"),
            ("port in use", busy, "LIBWS_ERR_IO"),
            ("port 65536", "ws://127.0.0.1:65536", "LIBWS_ERR_ADDRESS"),
            ("port -1", "ws://127.0.0.1:-1", "LIBWS_ERR_ADDRESS"),
            ("an address of another machine", "ws://192.0.2.1:0", "LIBWS_ERR_IO"),
            ("scope id of 256 characters", f"ws://[fe80::1%25{'e' * 256}]:0", "LIBWS_ERR_ADDRESS"),
            ("a name of 300 characters", f"ws://{'a' * 300}:0", "LIBWS_ERR_ADDRESS"),
            ("http://", "http://127.0.0.1:0", "LIBWS_ERR_ADDRESS"),
            ("nothing", "", "LIBWS_ERR_ADDRESS"),
            ("connect: nobody listens", f"@ws://127.0.0.1:{free}", "LIBWS_ERR_IO"),
            ("connect: unix, nobody listens", f"@ws+unix:{folder}/nobody", "LIBWS_ERR_IO"),
            ("connect: unix, a file", f"@ws+unix:{file}", "LIBWS_ERR_IO"),
            ("connect: port 0", "@ws://127.0.0.1:0", "LIBWS_ERR_IO"),
            ("connect: link-local without a scope", "@ws://[fe80::1]:9", "LIBWS_ERR_IO"),
            ("connect: a scope that is not there", "@ws://[fe80::1%25nope]:9", "LIBWS_ERR_ADDRESS"),
            ("connect: a name that does not exist", "@ws://name.invalid:9", "LIBWS_ERR_ADDRESS"),
        ]
        if has_ipv6():
            rows += [
                ("IPv6", "+ws://[::1]:0", "opened"),
                ("IPv6, any", "+ws://[::]:0", "opened"),
                ("v4-mapped", "+ws://[::ffff:127.0.0.1]:0", "opened"),
                ("link-local with an unknown scope", "ws://[fe80::1%25nope]:0", "LIBWS_ERR_ADDRESS"),
            ]
        else:
            table.skip("N09 IPv6", "this machine has no IPv6")
        _, output = run_program([OUT / "addresses", *[url for _, url, _ in rows]], 60)
        lines = output.split("\n")
        for (name, url, expected), line in zip(rows, lines + [""] * len(rows)):
            seen = line.rsplit(" ", 1)[-1]
            table.equal(f"N09 {name}", expected, seen)


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False
