#!/usr/bin/env python3
"""Runs the Autobahn TestSuite against libws: `run.py server|client [core|deflate|all] [COMMAND...]`. See README.md."""

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
CORE = [
    ("9", ["9.*"], 54),
    ("6.4-6", ["6.4.*", "6.5.*", "6.6.*"], 20),
    ("6-others", ["6.1.*", "6.2.*", "6.3.*"] + [f"6.{group}.*" for group in range(7, 24)], 125),
    ("1-4", ["1.*", "2.*", "3.*", "4.*"], 44),
    ("5", ["5.*"], 20),
    ("7+10", ["7.*", "10.*"], 38),
]
# permessage-deflate: each of these groups is 18 sizes and ways to cut, under parameters of its own.
DEFLATE_GROUPS = [f"12.{group}" for group in range(1, 6)] + [f"13.{group}" for group in range(1, 8)]
SOME = (1, 3, 5, 7, 8, 11)


def _groups(numbers, per_part):
    """The cases with these last numbers of every group of permessage-deflate, so many groups a part."""
    for start in range(0, len(DEFLATE_GROUPS), per_part):
        groups = DEFLATE_GROUPS[start : start + per_part]
        cases = [f"{group}.{number}" for group in groups for number in numbers]
        yield f"{groups[0]}-{len(groups)}-from-{numbers[0]}", cases, len(cases)


DEFLATE = list(_groups(SOME, 2))
ALL = CORE + [*_groups(range(1, 10), 1), *_groups(range(10, 15), 1), *_groups(range(15, 19), 1)]
SUITES = {"core": CORE, "deflate": DEFLATE, "all": ALL}
WORKERS = 2

# The least favourable settings: everything is compressed, and refers to what came before.
WORDS = ["deflate", "takeover", "peer-takeover", "min=1"]


def run_parts(role, parts, run_part):
    """The merged results of all parts."""
    parts = [autobahn.Part(role, *part) for part in parts]
    merged = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for results in pool.map(run_part, parts):
            merged |= results
    return merged


def test_role(role, suite, command):
    """The results of one role, by case."""
    wstest = autobahn.install()
    parts, words = SUITES[suite], [] if suite == "core" else WORDS
    if role == "client":
        command, words = (command, []) if command else ([TESTS_C / "ws_client", "autobahn"], words)
        return run_parts(role, parts, lambda part: autobahn.test_client(wstest, part, command, words))
    ours = [EXAMPLES / "echo_server"] if suite == "core" else [TESTS_C / "ws_server"]
    with server(command or [*ours, "ws://127.0.0.1:0", *words]) as running:
        return run_parts(role, parts, lambda part: autobahn.test_server(wstest, part, running.url))


def main(role, *command):
    suite, command = (command[0], command[1:]) if command and command[0] in SUITES else ("core", command)
    cases = sum(part[2] for part in SUITES[suite])
    tally = Tally()
    try:
        results = test_role(role, suite, list(command))
        print(verdict.table(role, results))
        for case in verdict.case_order(results):
            wrong = verdict.wrong(case, results[case])
            tally.check(not wrong, f"case {case} as {role}", wrong, quiet=True)
        # An incomplete run must not pass, whatever the parts say.
        if len(results) != cases:
            tally.check(False, f"all cases as {role}", f"{len(results)} of {cases} were run")
    except Missing as missing:
        tally.skip(cases, str(missing))
    except Failed as failed:
        tally.check(False, f"Autobahn as {role}", str(failed))
    tally.finish()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("server", "client"):
        sys.exit("usage: run.py server|client [core|deflate|all] [COMMAND...]")
    main(*sys.argv[1:])
