#!/usr/bin/env python3
"""The notes app with real windows on a display in memory: `run.py`. Pictures go to target/screenshots."""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support.paths import TARGET
from support.process import Failed
from support.tally import Missing, Tally

import display as screen

CHECKS = 24
PICTURES = TARGET / "screenshots"
# The caret stands still after 10 s without a key; then nothing is drawn.
QUIET_SECONDS = 12
IDLE_SECONDS = 5
IDLE_CPU = 0.05


def command_line(tally):
    """What the program says without a window."""

    def said(*arguments, **environment):
        env = {**os.environ, **environment}
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"):
            env.pop(name, None)
        return subprocess.run([screen.PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=60)

    usage = said("--help")
    tally.check(usage.returncode == 0 and "--join LINK" in usage.stdout, "--help shows the options")
    wrong = said("--host", "nonsense")
    tally.check(wrong.returncode == 1 and '--host "nonsense" is no ADDRESS:PORT' in wrong.stderr, "a wrong option is named", wrong.stderr)
    nowhere = said()
    tally.check(
        nowhere.returncode == 1 and "there is no display" in nowhere.stderr and "--serve" in nowhere.stderr,
        "without a display it says so, and what to do",
        nowhere.stderr,
    )


def has(window, text):
    return lambda: any(text in note for note in window.texts().values())


def together(tally, display, folder, open_window):
    """Two windows over one note, by its link."""
    one = open_window("one", "--host", "127.0.0.1:0")
    tally.check(True, f"the window opens (after {one.start_seconds:.2f} s, unoptimised, drawn without a graphics card)")
    tally.check(screen.wait_for(lambda: one.texts()), "there is a first note, and its .md file")
    link = one.line("edit ")
    tally.check(link.startswith("http://127.0.0.1:"), "--host prints the link", link)
    one.key("Escape")
    one.key("ctrl+n")
    one.type("# First window\n")
    tally.check(screen.wait_for(has(one, "# First window")), "a new note is typed and becomes a .md file")
    welcome = lambda window: next((text for text in window.texts().values() if "Welcome" in text), "")
    one.key("ctrl+k")
    one.type("Welcome")
    one.key("Return")
    one.key("ctrl+End")
    one.type("Hello from one, 你好世界 ")
    tally.check(screen.wait_for(lambda: "Hello from one, 你好世界 " in welcome(one)), "English and Chinese are typed", welcome(one)[-80:])
    colors = display.picture(PICTURES / "notes-one.png")
    tally.check(colors > 30, f"the window is drawn ({colors} colours)")

    two = open_window("two", "--join", link)
    tally.check(screen.wait_for(lambda: welcome(one) == welcome(two)), "a second instance joins by the link and has the text")
    two.key("ctrl+End")
    two.type("and from two: 第二个窗口")
    same = lambda: "第二个窗口" in welcome(one) and welcome(one) == welcome(two)
    tally.check(screen.wait_for(same), "what it types is in both", welcome(one)[-80:])
    two.key("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
    undone = lambda: "第二个窗口" not in welcome(one) and "你好世界" in welcome(one) and welcome(one) == welcome(two)
    tally.check(screen.wait_for(undone), "undo takes back its own words only", welcome(one)[-80:])
    two.key("ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z", "ctrl+shift+z")
    tally.check(screen.wait_for(same), "redo brings them back", welcome(one)[-80:])
    one.place(0, 0, 640, 800)
    two.place(640, 0, 640, 800)
    one.key("ctrl+Home")
    time.sleep(1)
    colors = display.picture(PICTURES / "notes-two-windows.png")
    tally.check(colors > 30, f"both windows are drawn ({colors} colours)")
    return one, two, welcome


def typed_at_once(tally, one, two, welcome):
    """Both type into the same place, in turns."""
    for word in ("alpha ", "beta "):
        one.key("ctrl+End")
        one.type(f"one-{word}")
        two.key("ctrl+End")
        two.type(f"two-{word}")
    wanted = [f"{who}-{word}" for who in ("one", "two") for word in ("alpha", "beta")]
    equal = lambda: all(word in welcome(one) for word in wanted) and welcome(one) == welcome(two)
    tally.check(screen.wait_for(equal), "both type in turns, and both files are equal", welcome(one)[-120:])


def offline(tally, one, two, welcome):
    """The host goes; typing goes on; it comes back."""
    status = one.quit()
    tally.check(status == 0, "closing the window ends the program with status 0", f"status {status}")
    two.key("ctrl+End")
    two.type("kept while away ")
    tally.check(screen.wait_for(lambda: "kept while away" in welcome(two)), "without the host, typing goes on and is saved")


def idle(tally, window):
    """A window that nobody touches costs nothing."""
    time.sleep(QUIET_SECONDS)
    before = window.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    used = window.cpu_seconds() - before
    private, resident = window.memory_mib()
    tally.check(used <= IDLE_CPU, f"idle: {used * 1000:.0f} ms of CPU in {IDLE_SECONDS} s", f"more than {IDLE_CPU * 1000:.0f} ms")
    print(f"     memory: {private:.0f} MiB of its own, {resident:.0f} MiB resident (unoptimised, drawn without a graphics card)")


def main():
    tally = Tally()
    try:
        screen.prepare()
        command_line(tally)
        with screen.desktop() as (display, folder, open_window):
            one, two, welcome = together(tally, display, folder, open_window)
            typed_at_once(tally, one, two, welcome)
            offline(tally, one, two, welcome)
            alone = open_window("alone")
            idle(tally, alone)
            tally.check(alone.quit() == 0, "it closes")
            again = open_window("alone")
            tally.check(screen.wait_for(lambda: again.texts()), "it opens again over the same folder")
            other = subprocess.run([screen.PROGRAM, "--data", folder / "alone"], env=display.environment, capture_output=True, text=True, timeout=60)
            tally.check(other.returncode == 1 and other.stderr.startswith("demo-gui: "), "a second program over the same folder is refused in words", other.stderr)
    except Missing as missing:
        tally.skip(CHECKS - tally.passed - tally.failed, str(missing))
    except Failed as failed:
        tally.check(False, "the whole test", str(failed))
    tally.finish()


if __name__ == "__main__":
    main()
