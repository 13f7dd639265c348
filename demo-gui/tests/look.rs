mod support;
use support::*;
use notes_gui::settings::*;
use notes_core::link::*;
use eframe::egui::{Key,vec2};
const TEXT: &str = "# WebSocket 学习笔记\n\nHello, 世界! 心跳 *ping*/**pong** 每 30 秒一次。 And `code` here.\n\n- [ ] readyState 0..3\n- [x] close code `1000`\n- plain\n  - nested\n\n## Writing\n\n> A quote\n\n```rust\nfn main() {}\n```\n[link](http://x.y) https://example.org\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
fn win(theme: Theme, tongue: Tongue, mode: Mode) -> Window {
    let mut s = Setup::default();
    s.settings.theme = theme; s.settings.language = tongue; s.settings.mode = mode;
    s.notes = vec![("WebSocket 学习笔记", TEXT, Place::Hosted), ("购物清单", "# 购物清单\n", Place::Device), ("Groceries", "# Groceries\n", Place::Device), ("Team plan", "# Plan", Place::Joined)];
    let mut w = Window::new(s);
    w.status(Status::Hosting{port:8765});
    let mut ada = w.guest("Ada", [0x7c,0x3a,0xed]);
    ada.select(Some((30, 60)));
    w.hear(&mut ada);
    let mut m = w.guest("小明", [0xdb,0x27,0x77]);
    m.select(Some((110, 110)));
    m.react("🎉");
    w.hear(&mut m);
    w
}
#[test]
fn look() {
    std::fs::create_dir_all("/tmp/look").unwrap();
    for (n, theme, tongue) in [("en", Theme::Light, Tongue::English), ("zh", Theme::Dark, Tongue::Chinese)] {
        let mut w = win(theme, tongue, Mode::Split);
        w.image().save(format!("/tmp/look/{n}-split.png")).unwrap();
        w.press(CTRL_SHIFT, Key::S);
        let card = ShareCard { edit: "http://192.168.1.20:8765/#abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz".into(), read: "http://192.168.1.20:8765/#r".into(), address: ([192,168,1,20],8765).into() };
        w.send(Event::Shared(w.opened(), card)); w.settle();
        w.image().save(format!("/tmp/look/{n}-share.png")).unwrap();
        w.press(CTRL_SHIFT, Key::J);
        w.image().save(format!("/tmp/look/{n}-join.png")).unwrap();
        w.press(CTRL, Key::Comma);
        w.image().save(format!("/tmp/look/{n}-settings.png")).unwrap();
        w.press(CTRL, Key::Slash);
        w.image().save(format!("/tmp/look/{n}-help.png")).unwrap();
        w.press(CTRL, Key::K);
        w.image().save(format!("/tmp/look/{n}-switch.png")).unwrap();
        w.press(CTRL, Key::O);
        w.image().save(format!("/tmp/look/{n}-import.png")).unwrap();
        w.press(CTRL, Key::Period);
        w.image().save(format!("/tmp/look/{n}-react.png")).unwrap();
    }
}
#[test]
fn narrow() {
    let mut s = Setup::default(); s.size = vec2(420.0, 720.0);
    let mut w = Window::new(s);
    w.image().save("/tmp/look/narrow.png").unwrap();
    w.press(CTRL, Key::Backslash);
    w.image().save("/tmp/look/narrow-list.png").unwrap();
}
