"""Gets the tools that the tests need: Debian packages when root, Python environments, npm packages.

Each function returns where the tool is or raises `Missing`, whose text says how to get it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .paths import ROOT, TEST_ENV
from .process import run
from .tally import Missing

_INSTALL_SECONDS = 600
_apt_updated = False


def _install_package(package, advice):
    """Installs a Debian package, which only root can."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(f"{advice} (as root)")
    global _apt_updated
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    if not _apt_updated:
        run(["apt-get", "update", "-qq"], _INSTALL_SECONDS, **quiet)
        _apt_updated = True
    print(f"installing {package} ...", flush=True)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    status, output = run(command, _INSTALL_SECONDS, **quiet)
    if status != 0:
        raise Missing(f"{advice} (tried, and it failed)\n{output[-2000:]}")


def debian(program, package):
    """The path of `program`, installed from Debian's `package` when it is missing and we are root."""
    if not shutil.which(program):
        advice = f"{program} is missing: apt-get install {package}"
        _install_package(package, advice)
        if not shutil.which(program):
            raise Missing(f"{advice} (installed, and still not on the PATH)")
    return shutil.which(program)


def debian_file(path, package):
    """The file `path` of Debian's `package`, installed when it is missing and we are root."""
    if not Path(path).exists():
        advice = f"{path} is missing: apt-get install {package}"
        _install_package(package, advice)
        if not Path(path).exists():
            raise Missing(f"{advice} (installed, and still not there)")
    return Path(path)


def debian_package(package, advice):
    """Installs Debian's `package`, of which the caller knows that it is missing; `advice` says so."""
    _install_package(package, advice)


def chinese_font():
    """Makes sure that some font has Chinese characters, for the screenshots."""
    _font(":lang=zh", "Chinese characters", "fonts-wqy-microhei")


def emoji_font():
    """Makes sure that some font has emoji in colour, for the screenshots."""
    _font(":color=true", "emoji", "fonts-noto-color-emoji")


def _font(pattern, what, package):
    _, fonts = run([debian("fc-list", "fontconfig"), pattern], 60)
    if not fonts.strip():
        _install_package(package, f"no font has {what}: apt-get install {package}")


def build_once(directory, key, build):
    """Runs `build()` unless `directory` was already built with the same `key`.

    A lock beside it keeps two runners from building the same directory at once.
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    stamp = directory / ".built"
    with open(directory.with_name(directory.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == key:
            return directory
        shutil.rmtree(directory, ignore_errors=True)
        build()
        stamp.write_text(key)
    return directory


def digest(*files):
    """A key for `build_once` that changes when one of the files does."""
    state = hashlib.sha256()
    for file in files:
        state.update(Path(file).read_bytes())
    return state.hexdigest()


def must(command, seconds=_INSTALL_SECONDS, **options):
    """Runs one step of an installation; a failure is `Missing` with the end of its output."""
    status, output = run(command, seconds, **options)
    if status != 0:
        text = " ".join(str(part) for part in command)
        raise Missing(f"`{text}` failed with status {status}:\n{output[-3000:]}")


def python_env(requirements, name="python"):
    """A Python 3 environment that holds exactly what a requirements file pins; returns its interpreter."""
    directory = TEST_ENV / name

    def build():
        print("preparing the Python environment of the tests ...", flush=True)
        must([sys.executable, "-m", "venv", directory])
        must([directory / "bin/pip", "install", "--quiet", "-r", requirements])

    return build_once(directory, digest(requirements) + sys.version, build) / "bin/python"


def npm_packages(source, name="npm"):
    """`npm ci` of the lock file in `source` into the test environment; returns the folder that has node_modules."""
    npm, node = debian("npm", "npm"), debian("node", "nodejs")
    directory = TEST_ENV / name
    manifests = [Path(source) / "package.json", Path(source) / "package-lock.json"]

    def build():
        print("preparing the npm packages of the tests ...", flush=True)
        directory.mkdir(parents=True)
        for manifest in manifests:
            shutil.copy(manifest, directory)
        must([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory)

    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    return build_once(directory, digest(*manifests) + version, build)


def cargo_binary(manifest, name):
    """Builds a helper crate of the tests, outside the workspace, with its lock file; returns the program."""
    directory = TEST_ENV / "cargo"
    must(["cargo", "build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", directory], cwd=ROOT)
    return directory / "debug" / name
