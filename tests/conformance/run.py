#!/usr/bin/env python3
"""Runs the Autobahn TestSuite against libws: `run.py server|client [COMMAND...]`. See README.md."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import autobahn
import verdict
from support.paths import EXAMPLES, TESTS_C
from support.process import Failed, server
from support.tally import Missing, Tally

# Parts are small because wstest writes its index only at the end, and because two workers share them. The
# groups of chapter 6 hold fixed pauses of a second, those of chapter 9 megabytes.
PARTS = [
    ("9", ["9.*"], 54),
    ("6.4-6", ["6.4.*", "6.5.*", "6.6.*"], 20),
    ("6-others", ["6.1.*", "6.2.*", "6.3.*"] + [f"6.{group}.*" for group in range(7, 24)], 125),
    ("1-4", ["1.*", "2.*", "3.*", "4.*"], 44),
    ("5", ["5.*"], 20),
    ("7+10", ["7.*", "10.*"], 38),
]
CASES = 301
WORKERS = 2


def run_parts(role, run_part):
    """The merged results of all parts."""
    parts = [autobahn.Part(role, *part) for part in PARTS]
    merged = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for results in pool.map(run_part, parts):
            merged |= results
    return merged


def test_role(role, command):
    """The results of one role, by case."""
    wstest = autobahn.install()
    if role == "client":
        command = command or [TESTS_C / "ws_client", "autobahn"]
        return run_parts(role, lambda part: autobahn.test_client(wstest, part, command))
    with server(command or [EXAMPLES / "echo_server", "ws://127.0.0.1:0"]) as running:
        return run_parts(role, lambda part: autobahn.test_server(wstest, part, running.url))


def main(role, *command):
    tally = Tally()
    try:
        results = test_role(role, list(command))
        print(verdict.table(role, results))
        for case in verdict.case_order(results):
            wrong = verdict.wrong(case, results[case])
            tally.check(not wrong, f"case {case} as {role}", wrong, quiet=True)
        # An incomplete run must not pass, whatever the parts say.
        if len(results) != CASES:
            tally.check(False, f"all cases as {role}", f"{len(results)} of {CASES} were run")
    except Missing as missing:
        tally.skip(CASES, str(missing))
    except Failed as failed:
        tally.check(False, f"Autobahn as {role}", str(failed))
    tally.finish()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("server", "client"):
        sys.exit("usage: run.py server|client [COMMAND...]")
    main(*sys.argv[1:])
