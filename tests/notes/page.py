"""The committed bundle of the page is what its sources give."""

import gzip
import shutil
from pathlib import Path

from support import tools
from support.paths import ROOT, TEST_ENV
from support.process import run

HERE = Path(__file__).resolve().parent
PARTS = 13
WEB = ROOT / "demo-gui/web"


def compare(report, scratch):
    """Builds a copy of the page with the packages of its lock file and compares every file."""
    copy = TEST_ENV / "notes-page"
    sources = sorted(path for path in (WEB / "src").iterdir())
    key = tools.digest(WEB / "package.json", WEB / "package-lock.json")
    npm, node = tools.debian("npm", "npm"), tools.debian("node", "nodejs")

    def install():
        copy.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, copy)
        tools.must([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=copy)

    tools.build_once(copy, key, install)
    shutil.rmtree(copy / "src", ignore_errors=True)
    (copy / "src").mkdir()
    for source in sources:
        shutil.copy(source, copy / "src")
    shutil.copy(WEB / "build.mjs", copy)
    built = scratch / "dist"
    tools.must([node, "build.mjs", built], cwd=copy)
    names = sorted(path.name for path in built.iterdir())
    committed = sorted(path.name for path in (WEB / "dist").iterdir())
    report.check(names == committed, "dist/ has the files of a new bundle", (names, committed))
    for name in names:
        same = name in committed and content(built / name) == content(WEB / "dist" / name)
        report.check(same, f"{name} is up to date", "run `npm ci --ignore-scripts && node build.mjs` in demo-gui/web")


def parts(report):
    """What the page makes of what others say, in Node."""
    status, output = run([tools.debian("node", "nodejs"), HERE / "page_parts.mjs"], 60)
    checks = [line for line in output.splitlines() if line.startswith(("ok ", "FAIL "))]
    for line in checks:
        name, _, detail = line.partition(" ")[2].partition("\t")
        report.check(line.startswith("ok "), name, detail)
    report.check(status == 0 and len(checks) == PARTS, "all parts", output[-2000:])


def content(path):
    """Compressed files are compared by content: zlib's versions differ in how they compress."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data
