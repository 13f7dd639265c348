#!/usr/bin/env python3
"""Line coverage of the protocol core, src/proto, by its tests and by the committed fuzz corpora: prints a table.

Everything is built once more with `-C instrument-coverage`, below target/coverage. Unit tests inside the files do not
count as lines of the core. The bar is a check: below it the run fails.
"""

import os
import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Missing, Tally

CORE = ROOT / "src" / "proto"
OUT = TARGET / "coverage"
PROFILES = OUT / "profiles"
BAR = 95.0
FUZZ = ROOT / "fuzz"
TESTS = ["--lib", "--test", "proto_frames", "--test", "proto_handshake", "--test", "proto_heap", "--test", "loopback"]
PROGRAM = re.compile(r"^\s*Running .*\((.+)\)$", re.MULTILINE)


def llvm():
    """llvm-profdata and llvm-cov of the LLVM that rustc is built with: other versions cannot read its profiles."""
    _, text = run(["rustc", "-vV"], 20)
    version = re.search(r"^LLVM version: (\d+)", text, re.MULTILINE)[1]
    return [tools.debian(f"{tool}-{version}", f"llvm-{version}") for tool in ("llvm-profdata", "llvm-cov")]


def environment(name, flags=""):
    return {
        **os.environ,
        "RUSTFLAGS": f"-C instrument-coverage {flags}",
        "CARGO_TARGET_DIR": str(OUT),
        "LLVM_PROFILE_FILE": str(PROFILES / f"{name}-%p-%m.profraw"),
    }


def run_tests():
    """Runs the tests of the core; returns their programs."""
    command = ["cargo", "test", "--no-fail-fast", *TESTS]
    status, output = run(command, 800, cwd=ROOT, env=environment("tests"))
    if status != 0:
        raise Missing(f"`{' '.join(command)}` failed:\n{output[-3000:]}")
    return [ROOT / program for program in PROGRAM.findall(output)]


def run_corpora():
    """Replays every committed input of every fuzz target, without fuzzing; returns the programs."""
    tools.debian("g++", "g++")
    variables = environment("corpus", "--cfg fuzzing")
    tools.must(["cargo", "build", "--quiet", "--locked", "--bins"], 800, cwd=FUZZ, env=variables)
    programs = []
    for corpus in sorted((FUZZ / "corpus").iterdir()):
        program = OUT / "debug" / corpus.name
        tools.must([program, *sorted(corpus.iterdir())], 300, cwd=OUT, env=variables)
        programs.append(program)
    return programs


def line_counts(profdata, cov, programs):
    """How often each line of the core was run: {file: {line: count}}."""
    merged = OUT / "merged.profdata"
    tools.must([profdata, "merge", "--sparse", "-o", merged, *PROFILES.glob("*.profraw")])
    objects = [part for program in programs[1:] for part in ("--object", program)]
    status, text = run([cov, "export", "--format=lcov", f"--instr-profile={merged}", programs[0], *objects, CORE], 300)
    if status != 0:
        raise Missing(f"llvm-cov failed:\n{text[-2000:]}")
    counts, file = defaultdict(dict), None
    for line in text.splitlines():
        if line.startswith("SF:"):
            file = Path(line[3:])
        elif line.startswith("DA:"):
            number, count = map(int, line[3:].split(",")[:2])
            counts[file][number] = max(count, counts[file].get(number, 0))
    return counts


def core_lines(file, counts):
    """The counted lines before the file's unit tests, which stand at its end."""
    text = file.read_text().splitlines()
    end = next((number for number, line in enumerate(text, 1) if line.startswith("#[cfg(test)]")), len(text) + 1)
    return {number: count for number, count in counts.items() if number < end}, text


def report(tally, counts):
    total = covered = 0
    missed = []
    print(f"{'file':34} {'lines':>6} {'run':>6} {'%':>7}")
    for file in sorted(counts):
        if CORE not in file.parents or file.stem.endswith("tests"):
            continue
        lines, text = core_lines(file, counts[file])
        if not lines:
            continue
        name, hit = file.relative_to(ROOT / "src"), sum(count > 0 for count in lines.values())
        total, covered = total + len(lines), covered + hit
        missed += [f"src/{name}:{number}: {text[number - 1].strip()}" for number, count in sorted(lines.items()) if not count]
        print(f"{str(name):34} {len(lines):6} {hit:6} {100 * hit / len(lines):7.2f}")
    share = 100 * covered / max(total, 1)
    print(f"{'all':34} {total:6} {covered:6} {share:7.2f}")
    print("not run:", *(missed or ["nothing"]), sep="\n  ")
    tally.check(total > 1000 and share >= BAR, f"{share:.2f} % of {total} lines of src/proto are run, {BAR:.0f} are due")


def main():
    tally = Tally()
    shutil.rmtree(PROFILES, ignore_errors=True)
    try:
        profdata, cov = llvm()
        programs = run_tests() + run_corpora()
        report(tally, line_counts(profdata, cov, programs))
    except Missing as missing:
        tally.skip(1, str(missing))
    tally.finish()


main()
