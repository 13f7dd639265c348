"""What permessage-deflate holds: of connections that are idle, and of many at once."""

import random
import socket
import threading

from deflate import DEFLATE, KIB, MIB, OURS, PMD, RSV1, THEIRS, Deflater
from victim import status_number, victim
from wire import BINARY, SECONDS, close_frame, frame, header, masked, open_ws, read_all

CROWD, MANY = 2000, 19900  # connections at once, in every run and in the long one


def run(table):
    buffers(table)
    idle(table)
    crowds(table, CROWD)


def long_run(table):
    crowds(table, MANY)


def buffers(table):
    """What one long message needed is not kept, whether it shrank or not."""
    noise = random.Random(7).randbytes(4 * MIB)
    with victim("quiet=1", f"flags={DEFLATE}") as target:
        for name, message in (("noise", noise), ("zeros", bytes(4 * MIB))):
            before = target.heap()
            with open_ws(target.port, more=PMD) as sock:
                sock.sendall(frame(BINARY, message) + close_frame(1000))
                answer, _ = read_all(sock)
            target.settle()
            held = (target.heap() - before) / KIB
            # The loop's buffers for reading and writing, its compressor and its output of at most 256 KiB.
            table.row(f"D07 4 MiB of {name} leave nothing behind", "<= 1,300 KiB", f"{held:.0f} KiB", held <= 1300 and len(answer) > 4,
                      f"{len(answer)} bytes came back")


def idle(table):
    """Compressors of connections that are idle are given up after 10 s, and so is the inflater of the loop."""
    count, message = 50, frame(BINARY, b"price 7919, " * 100)
    with victim("quiet=1", f"flags={DEFLATE | OURS}") as target, victim("quiet=1", "mode=sink", f"flags={DEFLATE}") as sink:
        peer = open_ws(sink.port, more=PMD)
        peer.sendall(frame(BINARY, b"as it is"))
        sink.until("messages", 1)
        without = sink.heap()
        peer.sendall(frame(BINARY | RSV1, Deflater().message(b"compressed")))
        sink.until("messages", 2)
        lent = (sink.heap() - without) / KIB
        socks = [open_ws(target.port, more=PMD) for _ in range(count)]
        target.settle()
        before = target.heap()
        for sock in socks:
            sock.sendall(message)
            sock.recv(2, socket.MSG_WAITALL)
        target.settle()
        busy = (target.heap() - before) / KIB
        for _ in range(120):
            threading.Event().wait(0.2)
            if (target.heap() - before) / KIB < busy / 10:
                break
        given_up = (sink.heap() - without) / KIB
        table.row("D07 the idle inflater is given up", "below 4 KiB", f"{given_up:.1f} of {lent:.1f} KiB", given_up < 4 < 32 < lent, f"{lent:.1f} KiB for a loop")
        peer.close()
        rest = (target.heap() - before) / KIB
        socks[0].sendall(message)
        again = socks[0].recv(2, socket.MSG_WAITALL)
        table.row(f"D07 {count} idle compressors are given up", "below a tenth", f"{rest:.0f} of {busy:.0f} KiB", rest < busy / 10 and busy > 100 * count and len(again) == 2,
                  f"{busy / count:.0f} KiB a connection while it sends, {rest / count:.1f} when it is idle")
        for sock in socks:
            sock.close()


def crowds(table, count):
    """D07: many connections with deflate, each of which has exchanged a message."""
    crowd(table, count, "without takeover", DEFLATE, 0)
    crowd(table, count, "with takeover on both sides, 64 MiB for it", DEFLATE | OURS | THEIRS, 64 * MIB)
    crowd(table, count, "with takeover on both sides, 4 MiB for it", DEFLATE | OURS | THEIRS, 4 * MIB)


def crowd(table, count, name, flags, memory):
    """All of them together hold no more than `memory`, and 1.5 KiB each and 1 MiB for what all share."""
    message, socks, echoed = b"price 7919, " * 100, [], 0
    payload = Deflater(takeover=False).message(message)
    data = header(BINARY | RSV1, len(payload), True) + masked(payload)
    with victim("quiet=1", f"flags={flags}", f"deflate_memory={memory or 1}", "heartbeat_ms=4294967295") as target:
        open_ws(target.port, more=PMD).close()
        target.settle()
        heap, rss, cpu = target.heap(), status_number(target.pid, "VmRSS"), target.cpu_ms()
        target.peak()
        try:
            while len(socks) < count:
                socks.append(open_ws(target.port, more=PMD))
                socks[-1].sendall(data)
            for sock in socks:
                sock.settimeout(SECONDS)
                head = sock.recv(2, socket.MSG_WAITALL)
                echoed += head[0] == BINARY | RSV1 and head[1] < 126
            target.settle()
            held, rss = (target.heap() - heap) / KIB, status_number(target.pid, "VmRSS") - rss
            most = memory / KIB + 1.5 * count + KIB
            table.row(f"D07 {count} connections {name}", f"<= 40 KiB each, heap <= {most / KIB:.1f} MiB", f"{echoed} echoes, {rss / count:.2f} KiB RSS each",
                      echoed == count and rss / count <= 40 and held <= most,
                      f"{held / count:.2f} KiB heap each, {held / KIB:.1f} MiB in all, {target.cpu_ms() - cpu:.0f} ms CPU")
        finally:
            for sock in socks:
                sock.close()
