//! The database: updates and snapshots, what is known of each note, and its text.

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    WriteTransaction,
};

use super::{Meta, StoreError, Write};
use crate::link::NoteId;

/// What the tables below mean; a change of it needs a migration.
const SCHEMA: u64 = 1;

/// Pages that are kept in memory.
const CACHE: usize = 8 << 20;

const SETTINGS: TableDefinition<&str, u64> = TableDefinition::new("settings");
/// JSON of [`Meta`]: new fields get their defaults.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// One update (encoding v1) that holds everything up to the last settling.
const SNAPSHOTS: TableDefinition<&str, &[u8]> = TableDefinition::new("snapshots");
/// Updates since then, in order.
const UPDATES: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("updates");
/// The text at the last settling.
const TEXTS: TableDefinition<&str, &str> = TableDefinition::new("texts");
/// Names of `.md` files: whose it is, and a hash of what we wrote there last. A name is here before the file is, and as
/// long as it is: a file that is not here is nobody's.
const FILES: TableDefinition<&str, (&str, u64)> = TableDefinition::new("files");

/// Makes the database of a path; tests put a failing disk below it.
pub type Opener = Box<dyn Fn(&Path) -> Result<Database, DatabaseError> + Send + Sync>;

/// The open database. Readers see the last commit and wait for nobody.
pub struct Store {
    path: PathBuf,
    opener: Opener,
    /// None between a failed write and the next successful opening.
    db: RwLock<Option<Database>>,
}

/// A note's state as the store has it: apply the snapshot, then the updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Everything up to the last settling.
    pub snapshot: Option<Vec<u8>>,
    /// What came after it.
    pub updates: Vec<Vec<u8>>,
}

/// A `.md` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Its name in the folder.
    pub name: String,
    /// Whose it is.
    pub note: NoteId,
    /// Of what we wrote there last; 0: it is not yet written.
    pub hash: u64,
}

/// What a commit changes in the records of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// New or changed.
    pub put: Vec<FileRecord>,
    /// Names that are nobody's any more.
    pub gone: Vec<String>,
}

impl FileChanges {
    /// And then these: they may say something else of the same names.
    pub fn append(&mut self, later: FileChanges) {
        self.put.retain(|file| !later.gone.contains(&file.name));
        self.gone.retain(|name| later.put.iter().all(|file| file.name != *name));
        self.put.extend(later.put);
        self.gone.extend(later.gone);
    }

    /// Nothing.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.gone.is_empty()
    }
}

/// The settings of the real database: every page's checksum is verified when it is opened, so damage shows at once and
/// not in the middle of an evening.
pub fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

impl Store {
    /// Opens the database, or makes an empty one.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        Store::open_with(path, Box::new(|path| builder().create(path)))
    }

    /// The same, on what `opener` makes.
    pub fn open_with(path: &Path, opener: Opener) -> Result<Store, StoreError> {
        let db = open_checked(path, &opener)?;
        Ok(Store { path: path.to_owned(), opener, db: RwLock::new(Some(db)) })
    }

    /// After a failed write the database takes no more: it is closed and opened again.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        drop(db.take());
        *db = Some(open_checked(&self.path, &self.opener)?);
        Ok(())
    }

    /// Every note that is known, in no order.
    pub fn notes(&self) -> Result<Vec<(NoteId, Meta)>, StoreError> {
        self.with(|db| {
            let table = db.begin_read()?.open_table(META)?;
            let mut notes = Vec::new();
            for entry in table.iter()? {
                let (note, meta) = entry?;
                let meta = serde_json::from_slice(meta.value())
                    .map_err(|error| redb::Error::Corrupted(format!("{}: {error}", note.value())))?;
                notes.push((NoteId(note.value().to_owned()), meta));
            }
            Ok(notes)
        })
    }

    /// The notes that have updates after their last settling: their texts are behind.
    pub fn unsettled(&self) -> Result<Vec<NoteId>, StoreError> {
        self.with(|db| {
            let table = db.begin_read()?.open_table(UPDATES)?;
            let mut notes: Vec<NoteId> = Vec::new();
            // One look per note, however many updates it has.
            loop {
                let after = notes.last().map(|note| (note.0.as_str(), u64::MAX));
                let after = after.map_or(Bound::Unbounded, Bound::Excluded);
                let next = table.range::<(&str, u64)>((after, Bound::Unbounded))?.next().transpose()?;
                match next.map(|(key, _)| key.value().0.to_owned()) {
                    Some(note) => notes.push(NoteId(note)),
                    None => return Ok(notes),
                }
            }
        })
    }

    /// A note's state.
    pub fn load(&self, note: &NoteId) -> Result<Loaded, StoreError> {
        let note = note.0.as_str();
        self.with(|db| {
            let read = db.begin_read()?;
            let snapshot = read.open_table(SNAPSHOTS)?.get(note)?.map(|value| value.value().to_vec());
            let table = read.open_table(UPDATES)?;
            let mut updates = Vec::new();
            for entry in table.range((note, 0)..=(note, u64::MAX))? {
                updates.push(entry?.1.value().to_vec());
            }
            Ok(Loaded { snapshot, updates })
        })
    }

    /// The text at the last settling.
    pub fn text(&self, note: &NoteId) -> Result<Option<String>, StoreError> {
        self.with(|db| {
            let table = db.begin_read()?.open_table(TEXTS)?;
            Ok(table.get(note.0.as_str())?.map(|text| text.value().to_owned()))
        })
    }

    /// The `.md` files of all notes.
    pub fn files(&self) -> Result<Vec<FileRecord>, StoreError> {
        self.with(|db| {
            let table = db.begin_read()?.open_table(FILES)?;
            let mut files = Vec::new();
            for entry in table.iter()? {
                let (name, file) = entry?;
                let (note, hash) = file.value();
                files.push(FileRecord { name: name.value().to_owned(), note: NoteId(note.to_owned()), hash });
            }
            Ok(files)
        })
    }

    /// Writes all of it or nothing, and waits until the disk has it.
    pub fn commit(&self, writes: &[Write], files: &FileChanges) -> Result<(), StoreError> {
        self.with(|db| {
            let txn = db.begin_write()?;
            for write in writes {
                apply(&txn, write)?;
            }
            let mut table = txn.open_table(FILES)?;
            for name in &files.gone {
                table.remove(name.as_str())?;
            }
            for file in &files.put {
                table.insert(file.name.as_str(), (file.note.0.as_str(), file.hash))?;
            }
            drop(table);
            Ok(txn.commit()?)
        })
    }

    /// Gives back the space of what is gone, when the program ends.
    pub fn compact(&self) -> Result<(), StoreError> {
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let Some(db) = db.as_mut() else { return Err(closed()) };
        contained(|| match db.compact() {
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Io(error.to_string())),
        })
    }

    fn with<R>(&self, ask: impl FnOnce(&Database) -> Result<R, redb::Error>) -> Result<R, StoreError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let Some(db) = db.as_ref() else { return Err(closed()) };
        contained(|| ask(db).map_err(StoreError::from))
    }
}

fn closed() -> StoreError {
    StoreError::Io("the store is closed after a failed write".into())
}

fn apply(txn: &WriteTransaction, write: &Write) -> Result<(), redb::Error> {
    let note = write.note().0.as_str();
    match write {
        Write::Append(_, updates) => {
            let mut table = txn.open_table(UPDATES)?;
            let last = table.range((note, 0)..=(note, u64::MAX))?.next_back().transpose()?;
            let next = last.map_or(0, |(key, _)| key.value().1 + 1);
            for (at, update) in (next..).zip(updates) {
                table.insert((note, at), update.as_slice())?;
            }
        }
        Write::Settle { snapshot, text, .. } => {
            forget_updates(txn, note)?;
            txn.open_table(SNAPSHOTS)?.insert(note, snapshot.as_slice())?;
            txn.open_table(TEXTS)?.insert(note, text.as_str())?;
        }
        Write::Meta(_, meta) => {
            let json = serde_json::to_vec(meta).map_err(|error| redb::Error::Corrupted(error.to_string()))?;
            txn.open_table(META)?.insert(note, json.as_slice())?;
        }
        Write::Purge(_) => {
            forget_updates(txn, note)?;
            txn.open_table(SNAPSHOTS)?.remove(note)?;
            txn.open_table(TEXTS)?.remove(note)?;
            txn.open_table(META)?.remove(note)?;
        }
    }
    Ok(())
}

fn forget_updates(txn: &WriteTransaction, note: &str) -> Result<(), redb::Error> {
    let mut table = txn.open_table(UPDATES)?;
    Ok(table.retain_in((note, 0)..=(note, u64::MAX), |_, _| false)?)
}

fn open_checked(path: &Path, opener: &Opener) -> Result<Database, StoreError> {
    let io = |error: std::io::Error| StoreError::Io(format!("{}: {error}", path.display()));
    if !path.try_exists().map_err(io)? {
        // Made under another name, so that a database is there as a whole or not at all.
        let new = path.with_extension("redb.new");
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => drop(open_at(&new, opener)?),
        }
        std::fs::rename(&new, path).map_err(io)?;
    }
    open_at(path, opener)
}

fn open_at(path: &Path, opener: &Opener) -> Result<Database, StoreError> {
    contained(|| {
        let db = match opener(path) {
            Ok(db) => db,
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::InUse(path.to_owned())),
            Err(error) => return Err(not_opened(path, error)),
        };
        check_schema(&db)?;
        Ok(db)
    })
}

/// The database's own complaints are damage, those of the system are not: a disk that is full is no reason to set a
/// store aside.
fn not_opened(path: &Path, error: DatabaseError) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error {
        DatabaseError::Storage(StorageError::Io(error)) if !is_damage(&error) => StoreError::Io(text),
        _ => StoreError::Damaged(text),
    }
}

/// A file that is cut short, or that is no database at all, is reported like a failure of the system.
fn is_damage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// The schema is there; a new database gets it, with all its tables.
fn check_schema(db: &Database) -> Result<(), StoreError> {
    let found = (|| -> Result<Option<u64>, redb::Error> {
        let txn = db.begin_write()?;
        let found = txn.open_table(SETTINGS)?.get("schema")?.map(|value| value.value());
        if found.is_none() {
            txn.open_table(SETTINGS)?.insert("schema", SCHEMA)?;
            txn.open_table(META)?;
            txn.open_table(SNAPSHOTS)?;
            txn.open_table(UPDATES)?;
            txn.open_table(TEXTS)?;
            txn.open_table(FILES)?;
            txn.commit()?;
        }
        Ok(found)
    })()?;
    match found {
        Some(schema) if schema > SCHEMA => Err(StoreError::Newer(schema)),
        _ => Ok(()),
    }
}

/// A damaged file may break an assertion inside the database: that is damage too, and not the end of the program.
fn contained<R>(work: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(StoreError::Damaged(text.unwrap_or_else(|| "it breaks the database".into())))
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> StoreError {
        match error {
            redb::Error::Corrupted(what) => StoreError::Damaged(what),
            redb::Error::TableTypeMismatch { .. } | redb::Error::TypeDefinitionChanged { .. } => {
                StoreError::Damaged(error.to_string())
            }
            other => StoreError::Io(other.to_string()),
        }
    }
}
