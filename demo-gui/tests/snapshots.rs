//! Six pictures, compared with those in `snapshots/`; `UPDATE_SNAPSHOTS=1 cargo test` writes them anew.
//!
//! They are drawn on the CPU with fonts of our own, so they are the same on every machine but for rounding.

mod support;

use eframe::egui::{Key, vec2};
use egui_kittest::SnapshotOptions;
use notes_core::link::{Event, Place, ShareCard, Status};
use notes_gui::settings::{Mode, Theme, Tongue};
use support::{CTRL, CTRL_SHIFT, Setup, Window};

const TEXT: &str = "\
# WebSocket 学习笔记

Hello, 世界! 心跳 *ping*/**pong** 每 30 秒一次。 `code`

- [ ] readyState 0..3
- [x] close code `1000`

> A quotation

```rust
let frame = read()?;
```

1. one
2. two
";

fn window(theme: Theme, language: Tongue, mode: Mode) -> Window {
    let mut setup = Setup { size: vec2(960.0, 600.0), ..Setup::default() };
    (setup.settings.theme, setup.settings.language, setup.settings.mode) = (theme, language, mode);
    setup.notes = vec![
        ("WebSocket 学习笔记", TEXT, Place::Hosted),
        ("购物清单", "# 购物清单", Place::Device),
        ("Groceries", "# Groceries", Place::Device),
    ];
    Window::new(setup)
}

fn compare(window: &mut Window, name: &str) {
    let options = SnapshotOptions::new().threshold(1.2).max_failed_pixels(400);
    window.harness.snapshot_options(name, &options);
}

#[test]
fn light_english_edit() {
    compare(&mut window(Theme::Light, Tongue::English, Mode::Edit), "light_english_edit");
}

#[test]
fn dark_chinese_split() {
    compare(&mut window(Theme::Dark, Tongue::Chinese, Mode::Split), "dark_chinese_split");
}

#[test]
fn light_chinese_together() {
    let mut window = window(Theme::Light, Tongue::Chinese, Mode::Edit);
    window.status(Status::Hosting { port: 8765 });
    let mut ada = window.guest("Ada", [0x7c, 0x3a, 0xed]);
    ada.select(Some((30, 60)));
    window.hear(&mut ada);
    let mut ming = window.guest("小明", [0xdb, 0x27, 0x77]);
    ming.select(Some((110, 110)));
    window.hear(&mut ming);
    compare(&mut window, "light_chinese_together");
}

#[test]
fn light_english_share() {
    let mut window = window(Theme::Light, Tongue::English, Mode::Edit);
    window.press(CTRL_SHIFT, Key::S);
    let address = ([192, 168, 1, 20], 8765).into();
    let (edit, read) =
        ("http://192.168.1.20:8765/#note.edit".into(), "http://192.168.1.20:8765/#note.read".into());
    window.send(Event::Shared(window.opened(), ShareCard { edit, read, address }));
    window.settle();
    compare(&mut window, "light_english_share");
}

#[test]
fn dark_english_switcher() {
    let mut window = window(Theme::Dark, Tongue::English, Mode::Edit);
    window.press(CTRL, Key::K);
    window.type_text("web");
    compare(&mut window, "dark_english_switcher");
}

#[test]
fn narrow_light_chinese_read() {
    let mut setup = Setup { size: vec2(400.0, 640.0), ..Setup::default() };
    (setup.settings.language, setup.settings.mode) = (Tongue::Chinese, Mode::Read);
    setup.notes = vec![("WebSocket 学习笔记", TEXT, Place::Device)];
    compare(&mut Window::new(setup), "narrow_light_chinese_read");
}
