"""Frames: each violation has its close code, and what many legal frames cost."""

import socket
import time

from victim import victim
from violations import accepted, rows
from wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    close_code,
    close_frame,
    connect,
    frame,
    frames,
    header,
    open_ws,
    push,
    read_all,
    reset,
    send_unless_gone,
)

KIB = 1024
FORGETTING = "close_timeout_ms=300"


def run(table):
    with victim() as target:
        violations(table, target)
        after_close(table, target)
        answers_to_close(table, target)
    with victim("quiet=1") as target:
        claims(table, target)
        fragments(table, target)
        unread_pings(table, target)
        unread_echo(table, target)
        pongs(table, target)
    with victim("send_timeout_ms=500") as target:
        stalled(table, target)
    with victim("quiet=1", "mode=sink") as target:
        linear(table, target)


def attack(target, data):
    """Sends frames on a new connection; the Close frame's code, how TCP ended, and what on_close was told."""
    target.forget()
    with open_ws(target.port) as sock:
        send_unless_gone(sock, data)
        answer, ended = read_all(sock)
    return close_code(frames(answer)), ended, target.closed()


def violations(table, target):
    """Toward the server; the client's side is in client_role.py."""
    for name, data, code in rows(mask=True):
        sent, ended, info = attack(target, data)
        seen = f"{sent} {ended}, on_close {info and info['sent']}"
        table.row(name, f"{code} end, on_close {code}", seen, seen.startswith(str(code)) and ended != "open" and info["sent"] == str(code)
                  and info["clean"] == "0")
    for name, data, code in accepted(mask=True):
        sent, ended, info = attack(target, data)
        ok = sent == code and ended == "end" and info["code"] == str(code) and info["clean"] == "1"
        table.row(name, f"{code} end, clean", f"{sent} {ended}, on_close {info and info['code']}", ok)
    table.equal("F27 on_close exactly once for each of the above", target.counts()["opened"], target.counts()["closed"])


def after_close(table, target):
    """What comes behind a Close is ignored, and TCP ends all the same."""
    many = frame(BINARY, bytes(1 << 20))
    trailing = {
        "a text": frame(TEXT, b"late"),
        "a second Close": close_frame(1001),
        "a bad frame": frame(0x83, b"x"),
        "rubbish": b"\xff" * 5000,
    }
    for name, data in trailing.items():
        before = target.counts()["messages"]
        sent, ended, info = attack(target, close_frame(1000) + data)
        messages = target.counts()["messages"] - before
        seen = f"{sent} {ended}, {messages} messages, {info and info['code']}"
        table.row(f"F26 their Close, then {name}", "1000 end, 0 messages, 1000", seen, sent == 1000 and ended != "open" and not messages
                  and info["code"] == "1000")
    heap, cpu = target.heap(), target.cpu_ms()
    target.peak()
    with open_ws(target.port) as sock:
        target.forget()
        send_unless_gone(sock, close_frame(1000))
        for _ in range(100):
            send_unless_gone(sock, many)
        _, ended = read_all(sock)
    info = target.closed()
    growth = (target.peak() - heap) / KIB
    ok = ended != "open" and info and info["code"] == "1000" and growth <= 640
    table.row("F26 their Close, then 100 MB", "TCP ends, 1000", f"{ended}, {info and info['code']}", ok,
              f"{growth:.0f} KiB, {target.cpu_ms() - cpu:.0f} ms CPU")
    with open_ws(target.port) as sock:
        target.forget()
        target.opened(0.5)
        before = target.counts()["messages"]
        target.ask("close 1001")
        answer = sock.recv(4, socket.MSG_WAITALL)
        send_unless_gone(sock, frame(TEXT, b"late") * 100 + close_frame(1001))
        _, ended = read_all(sock)
        info = target.closed()
    seen = f"{close_code(frames(answer))} {ended}, {target.counts()['messages'] - before} messages, clean {info and info['clean']}"
    table.equal("F26 data after our Close", "1001 end, 0 messages, clean 1", seen)


def answers_to_close(table, target):
    """We close first; the peer answers in its own way."""

    def with_answer(answer):
        target.forget()
        sock = open_ws(target.port)
        target.opened()
        target.ask("close 1000")
        sock.recv(4)  # our Close has left, so that it is the first
        answer(sock)
        info = target.closed()
        sock.close()
        return f"code {info['code']} sent {info['sent']} clean {info['clean']} error {info['error']}" if info else "no on_close"

    def say(data):
        return lambda sock: sock.sendall(data)

    table.equal("F27 another code", "code 4001 sent 1000 clean 1 error LIBWS_OK", with_answer(say(close_frame(4001))))
    table.equal("F27 an empty Close", "code 1005 sent 1000 clean 1 error LIBWS_OK", with_answer(say(frame(CLOSE))))
    table.equal("F27 RST", "code 1006 sent 1000 clean 0 error LIBWS_ERR_IO", with_answer(reset))
    table.equal("F27 FIN", "code 1006 sent 1000 clean 0 error LIBWS_ERR_IO", with_answer(lambda sock: sock.shutdown(1)))
    # close_timeout_ms is 3,000: nothing comes, and it ends.
    table.equal("F27 never", "code 1006 sent 1000 clean 0 error LIBWS_ERR_TIMEOUT", with_answer(lambda sock: None))
    table.equal("F27 an invalid Close", "code 1006 sent 1000 clean 0 error LIBWS_ERR_PROTOCOL", with_answer(say(close_frame(999))))


def growth_of(target, attack, most, table, name, extra=""):
    """Runs an attack that returns its socket and a note; heap growth, at its peak and while it lasts."""
    target.settle()
    before, cpu = target.heap(), target.cpu_ms()
    target.peak()
    sock, note = attack()
    target.settle()
    held, peak = (target.heap() - before) / KIB, (target.peak() - before) / KIB
    figure = f"{held:.1f} KiB held, {peak:.1f} at most, {target.cpu_ms() - cpu:.1f} ms CPU{note}{extra}"
    table.row(name, f"<= {most} KiB", f"{peak:.1f} KiB", peak <= most, figure)
    return sock


def claims(table, target):
    with open_ws(target.port):
        target.settle()
    for name, data in {
        "14-byte header that claims 16 MiB": header(BINARY, 16 << 20, True),
        "the same as a fragment": header(0x02, 16 << 20, True),
        "the same and 1 byte": header(BINARY, 16 << 20, True) + b"x",
        "half a header": header(BINARY, 16 << 20, True)[:9],
    }.items():

        def claim():
            sock = open_ws(target.port)
            sock.sendall(data)
            return sock, ""

        # A byte of payload opens a buffer of 64 KiB: less would cost more system calls than it saves.
        growth_of(target, claim, 65 if "1 byte" in name else 64, table, f"F10 {name}").close()


def fragments(table, target):
    one = frame(0x00, b"x")

    def flood():
        sock = open_ws(target.port)
        data = frame(0x02, b"x") + one * 130999
        send_unless_gone(sock, data)
        return sock, ""

    sock = growth_of(target, flood, 256, table, "F20 131,000 one-byte fragments, never FIN")
    answer, _ = read_all(sock)
    table.equal("F20 at 100,000 parts", 1008, close_code(frames(answer)))
    sock.close()

    def almost():
        sock = open_ws(target.port)
        send_unless_gone(sock, frame(0x02, b"x") + one * 99999)
        return sock, ""

    sock = growth_of(target, almost, 256, table, "F20 100,000 one-byte fragments, and it goes on")
    sock.sendall(close_frame(1000))
    table.equal("F20 100,000 parts are allowed", 1000, close_code(frames(read_all(sock)[0])))
    sock.close()

    def empty():
        sock = open_ws(target.port)
        send_unless_gone(sock, frame(0x02, b"") + frame(0x00, b"") * 130999)
        return sock, ""

    sock = growth_of(target, empty, 64, table, "F20 131,000 empty fragments, never FIN")
    table.equal("F20 empty ones count", 1008, close_code(frames(read_all(sock)[0])))
    sock.close()


def unread_pings(table, target):
    ping = frame(PING, b"p" * 125)

    def flood():
        sock = open_ws(target.port, receive_buffer=4096)
        return sock, f", {push(sock, ping * 200000) // len(ping)} pings taken"

    flood()[0].close()
    # One chunk that the kernel refused, the newest pong, and the queue that holds both.
    growth_of(target, flood, 64, table, "F22 200,000 unread pings").close()
    with open_ws(target.port) as sock:
        sock.sendall(b"".join(frame(PING, b"%d" % i) for i in range(1000)))
        sock.sendall(close_frame(1000))
        got = [payload for first, payload in frames(read_all(sock)[0]) if first == PONG]
    table.row("F22 the newest pong is never lost", "999 last", got[-1:], got[-1:] == [b"999"], f"{len(got)} pongs")


def unread_echo(table, target):
    megabyte = frame(BINARY, bytes(64 * KIB))
    count = 94 * 1024 * KIB // (64 * KIB)

    def flood():
        sock = open_ws(target.port, receive_buffer=4096)
        return sock, f", {push(sock, megabyte * count) / 1e6:.1f} MB taken"

    before = target.counts()
    sock = growth_of(target, flood, 1280, table, "F24 94 MB of unread echo")
    sock.settimeout(2)
    total = 0
    try:
        while piece := sock.recv(1 << 20):
            total += len(piece)
    except OSError:
        pass
    after = target.counts()
    drains, messages = (after[name] - before[name] for name in ("drains", "messages"))
    table.row("F24 on_drain after the peer reads", ">= 1, never more than messages", drains, 1 <= drains <= messages, f"{drains} drains, {total / 1e6:.1f} MB")
    sock.close()
    target.settle()


def stalled(table, target):
    """Who does not read for send_timeout_ms is given up."""
    with open_ws(target.port, receive_buffer=4096) as sock:
        push(sock, frame(BINARY, bytes(64 * KIB)) * 400, stalled=0.2)
        info = target.closed()
    seen = f"{info['error']}, {info['unsent']} unsent" if info else "no on_close"
    table.row("F24 nothing is read for send_timeout_ms", "LIBWS_ERR_TIMEOUT, unsent > 0", seen,
              bool(info) and info["error"] == "LIBWS_ERR_TIMEOUT" and int(info["unsent"]) > 0, seen)


def pongs(table, target):
    before, cpu = target.heap(), target.cpu_ms()
    with open_ws(target.port) as sock:
        data = frame(PONG, b"pong") * 100000
        for _ in range(10):
            sock.sendall(data)
        sock.sendall(frame(PONG, bytes(8)) + frame(PONG) + close_frame(1000))
        answer, ended = read_all(sock)
    grown = (target.heap() - before) / KIB
    ok = close_code(frames(answer)) == 1000 and target.counts()["pongs"] == 1000002 and grown <= 64
    table.row("F25 1,000,000 unsolicited pongs", "ignored", f"{close_code(frames(answer))}", ok, f"{grown:.1f} KiB, {target.cpu_ms() - cpu:.0f} ms CPU")
    # Wrong payloads do not keep a peer alive; a message would.
    with victim("heartbeat_ms=200", "heartbeat_timeout_ms=300") as quick:
        with open_ws(quick.port) as sock:
            info, sent = None, 0
            while info is None and sent < 400:
                send_unless_gone(sock, frame(PONG, bytes(8)))
                sent += 1
                info = quick.closed(0.02)
        table.row("F25 wrong pongs do not count as alive", "LIBWS_ERR_TIMEOUT", info and info["error"], bool(info) and info["error"] == "LIBWS_ERR_TIMEOUT",
                  f"{sent} wrong pongs")


def linear(table, target):
    """N against 4N: the cost of what an attacker may repeat grows with its length and no faster."""
    shapes = {
        "empty fragments": (frame(0x02), frame(0x00), 20000),
        "one-byte fragments": (frame(0x02, b"x"), frame(0x00, b"x"), 20000),
        "1 KiB fragments": (frame(0x02, b"x"), frame(0x00, bytes(KIB)), 3000),
        "text fragments that split characters": (frame(0x01, "€".encode()), frame(0x00, b"\xe2") + frame(0x00, b"\x82\xac"), 10000),
        "pings between fragments": (frame(0x02, b"x"), frame(0x00, b"x") + frame(PING), 10000),
        "empty messages": (b"", frame(BINARY), 20000),
        "pings": (b"", frame(PING, b"x" * 125), 20000),
    }
    for name, (begin, item, count) in shapes.items():
        spent = []
        for n in (count, 4 * count):
            best = float("inf")
            for _ in range(3):
                target.settle()
                before = target.cpu_ms()
                with open_ws(target.port) as sock:
                    send_unless_gone(sock, begin + item * n + close_frame(1000))
                    read_all(sock)
                target.settle()
                best = min(best, target.cpu_ms() - before)
            spent.append(best)
        table.row(f"F: {name}, {count} and {4 * count}", "linear", f"{spent[0]:.2f} and {spent[1]:.2f} ms", spent[1] <= 8 * spent[0] + 1,
                  f"{spent[1] / spent[0]:.1f} times for 4 times")
    trickle(table, target)


def trickle(table, target):
    """A message of 64 KiB in one-byte writes costs system calls, not more."""
    with connect(target.port) as sock:
        del sock
    data = frame(BINARY, bytes(16 * KIB))
    target.settle()
    before = target.cpu_ms()
    with open_ws(target.port) as sock:
        for i in range(len(data)):
            sock.send(data[i : i + 1])
        sock.sendall(close_frame(1000))
        answer, _ = read_all(sock)
    time.sleep(0.02)
    spent = target.cpu_ms() - before
    table.row("F: a 16 KiB message in 1-byte writes", "1000", close_code(frames(answer)), close_code(frames(answer)) == 1000 and spent < 200, f"{spent:.1f} ms CPU")
