#!/usr/bin/env python3
"""The library where a pointer has 32 bits and a frame may still claim 2^63 bytes: its own tests, built for i686.

The standard library for i686 comes from rustup, or from Debian's packages of a Rust compiler, which are unpacked below
target and not installed.
"""

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import tools
from support.paths import ROOT, TARGET, TEST_ENV
from support.process import run
from support.tally import Missing, Tally

I686 = "i686-unknown-linux-gnu"
TESTS = ["--lib", "--test", "proto_frames", "--test", "proto_handshake", "--test", "proto_heap", "--test", "loopback"]
RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)
FAILED = re.compile(r"^test (\S+) \.\.\. FAILED", re.MULTILINE)


def has_i686(rustc):
    status, folder = run([rustc, "--print", "target-libdir", "--target", I686], 20)
    return status == 0 and any(Path(folder.strip()).glob("libstd-*.rlib"))


def compiler():
    """A rustc that builds for i686."""
    if has_i686("rustc"):
        return "rustc"
    status, output = run(["rustup", "target", "add", I686], 120)
    if status == 0 and has_i686("rustc"):
        return "rustc"
    print(f"rustup has no {I686} ({output.strip()[-200:]}): Debian's compiler is unpacked", flush=True)
    return debian_compiler()


def debian_compiler():
    """Debian's rustc-web with the standard library of its i386 port."""
    directory = TEST_ENV / "rustc-i686"
    return tools.build_once(directory, "1", lambda: unpack(directory)) / "rustc"


def unpack(directory):
    root, here = directory / "apt", directory / "root"
    for folder in ("etc/apt", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    for part in Path("/etc/apt").glob("*"):
        tools.must(["cp", "-r", part, root / "etc/apt"])
    options = ["-o", f"Dir={root}", "-o", f"Dir::State::status={root}/var/lib/dpkg/status", "-o", "APT::Architectures=amd64,i386"]
    # An index that cannot be had need not be one of ours: what is missing shows below.
    run(["apt-get", *options, "update"], 300)
    _, text = run(["apt-cache", *options, "depends", "--recurse", "--no-recommends", "--no-suggests", "rustc-web"], 60)
    library = wanted(text, r"libstd-rust-web-[\d.]+")
    llvm = wanted(text, r"libllvm\d+")
    packages = ["rustc-web", library, "libstd-rust-web-dev", "libstd-rust-web-dev:i386", llvm, "libz3-4", "libedit2"]
    archives = directory / "archives"
    archives.mkdir()
    tools.must(["apt-get", *options, "download", *packages], 300, cwd=archives)
    for archive in archives.iterdir():
        tools.must(["dpkg", "-x", archive, here])
    script = directory / "rustc"
    paths = f"{here}/usr/lib/x86_64-linux-gnu:{here}/usr/lib/{llvm.replace('libllvm', 'llvm-')}/lib"
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={paths} exec {here}/usr/bin/rustc "$@"\n')
    script.chmod(0o755)


def wanted(text, pattern):
    found = re.search(rf"^\s*\|?Depends: ({pattern})$|^({pattern})$", text, re.MULTILINE)
    if not found:
        raise Missing(f"rustc-web of Debian needs no package like {pattern}: is there one?\n{text[:500]}")
    return found[1] or found[2]


def linker():
    """What links 32-bit programs."""
    out = TARGET / "i686-probe"
    status, _ = run(["sh", "-c", f"echo 'int main(void){{return 0;}}' | cc -m32 -xc - -o {out}"], 60)
    if status != 0:
        tools.debian_package("gcc-multilib", "cc -m32 does not link: apt-get install gcc-multilib")


def main():
    tally = Tally()
    TARGET.mkdir(parents=True, exist_ok=True)
    try:
        linker()
        variables = {**os.environ, "RUSTC": str(compiler())}
    except Missing as missing:
        tally.skip(1, str(missing))
        tally.finish()
    command = ["cargo", "test", "--no-fail-fast", "--target", I686, *TESTS]
    status, output = run(command, 800, cwd=ROOT, env=variables)
    for passed, failed, ignored in RESULT.findall(output):
        tally.passed += int(passed)
        tally.failed += int(failed)
    print(output if tally.failed or not tally.passed else "", *FAILED.findall(output), sep="\n", flush=True)
    _, version = run([variables["RUSTC"], "--version"], 20)
    tally.check(status == 0, f"the tests of the library for {I686}, with {version.strip()}")
    tally.finish()


main()
