"""A hostile server against our client: answers that are no upgrade, frames that break the rules, masks."""

import base64
import hashlib
import socket

from support.process import run as run_program
from victim import OUT, victim
from violations import accepted, rows
from wire import BINARY, PING, TEXT, close_code, close_frame, frame, header, push, read_all, read_head, send_unless_gone, unmask_frames

KIB = 1024
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_value(head):
    """The Sec-WebSocket-Accept for a request."""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"sec-websocket-key:"):
            key = line.split(b":", 1)[1].strip()
            return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    return ""


def switching(head, without=(), more="", value=None):
    """A 101, less the headers named in `without`, plus `more`."""
    lines = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": value or accept_value(head)}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if name not in without)
    return f"HTTP/1.1 101 Switching Protocols\r\n{text}{more}\r\n".encode()


class Host:
    """A listening socket that our client is sent to; with a small `receive_buffer` a peer that does not read is felt."""

    def __init__(self, receive_buffer=None):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(10)
        self.port = self.sock.getsockname()[1]

    def take(self, target):
        """Has the victim connect; returns the connection and the head of its request."""
        target.forget()
        target.ask(f"connect ws://127.0.0.1:{self.port}/")
        peer, _ = self.sock.accept()
        peer.settimeout(10)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer, read_head(peer)[0]

    def open(self, target):
        peer, head = self.take(target)
        peer.sendall(switching(head))
        target.opened()
        return peer


def run(table):
    host = Host()
    with victim("protocols=chat", "handshake_timeout_ms=2000") as target:
        answers(table, target, host)
    with victim() as target:
        violations(table, target, host)
        endings(table, target, host)
    with victim("quiet=0", "mode=sink") as target:
        at_once(table, target, host)
        memory(table, target, host)
    with victim("quiet=0") as target:
        unread(table, target)
    masks(table)


def answers(table, target, host):
    """C02, C04: what is not a right 101 is an error, and on_close comes once."""

    def answered(name, make, expected="LIBWS_ERR_HANDSHAKE", opens="0", most=20):
        target.settle()
        before = target.heap()
        target.peak()
        peer, head = host.take(target)
        send_unless_gone(peer, make(head))
        info = target.closed(15)
        growth = (target.peak() - before) / KIB
        peer.close()
        seen = f"{info['error']} open {info['open']}" if info else "no on_close"
        ok = seen == f"{expected} open {opens}" and growth <= most
        table.row(name, f"{expected} open {opens}", seen, ok, f"{growth:.1f} KiB; {info['detail'][:50] if info else ''}")

    # The first connection of a process makes the tables of all.
    host.take(target)[0].close()
    target.closed()
    answered("C02 wrong accept", lambda head: switching(head, value="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    answered("C02 accept of another case", lambda head: switching(head, value=accept_value(head).swapcase()))
    for missing in ("Upgrade", "Connection", "Sec-WebSocket-Accept"):
        answered(f"C02 101 without {missing}", lambda head: switching(head, without=[missing]))
    answered("C02 accept twice", lambda head: switching(head, more=f"Sec-WebSocket-Accept: {accept_value(head)}\r\n"))
    for code in (200, 204, 301, 302, 307, 400, 401, 403, 404, 407, 426, 429, 500, 503, 599):
        answered(f"C02 status {code}", lambda head: f"HTTP/1.1 {code} X\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".encode())
    for name, text in {
        "status 99": b"HTTP/1.1 99 X\r\n\r\n",
        "status 1000": b"HTTP/1.1 1000 X\r\n\r\n",
        "HTTP/2": b"HTTP/2 101 X\r\n\r\n",
        "HTTP/0.9 page": b"<html></html>\r\n\r\n",
        "bare LF": b"HTTP/1.1 101 X\nUpgrade: websocket\n\n",
        "NUL": b"HTTP/1.1 101 X\r\nX: \0\r\n\r\n",
        "obs-fold": b"HTTP/1.1 101 X\r\nX: y\r\n z\r\n\r\n",
        "TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
        "a mail server": b"220 mail.example ESMTP\r\n",
    }.items():
        answered(f"C02 {name}", lambda head: text)
    answered("C02 101 of HTTP/1.0", lambda head: switching(head).replace(b"HTTP/1.1", b"HTTP/1.0"))
    answered("C02 64 KiB of headers", lambda head: switching(head, more="X: " + "y" * 65536 + "\r\n"), most=40)
    answered("C02 64 KiB of headers, never ended", lambda head: b"HTTP/1.1 101 X\r\nX: " + b"y" * 65536, most=40)
    answered("C02 2,000 headers", lambda head: switching(head, more="X: y\r\n" * 2000))
    answered("C04 a subprotocol that was not offered", lambda head: switching(head, more="Sec-WebSocket-Protocol: other\r\n"))
    answered("C04 two subprotocols", lambda head: switching(head, more="Sec-WebSocket-Protocol: chat, other\r\n"))
    answered("C04 the subprotocol twice", lambda head: switching(head, more="Sec-WebSocket-Protocol: chat\r\n" * 2))
    answered("C04 the subprotocol in capitals", lambda head: switching(head, more="Sec-WebSocket-Protocol: CHAT\r\n"))
    answered("C04 permessage-deflate", lambda head: switching(head, more="Sec-WebSocket-Extensions: permessage-deflate\r\n"))
    answered("C04 an unknown extension", lambda head: switching(head, more="Sec-WebSocket-Extensions: x\r\n"))
    interim(table, target, host)

    def ended(reset):
        def end(peer):
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()

        return end

    for name, reset in {"FIN": False, "RST": True}.items():
        for half in (False, True):
            peer, head = host.take(target)
            if half:
                peer.sendall(switching(head)[:40])
            ended(reset)(peer)
            info = target.closed()
            seen = f"{info['error']} open {info['open']}, once {target.closed(0.1) is None}"
            table.row(f"C02 {name} {'inside the answer' if half else 'instead of an answer'}", "an error, once", seen,
                      info["error"] in ("LIBWS_ERR_IO", "LIBWS_ERR_HANDSHAKE") and info["open"] == "0" and seen.endswith("True"))


def interim(table, target, host):
    """1xx before the answer: a few are skipped (RFC 9110 section 15.2), an endless row is not."""
    peer, head = host.take(target)
    peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + switching(head))
    table.equal("C02 100 and 103 first", "opened", target.opened())
    peer.close()
    target.closed()
    peer, head = host.take(target)
    before, cpu = target.heap(), target.cpu_ms()
    send_unless_gone(peer, b"HTTP/1.1 100 Continue\r\n\r\n" * 100000)
    info = target.closed(15)
    growth = (target.heap() - before) / KIB
    table.row("C02 100,000 times 100 Continue", "an error", info and info["error"], bool(info) and info["error"] != "LIBWS_OK" and growth < 64,
              f"{growth:.1f} KiB, {target.cpu_ms() - cpu:.1f} ms CPU")
    peer.close()


def violations(table, target, host):
    for name, data, code in rows(mask=False):
        peer = host.open(target)
        send_unless_gone(peer, data)
        answer, ended = read_all(peer)
        info = target.closed()
        peer.close()
        sent = close_code(unmask_frames(answer))
        seen = f"{sent}, on_close {info and info['sent']}"
        table.row(f"client: {name}", f"{code}, on_close {code}", seen, sent == code and info["sent"] == str(code) and ended != "open")
    for name, data, code in accepted(mask=False):
        peer = host.open(target)
        send_unless_gone(peer, data)
        answer, ended = read_until_close(peer)
        peer.close()
        info = target.closed()
        table.row(f"client: {name}", f"{code}, clean", f"{answer}, clean {info['clean']}", answer == code and info["code"] == str(code)
                  and info["clean"] == "1")
    table.equal("client: on_close exactly once for each of the above", target.counts()["opened"], target.counts()["closed"])


def read_until_close(peer):
    """A client waits for the server to end TCP (RFC 6455 section 7.1.1), so its Close must be looked for."""
    data = b""
    while close_code(unmask_frames(data)) is None:
        piece = peer.recv(65536)
        if not piece:
            break
        data += piece
    return close_code(unmask_frames(data)), "open"


def endings(table, target, host):
    def closed_by_us(answer):
        peer = host.open(target)
        target.ask("close 1000")
        peer.recv(8)  # our Close has left, so that it is the first
        answer(peer)
        info = target.closed()
        peer.close()
        return f"code {info['code']} sent {info['sent']} clean {info['clean']}"

    table.equal("client: F27 another code", "code 4001 sent 1000 clean 1", closed_by_us(lambda peer: (peer.sendall(close_frame(4001, mask=False)), peer.close())))
    table.equal("client: F27 FIN", "code 1006 sent 1000 clean 0", closed_by_us(lambda peer: peer.shutdown(1)))
    table.equal("client: F27 never", "code 1006 sent 1000 clean 0", closed_by_us(lambda peer: None))
    table.equal("client: F27 Close, and TCP never ends", "code 1000 sent 1000 clean 1", closed_by_us(lambda peer: peer.sendall(close_frame(1000, mask=False))))
    peer = host.open(target)
    before = target.counts()["messages"]
    send_unless_gone(peer, close_frame(1000, mask=False) + frame(TEXT, b"late", False) * 10000)
    peer.close()
    info = target.closed()
    table.equal("client: F26 their Close, then 10,000 texts", "1000, 0 messages", f"{info['code']}, {target.counts()['messages'] - before} messages")


def at_once(table, target, host):
    """C05: the first frames come with the 101."""
    one = frame(BINARY, bytes(1000), False)
    count = (1 << 20) // len(one)
    before = target.counts()
    peer, head = host.take(target)
    peer.sendall(switching(head) + one * count + close_frame(1000, mask=False))
    peer.close()
    info = target.closed()
    after = target.counts()
    seen = f"{after['messages'] - before['messages']} messages, {info['code']}"
    table.row("C05 101 and 1 MiB of frames in one write", f"{count} messages, 1000", seen, seen == f"{count} messages, 1000", f"{count} messages")
    for size in (1, 7):
        peer, head = host.take(target)
        data = switching(head) + frame(TEXT, b"early", False) + close_frame(1000, mask=False)
        before = target.counts()["messages"]
        for i in range(0, len(data), size):
            peer.send(data[i : i + size])
        peer.close()
        info = target.closed()
        table.equal(f"C05 101 and a text in {size}-byte writes", "1, 1000", f"{target.counts()['messages'] - before}, {info['code']}")
    peer, head = host.take(target)
    peer.sendall(switching(head) + header(BINARY, 16 << 20, False) + bytes(16 << 20) + close_frame(1000, mask=False))
    peer.close()
    table.equal("C05 101 and a message of 16 MiB", "1000", target.closed()["code"])


def memory(table, target, host):
    with host.open(target):
        target.settle()
    target.closed()
    one = frame(0x00, b"x", False)
    for name, data, most in (
        ("F11 header that claims 16 MiB", header(BINARY, 16 << 20, False), 64),
        ("F20 100,000 one-byte fragments, and it goes on", frame(0x02, b"x", False) + one * 99999, 256),
    ):
        target.settle()
        before = target.heap()
        target.peak()
        peer = host.open(target)
        peer.sendall(data)
        target.settle()
        peak = (target.peak() - before) / KIB
        table.row(f"client: {name}", f"<= {most} KiB", f"{peak:.1f} KiB", peak <= most, f"{peak:.1f} KiB at most")
        peer.close()
        target.closed()
    peer = host.open(target)
    send_unless_gone(peer, frame(0x02, b"x", False) + one * 130999)
    answer, _ = read_all(peer)
    table.equal("client: F20 131,000 one-byte fragments", 1008, close_code(unmask_frames(answer)))
    peer.close()
    target.closed()


def unread(table, target):
    host = Host(receive_buffer=4096)
    for name, data, most in (
        ("F22 200,000 unread pings", frame(PING, b"p" * 125, False) * 200000, 64),
        ("F24 94 MB of unread echo", frame(BINARY, bytes(64 * KIB), False) * 1436, 1280),
    ):
        # The first such peer makes the loop's own buffers.
        for _ in range(2):
            peer = host.open(target)
            push(peer, data, stalled=0.2)
            peer.close()
            target.closed()
        target.settle()
        before = target.heap()
        target.peak()
        peer = host.open(target)
        taken = push(peer, data)
        target.settle()
        peak = (target.peak() - before) / KIB
        table.row(f"client: {name}", f"<= {most} KiB", f"{peak:.1f} KiB", peak <= most, f"{peak:.1f} KiB at most, {taken / 1e6:.1f} MB taken")
        peer.close()
        target.closed()


def masks(table):
    """C01: a million masks, from the victim's own loop and from a child of fork()."""
    status, output = run_program([OUT / "masks"], 60)
    figures = dict(line.split("=", 1) for line in output.split() if "=" in line)
    ok = status == 0 and {"masks", "distinct", "chi", "child_common"} <= figures.keys()
    if not ok:
        table.row("C01 masks", "a report", output[-200:], False)
        return
    masks_seen, distinct, chi = int(figures["masks"]), int(figures["distinct"]), float(figures["chi"])
    # Of 10^6 random 32-bit numbers about 116 pairs are equal; the bar is nine standard deviations away.
    repeats = masks_seen - distinct
    table.row("C01 1,000,000 masks: repeats", "as of random numbers, 116 +- 100", repeats, masks_seen == 1000000 and 16 <= repeats <= 216, f"{repeats} repeats")
    # 4 x 255 degrees of freedom: mean 1,020, standard deviation 45.
    table.row("C01 chi-square of the four bytes", "1020 +- 280", chi, 740 <= chi <= 1300, f"chi-square {chi}")
    table.equal("C01 masks that a forked child shares with its parent", "0", figures["child_common"])
