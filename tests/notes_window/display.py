"""A display in memory, programs on it, and pictures of it."""

import contextlib
import os
import queue
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
import zlib
from pathlib import Path

from support import tools
from support.paths import ROOT, TARGET
from support.process import Failed
from support.tally import Missing

PROGRAM = TARGET / "debug" / "demo-gui"
BUILD_SECONDS = 840
# What a window needs at run time, by a file of each package.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libXcursor.so.1": "libxcursor1",
    "libXi.so.6": "libxi6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libfontconfig.so.1": "libfontconfig1",
}


def prepare():
    """Installs what is missing and builds the program."""
    for program, package in {"Xvfb": "xvfb", "xdotool": "xdotool", "xmodmap": "x11-xserver-utils"}.items():
        tools.debian(program, package)
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    known = subprocess.run([ldconfig, "-p"], capture_output=True, text=True).stdout
    for library, package in LIBRARIES.items():
        if library not in known:
            tools.debian_package(package, f"{library} is missing: apt-get install {package}")
    if not list(Path("/usr/lib").glob("**/dri/swrast_dri.so")) + list(Path("/usr/lib").glob("**/libgallium*.so")):
        tools.debian_package("libgl1-mesa-dri", "no OpenGL driver: apt-get install libgl1-mesa-dri")
    tools.chinese_font()
    tools.must(["cargo", "build", "--quiet", "-p", "demo-gui", "--bin", "demo-gui"], BUILD_SECONDS, cwd=ROOT)


class Display:
    """Xvfb with its frame buffer in a file."""

    def __init__(self, width=1280, height=800):
        self.folder = tempfile.TemporaryDirectory(prefix="notes-display-")
        read, write = os.pipe()
        screen = f"{width}x{height}x24"
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-fbdir", self.folder.name, "-nolisten", "tcp"]
        self.process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            line = number.readline().strip()
        if not line:
            raise Missing("Xvfb does not start")
        self.environment = {
            **os.environ,
            "DISPLAY": f":{line}",
            "LC_ALL": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GTK_THEME": "Adwaita",
        }
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.characters = set()

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def xdotool(self, *arguments):
        """Runs xdotool; its output, or None when it failed."""
        command = ["xdotool", *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout.strip() if done.returncode == 0 else None

    def map_characters(self, text):
        """Gives each character that is not ASCII a key of its own, for good.

        xdotool would borrow a key for the moment of typing; a program that is busy then looks it up too late.
        """
        new = sorted({character for character in text if not character.isascii()} - self.characters)
        if not new:
            return
        keys = subprocess.run(["xmodmap", "-pke"], env=self.environment, capture_output=True, text=True, check=True).stdout
        # The highest ones: xdotool borrows the lowest.
        free = re.findall(r"^keycode +(\d+) =\s*$", keys, re.MULTILINE)[::-1]
        if len(free) < len(new):
            raise Failed(f"no keys are left for {''.join(new)}")
        lines = "".join(f"keycode {code} = U{ord(character):04X}\n" for code, character in zip(free, new))
        subprocess.run(["xmodmap", "-"], env=self.environment, input=lines, text=True, check=True)
        self.characters.update(new)
        time.sleep(0.5)

    def pixels(self):
        """Width, height and the rows of the screen as bytes of RGB."""
        data = (Path(self.folder.name) / "Xvfb_screen0").read_bytes()
        fields = struct.unpack(">25I", data[:100])
        header, width, height, per_line, colors = fields[0], fields[4], fields[5], fields[12], fields[19]
        start = header + colors * 12
        rows = []
        for y in range(height):
            line = data[start + y * per_line : start + y * per_line + width * 4]
            row = bytearray(width * 3)
            row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
            rows.append(bytes(row))
        return width, height, rows

    def picture(self, path, area=None):
        """Writes the screen, or `(left, top, width, height)` of it, as a PNG; returns how many colours it has."""
        width, height, rows = self.pixels()
        left, top, width, height = area or (0, 0, width, height)
        rows = [row[left * 3 : (left + width) * 3] for row in rows[top : top + height]]
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(width, height, rows))
        return len({row[i : i + 3] for row in rows[::4] for i in range(0, len(row), 12)})


def png(width, height, rows):
    """A PNG file: with a palette of the 256 commonest colours where the others are few and near."""
    counts = {}
    for row in rows:
        for at in range(0, len(row), 3):
            color = row[at : at + 3]
            counts[color] = counts.get(color, 0) + 1
    common = sorted(counts, key=counts.get, reverse=True)[:256]
    index = {color: number for number, color in enumerate(common)}
    for color in counts:
        if color not in index:
            index[color] = min(range(len(common)), key=lambda n: sum((a - b) ** 2 for a, b in zip(color, common[n])))
    lines = b"".join(b"\0" + bytes(index[row[at : at + 3]] for at in range(0, len(row), 3)) for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"PLTE", b"".join(common)), chunk(b"IDAT", zlib.compress(lines, 9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


class Window:
    """The program with a window on the display."""

    def __init__(self, display, data, *arguments, environment=None):
        self.display, self.data = display, Path(data)
        self.started = time.monotonic()
        command = [str(PROGRAM), "--data", str(data), *map(str, arguments)]
        environment = {**display.environment, **(environment or {})}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.id = self._wait_for_window()
        self.start_seconds = time.monotonic() - self.started

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def _wait_for_window(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"the window did not open: {self.process.stderr.read()}")
            found = self.display.xdotool("search", "--onlyvisible", "--pid", self.process.pid)
            if found:
                return found.split()[-1]
            time.sleep(0.05)
        raise Failed("no window within 60 s")

    def line(self, prefix, seconds=30):
        """The next line of its output with this prefix, without it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(f"the program did not print `{prefix}`") from None
            if line.startswith(prefix):
                return line.removeprefix(prefix).strip()

    def place(self, left, top, width, height):
        self.display.xdotool("windowmove", "--sync", self.id, left, top)
        self.display.xdotool("windowsize", self.id, width, height)
        time.sleep(0.5)

    def key(self, *keys):
        self.focus()
        self.display.xdotool("key", "--delay", 60, *keys)
        time.sleep(0.25)

    def focus(self):
        self.display.xdotool("windowraise", self.id)
        self.display.xdotool("windowfocus", "--sync", self.id)
        time.sleep(0.15)

    def type(self, text):
        """Types a text, line ends with Return."""
        self.focus()
        self.display.map_characters(text.replace("\n", ""))
        for part in re.findall(r"[^\n]+|\n", text):
            if part == "\n":
                self.display.xdotool("key", "--delay", 60, "Return")
            else:
                self.display.xdotool("type", "--delay", 30, "--", part)
        time.sleep(0.25)

    def texts(self):
        """The `.md` files of its notes."""
        return {file.name: file.read_text() for file in sorted((self.data / "notes").glob("*.md"))}

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self):
        """Resident memory of its own, without what it shares with others through files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "RssAnon"))}
        return sizes["RssAnon"] / 1024, sizes["VmRSS"] / 1024

    def quit(self):
        """Ends the program as a person does; returns the status."""
        self.key("ctrl+q")
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            return None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_for(condition, seconds=20):
    """Whether the condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@contextlib.contextmanager
def desktop(width=1280, height=800):
    """A display, and a folder for data; windows opened with the function that it gives are ended."""
    display = Display(width, height)
    windows = []
    try:
        with tempfile.TemporaryDirectory(prefix="notes-data-") as folder:

            def open_window(name, *arguments, **options):
                windows.append(Window(display, Path(folder) / name, *arguments, **options))
                return windows[-1]

            try:
                yield display, Path(folder), open_window
            finally:
                for window in windows:
                    window.end()
    finally:
        display.close()
