#!/usr/bin/env python3
"""Measures libws beside its peers: `bench.py [--peer 'NAME=COMMAND {port}']... [--rows PATTERN...]`. See README.md.

A whole run writes docs/performance.md; a run with --rows prints its rows only.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benches"), str(ROOT / "tests")]

from runner import measure, peers, report, results, rows
from support.tally import Missing

PAGE = ROOT / "docs/performance.md"
CYCLES = 22


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--rows", nargs="*", default=[], metavar="PATTERN")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these peers only")
    parser.add_argument("--cycles", type=int, default=CYCLES)
    return parser.parse_args(words)


def install(names):
    """The peers of the registries that this machine can have."""
    found = []
    for name in names:
        try:
            found.append(peers.MAKERS[name]())
        except Missing as missing:
            print(f"without {name}: {missing}", flush=True)
    return found


def main(words):
    options = arguments(words)
    chosen = rows.select(options.rows)
    given = [peers.by_command(text) for text in options.peer]
    yardstick = given[0].name if given else None
    wanted = {name for row in chosen for name in row.peers}
    names = [name for name in peers.MAKERS if name in wanted and (not options.only or name in options.only)]
    program = peers.load_generator()
    everyone = [peers.libws(), *given, *install(names)]
    taken, missing = [], {}
    for row in chosen:
        taking_part = [peer for peer in everyone if peer in given or peer.name in ("libws", *row.peers)]
        try:
            measured = measure.measure(program, row, taking_part, options.cycles)
        except measure.Broken as broken:
            print(f"  {broken}", flush=True)
            missing[row.name, "everything"] = str(broken)
            continue
        missing |= {(row.name, name): re.sub(r"\s+", " ", why) for name, why in measured.missing.items()}
        found = results.results_of(measured, taking_part, yardstick)
        report.print_lines(found)
        if "libws" not in measured.lines:
            report.print_without_libws(measured)
        taken += found
    (peers.ENV / "results.json").write_text(json.dumps([result.as_json() for result in taken], indent=1))
    held = [result for result in taken if result.met is not None]
    print(f"{sum(result.met for result in held)} of {len(held)} bars are met")
    if options.rows or options.only or not given:
        print(f"{PAGE.relative_to(ROOT)} is written by a run of all rows with the yardstick as PEER only")
        return
    report.write(PAGE, taken, everyone, missing, options.cycles)
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
