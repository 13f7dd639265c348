"""Two pages in headless Chromium and the app in one note; the pages' network is ours to cut."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from hosts import through
from support import tools
from support.paths import TARGET

HERE = Path(__file__).resolve().parent
SECONDS = 400
DUE = 46


def drive(report, host, makers):
    tools.chinese_font()
    tools.emoji_font()
    screenshots = TARGET / "screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    proxy = makers.proxies.proxy(host.port)
    setting = {
        "edit": through(host.edit[0], proxy),
        "read": through(host.read[0], proxy),
        "app": [str(part) for part in makers.app_command(host.edit[0], "Ada")],
        "screenshots": str(screenshots),
    }
    environment = {
        **os.environ,
        "CHROMIUM": tools.debian("chromium", "chromium"),
        "NPM_PACKAGES": str(tools.npm_packages(HERE.parent / "interop")),
        "SETTING": json.dumps(setting),
    }
    process = subprocess.Popen(
        [shutil.which("node"), HERE / "browser.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    ran = 0
    orders = {"do offline": proxy.offline, "do online": proxy.online}
    for line in process.stdout:
        line = line.rstrip("\n")
        if line in orders:
            orders[line]()
            process.stdin.write("done\n")
            process.stdin.flush()
        elif line.startswith(("ok ", "FAIL ")):
            ran += 1
            name, _, detail = line.partition(" ")[2].partition("\t")
            report.check(line.startswith("ok "), name, detail)
        else:
            report.say(line)
    timer.cancel()
    status = process.wait()
    report.check(status == 0 and ran == DUE, "the whole test", f"status {status}, {ran} of {DUE} checks")
