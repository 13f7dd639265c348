//! The folder of `.md` files: one for each note, readable by anything, and editable by anything.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::db::{FileChanges, FileRecord};
use super::names;
use crate::link::NoteId;
use crate::markdown::title;

/// Files that are larger are not read in: they are no notes.
pub const MAX_FILE: u64 = 8 << 20;

/// Called before each step of a write with the step's name; tests end the process there.
pub type Step = fn(&'static str);

/// When a file was changed and how long it is: enough to see that somebody else wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    mtime_ns: u128,
    len: u64,
}

#[derive(Debug)]
struct Owned {
    name: String,
    /// Of what we wrote there last.
    hash: u64,
    /// Of the file when we last looked at it. None: we have not looked yet.
    stamp: Option<Stamp>,
}

/// What became of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there; the database should know.
    Yes(FileChanges),
    /// Somebody else has changed the file since: their text comes first.
    EditedOutside(Outside),
}

/// What somebody else has written to a note's file.
#[derive(Debug, PartialEq, Eq)]
pub struct Outside {
    /// The text, with our line ends.
    pub text: String,
    /// Of the file as it is.
    pub hash: u64,
}

/// What a look at the folder found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The file of a note holds something that we did not write.
    Edited(NoteId, Outside),
    /// A file that is no note's.
    New {
        /// Its name.
        name: String,
        /// What is in it.
        text: String,
    },
}

/// The folder, and which file is whose.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    owned: HashMap<NoteId, Owned>,
    /// In lower case: some systems make no difference.
    names: HashMap<String, NoteId>,
    /// The next name of a note, where that is not the one it has.
    planned: HashMap<NoteId, String>,
    /// Files that are no notes (too large, not text), so that they are not read again and again.
    ignored: HashMap<String, Stamp>,
    step: Step,
}

/// A text's fingerprint.
pub fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Folder {
    /// Makes the folder if it is not there. Returned are also the records that a crash has left without a use.
    pub fn open(path: PathBuf, known: Vec<FileRecord>, step: Step) -> io::Result<(Folder, FileChanges)> {
        fs::create_dir_all(&path)?;
        let (owned, names) = (HashMap::new(), HashMap::new());
        let mut folder =
            Folder { path, owned, names, planned: HashMap::new(), ignored: HashMap::new(), step };
        let mut changes = FileChanges::default();
        let (there, missing): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|file| folder.path.join(&file.name).is_file());
        // A file that was to be written and is there is newer than the one that it was to replace.
        let (new, old): (Vec<_>, Vec<_>) = there.into_iter().partition(|file| file.hash == 0);
        for file in new.into_iter().chain(old) {
            if folder.owned.contains_key(&file.note) {
                folder.drop_old(&file)?;
                changes.gone.push(file.name);
            } else {
                folder.own(file, None);
            }
        }
        changes.gone.extend(missing.into_iter().map(|file| file.name));
        Ok((folder, changes))
    }

    /// Removes a file that another has replaced, unless somebody has written to it.
    fn drop_old(&self, file: &FileRecord) -> io::Result<()> {
        let path = self.path.join(&file.name);
        match read_text(&path)? {
            Some(text) if hash(&text) == file.hash => remove(&path),
            _ => Ok(()),
        }
    }

    /// Gives a note the file it was found in.
    pub fn adopt(&mut self, note: &NoteId, name: &str, text: &str) -> FileRecord {
        let record = FileRecord { name: name.to_owned(), note: note.clone(), hash: hash(text) };
        let stamp = self.stamp_of(name);
        self.own(record.clone(), stamp);
        record
    }

    /// Chooses the name under which a text will be written. Returned is what the database must know before it is:
    /// otherwise a crash would leave a file that is nobody's.
    pub fn plan(&mut self, note: &NoteId, text: &str) -> FileChanges {
        let wanted = names::file_name(&title(text));
        let mut changes = FileChanges::default();
        let has = self.owned.get(note).is_some_and(|owned| names::fits(&owned.name, &wanted));
        if let Some(planned) = self.planned.remove(note) {
            if !has && names::fits(&planned, &wanted) {
                // The commit that should have told of it has failed.
                changes.put.push(FileRecord { name: planned.clone(), note: note.clone(), hash: 0 });
                self.planned.insert(note.clone(), planned);
                return changes;
            }
            self.names.remove(&planned.to_lowercase());
            changes.gone.push(planned);
        }
        if !has {
            let name = self.free_name(&wanted);
            self.names.insert(name.to_lowercase(), note.clone());
            self.planned.insert(note.clone(), name.clone());
            changes.put.push(FileRecord { name, note: note.clone(), hash: 0 });
        }
        changes
    }

    /// The hash of what we wrote last for a note; None: it has no file.
    pub fn written(&self, note: &NoteId) -> Option<u64> {
        self.owned.get(note).map(|owned| owned.hash)
    }

    /// What the file of a note holds now is known: an outside edit was merged.
    pub fn seen(&mut self, note: &NoteId, hash: u64) -> Option<FileRecord> {
        let owned = self.owned.get_mut(note)?;
        owned.hash = hash;
        Some(FileRecord { name: owned.name.clone(), note: note.clone(), hash })
    }

    /// Writes a note's text, under the name that was planned: a temporary file, then a rename, so that a file is whole at
    /// any moment.
    pub fn write(&mut self, note: &NoteId, text: &str) -> io::Result<Written> {
        if let Some(theirs) = self.edited(note, Some(text))? {
            return Ok(Written::EditedOutside(theirs));
        }
        let old = self.owned.get(note).map(|owned| owned.name.clone());
        let Some(name) = self.planned.get(note).cloned().or_else(|| old.clone()) else {
            return Err(io::Error::other("a file was not planned"));
        };
        self.put(&name, text)?;
        let mut changes = FileChanges::default();
        if let Some(old) = old.filter(|old| *old != name) {
            (self.step)("old file");
            remove(&self.path.join(&old))?;
            self.names.remove(&old.to_lowercase());
            changes.gone.push(old);
        }
        (self.step)("file done");
        self.planned.remove(note);
        let record = FileRecord { name, note: note.clone(), hash: hash(text) };
        let stamp = self.stamp_of(&record.name);
        self.own(record.clone(), stamp);
        changes.put.push(record);
        Ok(Written::Yes(changes))
    }

    fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let temporary = self.path.join(format!(".{name}.tmp"));
        (self.step)("temporary file");
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        (self.step)("sync of the file");
        file.sync_data()?;
        drop(file);
        (self.step)("rename");
        fs::rename(&temporary, self.path.join(name))
    }

    /// Removes the file of a note that is purged; the name is nobody's.
    pub fn remove(&mut self, note: &NoteId) -> io::Result<Option<String>> {
        self.planned.remove(note);
        let Some(owned) = self.owned.get(note) else { return Ok(None) };
        (self.step)("remove");
        remove(&self.path.join(&owned.name))?;
        self.names.remove(&owned.name.to_lowercase());
        Ok(self.owned.remove(note).map(|owned| owned.name))
    }

    /// Looks at every file. What is reported once is not reported again until it changes again.
    pub fn look(&mut self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for entry in fs::read_dir(&self.path)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if !name.ends_with(".md") || name.starts_with('.') {
                continue;
            }
            match self.names.get(&name.to_lowercase()).cloned() {
                Some(note) => {
                    found.extend(self.edited(&note, None)?.map(|outside| Found::Edited(note, outside)));
                }
                None => {
                    found.extend(self.read_new(&name)?.map(|text| Found::New { name: name.clone(), text }));
                }
            }
            seen.insert(name);
        }
        self.ignored.retain(|name, _| seen.contains(name));
        Ok(found)
    }

    /// The text of a note's file if it is neither what we wrote last nor `ours`, which we are about to write.
    fn edited(&mut self, note: &NoteId, ours: Option<&str>) -> io::Result<Option<Outside>> {
        let Some(owned) = self.owned.get_mut(note) else { return Ok(None) };
        let path = self.path.join(&owned.name);
        let stamp = stamp(&path)?;
        if stamp.is_none() || stamp == owned.stamp {
            return Ok(None);
        }
        owned.stamp = stamp;
        let Some(text) = read_text(&path)? else { return Ok(None) };
        let hash = hash(&text);
        let known = hash == owned.hash || ours == Some(&text);
        Ok((!known).then(|| Outside { text: plain(text), hash }))
    }

    fn read_new(&mut self, name: &str) -> io::Result<Option<String>> {
        let path = self.path.join(name);
        let Some(stamp) = stamp(&path)? else { return Ok(None) };
        if self.ignored.get(name) == Some(&stamp) {
            return Ok(None);
        }
        let text = read_text(&path)?.map(plain);
        // Reported, it will be adopted; until then, and if it is no text, it is not read again.
        self.ignored.insert(name.to_owned(), stamp);
        Ok(text)
    }

    fn stamp_of(&self, name: &str) -> Option<Stamp> {
        stamp(&self.path.join(name)).ok().flatten()
    }

    fn own(&mut self, file: FileRecord, stamp: Option<Stamp>) {
        self.ignored.remove(&file.name);
        self.names.insert(file.name.to_lowercase(), file.note.clone());
        self.owned.insert(file.note, Owned { name: file.name, hash: file.hash, stamp });
    }

    /// `wanted.md`, or with the first free number. A file that is no note's is not overwritten.
    fn free_name(&self, wanted: &str) -> String {
        let numbers = (2..).map(|n| format!("{wanted} {n}.md"));
        std::iter::once(format!("{wanted}.md"))
            .chain(numbers)
            .find(|name| !self.names.contains_key(&name.to_lowercase()) && !self.path.join(name).exists())
            .unwrap_or_default()
    }
}

fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() => {
            let since = data.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            Ok(Some(Stamp { mtime_ns: since.as_nanos(), len: data.len() }))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// None: it is too large, not UTF-8, or gone.
fn read_text(path: &Path) -> io::Result<Option<String>> {
    if fs::metadata(path).is_ok_and(|data| data.len() > MAX_FILE) {
        return Ok(None);
    }
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Without what editors of other systems add: a byte order mark, and CR before LF.
fn plain(text: String) -> String {
    if text.starts_with('\u{feff}') || text.contains("\r\n") {
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
    } else {
        text
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
