#!/usr/bin/env python3
"""Runs every test of libws in order: `run.py [STEP...]`; the last line is `N passed, M failed, K skipped`.

Each step prints its own output. A step counts as many checks as it reports, and fails when it reports fewer than
it is known to hold, so that an empty run cannot pass. With CI=true a skipped check is a failure too.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import tools
from support.paths import ROOT, TARGET
from support.tally import Missing, parse_last_line

STEP_SECONDS = 900
CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)


def count_one(status, output):
    """A command that is one check."""
    return (1, 0, 0) if status == 0 else (0, 1, 0)


def count_cargo(status, output):
    """`cargo test`: the sum over its test programs."""
    passed, failed, ignored = (sum(map(int, column)) for column in zip(*CARGO_RESULT.findall(output), (0, 0, 0)))
    if status != 0 and failed == 0:
        failed = 1
    return passed, failed, ignored


def count_runner(status, output):
    """A runner of ours: its last line, which must agree with its status."""
    counts = parse_last_line(output)
    if counts is None:
        return 0, 1, 0
    passed, failed, skipped = counts
    return passed, failed or int(status != 0), skipped


@dataclass
class Step:
    """One command; `at_least` is how many checks it is known to hold, passed, failed or skipped."""

    name: str
    command: list
    count: object = count_one
    at_least: int = 1
    environment: dict = field(default_factory=dict)
    # Programs that a shell runner only looks for, by Debian package; the Python runners get theirs themselves.
    needs: dict = field(default_factory=dict)


def runner(name, at_least, *arguments):
    """A step that is one of the Python runners beside this file."""
    script = ROOT / "tests" / name / "run.py"
    return Step("-".join([name.replace("_", "-"), *arguments]), [sys.executable, script, *arguments], count_runner, at_least)


DENY_DOC_WARNINGS = {"RUSTDOCFLAGS": "-D warnings"}
# loom explores thousands of interleavings: optimised, but without the link-time optimisation of a release.
LOOM = {"RUSTFLAGS": "--cfg loom", "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_TARGET_DIR": str(TARGET / "loom")}

CHECKERS = {"valgrind": "valgrind", "clang": "clang", "clang++": "clang"}

STEPS = [
    Step("format", ["cargo", "fmt", "--all", "--check"]),
    Step("clippy", ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    Step("rustdoc", ["make", "docs"]),
    Step("rust", ["cargo", "test", "--workspace", "--no-fail-fast"], count_cargo, at_least=200),
    Step("loom", ["cargo", "test", "--release", "--test", "loom_mailbox"], count_cargo, 4, LOOM),
    Step("build", ["make", "lib", "examples", "test-peers"]),
    Step("header", ["make", "header-check"]),
    Step("c", ["make", "--no-print-directory", "-C", "tests/c", "check", f"TARGET={TARGET}"], count_runner, at_least=40000, needs=CHECKERS),
    Step("cpp", ["make", "--no-print-directory", "-C", "tests/cpp", "check", f"TARGET={TARGET}"], count_runner, 1000, needs=CHECKERS),
    runner("asan", 9),
    runner("docs", 100),
    runner("fuzz", 8),
    runner("install", 13),
    runner("conformance", 301, "server"),
    runner("conformance", 301, "client"),
    runner("conformance", 72, "server", "deflate"),
    runner("conformance", 72, "client", "deflate"),
    runner("interop", 799),
    runner("examples", 159),
    runner("examples", 159, "valgrind"),
    runner("python", 90),
    runner("browser", 64),
    runner("notes", 212),
    runner("notes_window", 21),
    runner("hostile", 751),
    runner("coverage", 1),
    runner("i686", 250),
    Step("bench-smoke", [sys.executable, ROOT / "benches/smoke.py"], count_runner, 26),
]


def execute(step):
    """Runs a step, shows its output as it comes, and returns its status and the whole output."""
    try:
        process = subprocess.Popen(
            [str(part) for part in step.command],
            cwd=ROOT,
            env={**os.environ, **step.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        print(f"{step.command[0]} does not start: {error.strerror}")
        return 127, ""
    timer = threading.Timer(STEP_SECONDS, kill_group, [process])
    timer.start()
    lines = []
    try:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
        return process.wait(), "".join(lines)
    finally:
        timer.cancel()
        # Ctrl-C reaches only us: the step has a group of its own.
        if process.poll() is None:
            kill_group(process)


def kill_group(process):
    """Ends a step and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def judge(step):
    """Runs a step and returns its counts; too few checks are one failure more."""
    print(f"==> {step.name}: {' '.join(str(part) for part in step.command)}", flush=True)
    started = time.monotonic()
    for program, package in step.needs.items():
        try:
            tools.debian(program, package)
        except Missing as missing:
            print(missing, flush=True)
    passed, failed, skipped = step.count(*execute(step))
    if passed + failed + skipped < step.at_least and not failed:
        print(f"FAIL {step.name}: {passed + skipped} checks were run, at least {step.at_least} are due")
        failed += 1
    elapsed = time.monotonic() - started
    print(f"<== {step.name}: {passed} passed, {failed} failed, {skipped} skipped ({elapsed:.0f} s)\n", flush=True)
    return passed, failed, skipped


def main(names):
    steps = [step for step in STEPS if step.name in names] if names else STEPS
    unknown = set(names) - {step.name for step in steps}
    if unknown:
        known = ", ".join(step.name for step in STEPS)
        sys.exit(f"no such step: {', '.join(sorted(unknown))}; there are {known}")
    results = {step.name: judge(step) for step in steps}
    for name, (passed, failed, skipped) in results.items():
        print(f"{'ok  ' if not failed else 'FAIL'} {name:20} {passed:6} passed {failed:4} failed {skipped:4} skipped")
    passed, failed, skipped = (sum(column) for column in zip(*results.values()))
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed or (skipped and os.environ.get("CI") == "true") else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
