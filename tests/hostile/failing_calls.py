"""N05: system calls that fail, or do less than they were asked, in server and client at once; all is well afterwards."""

import platform
import tempfile

from support import tools
from support.process import Failed
from support.process import run as run_program
from support.tally import Missing
from victim import OUT, victim
from wire import BINARY, CLOSE, TEXT, close_frame, connect, frame, frames, read_all, read_head, upgrade

FAULTS = {
    "recvfrom": "EAGAIN EINTR ECONNRESET ENOMEM ENOBUFS ETIMEDOUT EIO",
    "sendto": "EAGAIN EINTR ECONNRESET EPIPE ENOBUFS ENOMEM ETIMEDOUT",
    "sendmsg": "EAGAIN EINTR ECONNRESET EPIPE ENOBUFS ENOMEM",
    "accept4": "EAGAIN EINTR ECONNABORTED EPROTO EMFILE ENFILE ENOBUFS ENOMEM EPERM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "epoll_wait": "EINTR",
    "connect": "EINTR ECONNREFUSED ENETUNREACH ETIMEDOUT EADDRNOTAVAIL EAGAIN ENOBUFS",
    "getsockopt": "ENOBUFS ENOMEM",
    "setsockopt": "ENOMEM ENOBUFS EINVAL",
    "socket": "EMFILE ENFILE ENOMEM ENOBUFS",
    "shutdown": "ENOTCONN ENOBUFS",
}
SETTINGS = ("quiet=1", "handshake_timeout_ms=2000", "close_timeout_ms=300")
BIG = frame(BINARY, bytes(40 << 10))
EACH = 10


def run(table):
    short_writes(table)
    try:
        strace = tools.debian("strace", "strace")
    except Missing as missing:
        return table.skip("N05", str(missing))
    status, output = run_program([strace, "-f", "-o", "/dev/null", "true"], 10)
    if status != 0:
        return table.skip("N05", f"strace may not trace here: {output.strip()[-100:]}")
    for call, errors in FAULTS.items():
        for error in errors.split():
            # The first two of epoll_ctl and setsockopt make the loop and its listener.
            seen, failed = with_fault(strace, call, error, "3..20+2", attempts=100)
            table.row(f"N05 {call} {error}, every second of 18", "lives and serves", seen, seen.startswith("serves") and failed > 0, f"{failed} failed")
    for call, errors in FAULTS.items():
        every_one(table, strace, call, errors.split())


def every_one(table, strace, call, errors):
    """The k-th call alone fails, for k from 1: also those that make the loop and its listener."""
    served, refused, total, others = 0, 0, 0, []
    for k in range(1, EACH + 1):
        error = errors[k % len(errors)]
        seen, failed = with_fault(strace, call, error, str(k), attempts=12)
        served += seen.startswith("serves")
        refused += seen == "does not start"
        total += failed
        if not seen.startswith("serves") and seen != "does not start":
            others.append(f"{k} {error}: {seen}")
    text = f"{served} serve, {refused} say why they do not start{''.join('; ' + other for other in others)}"
    table.row(f"N05 the k-th {call}, k = 1 to {EACH}", "each serves, or says why not", text, not others and total > 0, f"{total} failed")


def with_fault(strace, call, error, when, attempts):
    """What became of the victim, and how many calls failed."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as log:
        rule = f"inject={call}:error={error}:when={when}"
        wrapper = [strace, "-f", "-qq", "--seccomp-bpf", "-o", log.name, "-e", f"trace={call}", "-e", rule]
        try:
            with victim(*SETTINGS, wrapper=wrapper) as target:
                seen = dialogues(target, attempts)
        except Failed as failed:
            seen = "does not start" if "before it listened: status 1" in str(failed) else str(failed)
        return seen, log.read().count("(INJECTED)")


def dialogues(target, attempts):
    """Peers come and go, and the victim visits itself; the last few must be served."""
    good, wanted = 0, 5 if attempts > 50 else 3
    for i in range(attempts):
        # An EAGAIN that is a lie leaves its connection asleep: not waited for long, as long as there are lies.
        patience = 0.15 if i < attempts // 3 else 5
        good = good + 1 if one_dialogue(target, i, patience) else 0
        if i < attempts // 3 and i % 3 == 0:
            target.ask(f"connect {target.url}")
            target.ask("close 1000")
        if good >= wanted and i >= attempts // 3:
            counts = target.counts()
            return f"serves, {counts['opened']} opened, {counts['closed']} closed"
    return f"does not serve any more: {target.counts()}"


def one_dialogue(target, i, patience):
    try:
        with connect(target.port, seconds=patience) as sock:
            sock.sendall(upgrade(target.port))
            head, _ = read_head(sock)
            if not head.startswith(b"HTTP/1.1 101"):
                return False
            sock.sendall(frame(TEXT, b"hello") + (BIG if i % 2 else b"") + close_frame(1000))
            data, _ = read_all(sock, patience)
            return (TEXT, b"hello") in frames(data)
    except (OSError, AssertionError):
        return False


def short_writes(table):
    """Each write takes one byte only, in both roles: nothing is lost, doubled or out of order.

    Reads are not cut: that less was read than there is room for is how the kernel says that there is no more.
    """
    name = "N05 each write takes one byte"
    if platform.machine() != "x86_64":
        return table.skip(name, "short_writes.c knows the registers of x86-64 only")
    texts = [b"x" * n for n in (0, 1, 125, 126, 300)]
    binary = bytes(range(256)) * 8
    with tempfile.NamedTemporaryFile("r") as report:
        with victim("quiet=1", wrapper=[OUT / "short_writes", report.name]) as target:
            with connect(target.port, seconds=20) as sock:
                sock.sendall(upgrade(target.port))
                head, _ = read_head(sock)
                sock.sendall(b"".join(frame(TEXT, text) for text in texts) + frame(BINARY, binary) + close_frame(3001, b"bye"))
                data, _ = read_all(sock, 20)
            expected = [(TEXT, text) for text in texts] + [(BINARY, binary), (CLOSE, b"\x0b\xb9bye")]
            served = head.startswith(b"HTTP/1.1 101") and frames(data) == expected
            target.until("closed", 1)
            # The victim's own client: its handshake and its Close go through the same calls.
            target.ask(f"connect {target.url}")
            target.until("opened", 3)
            target.ask("close 1000")
            visited = target.until("closed", 3) == 3
        cut = int(report.read())
    table.row(name, "server and client: byte equal", f"{served}, {visited}", served and visited and cut > 100, f"{cut} writes cut short")
