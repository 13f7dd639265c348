#!/usr/bin/env python3
"""Runs one unittest module and reports as every runner here does: `suite.py MODULE`."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.tally import Tally


class Result(unittest.TestResult):
    """One line per test; a test with failed subtests is one failure."""

    def __init__(self, tally):
        super().__init__()
        self.tally = tally
        self.trouble = []

    def startTest(self, test):
        super().startTest(test)
        self.trouble, self.reason = [], None

    def addError(self, test, error):
        super().addError(test, error)
        self.trouble.append(self.errors[-1][1])

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.trouble.append(self.failures[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.trouble.append(f"{subtest}\n{self._exc_info_to_string(error, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.reason = reason

    def stopTest(self, test):
        super().stopTest(test)
        if self.reason is not None and not self.trouble:
            self.tally.skip(1, self.reason)
            return
        name = test.id().split(".", 2)[2]
        self.tally.check(not self.trouble, name, "\n".join(self.trouble))


def main(module):
    tally = Tally()
    result = Result(tally)
    unittest.defaultTestLoader.loadTestsFromName(module).run(result)
    # What failed outside a test, such as in setUpClass or in an import.
    outside = len(result.errors) + len(result.failures) > 0 and tally.failed == 0
    if outside:
        tally.check(False, module, "\n".join(text for _, text in result.errors + result.failures))
    tally.finish()


if __name__ == "__main__":
    main(sys.argv[1])
