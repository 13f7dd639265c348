//! The folder of `.md` files, and a store that is damaged.

use std::fs;
use std::path::Path;

use notes_core::link::Failure;
use tempfile::tempdir;

use crate::desk::{Desk, until};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_file_follows_its_note() {
    let folder = tempdir().unwrap();
    let files = folder.path().join("notes");
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("n", "# One\n");
    until(&mut [&mut desk], |_| read(&files.join("One.md")) == "# One\n");
    desk.peer(&note).replace(2..5, "Two: a/b");
    until(&mut [&mut desk], |_| read(&files.join("Two a b.md")) == "# Two: a/b\n");
    assert!(!files.join("One.md").exists());
    // Another note of the same title has a file of its own.
    desk.create("m", "# Two: a/b\nother");
    until(&mut [&mut desk], |_| read(&files.join("Two a b 2.md")).ends_with("other"));
    let left = fs::read_dir(&files).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| name.ends_with(".md") && !name.starts_with('.')));
}

#[test]
fn an_outside_edit_is_merged_while_another_edits() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let file = here.path().join("notes/List.md");
    let (mut host, mut guest) = (Desk::new("a", here.path()), Desk::new("b", there.path()));
    let note = host.create("n", "# List\nmilk\nbread\n");
    let card = host.share(&note);
    let joined = guest.join(&card.edit);
    until(&mut [&mut host, &mut guest], |desks| {
        desks[1].text(&joined) == "# List\nmilk\nbread\n" && read(&file) == "# List\nmilk\nbread\n"
    });
    // The other types on while the file is written by hand.
    fs::write(&file, "# List\nmilk, 2 l\nbread\n鸡蛋\n").unwrap();
    for letter in ["b", "u", "t", "t", "e", "r"] {
        guest.type_in(&joined, letter);
        guest.pump();
        host.pump();
    }
    let merged = |text: &str| {
        text.starts_with("# List\nmilk, 2 l\nbread\n") && text.contains("butter") && text.contains("鸡蛋\n")
    };
    until(&mut [&mut host, &mut guest], |desks| {
        merged(desks[0].text(&note))
            && desks[0].text(&note) == desks[1].text(&joined)
            && read(&file) == desks[0].text(&note)
    });
    assert_eq!(host.text(&note).matches("鸡蛋").count(), 1);
}

#[test]
fn a_file_edited_while_we_were_away_is_merged() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("notes/Plan.md");
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("n", "# Plan\n\nold\n");
    desk.until_saved(&note);
    drop(desk);
    assert_eq!(read(&file), "# Plan\n\nold\n");
    fs::write(&file, "# Plan\r\n\r\nold\r\nnew\r\n").unwrap();
    let mut desk = Desk::new("a", folder.path());
    desk.open(&note);
    until(&mut [&mut desk], |desks| desks[0].text(&note) == "# Plan\n\nold\nnew\n");
    until(&mut [&mut desk], |_| read(&file) == "# Plan\n\nold\nnew\n");
}

#[test]
fn a_file_that_is_nobodys_becomes_a_note() {
    let folder = tempdir().unwrap();
    let files = folder.path().join("notes");
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("before.md"), "# Before\ntext").unwrap();
    fs::write(files.join("binary.md"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(files.join("other.txt"), "no note").unwrap();
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| desks[0].titles() == ["Before"]);
    fs::write(files.join("later.md"), "# Later").unwrap();
    until(&mut [&mut desk], |desks| desks[0].titles().contains(&"Later"));
    drop(desk);
    let mut desk = Desk::new("a", folder.path());
    until(&mut [&mut desk], |desks| !desks[0].notes.is_empty());
    assert_eq!(desk.notes.len(), 2, "{:?}", desk.titles());
    assert_eq!(read(&files.join("before.md")), "# Before\ntext");
    assert!(files.join("binary.md").exists() && files.join("other.txt").exists());
}

/// A folder with two notes, closed.
fn two_notes(folder: &Path) {
    let mut desk = Desk::new("a", folder);
    let one = desk.create("one", "# One\n1");
    desk.until_saved(&one);
    let two = desk.create("two", "# Two\n2");
    desk.until_saved(&two);
}

/// Whatever has become of the store: it opens, and every text is there, from it or from the files.
fn texts_are_there(folder: &Path, what: &str) -> bool {
    let mut desk = Desk::new("a", folder);
    until(&mut [&mut desk], |desks| !desks[0].notes.is_empty());
    let mut titles = desk.titles();
    titles.sort_unstable();
    assert_eq!(
        titles.iter().filter(|title| **title == "One" || **title == "Two").count(),
        2,
        "{what}: {titles:?}"
    );
    let notes: Vec<_> = desk.notes.iter().filter(|line| line.title != "Welcome / 欢迎").cloned().collect();
    for line in notes {
        desk.open(&line.note);
        let text = if line.title == "One" { "# One\n1" } else { "# Two\n2" };
        until(&mut [&mut desk], |desks| desks[0].text(&line.note) == text);
    }
    let aside = desk.failures.iter().find_map(|failure| match failure {
        Failure::SetAside(path) => Some(path.clone()),
        _ => None,
    });
    if let Some(path) = &aside {
        assert!(path.exists(), "{what}");
    }
    aside.is_some()
}

#[test]
fn a_damaged_store_is_set_aside() {
    let folder = tempdir().unwrap();
    two_notes(folder.path());
    let store = folder.path().join("notes.redb");
    let good = fs::read(&store).unwrap();
    let mut set_aside = 0;
    let mut try_out = |bytes: &[u8], what: &str| {
        let copy = tempdir().unwrap();
        fs::create_dir(copy.path().join("notes")).unwrap();
        for name in ["One.md", "Two.md", "Welcome 欢迎.md"] {
            fs::copy(folder.path().join("notes").join(name), copy.path().join("notes").join(name)).unwrap();
        }
        fs::write(copy.path().join("notes.redb"), bytes).unwrap();
        set_aside += usize::from(texts_are_there(copy.path(), what));
    };
    for sixteenth in 1..16 {
        try_out(&good[..good.len() * sixteenth / 16], &format!("cut at {sixteenth}/16"));
    }
    try_out(b"not a database at all", "another file");
    let mut random = crate::hostile::random::Random(5);
    for flip in 0..24 {
        let mut bytes = good.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        try_out(&bytes, &format!("flip {flip} at {at}"));
    }
    assert!(set_aside >= 16, "of 40 only {set_aside} were found to be damaged");
    println!("{set_aside} of 40 were set aside, the others held nothing there");
}
