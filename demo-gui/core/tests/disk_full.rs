//! A disk that refuses: the window is told once, what was typed stays in memory, and it is written when there is room.

use std::fs;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use notes_core::link::NoteId;
use notes_core::store::db::{Store, builder};
use notes_core::store::writer::{Answer, Job, Writer};
use notes_core::store::{Meta, Write};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use tempfile::tempdir;

static FULL: AtomicBool = AtomicBool::new(false);

/// The real file, on a disk that may be full.
#[derive(Debug)]
struct Disk(FileBackend);

fn room() -> Result<(), std::io::Error> {
    if FULL.load(SeqCst) { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        room()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        room()?;
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        room()?;
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), std::io::Error> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

#[test]
fn what_cannot_be_written_is_written_later() {
    let folder = tempdir().unwrap();
    let opener = |path: &Path| {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        builder().create_with_backend(Disk(FileBackend::new(file)?))
    };
    let store = Arc::new(Store::open_with(&folder.path().join("notes.redb"), Box::new(opener)).unwrap());
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
