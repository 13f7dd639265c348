#!/usr/bin/env python3
"""Compiles every C and C++ block of README.md and docs/, links the whole programs, and checks that links lead somewhere: `run.py`."""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Tally

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples-c").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
COMPILERS = {
    "c": [os.environ.get("CC", "cc"), "-std=c99", "-D_POSIX_C_SOURCE=200809L"],
    "cpp": [os.environ.get("CXX", "c++"), "-std=c++17"],
}
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-function"]
BUILT = TARGET / "release"


def compile_block(tally, name, language, code):
    """A program is linked; what has no main is compiled."""
    source = TARGET / "docs-blocks" / f"{name}.{language}"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(code)
    command = [*COMPILERS[language], *WARNINGS, f"-I{ROOT / 'include'}", "-o", source.with_suffix(""), source]
    command += [f"-L{BUILT}", f"-Wl,-rpath,{BUILT}", "-lws"] if "int main(" in code else ["-c"]
    status, output = run(command, 60)
    tally.check(status == 0, f"{name} compiles", output[-2000:])


def check_links(tally, page, text):
    for target in LINK.findall(BLOCK.sub("", text)):
        if not target.startswith(("http:", "https:")):
            there = (page.parent / target).exists()
            tally.check(there, f"{page.name} links to {target}", "no such file", quiet=True)


def main():
    tally = Tally()
    for page in PAGES:
        text = page.read_text()
        blocks = [(language, code) for language, code in BLOCK.findall(text) if language in COMPILERS]
        for number, (language, code) in enumerate(blocks, 1):
            compile_block(tally, f"{page.stem.lower()}-{number}", language, code)
        check_links(tally, page, text)
    tally.finish()


main()
