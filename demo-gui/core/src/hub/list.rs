//! The list of notes, and what is known of each besides its text.

use std::collections::{HashMap, HashSet};

use super::turn::Running;
use crate::link::{Event, NoteId, NoteSummary, Place};
use crate::store::db::Store;
use crate::store::{Meta, StoreError};

/// The window gets the list at most so often.
const EVERY_MS: u64 = 250;

/// Every note that is known.
#[derive(Debug, Default)]
pub struct List {
    notes: HashMap<NoteId, Meta>,
    /// Those of which the disk has something older.
    unsaved: HashSet<NoteId>,
    changed: bool,
    told_ms: Option<u64>,
}

impl List {
    /// What the store has.
    pub fn read(store: &Store) -> Result<List, StoreError> {
        Ok(List { notes: store.notes()?.into_iter().collect(), ..List::default() })
    }

    /// Whether there is no note.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// A note that is not deleted.
    pub fn get(&self, note: &NoteId) -> Option<&Meta> {
        self.notes.get(note).filter(|meta| !meta.deleted)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, note: &NoteId) -> Option<&mut Meta> {
        let meta = self.notes.get_mut(note)?;
        if meta.deleted {
            return None;
        }
        self.changed = true;
        self.unsaved.insert(note.clone());
        Some(meta)
    }

    /// Deletes a note or takes that back. False: it was like that already.
    pub fn set_deleted(&mut self, note: &NoteId, deleted: bool) -> bool {
        let Some(meta) = self.notes.get_mut(note).filter(|meta| meta.deleted != deleted) else {
            return false;
        };
        meta.deleted = deleted;
        self.changed = true;
        self.unsaved.insert(note.clone());
        true
    }

    /// A new note. False: there is one of that name.
    pub fn insert(&mut self, note: &NoteId, meta: Meta) -> bool {
        if self.notes.contains_key(note) {
            return false;
        }
        self.notes.insert(note.clone(), meta);
        self.unsaved.insert(note.clone());
        self.changed = true;
        true
    }

    /// Forgets the deleted ones; returns them.
    pub fn purge(&mut self) -> Vec<NoteId> {
        let deleted = self.notes.iter().filter(|(_, meta)| meta.deleted).map(|(note, _)| note.clone());
        let deleted: Vec<NoteId> = deleted.collect();
        for note in &deleted {
            self.notes.remove(note);
            self.unsaved.remove(note);
        }
        deleted
    }

    /// The joined notes and their links.
    pub fn joined(&self) -> Vec<(NoteId, String)> {
        let live = self.notes.iter().filter(|(_, meta)| !meta.deleted);
        live.filter_map(|(note, meta)| Some((note.clone(), meta.joined.clone()?))).collect()
    }

    /// Something that the list shows has changed.
    pub fn changed(&mut self) {
        self.changed = true;
    }

    /// What the next commit has to write.
    pub fn take_unsaved(&mut self) -> Vec<(NoteId, Meta)> {
        let notes = &self.notes;
        self.unsaved.drain().filter_map(|note| notes.get(&note).cloned().map(|meta| (note, meta))).collect()
    }

    /// Whether there is something.
    pub fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// When the window is to be told.
    pub fn due_ms(&self) -> Option<u64> {
        self.changed.then(|| self.told_ms.map_or(0, |told| told + EVERY_MS))
    }

    /// Pinned first, then the newest.
    pub fn ordered(&self) -> Vec<(&NoteId, &Meta)> {
        let mut notes: Vec<_> = self.notes.iter().filter(|(_, meta)| !meta.deleted).collect();
        notes.sort_by(|(note_a, a), (note_b, b)| {
            b.pinned.cmp(&a.pinned).then(b.modified_ms.cmp(&a.modified_ms)).then(note_a.cmp(note_b))
        });
        notes
    }
}

impl Running {
    pub(super) fn tell_list(&mut self, now_ms: u64) {
        if self.list.due_ms().is_none_or(|due| now_ms < due) {
            return;
        }
        let line = |(note, meta): (&NoteId, &Meta)| NoteSummary {
            note: note.clone(),
            title: meta.title.clone(),
            pinned: meta.pinned,
            place: match (&meta.joined, self.doors.contains_key(note)) {
                (Some(_), _) => Place::Joined,
                (None, true) => Place::Hosted,
                (None, false) => Place::Device,
            },
            modified_ms: meta.modified_ms,
            people: self.rooms.get(note).map_or(0, |room| room.presence.others()),
        };
        let notes = self.list.ordered().into_iter().map(line).collect();
        self.window.tell(Event::Notes(notes));
        self.list.changed = false;
        self.list.told_ms = Some(now_ms);
    }
}
