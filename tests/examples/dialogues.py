"""One dialogue per example: what a peer does with the running program, and what must come of it.

Each function gets `check(ok, what, detail="")` and the example's `Server`; `EXAMPLES` says how the program is started.
"""

import http.client
import json
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from raw import PING, PONG, TEXT, Raw, frame
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from support.paths import EXAMPLES as BUILT
from support.process import run, server

SECONDS = 20


def opened(url, **options):
    """A connection of `websockets`, which sends no pings of its own."""
    return connect(url, proxy=None, ping_interval=None, open_timeout=SECONDS, close_timeout=SECONDS, **options)


def receive(peer):
    return peer.recv(timeout=SECONDS)


def refused(url, **options):
    """The status and the body with which a handshake is refused; `(101, "")` if it is not."""
    try:
        with opened(url, **options):
            return 101, ""
    except InvalidStatus as error:
        return error.response.status_code, (error.response.body or b"").decode()


def closed_with(peer):
    """The code and the reason of the server's Close, after whatever messages still come."""
    try:
        while True:
            receive(peer)
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


def request(url, method, path, body=None):
    """The status, the type and the text of a plain HTTP request to the server's port."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read().decode()
    finally:
        connection.close()


def echo(check, running):
    for text in ("hello", "你好"):
        status, output = run([BUILT / "echo_client", running.url, text], SECONDS)
        check((status, output) == (0, f"{text}\n"), f"echo_client gets {text!r} back", f"{status}: {output}")


def time_push(check, running):
    with opened(running.url) as peer:
        times = [receive(peer) for _ in range(3)]
    right = all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text) for text in times)
    check(right and times == sorted(times), "three times are pushed, in order", str(times))


def chat(check, running):
    with opened(running.url) as ada, opened(running.url) as ming:
        ada.send("join\tlobby\tAda")
        check(receive(ada) == "joined\tAda", "Ada joins")
        ming.send("join\tlobby\tAda")
        check(receive(ming) == "taken\tAda", "a name can be had once in a room")
        ming.send("join\tlobby\t小明")
        check([receive(ming), receive(ming)] == ["here\tAda", "joined\t小明"], "who comes later hears who is there")
        ming.send("say\t你好")
        check([receive(ada), receive(ada)] == ["joined\t小明", "said\t小明\t你好"], "the room hears what is said")


def danmaku(check, running):
    with opened(running.url) as first:
        check(receive(first) == "viewers\t1", "a viewer is counted")
        with opened(running.url) as second:
            check([receive(first), receive(second)] == ["viewers\t2"] * 2, "both hear of the second viewer")
            second.send("前方高能 🚀")
            check([receive(first), receive(second)] == ["said\t前方高能 🚀"] * 2, "a comment reaches all viewers")
            second.send("字" * 100)
            check(receive(first) == "said\t" + "字" * 100, "100 Chinese characters fit")
            second.send("字" * 101)
            check(closed_with(second)[0] == 1009, "a longer comment closes the connection with 1009")
        check(receive(first) == "viewers\t1", "who has gone is not counted")


def delayed_reply(check, running):
    sent = time.monotonic()
    with Raw(running.url) as peer:
        peer.send(frame(TEXT, b"one"), frame(TEXT, b"two"), frame(PING, b"meanwhile"))
        frames = [peer.read(), peer.read(), peer.read()]
    elapsed = time.monotonic() - sent
    check(frames[0] == (PONG, b"meanwhile"), "a ping is answered while the replies wait", str(frames))
    check(frames[1:] == [(TEXT, b"you said: one"), (TEXT, b"you said: two")], "both replies come, in order", str(frames))
    check(elapsed >= 0.4, "they come after the delay", f"{elapsed:.3f} s")
    with opened(running.url) as peer:
        peer.send(b"\0")
        check(closed_with(peer) == (1003, "text only"), "a binary message is refused with 1003")
    with Raw(running.url) as peer:
        peer.send(frame(TEXT, b"gone before the reply"))
    with Raw(running.url) as peer:
        peer.send(frame(TEXT, b"later"))
        check(peer.read() == (TEXT, b"you said: later"), "a peer that goes before its reply does no harm")


def ready_state(check, running):
    own = [line for line in running.passed_over if line.startswith("client ")]
    own += [running.wait_for_line("client ") for _ in range(3)]
    states = [line.split(" ", 2)[2] for line in own if line]
    expected = ["CONNECTING", "OPEN", "CLOSING", "CLOSED 4000 seen enough"]
    check(states == expected, "its own client goes through all four states", str(states))
    with opened(running.url) as peer, opened(running.url) as watcher:
        peer.send("close")
        check(closed_with(peer) == (4001, "you asked for it"), "the server closes when asked")
        line = receive(watcher)
        while not line.endswith("CLOSED 4001 you asked for it"):
            line = receive(watcher)
        check(line.startswith("server "), "other pages see that end", line)
    with Raw(running.url):
        pass
    line = running.wait_for_line("server ")
    while line and " CLOSED 1006 " not in line:
        line = running.wait_for_line("server ")
    check(line is not None, "a peer that vanishes is CLOSED with 1006 and a sentence that says why")


def heartbeat(check, running):
    with opened(running.url) as alive:
        alive_id = running.wait_for_line("opened ").split()[1]
        with Raw(running.url) as silent:
            silent_id = running.wait_for_line("opened ").split()[1]
            opcode, _ = silent.read()
            check(opcode == PING, "a silent peer gets a ping", str(opcode))
            line = running.wait_for_line("dropped ", SECONDS)
            check(line == f"dropped {silent_id}: no pong for 3000 ms", "it is dropped without an answer", str(line))
        alive.send("?")
        answer = receive(alive)
        check(re.fullmatch(r"\d+ us", answer), "a peer that answers stays and is measured", answer)
    line = running.wait_for_line("closed ")
    check(line == f"closed {alive_id} with 1000", "a goodbye is told apart", str(line))


def subprotocol(check, running):
    for offered, chosen in ((["superchat", "chat"], "chat"), (["superchat"], "superchat"), (None, None)):
        with opened(running.url, subprotocols=offered) as peer:
            check(peer.subprotocol == chosen, f"of {offered} {chosen} is chosen", str(peer.subprotocol))
        line = running.wait_for_line("chosen ")
        check(line == f"chosen {chosen or 'none'}", "the server prints it", str(line))
    status, output = run([BUILT / "subprotocol", running.url, "superchat, chat"], SECONDS)
    check((status, output) == (0, "chosen chat\n"), "as a client it prints it too", f"{status}: {output}")
    status, output = run([BUILT / "subprotocol", "ws://127.0.0.1:1", "chat"], SECONDS)
    check(status == 1 and output.startswith("not opened: "), "a client that cannot open says why", output)


def auth(check, running):
    def bearer(token):
        return {"additional_headers": {"Authorization": f"Bearer {token}"}}

    for name, url, options in (
        ("none", running.url, {}),
        ("a false one", running.url, bearer("demo2")),
        ("a false one in the query", running.url + "/?token=dem", {}),
        ("one that a thread finds wrong", running.url, bearer("wrong")),
    ):
        status, body = refused(url, **options)
        check(status == 401 and "token is needed" in body, f"token: {name}: 401 with a body", f"{status} {body}")
    for name, url, options in (
        ("in a header", running.url, bearer("demo")),
        ("in the query", running.url + "/?token=demo", {}),
        ("that a thread finds right", running.url, bearer("slow")),
    ):
        with opened(url, **options) as peer:
            check(receive(peer) == "welcome", f"token: a right one {name}: welcome")


def origin(check, running):
    for allowed in ("https://app.example", "https://admin.example:8443"):
        with opened(running.url, origin=allowed) as peer:
            check(receive(peer) == "welcome", f"{allowed} is welcome")
        line = running.wait_for_line("allowed ")
        check(line == f"allowed {allowed}", "the server prints it", str(line))
    for other in ("https://evil.example", "https://app.example.evil.example", "https://admin.example", "null"):
        status, _ = refused(running.url, origin=other)
        check(status == 403, f"{other} gets 403", str(status))
    with opened(running.url) as peer:
        check(receive(peer) == "welcome", "a program without an Origin is welcome")


def one_port(check, running):
    status, kind, page = request(running.url, "GET", "/")
    check(status == 200 and kind.startswith("text/html") and "One port" in page, "GET / is a file", f"{status} {kind}")
    with opened(running.url + "/ws") as peer:
        peer.send("by WebSocket")
        check(receive(peer) == "by WebSocket", "/ws speaks WebSocket")
        answer = request(running.url, "POST", "/api/say", "经 HTTP".encode())
        check((answer[0], answer[2]) == (200, "1 reached\n"), "POST /api/say tells how many it reached", str(answer))
        check(receive(peer) == "经 HTTP", "it reaches the WebSocket")
        status, kind, text = request(running.url, "GET", "/api/status")
        known = status == 200 and kind == "application/json" and json.loads(text) == {"connections": 1, "messages": 1}
        check(known, "GET /api/status counts", text)
    for method, path, due in (
        ("POST", "/api/status", 405), ("GET", "/api/say", 405), ("GET", "/nothing", 404), ("DELETE", "/index.html", 404),
    ):  # fmt: skip
        status = request(running.url, method, path)[0]
        check(status == due, f"{method} {path} is {due}", str(status))
    check(request(running.url, "POST", "/api/say", b"\xff")[0] == 400, "a body that is not UTF-8 is 400")
    check(refused(running.url + "/")[0] == 404, "another path is no WebSocket")


def threads(check, running):
    with opened(running.url) as peer:
        messages = [receive(peer) for _ in range(800)]
    by_thread = {}
    for message in messages:
        _, thread, _, number = message.split()
        by_thread.setdefault(thread, []).append(int(number))
    check(sorted(by_thread) == list("01234567"), "eight threads are heard", str(sorted(by_thread)))
    check(all(numbers == list(range(100)) for numbers in by_thread.values()), "each in its order, nothing lost")
    with opened(running.url) as peer:
        receive(peer)
    with opened(running.url) as peer:
        check(receive(peer).startswith("thread "), "a peer that goes in between does no harm")


def back_pressure(check, running):
    with opened(running.url, max_queue=1) as peer:
        line = running.wait_for_line("pending after ")
        check(line is not None and int(line.split()[2]) < 2048, "a slow reader makes the producer wait", str(line))
        numbers = [int.from_bytes(receive(peer)[:4], "little") for _ in range(2048)]
        check(numbers == list(range(2048)), "all messages come, in order")
        check(closed_with(peer) == (1000, "that was all"), "the close follows the last message")
    line = running.wait_for_line("sent ")
    sent, waits, most = map(int, re.findall(r"\d+", line or "0 0 0"))
    check(sent == 2048 and waits > 0, "the producer has sent all and waited", str(line))
    check(128 * 1024 < most <= 145 * 1024, "little more than high_water was ever queued", str(line))


def embed_poll(check, running):
    typed = running.process.stdin
    with opened(running.url) as peer:
        peer.send("from the peer")
        check(running.wait_for_line("from the peer") is not None, "what a peer sends is printed")
        typed.write("从键盘 typed\n")
        typed.flush()
        check(receive(peer) == "从键盘 typed", "a typed line reaches the peer")
        typed.close()
        peer.send("after the end of stdin")
        check(running.wait_for_line("after the end of stdin") is not None, "it goes on when stdin has ended")


def quotes(check, running):
    with opened(running.url) as peer:
        symbols = receive(peer).split()
        check(symbols[0] == "symbols" and "ELM" in symbols and "OAK" in symbols, "it offers symbols", str(symbols))
        peer.send("subscribe ELM")
        lines = [receive(peer) for _ in range(4)]
        check(all(re.fullmatch(r"quote ELM \d+\.\d\d [+-]\d+\.\d\d", line) for line in lines), "ticks of ELM", str(lines))
        peer.send("unsubscribe ELM")
        peer.send("subscribe XXX")
        while (line := receive(peer)).startswith("quote ELM"):
            pass
        check(line == "unknown XXX", "a symbol that it does not have", line)
        peer.send("subscribe OAK")
        lines = [receive(peer) for _ in range(4)]
        check(all(line.startswith("quote OAK") for line in lines), "no tick of ELM after unsubscribe", str(lines))


def reconnect(check, running):
    """The server of this dialogue goes and comes back at the same address; the client is the program that is tested."""
    echo_server = BUILT / "echo_server"
    with server([echo_server, "ws://127.0.0.1:0"]) as first:
        command = [BUILT / "reconnect", first.url, "50"]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = iter(client.stdout.readline, "")
        check(next(lines).startswith("open (the same id)"), "it opens")
        check(next(lines).startswith("echo: message 1"), "its messages come back")
    lost = next(line for line in lines if line.startswith("lost: "))
    check(lost.startswith("lost: 1001"), "it hears that the server goes", lost)
    with server([echo_server, first.url]):
        back = next(line for line in lines if line.startswith("open"))
        echoed = next(lines, "")
        check(back.startswith("open (the same id)") and echoed.startswith("echo: message "), "it comes back", back + echoed)
        client.send_signal(signal.SIGINT)
        status = client.wait(SECONDS)
        client.stdout.close()
        check(status == 0, "it ends with 0", str(status))


def compression(check, running):
    prose = "price 7919, " * 50
    with opened(running.url) as peer:
        for text, way in ((prose, "compressed"), ("short", "compressed"), ("secret" + prose, "compressed")):
            peer.send(text)
            line = running.wait_for_line(f"{len(text)} bytes ")
            check(line == f"{len(text)} bytes {way}" and receive(peer) == text, f"a peer that compresses: {text[:6]}", str(line))
    with opened(running.url, compression=None) as peer:
        peer.send(prose)
        line = running.wait_for_line("600 bytes ")
        check(line == "600 bytes as they are" and receive(peer) == prose, "a peer that does not", str(line))
    status, output = run([BUILT / "compression", running.url, prose, "secret" + prose, "short"], SECONDS)
    due = "compression agreed\n600 bytes compressed\n606 bytes as they are\n5 bytes as they are\n"
    check((status, output) == (0, due), "as a client it keeps secrets and short messages uncompressed", f"{status}: {output}")
    seen = [running.wait_for_line(f"{size} bytes ") for size in (600, 606, 5)]
    check(seen == due.splitlines()[1:], "and the server sees the same", str(seen))
    with server([BUILT / "echo_server", "ws://127.0.0.1:0"]) as plain:
        status, output = run([BUILT / "compression", plain.url, prose], SECONDS)
    check((status, output) == (0, "compression declined\n600 bytes as they are\n"), "a server may decline", f"{status}: {output}")


@dataclass
class Example:
    """How an example is started and driven; `programs` are the files of examples-c that it tests."""

    programs: list
    dialogue: object
    arguments: list = field(default_factory=list)
    checks: int = 0


EXAMPLES = [
    Example(["echo_server", "echo_client"], echo, checks=2),
    Example(["echo_server", "reconnect"], reconnect, checks=5),
    Example(["time_push"], time_push, ["300"], checks=1),
    Example(["delayed_reply"], delayed_reply, ["400"], checks=5),
    Example(["ready_state"], ready_state, checks=4),
    Example(["danmaku"], danmaku, checks=6),
    Example(["chat"], chat, checks=4),
    Example(["quotes"], quotes, ["50"], checks=4),
    Example(["heartbeat"], heartbeat, ["100", "3000"], checks=4),
    Example(["subprotocol"], subprotocol, checks=8),
    Example(["origin"], origin, checks=9),
    Example(["auth"], auth, checks=7),
    Example(["one_port"], one_port, checks=11),
    Example(["back_pressure"], back_pressure, checks=5),
    Example(["compression"], compression, checks=7),
    Example(["threads"], threads, checks=3),
    Example(["embed_poll"], embed_poll, checks=3),
]
