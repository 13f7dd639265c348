#!/usr/bin/env python3
"""Holds the pages against the tree: `run.py`.

Every C and C++ block is compiled, and linked if it is a program. Python blocks are run by python/tests/test_examples.py;
this runner sees to it that there are none on pages that it does not read. What a shell block names must exist: targets of
the Makefile, files. So must what a link leads to.
"""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Tally

FOLDERS = [".", "docs", "examples-c", "examples-cpp", "python", "tests", "tests/*"]
PAGES = [page for folder in FOLDERS for page in sorted(ROOT.glob(f"{folder}/*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"(?:^|`)make ([a-z][a-z-]*)", re.MULTILINE)
FILE = re.compile(r"\b[\w.-]+/[\w./-]+\.(?:py|c|h|sh|mjs)\b")
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
COMPILERS = {
    "c": [os.environ.get("CC", "cc"), "-std=c99", "-D_POSIX_C_SOURCE=200809L"],
    "cpp": [os.environ.get("CXX", "c++"), "-std=c++17"],
}
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-function"]
BUILT = TARGET / "release"
# Blocks of these kinds are tested; one without a language is a picture.
LANGUAGES = {"", "c", "cpp", "python", "sh"}
WITH_PYTHON = {ROOT / "docs" / "python.md", ROOT / "python" / "README.md"}


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


def check_shell(tally, page, text, targets):
    """`make TARGET` anywhere on a page, and the files that a shell block names."""
    for target in sorted(set(MAKE.findall(text))):
        tally.check(target in targets, f"{page.relative_to(ROOT)}: make {target}", "no such target")
    for language, code in BLOCK.findall(text):
        for file in FILE.findall(code) if language == "sh" else ():
            tally.check((ROOT / file).exists(), f"{page.relative_to(ROOT)}: {file}", "no such file")


def check_languages(tally, page, text):
    languages = {language for language, _ in BLOCK.findall(text)}
    tally.check(languages <= LANGUAGES, f"{page.relative_to(ROOT)}: every block is of a tested kind", str(languages), quiet=True)
    run_elsewhere = "python" not in languages or page in WITH_PYTHON
    tally.check(run_elsewhere, f"{page.relative_to(ROOT)}: its Python blocks are run", "test_examples.py does not read it", quiet=True)


def main():
    tally = Tally()
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text()
        name = "-".join(page.relative_to(ROOT).with_suffix("").parts).lower()
        blocks = [(language, code) for language, code in BLOCK.findall(text) if language in COMPILERS]
        for number, (language, code) in enumerate(blocks, 1):
            compile_block(tally, f"{name}-{number}", language, code)
        check_languages(tally, page, text)
        check_shell(tally, page, text, targets)
        check_links(tally, page, text)
    tally.finish()


main()
