//! A store on a disk that the test gets to see: every change of the file comes by first.

use std::fs;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use notes_core::store::db::{Store, builder};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Is asked before each change of the file, by the name of the change; an error is what the disk answers with.
type Gate = fn(&'static str) -> io::Result<()>;

/// What is written in one piece; a longer write may be cut between two of them.
const PAGE: usize = 4096;

/// The real file behind a gate.
#[derive(Debug)]
struct Gated(FileBackend, Gate);

impl StorageBackend for Gated {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1("set_len")?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1("sync_data")?;
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        for (n, part) in data.chunks(PAGE).enumerate() {
            self.1(if n == 0 { "write" } else { "rest of a write" })?;
            self.0.write(offset + (n * PAGE) as u64, part)?;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

/// The store of a folder, made if it is not there.
pub fn open(folder: &Path, gate: Gate) -> Arc<Store> {
    let opener = move |path: &Path| {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        builder().create_with_backend(Gated(FileBackend::new(file)?, gate))
    };
    Arc::new(Store::open_with(&folder.join("notes.redb"), Box::new(opener)).expect("a store"))
}
