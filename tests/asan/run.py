#!/usr/bin/env python3
"""Runs the C tests of misuse against a library instrumented with AddressSanitizer: `run.py`."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import tools
from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Missing, Tally, parse_last_line

TRIPLE = "x86_64-unknown-linux-gnu"
BUILT = TARGET / "asan" / TRIPLE / "debug"
PROGRAMS = ["misuse", "arguments", "lifecycle", "loops", "threads", "one_segment", "http", "upgrade", "sigpipe"]
LIBRARIES = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"]


def build_library():
    """The static library with instrumentation; the stable compiler has it behind this variable."""
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "-Zsanitizer=address"}
    command = ["cargo", "build", "--lib", "--target", TRIPLE, "--target-dir", TARGET / "asan"]
    tools.must(command, cwd=ROOT, env=environment)


def build_program(name):
    program = TARGET / "asan" / name
    sources = [ROOT / "tests" / "c" / f"{source}.c" for source in (name, "peer", "support")]
    command = ["gcc", "-std=c11", "-g", "-fsanitize=address", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}"]
    # The tests read the exported functions from the shared library.
    command += ["-o", program, *sources, BUILT / "libws.a", *LIBRARIES]
    status, output = run(command, 120)
    if status != 0:
        raise AssertionError(output[-3000:])
    return program


def main():
    tally = Tally()
    try:
        build_library()
    except Missing as missing:
        tally.skip(len(PROGRAMS), str(missing))
        tally.finish()
    for name in PROGRAMS:
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
        status, output = run([build_program(name)], 300, env=environment, cwd=ROOT / "tests" / "c")
        counts = parse_last_line(output)
        clean = status == 0 and counts is not None and counts[1] == 0 and "AddressSanitizer" not in output
        tally.check(clean, f"{name}: {counts[0] if counts else 0} checks under AddressSanitizer", output[-3000:])
    tally.finish()


main()
