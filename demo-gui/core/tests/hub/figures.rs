//! How large and how quick it is with many notes. The figures of the documentation are of
//! `NOTES_FIGURES=1000 cargo test --release -p notes-core --test hub -- --nocapture figures`.

use std::fs;
use std::time::Instant;

use notes_core::link::{Command, NoteId};
use tempfile::tempdir;

use crate::desk::{Desk, until};

/// Of this process, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn many_notes() {
    let count = std::env::var("NOTES_FIGURES").map_or(60, |count| count.parse().unwrap());
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    let line = "A line of a note, with 中文 in it, as people write them.\n";
    for n in 0..count {
        let text = format!("# Note {n}\n\n{}", line.repeat(40));
        desk.ask(Command::Create { note: NoteId(format!("n{n}")), text });
        desk.pump();
    }
    until(&mut [&mut desk], |desks| desks[0].notes.len() == count + 1);
    drop(desk);
    let files: u64 = fs::read_dir(folder.path().join("notes"))
        .unwrap()
        .map(|f| f.unwrap().metadata().unwrap().len())
        .sum();
    let store = fs::metadata(folder.path().join("notes.redb")).unwrap().len();
    let (before, start) = (resident(), Instant::now());
    let mut desk = Desk::new("a", folder.path());
    let started = start.elapsed();
    until(&mut [&mut desk], |desks| desks[0].notes.len() == count + 1);
    let listed = start.elapsed();
    let with_list = resident();
    let start = Instant::now();
    desk.ask(Command::Search { id: 1, query: "中文".into() });
    until(&mut [&mut desk], |desks| desks[0].found.contains_key(&1));
    desk.ask(Command::Search { id: 2, query: "nowhere to be found".into() });
    until(&mut [&mut desk], |desks| desks[0].found.contains_key(&2));
    let searched = start.elapsed();
    println!("{count} notes: {} KiB of .md files, {} KiB of store", files >> 10, store >> 10);
    println!("started in {started:?}, listed after {listed:?}, {} KiB more memory", with_list - before);
    println!("two searches in {searched:?}, then {} KiB more memory", resident() - before);
    println!("longest turn {} us of CPU", desk.hub.turns().longest_us());
}
