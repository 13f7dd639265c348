"""permessage-deflate: offers, bombs, limits, contexts, and what compression tells of a secret."""

import random
import socket
import threading
import zlib

from client_role import Host, switching
from victim import victim
from wire import BINARY, PING, close_code, close_frame, connect, frame, frames, open_ws, read_all, read_head, send_unless_gone, upgrade

KIB = 1024
MIB = 1024 * KIB
EXTENSION = "Sec-WebSocket-Extensions: "
PMD = EXTENSION + "permessage-deflate\r\n"
TAIL = b"\x00\x00\xff\xff"
STORED = b"\x00\xff\xff\x00\x00"  # begins a stored block of 65,535 bytes
RSV1 = 0x40
DEFLATE, OURS, THEIRS = 4, 8, 16  # LIBWS_DEFLATE, _TAKEOVER, _PEER_TAKEOVER
BOMB = 512 * MIB
MOST_CPU = 100  # ms for a bomb; it fails at ten times that


def run(table):
    with victim(f"flags={DEFLATE | OURS | THEIRS}") as target:
        offers(table, target)
        violations(table, target)
    answers(table)
    for limit in (16 * MIB, 64 * KIB):
        with victim("quiet=1", "mode=sink", f"flags={DEFLATE | THEIRS}", f"max_message={limit}") as target:
            bombs(table, target, limit)
    with victim("mode=sink", f"flags={DEFLATE}", "max_message=100000") as target:
        limits(table, target)
    with victim("quiet=1", "mode=sink", f"flags={DEFLATE | THEIRS}") as target:
        linear(table, target)
    for flags in (0, OURS, THEIRS, OURS | THEIRS):
        with victim("quiet=1", f"flags={DEFLATE | flags}", "deflate_min_bytes=1") as target:
            mix(table, target, flags)
    secrets(table)


class Deflater:
    """The payloads of compressed messages, with or without what came before."""

    def __init__(self, takeover=True, bits=15):
        self.takeover, self.bits, self.zlib = takeover, bits, None

    def message(self, data):
        if self.zlib is None or not self.takeover:
            self.zlib = zlib.compressobj(6, zlib.DEFLATED, -self.bits)
        return (self.zlib.compress(data) + self.zlib.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]


def warm(target):
    """The first message makes the loop's receive buffer and its inflater."""
    with open_ws(target.port, more=PMD) as sock:
        sock.sendall(frame(BINARY | RSV1, packed(b"warm")) + close_frame(1000))
        read_all(sock)


def packed(data):
    return Deflater().message(data)


def unpacked(payload):
    return zlib.decompressobj(-15).decompress(payload + TAIL)


def make_bomb(final=False):
    """512 MiB of zeros; with `final` as many streams that each end."""
    deflater, zeros, out = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(MIB), []
    for _ in range(BOMB // MIB):
        out.append(deflater.compress(zeros))
        if final:
            out.append(deflater.flush(zlib.Z_FINISH))
            deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    out.append(deflater.flush(zlib.Z_SYNC_FLUSH))
    return b"".join(out)[: -len(TAIL)]


def fragments(payload, size, mask=True):
    """A compressed message in fragments of `size` bytes."""
    out = []
    for at in range(0, len(payload), size):
        first = (0x00 if at else 0x02 | RSV1) | (0x80 if at + size >= len(payload) else 0)
        out.append(frame(first, payload[at : at + size], mask))
    return b"".join(out)


def offers(table, target):
    """D01: what a client may ask for; the answer, or none."""
    none, plain = "none", "permessage-deflate"
    rows = {
        "the plain offer": ("permessage-deflate", plain),
        "the same name twice": ("permessage-deflate, permessage-deflate", plain),
        "the same name 500 times": (", ".join(["permessage-deflate"] * 500), plain),
        "500 unknown ones before it": (", ".join(f"x{i}" for i in range(500)) + ", permessage-deflate", none),
        "20 unknown ones before it": (", ".join(f"x{i}" for i in range(20)) + ", permessage-deflate", plain),
        "an unknown parameter": ("permessage-deflate; x=1", none),
        "an unknown parameter, then a plain offer": ("permessage-deflate; x=1, permessage-deflate", plain),
        "a parameter twice": ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", none),
        "quoted bits": ('permessage-deflate; server_max_window_bits="10"', plain + "; server_max_window_bits=10"),
        "8 bits": ("permessage-deflate; server_max_window_bits=8", plain + "; server_max_window_bits=8"),
        "leading zero": ("permessage-deflate; server_max_window_bits=08", none),
        "7 bits": ("permessage-deflate; server_max_window_bits=7", none),
        "16 bits": ("permessage-deflate; client_max_window_bits=16", none),
        "huge bits": ("permessage-deflate; client_max_window_bits=" + "9" * 5000, none),
        "no bits": ("permessage-deflate; server_max_window_bits", none),
        "a value where none may be": ("permessage-deflate; client_no_context_takeover=1", none),
        "all four": (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9",
            plain + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9",
        ),
        "__proto__": ("__proto__; __proto__=1", none),
        "__proto__ as a parameter": ("permessage-deflate; __proto__", none),
        "another case": ("Permessage-Deflate", none),
        "the old name": ("x-webkit-deflate-frame", none),
        "empty": ("", none),
        "commas": (", ,,", none),
        "only a semicolon": (";", "400"),
        "a semicolon at the end": ("permessage-deflate;", "400"),
        "an open quote": ('permessage-deflate; server_max_window_bits="10', "400"),
        "a quoted string that is no token": ('permessage-deflate; server_max_window_bits="1 0"', "400"),
        "15 KiB of parameters": ("permessage-deflate" + "; a" * 5000, none),
        "17 KiB": ("permessage-deflate" + "; a" * 5700, "431"),
    }
    warm(target)
    for name, (value, expected) in rows.items():
        before, heap = target.cpu_ms(), target.heap()
        target.peak()
        with connect(target.port) as sock:
            send_unless_gone(sock, upgrade(target.port, more=f"{EXTENSION}{value}\r\n"))
            head, _ = read_head(sock)
        lines = [line for line in head.decode("latin-1").split("\r\n") if line.lower().startswith(EXTENSION.lower().strip())]
        code = head.split(b" ")[1].decode()
        seen = code if code != "101" else lines[0].split(": ", 1)[1] if lines else none
        growth = (target.peak() - heap) / KIB
        ok = seen == expected and len(lines) <= 1 and growth <= 512
        table.row(f"D01 {name}", expected, seen, ok, f"{growth:.0f} KiB, {target.cpu_ms() - before:.2f} ms CPU")


def answers(table):
    """D01 toward our client: what a server may not choose."""
    host = Host()
    rows = {
        "what was offered": ("permessage-deflate", "open"),
        "all four": ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=8", "open"),
        "another extension": ("x-other", "refused"),
        "two": ("permessage-deflate, permessage-deflate", "refused"),
        "a parameter twice": ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", "refused"),
        "an unknown parameter": ("permessage-deflate; x", "refused"),
        "client bits without a value": ("permessage-deflate; client_max_window_bits", "refused"),
        "client bits above the offer": ("permessage-deflate; client_max_window_bits=15", "refused"),
        "server bits above what was asked": ("permessage-deflate; server_max_window_bits=13", "refused"),
        "server bits left out though asked": (None, "refused"),
    }
    # It asks for windows of 12 and 10 bits, so that an answer can be above; the first rows fit that.
    asks = ("deflate_peer_window_bits=12", "deflate_window_bits=10")
    with victim(f"flags={DEFLATE | OURS | THEIRS}", *asks) as target:
        for name, (value, expected) in rows.items():
            value = value or "permessage-deflate"
            if expected == "open" and "server_max" not in value:
                value += "; server_max_window_bits=12"
            peer, head = host.take(target)
            send_unless_gone(peer, switching(head, more=f"{EXTENSION}{value}\r\n"))
            seen = "open" if expected == "open" and target.opened(5) else ""
            if not seen and (info := target.closed(15)):
                seen = "refused" if info["error"] == "LIBWS_ERR_HANDSHAKE" and info["open"] == "0" else str(info)
            peer.close()
            if seen == "open":
                target.closed()  # so that the next row does not hear of it
            table.row(f"D01 our client, the server chooses {name}", expected, seen, seen == expected)
    with victim() as target:
        peer, head = host.take(target)
        send_unless_gone(peer, switching(head, more=PMD))
        info = target.closed(15)
        peer.close()
        table.equal("D01 our client, chosen though not offered", "LIBWS_ERR_HANDSHAKE", info and info["error"])


def violations(table, target):
    """Frames that break RFC 7692, in both roles."""
    host = Host()
    good = packed(b"hello" * 50)
    rows = {
        "RSV1 on a ping": (lambda m: frame(PING | RSV1, b"x", m), 1002),
        "RSV1 on a continuation": (lambda m: frame(0x02 | RSV1, good, m) + frame(0x80 | RSV1, b"", m), 1002),
        "RSV2": (lambda m: frame(BINARY | 0x20, b"x", m), 1002),
        "rubbish": (lambda m: frame(BINARY | RSV1, b"\xff" * 100, m), 1007),
        "cut in the middle": (lambda m: frame(BINARY | RSV1, good[: len(good) // 2], m), 1007),
        "a distance into nothing": (lambda m: frame(BINARY | RSV1, b"\xf2\x00\x11\x00\x00", m), 1007),
        "a stored block that lies": (lambda m: frame(BINARY | RSV1, b"\x00\x05\x00\xfa\xfe\x48", m), 1007),
        "text that is none": (lambda m: frame(0x81 | RSV1, packed(b"\xff" * 200), m), 1007),
        "100 streams": (lambda m: frame(BINARY | RSV1, b"\xf3\x48\xcd\xc9\xc9\x07\x00" * 100, m), 1008),
    }
    for name, (make, code) in rows.items():
        target.forget()
        with open_ws(target.port, more=PMD) as sock:
            send_unless_gone(sock, make(True))
            seen = close_code(frames(read_all(sock)[0]))
        info = target.closed()
        table.row(f"F02 {name}", code, seen, seen == code and info["sent"] == str(code))
        peer = open_client(target, host)
        send_unless_gone(peer, make(False))
        info = target.closed()
        peer.close()
        table.equal(f"F02 {name}, to our client", str(code), info and info["sent"])


def open_client(target, host):
    """Our client, with permessage-deflate agreed."""
    peer, head = host.take(target)
    peer.sendall(switching(head, more=PMD))
    target.settle(1)
    return peer


def bombs(table, target, limit):
    """D03: what inflates to 512 MiB costs the limit and little more, however it comes, in both roles."""
    host = Host()
    bomb, streams = make_bomb(), make_bomb(final=True)
    nested = packed(bomb)
    shapes = {
        f"{len(bomb) // KIB} KiB": (lambda m: frame(BINARY | RSV1, bomb, m), 1009),
        "in fragments of 4 KiB": (lambda m: fragments(bomb, 4096, m), 1009),
        "in 1-byte fragments": (lambda m: fragments(bomb[:99999], 1, m), 1009),
        "as 512 streams": (lambda m: frame(BINARY | RSV1, streams, m), 1009),
        "as text": (lambda m: frame(0x81 | RSV1, bomb, m), 1009),
        # One layer is taken off; what is inside is the application's.
        f"nested, {len(nested)} bytes": (lambda m: frame(BINARY | RSV1, nested, m), None if len(bomb) <= limit else 1009),
    }
    warm(target)
    for name, (make, expected) in shapes.items():
        for role in ("server", "client"):
            data = make(role == "server") + close_frame(1000, mask=role == "server")
            target.settle()
            before, cpu, counts = target.heap(), target.cpu_ms(), target.counts()
            target.peak()
            sock = open_ws(target.port, more=PMD) if role == "server" else open_client(target, host)
            send_unless_gone(sock, data)
            answer, _ = read_all(sock)
            sock.close()
            target.until("closed", counts["closed"] + 1)
            target.settle()
            cpu, peak, held = target.cpu_ms() - cpu, (target.peak() - before) / KIB, (target.heap() - before) / KIB
            messages = target.counts()["messages"] - counts["messages"]
            code = close_code(frames(answer)) if role == "server" else None
            ok = messages == (expected is None) and peak <= limit / KIB + 256 and cpu <= 10 * MOST_CPU
            if role == "server":
                ok = ok and code == (expected or 1000)
            table.row(f"D03 {name}, limit {limit // KIB} KiB, our {role}", f"{expected or 'one message'}; <= limit + 256 KiB, {MOST_CPU} ms",
                      f"{code or ''} {messages} messages; {peak:.0f} KiB", ok, f"{peak:.0f} KiB at most, {held:.0f} held, {cpu:.1f} ms CPU")


def limits(table, target):
    """D04: the limit is what comes out, to the byte."""
    noise = random.Random(4).randbytes(100001)
    for size, expected in ((99999, 1), (100000, 1), (100001, 0)):
        for what, data in (("zeros", bytes(size)), ("noise", noise[:size])):
            payload = packed(data)
            for how, sent in (("whole", frame(BINARY | RSV1, payload)), ("in fragments", fragments(payload, max(1, len(payload) // 7)))):
                before = target.counts()
                with open_ws(target.port, more=PMD) as sock:
                    send_unless_gone(sock, sent + close_frame(1000))
                    code = close_code(frames(read_all(sock)[0]))
                after = target.counts()
                seen = f"{code}, {after['bytes'] - before['bytes']} bytes"
                table.equal(f"D04 {size} bytes of {what}, {how}", f"{1000 if expected else 1009}, {size * expected} bytes", seen)


def linear(table, target):
    """N against 4N of what an attacker may repeat."""
    small = packed(b"x")
    shapes = {
        "compressed messages of one byte": (b"", frame(BINARY | RSV1, small), b"", 5000),
        "empty compressed messages": (b"", frame(BINARY | RSV1, b"\x00"), b"", 5000),
        "empty blocks": (frame(0x02 | RSV1, b"\x00" + TAIL), frame(0x00, (b"\x00" + TAIL) * 200), b"", 2000),
        # So much is there already that each byte is inflated as it comes.
        "one-byte fragments": (frame(0x02 | RSV1, STORED + bytes(65535) + STORED), frame(0x00, b"x"), b"", 15000),
    }
    for name, (begin, item, end, count) in shapes.items():
        spent = []
        for n in (count, 4 * count):
            best = float("inf")
            for _ in range(3):
                target.settle()
                before = target.cpu_ms()
                with open_ws(target.port, more=PMD) as sock:
                    send_unless_gone(sock, begin + item * n + end + close_frame(1000))
                    read_all(sock)
                target.settle()
                best = min(best, target.cpu_ms() - before)
            spent.append(best)
        table.row(f"D: {name}, {count} and {4 * count}", "linear", f"{spent[0]:.2f} and {spent[1]:.2f} ms", spent[1] <= 8 * spent[0] + 1,
                  f"{spent[1] / spent[0]:.1f} times for 4 times, {1000 * spent[1] / (4 * count):.2f} us each")


def messages(count):
    """Messages that refer to each other and to themselves, of many sizes."""
    chooser = random.Random(count)
    words = [chooser.randbytes(chooser.randint(1, 60)) for _ in range(200)]
    for _ in range(count):
        yield b"".join(chooser.choices(words, k=chooser.choice((0, 1, 3, 20, 20, 60, 60, 400))))


def mix(table, target, flags):
    """D06: 10,000 messages there and back, cut anywhere, with each side's context kept or not."""
    count, chooser = 10000, random.Random(flags)
    sent = list(messages(count))
    deflater = Deflater(takeover=bool(flags & THEIRS))
    stream = b"".join(frame(BINARY | RSV1, deflater.message(data)) for data in sent)
    stream += close_frame(1000)
    before = target.cpu_ms()
    sock = connect(target.port)
    sock.sendall(upgrade(target.port, more=PMD))
    head, _ = read_head(sock)

    def send():
        at = 0
        while at < len(stream):
            size = chooser.choice((1, 2, 7, 100, 1500, 9000, 50000))
            sock.sendall(stream[at : at + size])
            at += size

    sender = threading.Thread(target=send)
    sender.start()
    answer = frames(read_all(sock, 120)[0])
    sender.join()
    sock.close()
    inflater, equal, compressed = zlib.decompressobj(-15), 0, 0
    for (first, payload), data in zip(answer, sent):
        if first & RSV1:
            compressed += 1
            payload = inflater.decompress(payload + TAIL) if flags & OURS else unpacked(payload)
        equal += payload == data
    agreed = b"server_no_context_takeover" in head, b"client_no_context_takeover" in head
    honest = agreed == (not flags & OURS, not flags & THEIRS)
    name = f"server {'keeps' if flags & OURS else 'drops'} context, client {'keeps' if flags & THEIRS else 'drops'} it"
    size = sum(len(payload) for _, payload in answer) / sum(map(len, sent))
    table.row(f"D06 {count} messages, {name}", f"{count} equal", f"{equal} equal", equal == count and honest and compressed > count // 4,
              f"{compressed} came compressed, to {100 * size:.0f} %, {target.cpu_ms() - before:.0f} ms CPU")


def secrets(table):
    """D08: compression tells a right guess from a wrong one by its length; left out, it tells nothing."""

    def lengths(target):
        secret, seen = b"token=7Hq2ZpR9vKx4Lm8T; " + bytes(range(32, 127)), []
        with open_ws(target.port, more=PMD) as sock:
            for guess in (b"token=7Hq2ZpR9vKx4Lm8T", b"token=bN5sWcY3dJf6GuEa"):
                sock.sendall(frame(BINARY, secret + b" you asked for " + guess + b"." * 20))
                head = sock.recv(2, socket.MSG_WAITALL)
                size = head[1]
                if size == 126:
                    size = int.from_bytes(sock.recv(2, socket.MSG_WAITALL), "big")
                sock.recv(size, socket.MSG_WAITALL)
                seen.append((bool(head[0] & RSV1), size))
        return seen

    with victim("quiet=1", f"flags={DEFLATE}") as target:
        (packed_right, right), (packed_wrong, wrong) = lengths(target)
        table.row("D08 compressed, a right guess is shorter", "as RFC 7692 section 8 says", f"{right} < {wrong} bytes",
                  packed_right and packed_wrong and right < wrong, f"{right} and {wrong} bytes")
    with victim("quiet=1", f"flags={DEFLATE}", "uncompressed=1") as target:
        right, wrong = lengths(target)
        table.row("D08 LIBWS_UNCOMPRESSED: both are alike", "as they are, equal", f"{right} {wrong}", right == wrong and not right[0],
                  f"{right[1]} and {wrong[1]} bytes")
