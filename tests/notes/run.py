#!/usr/bin/env python3
"""Tests the notes app from outside: `run.py [SCENARIO...]`, all at once. See README.md."""

import os
import shlex
import shutil
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import browser
import hostile
import interop
import page
import soak
from editors import Makers
from hosts import NotesServe, ReferenceServer
from proxy import Proxies
from support import tools
from support.paths import ROOT, TARGET
from support.tally import Missing, Tally

PROGRAMS = ("notes-serve", "headless_editor")


class Report:
    """The checks of one scenario, in the one tally of all."""

    lock = threading.Lock()

    def __init__(self, tally, scenario):
        self.tally, self.scenario = tally, scenario
        self.made = 0

    def check(self, ok, name, detail=""):
        """`detail` may be a function: it is asked only when the check failed."""
        if not ok and callable(detail):
            detail = detail()
        with self.lock:
            self.made += 1
            self.tally.check(bool(ok), f"{self.scenario}: {name}", str(detail)[:2000])

    def say(self, line):
        with self.lock:
            print(f"     {line}", flush=True)


class World:
    """What the scenarios share: programs, packages, proxies, a scratch folder."""

    def __init__(self, scratch):
        self.scratch = scratch
        serve, headless = build()
        # The same tests of another host: NOTES_HOST='target/debug/demo-gui --serve'.
        self.serve = shlex.split(os.environ.get("NOTES_HOST", "")) or [serve]
        self.packages = tools.npm_packages(HERE, "npm-notes")
        self.proxies = Proxies()
        self.makers = Makers(headless, self.packages, scratch, self.proxies)

    def host(self, *notes):
        return NotesServe(self.serve, self.scratch / f"host-{'-'.join(notes)}", notes)

    def reference(self):
        return ReferenceServer(self.packages)


def build():
    """Our programs, optimised a little: ten editors share two cores with everything else."""
    tools.must(
        ["cargo", "build", "--quiet", "-p", "notes-core", "--bin", PROGRAMS[0], "--example", PROGRAMS[1]],
        seconds=1200,
        cwd=ROOT,
    )
    return TARGET / "debug" / PROGRAMS[0], TARGET / "debug/examples" / PROGRAMS[1]


def our_host(report, world):
    with world.host("together") as host:
        interop.together(report, world.makers, world.proxies.proxy(host.port), host.edit[0])
        status = host.stop()
        report.check(status == 0, "the host ends on SIGTERM", status)


def npm_server(report, world):
    with world.reference() as server:
        link = f"ws://127.0.0.1:{server.port}/together"
        interop.together(report, world.makers, world.proxies.proxy(server.port), link)


def lone(report, world):
    with world.host("lone") as host, world.reference() as server:
        interop.lone(report, world.makers, host.edit[0], f"ws://127.0.0.1:{server.port}/lone")


def links(report, world):
    with world.host("links") as host:
        interop.wrong_token(report, world.makers, host.edit[0])
        interop.read_only(report, world.makers, host.edit[0], host.read[0])


def soaking(report, world):
    with world.host("soak") as host:
        soak.soak(report, world.makers, world.proxies, host)


def hundred(report, world):
    with world.host("hundred") as host:
        soak.hundred_times(report, world.makers, world.proxies, host.edit[0], host.port)


def sleeping(report, world):
    with world.host("sleep") as host:
        soak.sleep(report, world.makers, host.edit[0])


def crashing(report, world):
    with world.host("crashes") as host:
        soak.crashes(report, world.makers, world.proxies, host.edit[0], host.port)


def attacks(report, world):
    with world.host("victim", "bystander") as host:
        hostile.attack(report, host, world.makers, world.packages)


def pages(report, world):
    with world.host("page") as host:
        browser.drive(report, host, world.makers)


def page_files(report, world):
    page.parts(report)
    page.compare(report, world.scratch)


# How many checks each has; the longest first: they wait more than they work.
SCENARIOS = {
    "hundred": (hundred, 2),
    "soak": (soaking, 6),
    "lone": (lone, 3),
    "sleep": (sleeping, 2),
    "crashes": (crashing, 10),
    "browser": (pages, 47),
    "our host": (our_host, 30),
    "npm's server": (npm_server, 29),
    "links": (links, 11),
    "hostile": (attacks, 52),
    "page": (page_files, 20),
}


def perform(tally, name, world):
    report = Report(tally, name)
    scenario, due = SCENARIOS[name]
    started = time.monotonic()
    try:
        scenario(report, world)
        if report.made != due:
            report.check(False, "all its checks", f"{report.made} of {due}")
    except Missing as missing:
        with Report.lock:
            tally.skip(due - report.made, f"{name}: {missing}")
    except Exception:  # noqa: BLE001 - one scenario must not take the others along
        report.check(False, "the whole scenario", traceback.format_exc())
    report.say(f"{name}: {time.monotonic() - started:.0f} s")


def main(names):
    tally = Tally()
    unknown = set(names) - set(SCENARIOS)
    if unknown:
        sys.exit(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    names = names or list(SCENARIOS)
    scratch = Path(tempfile.mkdtemp(prefix="libws-notes-"))
    try:
        world = World(scratch)
        with ThreadPoolExecutor(len(names)) as pool:
            for done in [pool.submit(perform, tally, name, world) for name in names]:
                done.result()
    except Missing as missing:
        tally.skip(sum(SCENARIOS[name][1] for name in names), str(missing))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
