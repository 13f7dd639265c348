"""Networks that misbehave for a long time, and a host that is killed: nobody loses a keystroke."""

import random
import signal
import threading
import time

from editors import Editor, all_equal, until
from hosts import through
from interop import Typist, intact

SEED = 20260101
EDITORS = 10
STOCK = 3
SOAK_SECONDS = 60
# People type some five characters a second.
PAUSE_SECONDS = 0.2
KILLS_AT = (18, 40)
DOWN_SECONDS = 1.5
OFFLINE_TIMES = 100
# The app takes a connection that ends sooner for one that failed, and waits longer and longer before the next.
STABLE_SECONDS = 0.55
CRASHES = 8
KEYS_BEFORE_CRASH = 12
# What was typed within the last second may be lost; what is older may not.
LAST_SECOND = 1.0
# Longer than it takes the host to give up on a silent connection (25 s of silence and 20 s more).
SLEEP_SECONDS = 50


def alphabet(index):
    """A range of Han characters for each: the odd ones need four bytes, and two units in UTF-16."""
    return (0x20000 if index % 2 else 0x4E00) + index * 1000


def misbehave(proxy, rng, stop):
    """Cuts and black-holes one editor's connections now and then; a black hole is cut later, or never."""
    while not stop.wait(rng.uniform(2, 9)):
        what = rng.random()
        if what < 0.5:
            proxy.cut()
        elif what < 0.9:
            proxy.black_hole()
            stop.wait(rng.uniform(1, 5))
            proxy.cut()
        else:
            proxy.offline()
            stop.wait(rng.uniform(1, 4))
            proxy.online()


def type_until(typist, rng, stop, failures):
    try:
        while not stop.wait(rng.uniform(0, 2 * PAUSE_SECONDS)):
            typist.edit()
    except Exception as error:  # noqa: BLE001 - it is reported by the scenario
        failures.append(f"{typist.editor.name}: {error}")


def make_editor(makers, index, link):
    make = makers.node if index < STOCK else makers.app
    return make(link, f"editor {index}")


def soak(report, makers, proxies, host):
    """G01: ten editors, each behind its own bad network, for a minute; the host is killed twice."""
    paths = [proxies.proxy(host.port, SEED + index) for index in range(EDITORS)]
    editors = [make_editor(makers, index, through(host.edit[0], path)) for index, path in enumerate(paths)]
    try:
        report.check(all(until(editor.is_live) for editor in editors), f"{EDITORS} editors are live")
        typists = [Typist(editor, alphabet(index), SEED + index) for index, editor in enumerate(editors)]
        stop, failures = threading.Event(), []
        threads = []
        for index, (path, typist) in enumerate(zip(paths, typists)):
            path.delay = 0.03
            # The last one keeps a good connection: it is the "connected user".
            if index != EDITORS - 1:
                rng = random.Random(SEED + 100 + index)
                threads.append(threading.Thread(target=misbehave, args=(path, rng, stop)))
            rng = random.Random(SEED + 200 + index)
            threads.append(threading.Thread(target=type_until, args=(typist, rng, stop, failures)))
        started = time.monotonic()
        for thread in threads:
            thread.start()
        # One connection vanishes and nobody says so: both ends must find out by themselves.
        time.sleep(3)
        paths[STOCK].black_hole()
        for at in KILLS_AT:
            time.sleep(max(0, started + at - time.monotonic()))
            host.kill()
            time.sleep(DOWN_SECONDS)
            host.start()
        time.sleep(max(0, started + SOAK_SECONDS - time.monotonic()))
        stop.set()
        for thread in threads:
            thread.join()
        report.check(not failures, "every editor types to the end", failures)
        for path in paths:
            path.delay = 0.0
            path.online()
        report.check(until(lambda: all(editor.is_live() for editor in editors)), "all come back", lambda: states(editors))
        report.check(until(lambda: all_equal(editors)), "all texts are equal", lambda: lengths(editors))
        text = editors[0].text()
        report.check(not intact(typists, text), "no keystroke is lost or doubled", intact(typists, text))
        with makers.node(host.edit[0], "late") as late:
            report.check(until(lambda: late.text() == text), "who comes later gets the same text")
        typed = sum(typist.next - alphabet(index) for index, typist in enumerate(typists))
        cuts, holes = (sum(getattr(path, what) for path in paths) for what in ("cuts", "black_holes"))
        report.say(f"soak: {typed} keystrokes, {cuts} cuts, {holes} black holes, {len(KILLS_AT)} kills of the host")
    finally:
        for editor in editors:
            editor.close()


def states(editors):
    return [(editor.name, editor.state()) for editor in editors]


def lengths(editors):
    return [(editor.name, len(editor.text())) for editor in editors]


def hundred_times(report, makers, proxies, link, port):
    """G03: offline, a keystroke, online; a hundred times."""
    proxy = proxies.proxy(port)
    with makers.app(through(link, proxy), "app") as app, makers.node(through(link, proxy), "stock") as stock:
        until(app.is_live) and until(stock.is_live)
        alphabets = {app: 0x4E00, stock: 0x20000}
        wanted = set()
        arrived = 0
        for turn in range(OFFLINE_TIMES):
            proxy.offline()
            for editor, base in alphabets.items():
                until(lambda: not editor.is_live())
                editor.insert(turn, chr(base + turn))
                wanted.add(chr(base + turn))
            proxy.online()
            arrived += until(lambda: set(app.text()) == set(stock.text()) == wanted)
            time.sleep(STABLE_SECONDS)
        report.check(arrived == OFFLINE_TIMES, f"after each of {OFFLINE_TIMES} absences both have everything", arrived)
        same = app.text() == stock.text() and len(app.text()) == len(wanted)
        report.check(same, "no edit is doubled", app.text)


def sleep(report, makers, link):
    """A laptop that sleeps: its process stands still for longer than the host waits."""
    with makers.app(link, "sleeper") as app, makers.node(link, "awake") as stock:
        until(app.is_live) and until(stock.is_live)
        app.insert(0, "before ")
        until(lambda: stock.text() == "before ")
        app.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        gone = until(lambda: stock.ask("people")["people"] == [])
        report.check(gone, "who sleeps is not shown any more", lambda: stock.ask("people"))
        stock.insert(7, "meanwhile ")
        time.sleep(max(0, stopped + SLEEP_SECONDS - time.monotonic()))
        app.process.send_signal(signal.SIGCONT)
        app.insert(0, "after ")
        same = until(lambda: all_equal([app, stock]) and sorted(app.text().split()) == ["after", "before", "meanwhile"])
        report.check(same, "after a long sleep everything is there once", app.text)


def crashes(report, makers, proxies, link, port):
    """The app is killed while it is offline, again and again: what was typed is in its store, and reaches the host."""
    proxy = proxies.proxy(port)
    command = makers.app_command(through(link, proxy), "Ada")
    typed = ""
    with makers.node(link, "stock") as stock:
        for crash in range(CRASHES):
            with Editor("Ada", command) as app:
                kept = until(lambda: app.text() == typed)
                report.check(kept, f"after {crash} crashes all that was typed is there", lambda: f"{typed} {app.text()}")
                proxy.offline()
                for _ in range(KEYS_BEFORE_CRASH):
                    character = chr(0x4E00 + len(typed))
                    app.insert(len(typed), character)
                    typed += character
                until(lambda: app.state()["saved"])
                time.sleep(LAST_SECOND)
                app.kill()
        proxy.online()
        with Editor("Ada", command) as app:
            report.check(until(lambda: stock.text() == typed), "the host gets all of it, once", stock.text)
            report.check(until(lambda: app.text() == typed), "and the app has it", app.text)
