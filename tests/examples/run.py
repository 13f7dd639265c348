#!/usr/bin/env python3
"""Runs every program of examples-c with a real peer: `run.py [valgrind] [EXAMPLE...]`.

The peers are `websockets` of PyPI and bare sockets. Every server must end with status 0 on SIGINT; with
`valgrind` also without a leak. And every program is short, listed in examples-c/README.md and tested here.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import EXAMPLES as BUILT
from support.paths import ROOT
from support.process import Failed, server
from support.tally import Missing, Tally

ALL_CHECKS = 150
MOST_LINES = 79
ANY_PORT = "ws://127.0.0.1:0"
LEAKS = "definite,indirect,possible"
VALGRIND = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", f"--errors-for-leak-kinds={LEAKS}", f"--show-leak-kinds={LEAKS}"]


def drive(tally, example, wrapper):
    """Starts an example, holds its dialogue, and ends it."""
    name = example.programs[0]
    before = tally.passed + tally.failed

    def check(ok, what, detail=""):
        tally.check(bool(ok), f"{name}: {what}", detail)

    try:
        command = [*wrapper, BUILT / name, ANY_PORT, *example.arguments]
        with server(command, stdin=subprocess.PIPE) as running:
            example.dialogue(check, running)
        check(running.status == 0, "SIGINT ends it with status 0", str(running.status))
    except Failed as failed:
        check(False, "the program runs and ends", str(failed))
    except Exception as error:  # a dialogue that breaks off is a failed check, and the others go on
        check(False, "the dialogue", f"{type(error).__name__}: {error}")
    done = tally.passed + tally.failed - before
    if done < example.checks + 1:
        check(False, "the whole dialogue", f"{done} of {example.checks + 1} checks")


def check_folder(tally, tested):
    """What holds for every program of examples-c."""
    index = (ROOT / "examples-c/README.md").read_text()
    for source in sorted((ROOT / "examples-c").glob("*.c")):
        lines = len(source.read_text().splitlines())
        tally.check(lines <= MOST_LINES, f"{source.name} is under 80 lines", str(lines))
        tally.check(f"]({source.name})" in index, f"{source.name} is listed in README.md")
        tally.check(source.stem in tested, f"{source.name} has a test")


def main(arguments):
    tally = Tally()
    try:
        wrapper = [tools.debian(VALGRIND[0], VALGRIND[0]), *VALGRIND[1:]] if "valgrind" in arguments else []
        interpreter = tools.python_env(HERE.parent / "interop/requirements.txt")
    except Missing as missing:
        tally.skip(ALL_CHECKS, str(missing))
        tally.finish()
    if Path(sys.prefix).resolve() != interpreter.parent.parent.resolve():
        os.execv(interpreter, [str(interpreter), __file__, *arguments])

    from dialogues import EXAMPLES

    names = set(arguments) - {"valgrind"}
    for example in EXAMPLES:
        if not names or names & set(example.programs):
            drive(tally, example, wrapper)
    check_folder(tally, {name for example in EXAMPLES for name in example.programs})
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
