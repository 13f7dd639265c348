//! What is on the disk: every note in one database (`notes.redb`), and each also as a readable `.md` file.
//!
//! ```text
//! hub thread                       writer thread
//! reads (a snapshot, no lock)      one commit a second at most, with fsync
//! Job --------------------------> commit, then the .md file: temporary file, fsync, rename
//!     <-------------------------- Answer: written, edited outside, found
//! ```
//!
//! The hub never waits for the disk: what it has not yet handed over stays in its memory until a commit has taken it.

pub mod db;
pub mod folder;
pub mod merge;
pub mod names;
pub mod writer;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::link::NoteId;
use crate::share::Tokens;

/// What is known of a note besides its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// Its first line.
    pub title: String,
    /// At the top of the list.
    pub pinned: bool,
    /// The last change, in milliseconds since 1970.
    pub modified_ms: u64,
    /// The link by which it was joined.
    pub joined: Option<String>,
    /// What opens it to others; kept when the sharing ends with the program, void after an unshare.
    pub tokens: Option<Tokens>,
    /// Changes of a joined note that its host has not seen.
    pub kept: u32,
    /// The host of a joined note lets us only read it, as it said last.
    pub read_only: bool,
    /// Deleted; purged when the program ends.
    pub deleted: bool,
}

/// One part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Updates behind those that are there.
    Append(NoteId, Vec<Vec<u8>>),
    /// The whole state in one piece instead of everything before, and the text of it.
    Settle {
        /// Which note.
        note: NoteId,
        /// One update that holds all.
        snapshot: Vec<u8>,
        /// The text, for search, for the `.md` file, and as the base that an outside edit is compared with.
        text: String,
        /// The hash of an outside edit that is merged in this: the file holds it and is not read in again.
        outside: Option<u64>,
    },
    /// What is known of it.
    Meta(NoteId, Meta),
    /// All traces go, the `.md` file too.
    Purge(NoteId),
}

impl Write {
    /// The note that it is about.
    pub fn note(&self) -> &NoteId {
        match self {
            Write::Append(note, _) | Write::Meta(note, _) | Write::Purge(note) => note,
            Write::Settle { note, .. } => note,
        }
    }
}

/// Why the store cannot be opened or used.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has it.
    InUse(PathBuf),
    /// It is not what we wrote.
    Damaged(String),
    /// The system refuses: no space, no rights.
    Io(String),
    /// A newer version of the program wrote it.
    Newer(u64),
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse(path) => {
                write!(out, "{} is in use by another process", path.display())
            }
            StoreError::Damaged(what) => write!(out, "the store is damaged: {what}"),
            StoreError::Io(what) => out.write_str(what),
            StoreError::Newer(schema) => {
                write!(out, "the store has schema {schema}, a newer version of this program wrote it")
            }
        }
    }
}

impl std::error::Error for StoreError {}
