#!/usr/bin/env python3
"""Attacks on libws, in both roles, over real sockets: `run.py [GROUP...]`.

Everything that an attacker does here is done with raw sockets. Every row of the table at the end is one check; a
figure is CPU time or heap of the attacked process, or a count, never the time on a wall clock.
"""

import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import client_faults
import client_role
import clocks
import deflate
import deflate_memory
import frames
import handshake
import http_port
import neighbours
import network
import proven
import resources
from support.paths import TARGET
from table import Table

GROUPS = {
    "handshake": handshake.run,
    "frames": frames.run,
    "deflate": deflate.run,
    "deflate-memory": deflate_memory.run,
    "client": client_role.run,
    "client-faults": client_faults.run,
    "http": http_port.run,
    "network": network.run,
    "neighbours": neighbours.run,
    "clocks": clocks.run,
    "resources": resources.run,
    "proven": proven.run,
}


# Run by name only: it takes minutes.
LONG = {"deflate-crowd": deflate_memory.long_run}


def main(names):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    subprocess.run(["make", "-s", "-C", Path(__file__).parent, f"TARGET={TARGET}"], check=True)
    table = Table()
    for name, group in {**GROUPS, **LONG}.items():
        if (name not in names) if names else (name in LONG):
            continue
        started = time.monotonic()
        try:
            group(table)
        except Exception as error:
            # A victim that died ends its group, not the run.
            traceback.print_exc(file=sys.stdout)
            table.row(f"{name}: the whole group", "runs to its end", f"{type(error).__name__}: {error}", False)
        print(f"-- {name}: {time.monotonic() - started:.1f} s", flush=True)
    table.print()
    table.tally.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
