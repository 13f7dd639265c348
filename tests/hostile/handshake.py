"""Handshake and HTTP head: what a server says to a request that it must not take."""

import os
import statistics
import time

from support.process import server
from victim import OUT, cpu_ms, victim
from wire import connect, exchange, port_of, read_all, read_head, send_unless_gone, status, upgrade

# A TLS 1.2 ClientHello as a browser's begins: record header, handshake header, version, random.
CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(32)) + bytes(157)


def run(table):
    with victim("quiet=0") as target:
        rubbish(table, target)
        refused_heads(table, target)
        versions(table, target)
        target_forms(table, target)
        table.equal("H: only the seven good ones of the above were opened", 7, target.counts()["opened"])
    with victim() as target:
        log_is_one_line(table, target)
    with victim("quiet=1") as target:
        long_values(table, target)
        endless_heads(table, target)
    with victim("secret=1", "quiet=1") as target:
        tokens(table, target)


def verdict(port, request):
    """The status of the answer and how the stream ended. The peer waits and sends nothing more."""
    answer, ended = exchange(port, request)
    return status(answer), ended, answer


def refusal(table, target, name, request, expected=400):
    before = target.cpu_ms()
    code, ended, _ = verdict(target.port, request)
    seen = f"{code} {ended}"
    return table.row(name, f"{expected} end", seen, code == expected and ended != "open", f"{target.cpu_ms() - before:.2f} ms CPU")


def rubbish(table, target):
    refusal(table, target, "H01 TLS ClientHello on the plain port", CLIENT_HELLO)
    for i in range(5):
        # A first byte that could begin a method leads to the same refusal, some bytes later.
        refusal(table, target, f"H01 200 random bytes, {i + 1}", os.urandom(200))
    refusal(table, target, "H01 200 NUL bytes", bytes(200))
    refusal(table, target, "H01 HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
    refusal(table, target, "H01 a PROXY protocol line", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + upgrade(target.port))


def refused_heads(table, target):
    port = target.port
    keys = {
        "missing": "",
        "x": "Sec-WebSocket-Key: x\r\n",
        "of 15 bytes": "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n",
        "of 17 bytes": "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n",
        "of 8 KiB": f"Sec-WebSocket-Key: {'A' * 8192}\r\n",
        "twice": "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" * 2,
        "empty": "Sec-WebSocket-Key:\r\n",
        "no base64": "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n",
        "with NUL": "Sec-WebSocket-Key: dGhlIHNhbXBs\0SBub25jZQ==\r\n",
    }
    for name, line in keys.items():
        refusal(table, target, f"H02 key {name}", upgrade(port, without=["Sec-WebSocket-Key"], more=line))
    good = upgrade(port)
    heads = {
        "bare LF throughout": good.replace(b"\r\n", b"\n"),
        "one bare LF": good.replace(b"Upgrade\r\n", b"Upgrade\n", 1),
        "space before the colon": good.replace(b"Upgrade:", b"Upgrade :"),
        "NUL in a value": good.replace(b"Upgrade\r\n", b"Upgr\0ade\r\n", 1),
        "obs-fold": good.replace(b"Upgrade\r\n", b"Upgrade\r\n folded\r\n", 1),
        "CR alone": good.replace(b"Upgrade\r\n", b"Upgrade\rX: y\r\n", 1),
        "8-bit header name": good.replace(b"Upgrade:", b"Upgr\xe4de:"),
        "header without a colon": good.replace(b"Upgrade: websocket", b"Upgrade websocket"),
        "header without a name": good.replace(b"Upgrade: websocket", b": websocket"),
    }
    for name, head in heads.items():
        refusal(table, target, f"H04 {name}", head)
    hosts = {
        "two": f"Host: 127.0.0.1:{port}\r\n" * 2,
        "none": "",
        "with a space": "Host: 127.0.0.1 x\r\n",
        "with @": "Host: user@127.0.0.1\r\n",
        "with CR": "Host: 127.0.0.1\rX\r\n",
        "empty": "Host:\r\n",
        "with a path": "Host: 127.0.0.1/x\r\n",
        "with port 65536": "Host: 127.0.0.1:65536\r\n",
    }
    for name, line in hosts.items():
        refusal(table, target, f"H12 Host {name}", upgrade(port, without=["Host"], more=line))
    foreign = upgrade(port, without=["Host"], more="Host: evil.example\r\n")
    refusal(table, target, "H12 Host of another name on loopback", foreign, 403)
    many = {"500": 500, "2,001": 2001, "96 more, 101 in all": 96}
    for name, count in many.items():
        refusal(table, target, f"H07 {name} headers", upgrade(port, more="X: y\r\n" * count), 431)
    code, _ = opened(port, more="X: y\r\n" * 95)
    table.equal("H07 100 headers in all", 101, code)
    foreign = upgrade(port, more="Origin: https://evil.example\r\n")
    refusal(table, target, "H: a foreign Origin", foreign, 403)


def opened(port, path="/", more=""):
    """The status of an upgrade that is then left alone, and its head."""
    with connect(port) as sock:
        sock.sendall(upgrade(port, path=path, more=more))
        head, _ = read_head(sock)
        return status(head), head


def versions(table, target):
    for name, line in {
        "12": "Sec-WebSocket-Version: 12\r\n",
        "0": "Sec-WebSocket-Version: 0\r\n",
        "13, 8": "Sec-WebSocket-Version: 13, 8\r\n",
        "14": "Sec-WebSocket-Version: 14\r\n",
        "013": "Sec-WebSocket-Version: 013\r\n",
        "missing": "",
    }.items():
        request = upgrade(target.port, without=["Sec-WebSocket-Version"], more=line)
        code, ended, answer = verdict(target.port, request)
        says_13 = b"\r\nsec-websocket-version: 13\r\n" in answer.lower()
        seen = f"{code} {ended}, names 13: {says_13}"
        table.row(f"H03 version {name}", "426 end, names 13: True", seen, code == 426 and ended != "open" and says_13)


def target_forms(table, target):
    port = target.port
    for name, path in {
        "absolute form": f"http://127.0.0.1:{port}/x",
        "//": "//evil.example/x",
        "%00": "/a%00b",
        "..%2f..": "/..%2f..%2fetc/passwd",
        "/../..": "/../../etc/passwd",
        "8 KiB": "/" + "x" * 8191,
    }.items():
        code, _ = opened(port, path=path)
        table.row(f"H18 target {name}", "101, the path is the application's", code, code in (101, 400, 404))
    refusal(table, target, "H18 target 8 KiB + 1", upgrade(port, path="/" + "x" * 8192), 414)
    refusal(table, target, "H18 target 64 KiB", upgrade(port, path="/" + "x" * 65535), 414)
    refusal(table, target, "H18 target without a slash", upgrade(port, path="x"))
    refusal(table, target, "H18 absolute form with user", upgrade(port, path=f"http://u@127.0.0.1:{port}/"))
    refusal(table, target, "H18 fragment", upgrade(port, path="/#x"))


def log_is_one_line(table, target):
    verdict(target.port, CLIENT_HELLO)
    verdict(target.port, upgrade(target.port, path="/\x1b[2J\r\nroot: forged"))
    target.counts()
    lines = list(target.lines)
    printable = all(character.isprintable() for line in lines for character in line)
    table.row("H01 log: one printable line for each", "2 lines, printable", f"{len(lines)}, {printable}", len(lines) == 2 and printable)


def cost(target, request, rounds=20):
    """The least CPU time of the server for one such request, in ms."""
    best = float("inf")
    for _ in range(rounds):
        before = target.cpu_ms()
        with connect(target.port) as sock:
            sock.sendall(request)
            read_head(sock)
        target.settle()
        best = min(best, target.cpu_ms() - before)
    return best


def long_values(table, target):
    """A value of many spaces, and of many items: N against 4N."""
    shapes = {
        "Protocol: b<spaces>x": ("Sec-WebSocket-Protocol: b", " ", "x"),
        "Extensions: b<spaces>x": ("Sec-WebSocket-Extensions: b", " ", "x"),
        "Extensions: <commas>": ("Sec-WebSocket-Extensions: ", ",", "x"),
        "Extensions: b;a;a...": ("Sec-WebSocket-Extensions: b", ";a", ""),
        "Extensions: open quote": ('Sec-WebSocket-Extensions: b;a="', "\\a", ""),
        "Origin: http://<b...>": ("Origin: http://", "b", ""),
        "Connection: a,a,...": ("Connection: ", "a,", "Upgrade"),
    }
    for name, (begin, item, end) in shapes.items():
        sizes = [3000 // len(item), 12000 // len(item)]
        small, large = (cost(target, upgrade(target.port, more=f"{begin}{item * n}{end}\r\n")) for n in sizes)
        # The fixed cost of a connection is in both, so 4 is the most that linear cost can show.
        ok = large <= 6 * small and large <= 10
        table.row(f"H09 {name}, 3 and 12 KB", "<= 1 ms, linear", f"{small:.3f} and {large:.3f} ms", ok, f"{large:.3f} ms CPU")
    for size in (32 * 1024,):
        for field in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Origin"):
            code, ended, _ = verdict(target.port, upgrade(target.port, more=f"{field}: b{' ' * size}x\r\n"))
            table.row(f"H09 {field} of 32 KiB", "431", f"{code} {ended}", code == 431 and ended != "open")


def drip(port, count, pause=0.0):
    """A header of `count` bytes in writes of one byte, as far as the server takes them."""
    with connect(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        try:
            for _ in range(count):
                sock.send(b"x")
                # Long enough for most bytes to be read alone, by whichever reader.
                due = time.perf_counter() + pause
                while time.perf_counter() < due:
                    pass
        except OSError:
            pass


def endless_heads(table, target):
    code, ended, _ = verdict(target.port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 65536)
    table.row("H06 64 KiB header, never ended", "431 end", f"{code} {ended}", code == 431 and ended != "open")
    with connect(target.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: ")
        sent = 18
        while sent < 20000:
            send_unless_gone(sock, b"x" * 64)
            sent += 64
        answer, _ = read_all(sock, 5)
    table.equal("H06 in small writes", 431, status(answer))
    heap = target.heap()
    with server([OUT / "discard"]) as plain:
        ours, theirs = [], []
        for _ in range(5):
            for port, pid, spent in ((target.port, target.pid, ours), (port_of(plain.url), plain.pid, theirs)):
                before = cpu_ms(pid)
                drip(port, 16 * 1024, pause=5e-6)
                time.sleep(0.02)
                spent.append(cpu_ms(pid) - before)
        # How many bytes a read finds is the scheduler's affair; a parser that starts over would be hundreds of times.
        ratio = statistics.median(ours) / statistics.median(theirs)
        figure = f"{statistics.median(ours):.2f} ms CPU / {statistics.median(theirs):.2f}, {ratio:.2f} times"
        table.bound("H06 16 KiB in 1-byte writes, against a reader that discards", ratio, 1.5, "times", figure, fails_above=15)
        before = target.cpu_ms()
        drip(target.port, 1 << 20)
        time.sleep(0.05)
        spent = target.cpu_ms() - before
        table.row("H06 1 MiB in 1-byte writes", "20 ms", f"{spent:.1f} ms", spent <= 200, f"{spent:.1f} ms CPU")
    target.settle()
    table.bound("H06 heap afterwards", (target.heap() - heap) / 1024, 64, "KiB")


def tokens(table, target):
    """The application compares in constant time (see victim.c); the library hands on every byte as it came."""
    good = "Bearer 0123456789abcdef"
    code, _ = opened(target.port, more=f"Authorization: {good}\r\n")
    table.equal("H16 the right token", 101, code)
    wrong = [good[:-1] + "e", good[:-1], good + "0", "Bearer 1123456789abcdef", "Basic dTpw", "", good.lower(), good.upper()]
    codes = [verdict(target.port, upgrade(target.port, more=f"Authorization: {token}\r\n"))[0] for token in wrong]
    refused = sum(code == 401 for code in codes)
    # One of the wrong ones is right: the token has no capital but its first.
    table.row("H16 wrong tokens", "401 each", codes, refused == len(wrong), f"{refused} refused")
    table.equal("H16 no token", 401, verdict(target.port, upgrade(target.port))[0])
