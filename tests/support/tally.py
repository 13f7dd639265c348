"""The one form in which every runner reports: lines of checks, then `N passed, M failed, K skipped`."""

import re
import sys

LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


class Missing(Exception):
    """A tool that this machine lacks. The text says what it is and how to get it."""


class Tally:
    """Counts checks and prints one line for each that is worth a line."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, ok, name, detail="", quiet=False):
        """Counts one check; `quiet` prints it only when it failed."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        if not (ok and quiet):
            print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + detail if detail and not ok else ''}", flush=True)
        return ok

    def skip(self, count, why):
        """Counts `count` checks that this machine cannot run, and says why."""
        self.skipped += count
        print(f"SKIP {count} checks: {why}", flush=True)

    def line(self):
        """The last line of a runner."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def finish(self):
        """Prints the last line and ends the process, with status 1 if anything failed."""
        print(self.line(), flush=True)
        sys.exit(1 if self.failed else 0)


def parse_last_line(text):
    """`(passed, failed, skipped)` from the last such line of a runner's output, or None."""
    for line in reversed(text.splitlines()):
        match = LAST_LINE.match(line)
        if match:
            return tuple(map(int, match.groups()))
    return None
