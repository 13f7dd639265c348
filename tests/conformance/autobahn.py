"""Installs the Autobahn TestSuite and runs parts of it, in either role."""

import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from support.paths import TARGET, TEST_ENV
from support.process import Failed, run
from support.tally import Missing
from support.tools import build_once, must

SUITE = "autobahntestsuite==25.10.1"
# The newest virtualenv that still makes environments for Python 2.7.
VIRTUALENV = "virtualenv==20.21.1"
AGENT = "libws"
REPORTS = TARGET / "conformance"
PART_SECONDS = 300


def _python27():
    """A CPython 2.7 that starts. pyenv's shims exist even for versions that are not active, so each is tried."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    candidates = [shutil.which("python2.7"), *sorted(glob.glob(f"{pyenv}/versions/2.7.*/bin/python2.7"))]
    for candidate in filter(None, candidates):
        status, output = run([candidate, "-c", "import sys; print(sys.version_info[:2])"], 20)
        if status == 0 and output.strip() == "(2, 7)":
            return candidate
    raise Missing(
        "the Autobahn TestSuite needs CPython 2.7, and neither `python2.7` nor pyenv has it: `pyenv install 2.7.18`"
    )


def install():
    """The path of `wstest`, in an environment of its own under target/."""
    python27 = _python27()
    directory = TEST_ENV / "autobahn"

    def build():
        print(f"installing {SUITE} for {python27} (half a minute) ...", flush=True)
        bootstrap = TEST_ENV / "autobahn-bootstrap"
        must([sys.executable, "-m", "venv", "--clear", bootstrap])
        must([bootstrap / "bin/pip", "install", "--quiet", VIRTUALENV])
        must([bootstrap / "bin/virtualenv", "--quiet", "-p", python27, directory])
        must([directory / "bin/pip", "install", "--quiet", SUITE])

    return build_once(directory, f"{python27} {VIRTUALENV} {SUITE}", build) / "bin/wstest"


class Part:
    """Some cases that one wstest process runs: its patterns, and how many cases they stand for."""

    def __init__(self, role, name, patterns, count):
        self.role, self.name, self.patterns, self.count = role, name, patterns, count
        self.directory = REPORTS / role / name

    def start(self, **spec):
        """An empty directory for the reports, with the specification that wstest reads."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        spec |= {
            "outdir": str(self.directory),
            "cases": self.patterns,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        path = self.directory / "spec.json"
        path.write_text(json.dumps(spec))
        return path

    def results(self, output):
        """The results by case; wstest exits with 0 whatever happens, so the index must be there and complete."""
        index = self.directory / "index.json"
        if not index.is_file():
            raise Failed(f"part {self.name} ({self.role}) left no report:\n{output[-2000:]}")
        results = json.loads(index.read_text()).get(AGENT, {})
        if len(results) != self.count:
            raise Failed(f"part {self.name} ({self.role}) ran {len(results)} of {self.count} cases")
        for result in results.values():
            detail = json.loads((self.directory / result["reportfile"]).read_text())
            result["remoteCloseReason"] = detail["remoteCloseReason"]
            result["wasClean"] = detail["wasClean"]
        return results


def test_server(wstest, part, url):
    """Runs a part against the server at `url`."""
    spec = part.start(servers=[{"agent": AGENT, "url": url}])
    command = [wstest, "-m", "fuzzingclient", "-s", spec, "-u", "0"]
    status, output = run(command, PART_SECONDS, cwd=part.directory)
    if status is None:
        raise Failed(f"part {part.name} ({part.role}) took more than {PART_SECONDS} s:\n{output[-2000:]}")
    return part.results(output)


def test_client(wstest, part, client, words):
    """Runs a part against the command `client`, called with `BASE_URL AGENT FIRST LAST` and the words."""
    port = _free_port()
    base = f"ws://127.0.0.1:{port}"
    spec = part.start(url=base)
    log_path = part.directory / "wstest.log"
    with open(log_path, "w") as log:
        command = [str(wstest), "-m", "fuzzingserver", "-s", str(spec), "-u", "0"]
        suite = subprocess.Popen(command, stdout=log, stderr=log, cwd=part.directory)
        try:
            _wait_until_it_listens(suite, port)
            status, output = run([*client, base, AGENT, 1, part.count, *words], PART_SECONDS)
        finally:
            suite.kill()
            suite.wait()
    if status != 0:
        raise Failed(f"part {part.name} (client): {client[0]} ended with status {status}:\n{output[-2000:]}")
    return part.results(output + Path(log_path).read_text())


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_listens(process, port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed("wstest does not listen")
