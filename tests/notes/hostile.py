"""G02 and G04: what a hostile client sends to one note is refused, and another note answers all the while."""

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

from editors import until

HERE = Path(__file__).resolve().parent
SECONDS = 400
DUE = 48
MOST_MEMORY_KB = 1024 * 1024


def attack(report, host, makers, npm_packages):
    """Runs hostile.mjs; an editor of the app and a stock one stay in the attacked note."""
    victim, bystander = host.edit
    with makers.app(victim, "app") as app, makers.node(victim, "stock") as stock:
        setting = {"victim": victim, "bystander": bystander}
        environment = {**os.environ, "NPM_PACKAGES": str(npm_packages), "SETTING": json.dumps(setting)}
        command = [shutil.which("node"), HERE / "hostile.mjs"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        ran = 0
        for line in process.stdout:
            line = line.rstrip("\n")
            if line.startswith(("ok ", "FAIL ")):
                ran += 1
                name, _, detail = line.partition(" ")[2].partition("\t")
                report.check(line.startswith("ok "), name, detail)
            else:
                report.say(line)
        timer.cancel()
        status = process.wait()
        report.check(status == 0 and ran == DUE, "the whole test", f"status {status}, {ran} of {DUE} checks")
        for editor in (app, stock):
            editor.insert(0, f"{editor.name} lives ")
        alive = "app lives ", "stock lives "
        both = until(lambda: all(line in one.text() for line in alive for one in (app, stock)))
        report.check(both, "the editors in the attacked note still write to each other", lambda: app.text()[:500])
    memory = host.memory_kb()
    report.check(memory < MOST_MEMORY_KB, "the host never needed a gigabyte", memory)
    report.say(f"hostile: the host needed {memory // 1024} MiB at most")
    started = time.monotonic()
    status = host.stop()
    report.say(f"hostile: the host ended after {time.monotonic() - started:.1f} s")
    report.check(status == 0, "the host ends in order", status)
