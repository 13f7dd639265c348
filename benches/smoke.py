#!/usr/bin/env python3
"""Does the bench still work? Every mode of the load generator for a moment, against libws only."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benches"), str(ROOT / "tests")]

from runner import measure, peers, results, rows
from support.process import run
from support.tally import Missing, Tally

CYCLES = 4
ROWS = ["echo-20-c10", "echo-256k-c10", "echo-1k-x16", "text-chinese-1k", "broadcast-20-c1000", "set-up", "idle", "latency-20-c10"]


def tests_of_the_load_generator(tally):
    manifest = peers.BENCHES / "load/Cargo.toml"
    command = ["cargo", "test", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", peers.ENV / "cargo"]
    status, output = run(command, 600)
    tally.check(status == 0, "the load generator passes its tests", output[-2000:])


def row_works(tally, program, libws, row):
    """libws beside itself: two servers, every figure above zero, and a result with a ratio."""
    other = peers.Peer("other", libws.version, libws.commands)
    measured = measure.measure(program, row, [libws, other], CYCLES)
    if not tally.check(set(measured.lines) == {"libws", "other"}, f"{row.name}: both servers work", str(measured.missing)):
        return
    found = results.results_of(measured, [libws, other], "other")
    complete = [line for name in measured.lines for line in measured.lines[name] if "cycle" in line]
    due = 0 if row.mode == "idle" else 2 * CYCLES
    tally.check(len(complete) == due, f"{row.name}: a line for each window", f"{len(complete)} of {due}")
    busy = all(line["server_us"] > 0 for line in complete)
    tally.check(bool(found) and busy, f"{row.name}: has results", repr(complete))


def compressed_load_is_refused(tally, program, libws):
    """A server that does not compress is found out, by name and in words."""
    row = rows.select(["deflate-1k"])[0]
    row.server_mode = "plain"
    measured = measure.measure(program, row, [libws], CYCLES)
    why = measured.missing.get("libws", "")
    tally.check("permessage-deflate" in why, "a server without compression is told so", why)


def main():
    tally = Tally()
    tests_of_the_load_generator(tally)
    try:
        program, libws = peers.load_generator(), peers.libws()
    except Missing as missing:
        tally.check(False, "the bench builds", str(missing))
        tally.finish()
    if len(os.sched_getaffinity(0)) < 2:
        tally.skip(3 * len(ROWS) + 1, "the bench needs two cores")
        tally.finish()
    for row in rows.select(ROWS):
        row_works(tally, program, libws, row)
    compressed_load_is_refused(tally, program, libws)
    tally.finish()


if __name__ == "__main__":
    main()
