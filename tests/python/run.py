#!/usr/bin/env python3
"""Tests the Python bindings: `run.py [MODULE...]`, each module of python/tests in a process of its own."""

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Missing, Tally, parse_last_line

PYTHON = ROOT / "python"
MODULE_SECONDS = 300


def count(folder, name):
    """How many tests a module holds, as its text says: for the time when it cannot run or did not end."""
    return len(re.findall(r"^    def test_", (folder / f"{name}.py").read_text(), re.MULTILINE))


def run_module(tally, python, name):
    """One module; a crash or a hang is a failure that says where every thread was."""
    library = next((TARGET / "release").glob("libws.so"), TARGET / "release" / "libws.dylib")
    environment = {**os.environ, "LIBWS_LIBRARY": str(library), "PYTHONPATH": str(PYTHON)}
    command = [python, "-X", "faulthandler", HERE / "suite.py", f"tests.{name}"]
    status, output = run(command, MODULE_SECONDS, cwd=PYTHON, env=environment)
    print(output, end="", flush=True)
    counts = parse_last_line(output)
    if counts is None or sum(counts) != count(PYTHON / "tests", name) or (status != 0) != bool(counts[1]):
        tally.check(False, f"{name} ends well", f"status {status}, {counts}")
        return
    for field, number in zip(("passed", "failed", "skipped"), counts):
        setattr(tally, field, getattr(tally, field) + number)


def main(names):
    tally = Tally()
    names = names or sorted(path.stem for path in (PYTHON / "tests").glob("test_*.py"))
    try:
        python = tools.python_env(HERE / "requirements.txt", "python-bindings")
    except Missing as missing:
        # Only the peer and the type checker come from there: what needs them is skipped, in words.
        print(f"without the pinned packages: {missing}")
        python = sys.executable
    for name in names:
        run_module(tally, python, name)
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
