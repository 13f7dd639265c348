#!/usr/bin/env python3
"""Drives the pages of the examples in headless Chromium: `run.py [NAME...]`, by default all. See README.md."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import EXAMPLES, TARGET
from support.process import Failed, run, server
from support.tally import Missing, Tally

# Each page, how many checks it has, and the arguments of its program.
CHECKS = {"chat": 18, "time_push": 4, "danmaku": 14, "ready_state": 10, "quotes": 12, "one_port": 6}
ARGUMENTS = {"time_push": ["300"], "quotes": ["100"]}
ANY_PORT = "ws://127.0.0.1:0"
PAGE_SECONDS = 120


def drive(tally, name, environment):
    """Starts one example and lets pages.mjs test its page."""
    due = CHECKS[name]
    try:
        with server([EXAMPLES / name, ANY_PORT, *ARGUMENTS.get(name, [])]) as running:
            page = running.url.replace("ws://", "http://", 1)
            script = [shutil.which("node"), HERE / "pages.mjs", name, page]
            status, output = run(script, PAGE_SECONDS, env=environment)
    except Failed as failed:
        tally.check(False, name, str(failed))
        return
    lines = output.splitlines()
    for line in lines:
        if line.startswith("ok "):
            tally.check(True, f"{name}: {line.removeprefix('ok ')}")
    passed = sum(line.startswith("ok ") for line in lines)
    if status != 0 or passed != due:
        rest = "\n".join(line for line in lines if not line.startswith("ok "))
        tally.check(False, f"{name}: the whole test", f"status {status}, {passed} of {due} checks\n{rest[-3000:]}")


def main(names):
    tally = Tally()
    names = names or CHECKS
    try:
        tools.chinese_font()
        screenshots = TARGET / "screenshots"
        screenshots.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "CHROMIUM": tools.debian("chromium", "chromium"),
            "NPM_PACKAGES": str(tools.npm_packages(HERE.parent / "interop")),
            "SCREENSHOTS": str(screenshots),
        }
    except Missing as missing:
        tally.skip(sum(CHECKS[name] for name in names), str(missing))
        tally.finish()
    for name in names:
        drive(tally, name, environment)
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
