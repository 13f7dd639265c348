#!/usr/bin/env python3
"""Installs libws into an empty folder and uses it from there as a C program would: `run.py`.

Shared and static, through pkg-config; what is exported, under which SONAME; and nothing is left by uninstall.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import tools
from support.paths import ROOT, TARGET
from support.process import run
from support.tally import Missing, Tally

CHECKS = 13
FOLDER = TARGET / "installed"
PREFIX = "/opt/libws"
PROGRAM = """
#include <libws.h>
#include <stdio.h>
int main(void)
{
    libws_loop loop;
    if (libws_loop_new(NULL, &loop) != LIBWS_OK || libws_loop_free(loop) != LIBWS_OK) {
        return 1;
    }
    puts(libws_version_string());
    return 0;
}
"""


PROGRAM_CPP = """
#include <libws.hpp>
#include <iostream>
int main()
{
    libws::loop loop;
    bool ran = false;
    loop.post([&] { ran = true; });
    loop.free();
    std::cout << (ran ? libws_version_string() : "nothing ran") << std::endl;
}
"""


def output_of(*command, **options):
    """The output of a command that must succeed; its failure is told like that of any check."""
    status, output = run(command, 300, **options)
    if status != 0:
        raise AssertionError(f"`{' '.join(map(str, command))}` ended with {status}:\n{output[-2000:]}")
    return output


def version():
    lines = (ROOT / "Cargo.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version"))


def make(target):
    return output_of("make", "--no-print-directory", target, f"DESTDIR={FOLDER}", f"PREFIX={PREFIX}", cwd=ROOT)


def files():
    """All installed files and links, relative to the prefix; a link says where it points."""
    base = Path(f"{FOLDER}{PREFIX}")
    found = (path for path in base.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(base)): os.readlink(path) if path.is_symlink() else "" for path in found}


def pkg_config(*arguments):
    """Flags for the installed library; the sysroot stands for the DESTDIR that a package would be unpacked from."""
    lib = f"{FOLDER}{PREFIX}/lib"
    environment = {**os.environ, "PKG_CONFIG_PATH": f"{lib}/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": str(FOLDER)}
    return output_of(tools.debian("pkg-config", "pkg-config"), *arguments, "libws", env=environment).split()


def program(name, flags, environment=None, compiler=("cc",), text=PROGRAM, ending="c"):
    """Compiles the program with the flags and returns what it prints and the libraries it needs."""
    source, binary = FOLDER / f"program.{ending}", FOLDER / name
    source.write_text(text)
    output_of(*compiler, "-o", binary, source, *flags)
    return output_of(binary, env=environment).strip(), output_of("readelf", "-d", binary)


def check_files(tally, number):
    major = number.split(".")[0]
    tally.check(
        files()
        == {
            "include/libws.h": "",
            "include/libws.hpp": "",
            "lib/libws.a": "",
            "lib/libws.so": f"libws.so.{major}",
            f"lib/libws.so.{major}": f"libws.so.{number}",
            f"lib/libws.so.{number}": "",
            "lib/pkgconfig/libws.pc": "",
        },
        "install puts the library, its links, the headers and libws.pc there, and nothing else",
        str(files()),
    )
    library = f"{FOLDER}{PREFIX}/lib/libws.so.{number}"
    dynamic = output_of("readelf", "-d", library)
    tally.check(f"Library soname: [libws.so.{major}]" in dynamic, f"the SONAME is libws.so.{major}", dynamic)
    symbols = output_of("nm", "-D", "--defined-only", library).split("\n")
    names = [line.split()[-1] for line in symbols if line]
    foreign = [name for name in names if not name.startswith("libws_")]
    tally.check(names and not foreign, "only libws_* is exported", str(foreign or "nothing is exported"))
    header = Path(f"{FOLDER}{PREFIX}/include/libws.h").read_text()
    unknown = [name for name in names if f"{name}(" not in header]
    tally.check(not unknown, "every exported function is in the header", str(unknown))


def check_use(tally, number):
    lib = f"{FOLDER}{PREFIX}/lib"
    tally.check(pkg_config("--modversion") == [number], "pkg-config knows the version")
    printed, needs = program("shared", pkg_config("--cflags", "--libs"), {**os.environ, "LD_LIBRARY_PATH": lib})
    tally.check(printed == number, "a program linked to libws.so runs", printed)
    tally.check("[libws.so." in needs, "it needs libws.so", needs)
    shared = pkg_config("--cflags", "--libs"), {**os.environ, "LD_LIBRARY_PATH": lib}
    printed, _ = program("cpp", *shared, compiler=("c++", "-std=c++17"), text=PROGRAM_CPP, ending="cpp")
    tally.check(printed == number, "a C++ program with libws.hpp runs", printed)
    static = [f"{lib}/libws.a" if flag == "-lws" else flag for flag in pkg_config("--cflags", "--libs", "--static")]
    printed, needs = program("static", static)
    tally.check(printed == number, "a program linked to libws.a runs", printed)
    tally.check("[libws.so." not in needs, "it does not need libws.so", needs)
    printed, _ = program("built", built_flags())
    tally.check(printed == number, "a program linked to the build folder runs", printed)


def check_python(tally, number):
    """`pip install ./python`, of a copy because it leaves its build folder there."""
    source, environment = FOLDER / "python", FOLDER / "venv"
    shutil.copytree(ROOT / "python", source, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    output_of(sys.executable, "-m", "venv", environment)
    output_of(environment / "bin" / "pip", "install", "--quiet", source)
    library = {**os.environ, "LIBWS_LIBRARY": f"{FOLDER}{PREFIX}/lib/libws.so"}
    library.pop("PYTHONPATH", None)
    code = "import libws; libws.Loop().close(); print(libws.__file__, libws.library_version())"
    printed = output_of(environment / "bin" / "python", "-c", code, cwd="/", env=library).split()
    tally.check(str(environment) in printed[0] and printed[1] == number, "pip installs the Python package", str(printed))


def built_flags():
    """Flags for the library where `make lib` left it."""
    environment = {**os.environ, "PKG_CONFIG_PATH": str(TARGET / "release")}
    command = ["pkg-config", "--cflags", "--libs", "libws"]
    flags = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    return [*flags, f"-Wl,-rpath,{TARGET / 'release'}"]


def main():
    tally = Tally()
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        for program_name, package in (("cc", "gcc"), ("c++", "g++"), ("readelf", "binutils"), ("pkg-config", "pkg-config")):
            tools.debian(program_name, package)
        make("install")
        number = version()
        check_files(tally, number)
        check_use(tally, number)
        check_python(tally, number)
        make("uninstall")
        tally.check(files() == {}, "uninstall leaves nothing", str(files()))
    except AssertionError as error:
        tally.check(False, "a step of the installation", str(error))
    except Missing as missing:
        tally.skip(CHECKS, str(missing))
    tally.finish()


if __name__ == "__main__":
    main()
