//! One window, no network.

use std::fs;

use notes_core::hub::{Hub, HubOptions};
use notes_core::link::{Command, Failure, NoteId, Place, Status};
use tempfile::tempdir;

use crate::desk::{Desk, until};

#[test]
fn an_empty_folder_gets_a_first_note() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| desks[0].titles() == ["Welcome / 欢迎"]);
    let note = desk.notes[0].note.clone();
    desk.open(&note);
    until(&mut [&mut desk], |desks| {
        desks[0].text(&note).contains("分享") && desks[0].status(&note).is_some()
    });
    assert_eq!(desk.status(&note), Some(&Status::Device));
    assert_eq!((note.0.len(), desk.notes[0].place, desk.notes[0].people), (26, Place::Device, 0));
    drop(desk);
    // It is a note like any other: once is enough.
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| desks[0].titles() == ["Welcome / 欢迎"]);
}

#[test]
fn what_is_typed_is_there_again() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("mine", "# 学习\n");
    desk.type_in(&note, "心跳 👩‍👩‍👧");
    desk.until_saved(&note);
    desk.type_in(&note, "!");
    until(&mut [&mut desk], |desks| desks[0].titles().contains(&"学习"));
    desk.pump();
    drop(desk);
    assert_eq!(fs::read_to_string(folder.path().join("notes/学习.md")).unwrap(), "# 学习\n心跳 👩‍👩‍👧!");
    let mut desk = Desk::new("b", folder.path());
    desk.open(&note);
    until(&mut [&mut desk], |desks| desks[0].text(&note) == "# 学习\n心跳 👩‍👩‍👧!");
}

#[test]
fn two_hubs_do_not_share_a_folder() {
    let folder = tempdir().unwrap();
    let _desk = Desk::new("a", folder.path());
    let options =
        HubOptions { data: folder.path().to_owned(), markdown: None, port: 0, wake: Box::new(|| {}) };
    let error = Hub::start(options).err().unwrap();
    assert!(error.contains("in use by another process"), "{error}");
}

#[test]
fn pins_come_first_and_the_newest_next() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    // The first note and this one are not to be made in the same millisecond.
    until(&mut [&mut desk], |desks| !desks[0].notes.is_empty());
    std::thread::sleep(std::time::Duration::from_millis(2));
    let one = desk.create("one", "one");
    std::thread::sleep(std::time::Duration::from_millis(2));
    desk.create("two", "two");
    until(&mut [&mut desk], |desks| desks[0].titles().starts_with(&["two", "one"]));
    desk.ask(Command::Pin(one.clone(), true));
    until(&mut [&mut desk], |desks| desks[0].titles().starts_with(&["one", "two"]));
    assert!(desk.notes[0].pinned);
    drop(desk);
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| !desks[0].notes.is_empty());
    assert_eq!(desk.titles()[..2], ["one", "two"]);
}

#[test]
fn deleting_can_be_undone_until_the_program_ends() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("notes/gone.md");
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("gone", "gone");
    let stays = desk.create("stays", "stays");
    desk.ask(Command::Delete(note.clone()));
    until(&mut [&mut desk], |desks| !desks[0].titles().contains(&"gone"));
    desk.ask(Command::Restore(note.clone()));
    until(&mut [&mut desk], |desks| desks[0].titles().contains(&"gone"));
    desk.open(&note);
    until(&mut [&mut desk], |desks| desks[0].text(&note) == "gone");
    until(&mut [&mut desk], |_| file.exists());
    desk.ask(Command::Delete(note.clone()));
    until(&mut [&mut desk], |desks| !desks[0].titles().contains(&"gone"));
    drop(desk);
    assert!(!file.exists());
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| desks[0].titles().contains(&"stays"));
    assert!(!desk.titles().contains(&"gone"));
    desk.ask(Command::Restore(note.clone()));
    desk.ask(Command::Open(note.clone()));
    until(&mut [&mut desk], |desks| desks[0].failures.len() == 2);
    assert_eq!(desk.failures[0], Failure::NoSuchNote(note));
    desk.open(&stays);
    until(&mut [&mut desk], |desks| desks[0].text(&stays) == "stays");
}

#[test]
fn a_search_finds_every_script_in_every_note() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    desk.create("one", "# One\nread the 学习笔记 twice, 学习");
    desk.create("two", "# Two\nLEARNING");
    desk.ask(Command::Search { id: 1, query: "学习".into() });
    desk.ask(Command::Search { id: 2, query: "learn".into() });
    until(&mut [&mut desk], |desks| desks[0].found.contains_key(&2));
    drop(desk);
    // Not loaded: from the store.
    let mut desk = Desk::new("a", folder.path());
    for (id, query, expected) in [(3, "学习", 2), (4, "learn", 1), (5, "", 0), (6, "nowhere at all", 0)] {
        desk.ask(Command::Search { id, query: query.into() });
        until(&mut [&mut desk], |desks| desks[0].found.contains_key(&id));
        assert_eq!(desk.found[&id].len(), expected, "{query}");
    }
    let hit = &desk.found[&3][0];
    assert_eq!(
        (hit.note.clone(), hit.line.as_str()),
        (NoteId("one".into()), "read the 学习笔记 twice, 学习")
    );
    assert_eq!(&hit.line[hit.in_line.clone()], "学习");
}

#[test]
fn a_window_that_does_not_read_loses_nothing() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("busy", "");
    let card = desk.share(&note);
    let other = tempdir().unwrap();
    let mut far = Desk::new("b", other.path());
    let joined = far.join(&card.edit);
    until(&mut [&mut desk, &mut far], |desks| matches!(desks[1].status(&joined), Some(Status::Live { .. })));
    // More frames than the channel to the window holds, while the window sleeps.
    let events = desk.hub.events.clone();
    let mut typed = 0;
    while !events.is_full() {
        far.type_in(&joined, "x");
        far.pump();
        typed += 1;
        assert!(typed < 200_000, "the channel never fills");
        if typed % 64 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    (0..100).for_each(|_| far.type_in(&joined, "y"));
    far.pump();
    desk.ask(Command::Search { id: 9, query: "x".into() });
    let all = "x".repeat(typed) + &"y".repeat(100);
    until(&mut [&mut desk, &mut far], |desks| desks[0].text(&note) == all);
    until(&mut [&mut desk], |desks| desks[0].found.contains_key(&9));
}
