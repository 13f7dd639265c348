//! The text of a note: typing, undo, input methods, other people.

mod support;

use eframe::egui::{Event, ImeEvent, Key, Modifiers, OutputCommand};
use egui_kittest::kittest::{NodeT, Queryable};
use notes_core::link::{Event as Told, Status};
use support::{CTRL, CTRL_SHIFT, Window, note};

fn preedit(window: &mut Window, text: &str) {
    window.harness.event(Event::Ime(ImeEvent::Preedit { text: text.into(), active_range_chars: None }));
    window.settle();
}

#[test]
fn what_is_typed_reaches_the_hub() {
    let mut window = Window::with_text("# A\n");
    window.type_text("你好, world");
    window.press(Modifiers::NONE, Key::Enter);
    window.type_text("🎉");
    assert_eq!(window.text(), "# A\n你好, world\n🎉");
    assert_eq!(window.hub_text(), window.text());
    window.press(Modifiers::NONE, Key::Backspace);
    window.press(Modifiers::NONE, Key::Backspace);
    assert_eq!(window.hub_text(), "# A\n你好, world");
}

#[test]
fn undo_takes_back_ones_own_changes_only() {
    let mut window = Window::with_text("one\n");
    window.type_text("mine");
    let mut ada = window.guest("Ada", [1, 2, 3]);
    ada.insert(0, "hers ");
    window.hear(&mut ada);
    assert_eq!(window.text(), "hers one\nmine");
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), "hers one\n");
    assert_eq!(window.hub_text(), "hers one\n");
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), "hers one\n", "what Ada wrote is not ours to undo");
    window.press(CTRL, Key::Y);
    assert_eq!(window.hub_text(), "hers one\nmine");
    window.press(CTRL, Key::Z);
    window.press(CTRL_SHIFT, Key::Z);
    assert_eq!(window.hub_text(), "hers one\nmine");
}

#[test]
fn the_caret_and_the_selection_move_with_what_others_do() {
    let mut window = Window::with_text("hello 世界");
    window.select(6, 12);
    let mut ada = window.guest("Ada", [1, 2, 3]);
    ada.insert(0, "早 ");
    window.hear(&mut ada);
    assert_eq!(window.selection(), (10, 16));
    window.type_text("X");
    assert_eq!(window.hub_text(), "早 hello X");
    ada.delete(0..4);
    window.hear(&mut ada);
    assert_eq!(window.selection(), (7, 7));
    window.type_text("Y");
    assert_eq!(window.hub_text(), "hello XY");
}

#[test]
fn a_composition_is_seen_by_nobody_until_it_is_committed() {
    let mut window = Window::with_text("a");
    let before = window.updates;
    preedit(&mut window, "ni");
    preedit(&mut window, "ni hao");
    assert_eq!((window.text().as_str(), window.hub_text().as_str()), ("ani hao", "a"));
    let mut ada = window.guest("Ada", [1, 2, 3]);
    ada.insert(0, "> ");
    window.hear(&mut ada);
    assert_eq!(window.text(), "ani hao", "what others do waits");
    window.harness.event(Event::Ime(ImeEvent::Commit("你好".into())));
    window.settle();
    assert_eq!((window.text(), window.hub_text()), ("> a你好".into(), "> a你好".into()));
    assert_eq!(window.updates - before, 1, "one update");
    assert_eq!(window.selection(), (9, 9));
    window.press(CTRL, Key::Z);
    assert_eq!(window.hub_text(), "> a");
}

#[test]
fn a_composition_that_is_given_up_has_never_been() {
    let mut window = Window::with_text("a");
    let before = window.updates;
    preedit(&mut window, "zhong");
    preedit(&mut window, "");
    assert_eq!((window.text(), window.hub_text()), ("a".into(), "a".into()));
    window.settle();
    assert_eq!(window.updates, before);
    window.type_text("b");
    assert_eq!(window.hub_text(), "ab");
}

#[test]
fn keys_write_marks() {
    let mut window = Window::with_text("word");
    window.select(0, 4);
    window.press(CTRL, Key::B);
    assert_eq!(window.hub_text(), "**word**");
    window.press(CTRL, Key::B);
    window.press(CTRL, Key::I);
    assert_eq!(window.hub_text(), "*word*");
    window.press(CTRL, Key::I);
    window.press(CTRL, Key::Backtick);
    assert_eq!(window.hub_text(), "`word`");
    window.press(CTRL, Key::Backtick);
    window.press(CTRL_SHIFT, Key::C);
    assert_eq!(window.hub_text(), "- [ ] word");
    window.press(CTRL_SHIFT, Key::C);
    assert_eq!(window.hub_text(), "- [x] word");
}

#[test]
fn enter_goes_on_with_a_list() {
    let mut window = Window::with_text("- [ ] milk");
    window.press(Modifiers::NONE, Key::Enter);
    window.type_text("米");
    assert_eq!(window.hub_text(), "- [ ] milk\n- [ ] 米");
    window.press(Modifiers::NONE, Key::Enter);
    window.press(Modifiers::NONE, Key::Enter);
    window.type_text("end");
    assert_eq!(window.hub_text(), "- [ ] milk\n- [ ] 米\nend");
}

#[test]
fn a_click_on_a_chip_follows_somebody() {
    let mut window = Window::with_text(Box::leak("line\n".repeat(200).into_boxed_str()));
    let mut ada = window.guest("Ada", [0x7c, 0x3a, 0xed]);
    ada.select(Some((900, 900)));
    window.hear(&mut ada);
    window.click("Follow Ada");
    assert!(window.shows("Following Ada"));
    let followed =
        |window: &Window| window.harness.state().open.as_ref().and_then(|open| open.editor.followed());
    assert_eq!(followed(&window), Some(ada.client()));
    window.type_text("x");
    assert_eq!(followed(&window), None, "who types goes their own way");
}

#[test]
fn a_reaction_reaches_the_others() {
    let mut window = Window::with_text("note");
    window.status(notes_core::link::Status::Hosting { port: 8765 });
    let mut ada = window.guest("Ada", [1, 2, 3]);
    window.select(2, 2);
    window.press(CTRL, Key::Period);
    window.click("🎉");
    let mut heard = Vec::new();
    for frame in window.awareness.drain(..) {
        ada.receive(&frame, 5_000).expect("a frame");
        heard.extend(ada.reactions());
    }
    let heard: Vec<_> = heard.iter().map(|thrown| (thrown.text.as_str(), thrown.at)).collect();
    assert_eq!(heard, [("🎉", Some(2))], "beside the caret, although the dialog had the keyboard");
    ada.select(Some((2, 2)));
    ada.react("谢谢");
    window.hear(&mut ada);
}

#[test]
fn a_long_note_is_laid_out_once_and_then_line_by_line() {
    let mut window = Window::with_text(Box::leak("some *words* here\n".repeat(1_000).into_boxed_str()));
    let laid_out =
        |window: &Window| window.harness.state().open.as_ref().expect("open").editor.lines_laid_out();
    let before = laid_out(&window);
    assert!(before >= 1_001);
    window.select(9_000, 9_000);
    let before = laid_out(&window).max(before);
    for letter in ["a", "中", "b"] {
        window.type_text(letter);
    }
    assert_eq!(laid_out(&window) - before, 3, "a line for each letter");
}

/// The host lets us only read, or write again.
fn read_only(window: &mut Window, read_only: bool) {
    window.send(Told::ReadOnly(note(0), read_only));
    window.settle();
}

fn field_is_read_only(window: &Window) -> bool {
    window.harness.get_by_label("Text of the note").accesskit_node().is_read_only()
}

#[test]
fn a_note_that_is_only_read_takes_nothing() {
    let mut window = Window::with_text("- [ ] milk\n\n");
    window.status(Status::Live { round_trip_ms: None });
    window.type_text("mine");
    preedit(&mut window, "ni");
    assert!(window.shows("Saving…") && !window.shows("Read-only") && !field_is_read_only(&window));
    read_only(&mut window, true);
    let text = "- [ ] milk\n\nmine";
    assert_eq!(window.text(), text, "what was being composed has never been");
    assert!(window.shows("Read-only") && !window.shows("Saving…") && field_is_read_only(&window));
    let updates = window.updates;
    for (anchor, head) in [(16, 16), (6, 10)] {
        window.select(anchor, head);
        window.type_text("x");
        for event in [Event::Paste("pasted".into()), Event::Cut, Event::Ime(ImeEvent::Commit("你好".into()))]
        {
            window.select(anchor, head);
            window.harness.event(event);
            window.settle();
        }
        preedit(&mut window, "ni");
        for key in [Key::Enter, Key::Backspace, Key::Delete, Key::Tab] {
            window.select(anchor, head);
            window.press(Modifiers::NONE, key);
        }
        for (modifiers, key) in [(CTRL, Key::Z), (CTRL, Key::Y), (CTRL, Key::B), (CTRL_SHIFT, Key::C)] {
            window.select(anchor, head);
            window.press(modifiers, key);
        }
        assert_eq!(window.text(), text);
    }
    window.press(CTRL, Key::E);
    window.click_box("milk");
    assert_eq!((window.text().as_str(), window.hub_text().as_str(), window.updates), (text, text, updates));
}

#[test]
fn a_note_that_is_only_read_is_copied_and_followed() {
    let mut window = Window::with_text("- [ ] milk\n");
    read_only(&mut window, true);
    window.select(6, 10);
    window.harness.event(Event::Copy);
    window.harness.run_steps(1);
    let commands = &window.harness.output().platform_output.commands;
    assert!(
        commands.iter().any(|command| matches!(command, OutputCommand::CopyText(text) if text == "milk"))
    );
    window.settle();
    let mut ada = window.guest("Ada", [1, 2, 3]);
    ada.insert(6, "oat ");
    window.hear(&mut ada);
    assert_eq!((window.text().as_str(), window.selection()), ("- [ ] oat milk\n", (6, 14)));
    read_only(&mut window, false);
    window.type_text("drink");
    assert_eq!(window.hub_text(), "- [ ] drink\n");
    window.press(CTRL, Key::E);
    window.click_box("drink");
    assert_eq!(window.hub_text(), "- [x] drink\n");
}
