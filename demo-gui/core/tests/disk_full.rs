//! A disk that refuses: the window is told once, what was typed stays in memory, and it is written when there is room.

#[path = "support/disk.rs"]
mod disk;

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use notes_core::link::NoteId;
use notes_core::store::writer::{Answer, Job, Writer};
use notes_core::store::{Meta, Write};
use tempfile::tempdir;

static FULL: AtomicBool = AtomicBool::new(false);

fn room(_: &'static str) -> io::Result<()> {
    if FULL.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

#[test]
fn what_cannot_be_written_is_written_later() {
    let folder = tempdir().unwrap();
    let store = disk::open(folder.path(), room);
    let writer = Writer::start(store.clone(), folder.path().join("notes"), |_| {}).unwrap();
    let note = NoteId("n".into());
    let append = |text: &str| Job::Commit(vec![Write::Append(note.clone(), vec![text.into()])]);
    writer.ask(append("first"));
    assert!(matches!(writer.answers.recv().unwrap(), Answer::Committed));
    FULL.store(true, SeqCst);
    writer.ask(append("second"));
    writer.ask(Job::Commit(vec![Write::Meta(note.clone(), Meta::default())]));
    assert!(matches!(writer.answers.recv().unwrap(), Answer::Failed(_)));
    FULL.store(false, SeqCst);
    let mut committed = 0;
    while committed < 2 {
        committed += u64::from(matches!(writer.answers.recv().unwrap(), Answer::Committed));
    }
    assert_eq!(store.load(&note).unwrap().updates, [b"first".to_vec(), b"second".to_vec()]);
    assert_eq!(store.notes().unwrap().len(), 1);
    // A program that ends on a full disk ends all the same.
    FULL.store(true, SeqCst);
    writer.ask(append("third"));
    let answers = writer.answers.clone();
    drop(writer);
    assert!(answers.try_iter().any(|answer| matches!(answer, Answer::Failed(_))));
}
