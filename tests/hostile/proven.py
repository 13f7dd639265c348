"""Rows that other test programs prove: each is run, and its own last line is the figure."""

import os
import re

from support.paths import ROOT, TARGET, TESTS_C
from support.process import run as run_program
from support.tally import parse_last_line

IN_C = {
    "A02 sizes, NULL, non-UTF-8, struct_size": ("arguments", 100),
    "A06 bad pings, closes, texts; every function misused": ("misuse", 1000),
    "A05 SIGPIPE at its default": ("sigpipe", 20),
    "A05 a storm of signals": ("eintr", 1000),
    "A05 fork() with connections open": ("fork", 20),
    "X01 8 threads send while connections close": ("threads", 20),
    "X02 a loop started and stopped 10,000 times": ("loops", 20),
    "L02-05 every end, from each side, once": ("lifecycle", 20),
    "L02-05 upgrades refused, deferred, answered twice": ("upgrade", 20),
    "F09 100 messages in one segment, each call in the third": ("one_segment", 20),
}

IN_CPP = {
    "A04 exceptions in every C++ callback": ("exceptions", 20),
}

IN_RUST = {
    "F09 every frame, and every pair, cut at every byte": ("proto_frames", "cut::", 5),
    "F08, F10 the tables of violations": ("proto_frames", "violations::", 6),
    "F10, F20, F22 heap of the protocol alone": ("proto_heap", "", 1),
    "H06 each byte of a head is looked at once": ("--lib", "every_byte_is_looked_at_once", 1),
    "X01 the loop's mailbox from many threads": ("loopback", "threads::", 5),
    "C04 lists of extensions and subprotocols": ("proto_handshake", "extension", 2),
}


def run(table):
    for name, (program, at_least) in IN_C.items():
        row(table, name, "c", TESTS_C / program, at_least)
    for name, (program, at_least) in IN_CPP.items():
        row(table, name, "cpp", TARGET / "tests-cpp" / "gcc17" / program, at_least)
    rust_rows(table)


def row(table, name, folder, program, at_least):
    """A program of tests/FOLDER, built if need be."""
    if not program.exists():
        run_program(["make", "-s", "-C", ROOT / "tests" / folder, program, f"TARGET={TARGET}"], 120)
    status, output = run_program([program], 60)
    counts = parse_last_line(output)
    ok = status == 0 and counts is not None and counts[0] >= at_least and not counts[1]
    expected = f"tests/{folder}/{program.name}: >= {at_least} checks pass"
    table.row(name, expected, f"status {status}", ok, counts and f"{counts[0]} checks")


def rust_rows(table):
    for name, (target, which, at_least) in IN_RUST.items():
        select = ["--lib"] if target == "--lib" else ["--test", target]
        status, output = run_program(["cargo", "test", "--workspace", "--quiet", *select, which], 300, cwd=ROOT, env=dict(os.environ))
        passed = sum(map(int, re.findall(r"^test result: ok\. (\d+) passed", output, re.MULTILINE)))
        table.row(name, f"{target} {which}: >= {at_least} tests pass", f"status {status}", status == 0 and passed >= at_least, f"{passed} tests")
