#!/usr/bin/env python3
"""Makes the pictures of docs/notes.md out of real windows: `film.py [FOLDER]`, by default docs/images/notes."""

import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support.paths import ROOT
from support.process import Failed

import display as screen

WIDTH, HEIGHT = 1100, 700
PLAN = "# Plan for Friday\n\nWe meet at ten, 老地方见.\n\n- [ ] bring tea"
NOTES = {
    "WebSocket 学习笔记": """# WebSocket 学习笔记

Hello, 世界! 心跳 *ping*/**pong** 每 30 秒一次。

- [x] close code `1000` 是正常关闭
- [ ] `readyState` 从 0 到 3
- [ ] 断线以后自动重连

> RFC 6455: the payload of a control frame is 125 bytes or less.

```c
int rc = libws_send(conn, LIBWS_TEXT, data, len);
```
""",
    "购物清单": "# 购物清单\n\n- [ ] 牛奶\n- [ ] 大米\n- [x] 茶叶\n",
    "Reading list": "# Reading list\n\n- [ ] Designing Data-Intensive Applications\n- [x] RFC 6455\n",
}


def settings(folder, name, color, **more):
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {"name": name, "color": color, "theme": "light", "language": "english", "port": 0, **more}
    (folder / "settings.json").write_text(json.dumps(chosen))


def main(target):
    screen.prepare()
    with screen.desktop(WIDTH, HEIGHT) as (display, folder, open_window):

        def shoot(name, area=None, seconds=1.0):
            display.xdotool("mousemove", WIDTH - 1, HEIGHT - 1)
            time.sleep(seconds)
            display.picture(target / f"{name}.png", area)
            print(target / f"{name}.png", flush=True)

        for at, (title, text) in enumerate(NOTES.items()):
            (folder / f"{at}.md").write_text(text)
        settings(folder / "one", "小明", [219, 39, 119])
        one = open_window("one", "--host", "127.0.0.1:0")
        one.place(0, 0, WIDTH, HEIGHT)
        one.line("edit ")
        # The card must be there before it can be closed, and the first frames of a window are slow.
        time.sleep(4)
        one.key("Escape")
        shoot("1-welcome")
        for at in reversed(range(len(NOTES))):
            one.key("ctrl+o", "ctrl+a")
            one.type(str(folder / f"{at}.md"))
            one.key("Return")
            time.sleep(0.5)
        one.key("ctrl+e")
        shoot("2-split")
        one.key("ctrl+shift+s")
        one.line("edit ")
        shoot("3-share")
        one.key("Escape")
        one.key("ctrl+e", "ctrl+e")

        together(display, folder, open_window, one, shoot)
        one.key("ctrl+k")
        one.type("re")
        shoot("5-switch")
        one.key("Escape", "ctrl+slash")
        shoot("6-keys")
        one.key("Escape")
        one.end()

        settings(folder / "one", "小明", [219, 39, 119], theme="dark", language="chinese", mode="split")
        dark = open_window("one")
        dark.place(0, 0, WIDTH, HEIGHT)
        dark.key("ctrl+k")
        dark.type("WebSocket")
        dark.key("Return")
        shoot("7-dark-chinese")
        dark.place(0, 0, 420, HEIGHT)
        dark.key("ctrl+backslash")
        shoot("8-narrow", (0, 0, 420, HEIGHT))


def together(display, folder, open_window, one, shoot):
    """Two people in one note: the guest types, reacts, and is seen; then the host goes away."""
    one.key("ctrl+n")
    one.type(PLAN)
    # A key that is lost on the way would be in the pictures for good.
    if not screen.wait_for(lambda: PLAN in one.texts().values()):
        raise Failed(f"the keys did not arrive as typed: {list(one.texts().values())}")
    one.key("ctrl+shift+s")
    link = one.line("edit ")
    one.key("Escape")
    settings(folder / "two", "Ada", [124, 58, 237])
    two = open_window("two", "--join", link)
    two.place(0, 0, 640, HEIGHT)
    screen.wait_for(lambda: any("Friday" in text for text in two.texts().values()))
    time.sleep(1)
    one.focus()
    two.key("ctrl+Home", "Down", "Down", "shift+ctrl+Right", "shift+ctrl+Right", "ctrl+period")
    two.type("see you there")
    two.key("Return")
    display.xdotool("windowraise", one.id)
    one.focus()
    shoot("4-together", seconds=0.3)
    two.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "notes")
