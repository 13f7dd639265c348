#!/usr/bin/env python3
"""Fuzzes every target for a while, beginning with the committed corpora: `run.py [SECONDS [TARGET...]]`.

What a run finds beyond the corpora is kept below target/, and an input that breaks something is left there as well.
"""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import tools
from support.paths import ROOT, TARGET, TEST_ENV
from support.process import run
from support.tally import Missing, Tally

TARGETS = [
    "server_bytes",
    "client_bytes",
    "request_head",
    "response_head",
    "http_request",
    "whole_loop",
    "inflater",
    "deflate_params",
]
AT_ONCE = 2  # each target keeps one core busy
SECONDS = 45
CARGO_FUZZ = "0.13.2"
FUZZ = ROOT / "fuzz"
BUILT = TARGET / "fuzz" / "x86_64-unknown-linux-gnu" / "release"
RUNS = re.compile(r"^Done (\d+) runs", re.MULTILINE)
MAX_LEN = 8192


def cargo_fuzz():
    """Installs cargo-fuzz for the tests alone."""
    root = TEST_ENV / "cargo-fuzz"

    def build():
        tools.must(["cargo", "install", "--quiet", "--locked", "--root", root, f"cargo-fuzz@{CARGO_FUZZ}"])

    tools.build_once(root, CARGO_FUZZ, build)
    return root / "bin" / "cargo-fuzz"


def build_targets():
    """Builds all targets with AddressSanitizer; the stable compiler has it behind this variable."""
    tools.debian("g++", "g++")
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(TARGET / "fuzz")}
    environment.pop("RUSTFLAGS", None)
    tools.must([cargo_fuzz(), "fuzz", "build", "--fuzz-dir", FUZZ], cwd=FUZZ, env=environment)


def fuzz(target, seconds):
    """Runs one target; its name, status and output."""
    grown = TARGET / "fuzz" / "corpus" / target
    grown.mkdir(parents=True, exist_ok=True)
    command = [BUILT / target, f"-max_total_time={seconds}", f"-max_len={MAX_LEN}", "-timeout=10", "-rss_limit_mb=2048"]
    command += [f"-artifact_prefix={TARGET / 'fuzz'}/{target}-", grown, FUZZ / "corpus" / target]
    return (target, *run(command, seconds + 120))


def judge(tally, target, status, output):
    done = RUNS.search(output)
    tally.check(status == 0 and done is not None, f"{target}: {done[1] if done else 'no'} runs", output[-3000:])


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    targets = sys.argv[2:] or TARGETS
    tally = Tally()
    try:
        build_targets()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(fuzz, target, seconds) for target in targets]:
                judge(tally, *done.result())
    except Missing as missing:
        tally.skip(len(targets), str(missing))
    tally.finish()


main()
