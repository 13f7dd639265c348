//! Every screen and every key, with the accessibility gate of egui_kittest on: a widget without a name fails.

mod support;

use eframe::egui::{Key, Modifiers, OutputCommand, vec2};
use notes_core::link::{Command, Event, Failure, Hit, Place, Refusal, ShareCard, Status};
use notes_gui::app::Wishes;
use notes_gui::settings::{Mode, Theme, Tongue};
use support::{CTRL, CTRL_SHIFT, Setup, Window, note};

fn three_notes() -> Window {
    let notes = vec![
        ("Groceries", "# Groceries\nmilk", Place::Device),
        ("WebSocket 学习笔记", "# WebSocket 学习笔记\n心跳", Place::Device),
        ("Plan", "# Plan", Place::Joined),
    ];
    Window::new(Setup { notes, ..Setup::default() })
}

fn card() -> ShareCard {
    let address = ([192, 168, 1, 20], 8765).into();
    ShareCard {
        edit: "http://192.168.1.20:8765/#n.edit".into(),
        read: "http://192.168.1.20:8765/#n.read".into(),
        address,
    }
}

fn copied(window: &Window) -> Option<String> {
    window.harness.output().platform_output.commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn the_list_opens_notes() {
    let mut window = three_notes();
    assert_eq!(window.opened(), note(0));
    assert!(window.shows("On this device") && window.shows("Shared"));
    window.click("WebSocket 学习笔记");
    assert_eq!((window.opened(), window.text()), (note(1), "# WebSocket 学习笔记\n心跳".into()));
    window.click("Plan");
    assert_eq!(window.opened(), note(2));
    window.click("Groceries");
    assert_eq!(window.text(), "# Groceries\nmilk", "its peer was kept");
}

#[test]
fn a_new_note_opens_and_takes_the_keyboard() {
    let mut window = three_notes();
    window.press(CTRL, Key::N);
    window.type_text("fresh");
    assert_eq!((window.text(), window.hub_text()), ("fresh".into(), "fresh".into()));
    assert_eq!(window.list.len(), 4);
    window.click("New note");
    assert_eq!(window.list.len(), 5);
}

#[test]
fn a_note_is_pinned_and_deleted_and_the_deletion_is_undone() {
    let mut window = three_notes();
    window.hover("Plan");
    window.click_last("Pin");
    assert!(window.shows("Pinned"));
    assert!(
        window
            .asked
            .iter()
            .any(|command| matches!(command, Command::Pin(pinned, true) if *pinned == note(2)))
    );
    window.hover("Groceries");
    window.click_last("Delete");
    assert!(
        window.asked.iter().any(|command| matches!(command, Command::Delete(deleted) if *deleted == note(0)))
    );
    assert_ne!(window.opened(), note(0), "another one is open");
    assert!(window.shows_part("Deleted “Groceries”"));
    window.click("Undo");
    assert!(
        window
            .asked
            .iter()
            .any(|command| matches!(command, Command::Restore(restored) if *restored == note(0)))
    );
    assert_eq!(window.opened(), note(0));
}

#[test]
fn the_switcher_goes_to_a_note_or_makes_one() {
    for key in [Key::K, Key::P] {
        let mut window = three_notes();
        window.press(CTRL, key);
        window.type_text("websocket");
        window.press(Modifiers::NONE, Key::Enter);
        assert_eq!(window.opened(), note(1));
    }
    let mut window = three_notes();
    window.click("Search notes");
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.opened(), note(1));
    window.press(CTRL, Key::K);
    window.type_text("Diary");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.hub_text(), "# Diary\n\n");
}

#[test]
fn all_notes_are_searched_in_chinese_too() {
    let mut window = three_notes();
    window.press(CTRL_SHIFT, Key::F);
    window.type_text("心跳");
    let id = window.asked.iter().rev().find_map(|command| match command {
        Command::Search { id, query } if query == "心跳" => Some(*id),
        _ => None,
    });
    let hit = Hit { note: note(1), range: 25..31, line: "心跳".into(), in_line: 0..6 };
    window.send(Event::Found { id: 999, hits: Vec::new() });
    window.send(Event::Found { id: id.expect("asked"), hits: vec![hit] });
    window.settle();
    window.click("WebSocket 学习笔记: 心跳");
    assert_eq!((window.opened(), window.selection()), (note(1), (25, 31)));
}

#[test]
fn the_note_is_searched_and_stepped_through() {
    let mut window = Window::with_text("One two one\n二 ONE\n");
    window.press(CTRL, Key::F);
    window.type_text("one");
    assert!(window.shows("1 of 3"), "case does not matter");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.shows("2 of 3"));
    window.press(Modifiers::SHIFT, Key::Enter);
    window.click("Previous");
    assert!(window.shows("3 of 3"));
    window.click("Next");
    assert!(window.shows("1 of 3"));
    window.type_text("x");
    assert!(window.shows("Nothing found"));
    window.press(Modifiers::NONE, Key::Backspace);
    window.press(Modifiers::NONE, Key::Enter);
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.selection(), (8, 11), "the place is selected");
    window.type_text("2");
    assert_eq!(window.hub_text(), "One two 2\n二 ONE\n");
}

#[test]
fn the_share_card_has_links_and_an_honest_line() {
    let mut window = three_notes();
    window.press(CTRL_SHIFT, Key::S);
    assert!(matches!(window.asked.last(), Some(Command::Share { listen: None, .. })));
    assert!(window.shows("Opening a port…"));
    window.send(Event::Shared(note(0), card()));
    window.settle();
    assert!(window.shows("QR code of the link"));
    assert!(window.shows_part("Not encrypted: anyone on the network path can read it."));
    window.click_once("Copy");
    assert_eq!(copied(&window).as_deref(), Some("http://192.168.1.20:8765/#n.edit"));
    window.click("Share: Can read");
    window.click_once("Copy");
    assert_eq!(copied(&window).as_deref(), Some("http://192.168.1.20:8765/#n.read"));
    window.click("Stop sharing");
    assert!(matches!(window.asked.last(), Some(Command::Unshare(_))));
    assert!(!window.shows("Share this note"));
}

#[test]
fn a_port_that_cannot_be_had_is_said() {
    let mut window = three_notes();
    window.click("Share");
    window.send(Event::Failed(Failure::Listen("bind 0.0.0.0:8765: Address in use".into())));
    window.settle();
    assert!(!window.shows("Share this note"));
    assert!(window.shows("Sharing failed: bind 0.0.0.0:8765: Address in use"));
    window.click("Close");
    assert!(!window.shows_part("Sharing failed"));
}

#[test]
fn a_note_is_joined_by_its_link() {
    let mut window = three_notes();
    window.press(CTRL_SHIFT, Key::J);
    window.type_text(" nonsense ");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(matches!(window.asked.last(), Some(Command::Join { link }) if link == "nonsense"));
    window.send(Event::Failed(Failure::Link("no host in it".into())));
    window.settle();
    assert!(window.shows("This link does not work: no host in it"));
    window.click("Join");
    window.send(Event::Joined(note(2)));
    window.settle();
    assert_eq!(window.opened(), note(2));
    assert!(!window.shows("Join a note"));
}

#[test]
fn the_status_is_told_in_words() {
    let mut window = three_notes();
    let cases = [
        (Status::Hosting { port: 8765 }, "Sharing :8765 · 1 person"),
        (Status::Live { round_trip_ms: Some(12) }, "Live 12 ms · 1 person"),
        (
            Status::Reconnecting { in_ms: 0, kept: 3, cause: "HTTP 503".into() },
            "Reconnecting now, your 3 changes are kept",
        ),
        (Status::Refused(Refusal::Unauthorised), "Refused: the link is no longer valid"),
        (
            Status::Refused(Refusal::Forbidden),
            "Refused: this link is read-only, your changes stay on this device",
        ),
        (Status::Refused(Refusal::NotFound), "Refused: the host has no such note"),
        (Status::Refused(Refusal::TooBig), "Refused: the note is too big for the host"),
        (Status::Refused(Refusal::Other(4408)), "Refused by the host (4408)"),
        (Status::Device, "On this device"),
    ];
    for (status, words) in cases {
        window.status(status);
        assert!(window.shows(words), "{words}");
    }
    window.type_text("x");
    assert!(window.shows("Saving…"));
    window.send(Event::Saved(note(0)));
    window.settle();
    assert!(window.shows("Saved"));
}

#[test]
fn the_page_has_boxes_to_tick() {
    let mut window = Window::with_text("# T\n\n- [ ] 牛奶\n- [x] rice\n");
    assert!(!window.shows("牛奶"));
    window.press(CTRL, Key::E);
    window.click_box("牛奶");
    assert_eq!(window.hub_text(), "# T\n\n- [x] 牛奶\n- [x] rice\n");
    window.click_box("rice");
    assert_eq!(window.hub_text(), "# T\n\n- [x] 牛奶\n- [ ] rice\n");
    window.press(CTRL, Key::E);
    assert_eq!(window.harness.state().settings.mode, Mode::Read);
    window.click_box("牛奶");
    assert_eq!(window.hub_text(), "# T\n\n- [ ] 牛奶\n- [ ] rice\n");
    window.press(CTRL, Key::E);
    assert_eq!(window.harness.state().settings.mode, Mode::Edit);
    window.click("Edit, split or read: Split");
    assert_eq!(window.harness.state().settings.mode, Mode::Split);
}

#[test]
fn settings_hold_at_once() {
    let mut window = three_notes();
    window.press(CTRL, Key::Comma);
    window.click("Theme: Dark");
    window.click("Violet");
    window.click("Language: 简体中文");
    assert!(window.shows("设置") && window.shows("新建笔记"));
    window.click("完成");
    let settings = &window.harness.state().settings;
    assert_eq!((settings.theme, settings.language), (Theme::Dark, Tongue::Chinese));
    assert_eq!(settings.color, [0x7c, 0x3a, 0xed]);
    let written = std::fs::read_to_string(window.data.join("settings.json")).expect("written");
    assert!(written.contains("chinese") && written.contains("dark"), "{written}");
}

#[test]
fn help_shows_the_keys() {
    let mut window = three_notes();
    window.press(CTRL, Key::Slash);
    for key in ["Ctrl+N", "Ctrl+Shift+F", "Ctrl+`", "Ctrl+,"] {
        assert!(window.shows(key), "{key}");
    }
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.shows("Keyboard shortcuts"));
}

#[test]
fn files_come_and_go() {
    let mut window = three_notes();
    std::fs::create_dir_all(&window.data).expect("a folder");
    let path = window.data.join("shopping.md");
    std::fs::write(&path, "# 购物清单\r\nmilk").expect("written");
    window.press(CTRL, Key::O);
    window.replace_field("Path", &format!("{}/", window.data.display()));
    window.click("shopping.md");
    window.click("Import");
    assert_eq!(window.hub_text(), "# 购物清单\nmilk");
    window.press(CTRL_SHIFT, Key::E);
    let out = window.data.join("out.md");
    window.replace_field("Path", &out.display().to_string());
    window.click("Save");
    assert_eq!(std::fs::read_to_string(&out).expect("exported"), "# 购物清单\nmilk");
    assert!(window.shows_part("Exported to"));
    window.press(CTRL_SHIFT, Key::E);
    window.replace_field("Path", &out.display().to_string());
    window.click("Save");
    assert!(window.shows_part("exists"), "nothing is overwritten");
}

#[test]
fn a_narrow_window_has_a_drawer_and_no_split() {
    let mut setup = Setup { size: vec2(420.0, 700.0), ..Setup::default() };
    setup.settings.mode = Mode::Split;
    setup.notes.push(("Other", "# Other", Place::Device));
    let mut window = Window::new(setup);
    assert!(!window.shows("Other") && !window.shows("Edit, split or read: Split"));
    window.press(CTRL, Key::Backslash);
    window.click("Other");
    assert_eq!(window.opened(), note(1));
    assert!(!window.shows("Groceries"), "the drawer is closed again");
    window.click("Edit, split or read: Read");
    window.click("List of notes");
    assert!(window.shows("Groceries"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.shows("Groceries"));
}

#[test]
fn the_list_is_hidden_and_shown() {
    let mut window = three_notes();
    window.press(CTRL, Key::Backslash);
    assert!(!window.shows("Plan"));
    window.click("List of notes");
    assert!(window.shows("Plan"));
}

#[test]
fn the_menu_has_what_the_keys_have() {
    let mut window = three_notes();
    window.click("Plan");
    window.click("More");
    window.click_part("Leave, keep the text");
    assert!(matches!(window.asked.last(), Some(Command::Leave(left)) if *left == note(2)));
    window.click("More");
    window.click_part("Settings");
    assert!(window.shows("Data: ".to_owned().as_str()) || window.shows_part("Port for sharing"));
}

#[test]
fn the_command_line_hosts_and_joins() {
    let wishes = Wishes { host: Some(([127, 0, 0, 1], 8765).into()), join: None };
    let window = Window::new(Setup { wishes, ..Setup::default() });
    assert!(window.asked.iter().any(|command| matches!(command, Command::Share { listen: Some(_), .. })));
    let wishes = Wishes { host: None, join: Some("http://a:1/#n.t".into()) };
    let window = Window::new(Setup { wishes, ..Setup::default() });
    assert!(window.asked.iter().any(|command| matches!(command, Command::Join { .. })));
}

#[test]
fn a_missing_chinese_font_is_a_hint() {
    let mut setup = Setup::default();
    setup.settings.language = Tongue::Chinese;
    setup.chinese_font = false;
    let window = Window::new(setup);
    assert!(window.shows_part("No installed font has Chinese characters"));
    let window = Window::with_text("# 标题");
    assert!(!window.shows_part("No installed font"));
}

#[test]
fn a_hub_that_ends_is_said() {
    let mut window = three_notes();
    window.end_hub();
    assert!(window.shows_part("The part that stores notes has ended."));
    window.type_text("still here");
    assert!(window.text().ends_with("still here"));
}

#[test]
fn a_window_that_nobody_touches_asks_for_no_frame() {
    let mut window = three_notes();
    window.harness.run_steps(330);
    assert!(window.next_frame_in() > std::time::Duration::from_secs(60), "{:?}", window.next_frame_in());
}
