"""Plain HTTP on the WebSocket port: bodies, pipelines, files."""

import os
import tempfile
import time
from pathlib import Path

from victim import fds, victim
from wire import close_code, connect, exchange, frames, open_ws, push, read_all, read_head, reset, send_unless_gone, status

KIB = 1024
FORMS = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def run(table):
    with victim("http=1", "max_body=100000", "handshake_timeout_ms=1000", "message_timeout_ms=1500", "keep_alive_ms=1000") as target:
        bodies(table, target)
        slow(table, target)
        methods(table, target)
        pipelines(table, target)
    files(table)


def answer(target, request, seconds=10):
    data, ended = exchange(target.port, request, seconds)
    return status(data), ended, data


def bodies(table, target):
    """H11: lengths and chunks that do not add up are refused, and the stream ends."""
    for name, lines, expected in (
        ("Content-Length -1", "Content-Length: -1", 400),
        ("Content-Length +5", "Content-Length: +5", 400),
        ("Content-Length 5,5", "Content-Length: 5,5", 400),
        ("Content-Length 0x5", "Content-Length: 0x5", 400),
        ("Content-Length 2^64", "Content-Length: 18446744073709551616", 400),
        ("Content-Length 10^30", "Content-Length: 1" + "0" * 30, 400),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6", 400),
        ("length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("TE: identity,chunked", "Transfer-Encoding: identity,chunked", 400),
        ("TE: chunked,chunked", "Transfer-Encoding: chunked,chunked", 400),
        ("TE: xchunked", "Transfer-Encoding: xchunked", 400),
        ("TE: gzip, chunked", "Transfer-Encoding: gzip, chunked", 400),
        ("length 2^63", "Content-Length: 9223372036854775808", 413),
        ("length max + 1", "Content-Length: 100001", 413),
    ):
        code, ended, _ = answer(target, f"{FORMS}{lines}\r\n\r\nhello".encode())
        table.row(f"H11 {name}", f"{expected} end", f"{code} {ended}", code == expected and ended != "open")
    for name, chunks, expected in (
        ("chunk size 2^64", "10000000000000000\r\n", 400),
        ("chunk size 2^64 - 1", "ffffffffffffffff\r\n", 413),
        ("chunk size -1", "-1\r\n", 400),
        ("chunk size 0x5", "0x5\r\nhello\r\n", 400),
        ("chunk size empty", "\r\nhello\r\n", 400),
        ("chunk size with a space", "5 \r\nhello\r\n", 400),
        ("no CRLF behind a chunk", "5\r\nhelloX0\r\n\r\n", 400),
        ("LF behind a size", "5\nhello\r\n0\r\n\r\n", 400),
        ("CR without LF", "5\rhello\r\n", 400),
        ("chunks over the limit", f"186a0\r\n{'x' * 100000}\r\n1\r\nx\r\n0\r\n\r\n", 413),
        ("endless extension", "5;" + "x" * 20000, 431),
        ("endless trailers", "0\r\n" + "X: y\r\n" * 3000, 431),
    ):
        code, ended, _ = answer(target, f"{FORMS}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())
        table.row(f"H11 {name}", f"{expected} end", f"{code} {ended}", code == expected and ended != "open")
    heap = target.heap()
    target.peak()
    code, _, _ = answer(target, f"{FORMS}Content-Length: 100000\r\n\r\n".encode() + b"x" * 50000, seconds=3)
    table.row("H11 half a body", "408", code, code == 408, f"{(target.peak() - heap) / KIB:.1f} KiB at most")
    one = b"1\r\nx\r\n"
    spent = []
    for count in (20000, 80000):
        target.settle()
        before = target.cpu_ms()
        code, _, _ = answer(target, f"{FORMS}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + one * count + b"0\r\n\r\n")
        target.settle()
        spent.append(target.cpu_ms() - before)
    table.row("H11 20,000 and 80,000 one-byte chunks", "200, linear", f"{code}, {spent[0]:.2f} and {spent[1]:.2f} ms",
              code == 200 and spent[1] < 8 * spent[0] + 1, f"{spent[1] / spent[0]:.1f} times for 4 times")


def slow(table, target):
    """W02: who sends slowly is told 408, and who asks first is told before the body comes."""
    for name, begin in {
        "a head that stops": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        "a body that stops": f"{FORMS}Content-Length: 1000\r\n\r\nx".encode(),
        "chunks that stop": f"{FORMS}Transfer-Encoding: chunked\r\n\r\n5\r\nhel".encode(),
    }.items():
        code, ended, _ = answer(target, begin)
        table.row(f"W02 {name}", "408 end", f"{code} {ended}", code == 408 and ended != "open")
    with connect(target.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        sent, data, ended = 0, b"", "open"
        while ended == "open" and sent < 200:
            send_unless_gone(sock, b"x")
            sent += 1
            more, ended = read_all(sock, 0.05)
            data += more
    table.row("W02 a head of one byte each 50 ms", "408", status(data), status(data) == 408, f"{sent} bytes")
    with connect(target.port) as sock:
        sock.sendall(f"{FORMS}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        first, _ = read_head(sock)
        sock.sendall(b"hello")
        second, _ = read_head(sock)
    table.equal("W02 100-continue", (100, 200), (status(first), status(second)))
    code, ended, data = answer(target, f"{FORMS}Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n".encode())
    table.equal("W02 100-continue of a body that is too large", (413, b"100 Continue" in data), (code, False))
    with connect(target.port) as sock:
        code, ended = None, None
        send_unless_gone(sock, f"{FORMS}Content-Length: 300000\r\n\r\n".encode() + b"x" * 300000)
        data, ended = read_all(sock)
        table.equal("W02 a body over the limit that is sent all the same", (413, "end"), (status(data), ended))
    with connect(target.port) as sock:
        data, ended = read_all(sock)
        table.row("W02 a peer that says nothing", "408 or end", f"{status(data)} {ended}", ended == "end" and status(data) in (408, None))
    with connect(target.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        data, ended = read_all(sock)
        table.equal("W02 an idle keep-alive connection", (200, "end"), (status(data), ended))


def methods(table, target):
    for method in ("HEAD", "OPTIONS", "GET", "DELETE", "TRACE", "FOO"):
        code, _, data = answer(target, f"{method} /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        body = data.split(b"\r\n\r\n", 1)[-1]
        right = body == b"" if method == "HEAD" else body.startswith(method.encode())
        table.row(f"W01 {method}", "200, its own body", f"{code}, {body[:20]}", code == 200 and right)
    code, _, _ = answer(target, b"CONNECT a:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    table.equal("W01 CONNECT", 405, code)


def pipelines(table, target):
    count = 1000
    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % i for i in range(count))
    heap, cpu = target.heap(), target.cpu_ms()
    target.peak()
    last = b"GET /last HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    got, ended = exchange(target.port, data + last)
    bodies = [part.split(b"HTTP/1.1 ")[0] for part in got.split(b"\r\n\r\n")[1:]]
    expected = [b"GET 0 /%d" % i for i in range(count)] + [b"GET 0 /last"]
    growth = (target.peak() - heap) / KIB
    table.row("W01 1,000 pipelined GETs", "1001 in order", f"{len(bodies)}, in order {bodies == expected}", bodies == expected and ended == "end" and growth <= 640,
              f"{growth:.0f} KiB, {target.cpu_ms() - cpu:.1f} ms CPU")
    heap = target.heap()
    target.peak()
    with connect(target.port, receive_buffer=4096) as sock:
        taken = push(sock, data * 200)
        growth = (target.peak() - heap) / KIB
    table.row("W01 200,000 pipelined GETs, answers unread", "<= 640 KiB", f"{growth:.0f} KiB", growth <= 640, f"{growth:.0f} KiB, {taken / 1e6:.2f} MB taken")
    smuggled = f"{FORMS}Content-Length: 5\r\n\r\nhello".encode() + b"GET /second HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    got, _ = exchange(target.port, smuggled)
    table.equal("W01 POST and GET in one write", 2, got.count(b"HTTP/1.1 200"))
    with connect(target.port) as sock:
        sock.sendall(data)
        reset(sock)
    table.row("W01 RST in the middle of 1,000 answers", "lives", "lives", exchange(target.port, last)[0].startswith(b"HTTP/1.1 200"))
    with open_ws(target.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        data, _ = read_all(sock)
    table.row("W01 HTTP inside a WebSocket", "Close 1002", close_code(frames(data)), close_code(frames(data)) == 1002)


def files(table):
    """W03: only what lies in the folder is served."""
    with tempfile.TemporaryDirectory() as folder:
        outside, root = Path(folder, "outside"), Path(folder, "root")
        for path in (outside, root, root / "sub"):
            path.mkdir()
        (outside / "secret").write_text("SECRET")
        (root / "page.html").write_text("PAGE")
        (root / ".hidden").write_text("SECRET")
        os.symlink(outside / "secret", root / "link")
        os.symlink(outside, root / "folder")
        os.symlink("../outside/secret", root / "relative")
        os.symlink("loop", root / "loop")
        os.symlink("/dev/zero", root / "zero")
        os.mkfifo(root / "pipe")
        with victim(f"static_root={root}", "quiet=1") as target:
            before = fds(target.pid)

            def get(path):
                data, _ = exchange(target.port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("latin-1"))
                return status(data), b"SECRET" in data

            table.equal("W03 a page", 200, get("/page.html")[0])
            for path in (
                "/../outside/secret", "/%2e%2e/outside/secret", "/..%2foutside/secret", "/sub/../../outside/secret", "/%2e%2e%2foutside%2fsecret",
                "/..%5coutside%5csecret", "/..\\outside\\secret", "/%252e%252e/outside/secret", "//outside/secret", "/page.html/../../outside/secret",
                "/.hidden", "/link", "/relative", "/folder/secret", "/loop", "/zero", "/pipe", "/sub", "/page.html%00", "/page.html/", "/%c0%ae%c0%ae/outside/secret",
                "/dev/zero", "//etc/passwd", "/%2fetc%2fpasswd", "/...", "/sub/%2e", "/" + "a/" * 2000, "/" + "x" * 8000, "/%", "/%zz",
            ):
                code, leaked = get(path)
                table.row(f"W03 {path[:30]}", "400 or 404", f"{code}, leaked {leaked}", code in (400, 404) and not leaked)
            big = root / "big"
            with open(big, "wb") as file:
                file.truncate(256 << 20)
            heap = target.heap()
            target.peak()
            with connect(target.port, receive_buffer=4096) as sock:
                sock.sendall(b"GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                time.sleep(0.3)
                growth = (target.peak() - heap) / KIB
            table.bound("W03 256 MiB file, answer unread", growth, 256, "KiB")
            deadline = time.monotonic() + 5
            while fds(target.pid) != before and time.monotonic() < deadline:
                time.sleep(0.02)
            table.equal("W03 descriptors afterwards", before, fds(target.pid))
