//! When what goes to the disk, and what comes back from there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::document::Document;
use super::room::Room;
use super::turn::{Running, wall_ms};
use crate::link::{Event, Failure, NoteId};
use crate::markdown;
use crate::store::folder::Outside;
use crate::store::writer::{Answer, Job};
use crate::store::{Meta, Write, merge};

/// The disk is asked at most this often, and what is typed waits at most as long.
const COMMIT_EVERY_MS: u64 = 1_000;

/// A room that nobody uses is forgotten after this time.
const UNLOAD_MS: u64 = 30_000;

/// The rhythm of the commits.
#[derive(Debug, Default)]
pub struct Pace {
    last_ms: Option<u64>,
    under_way: bool,
    /// Notes were purged: their space can be given back.
    pub purged: bool,
    /// What the window was told last; a complaint is made once.
    complaint: Option<String>,
}

impl Pace {
    /// When the next commit may begin. None: one is under way.
    fn next_ms(&self) -> Option<u64> {
        if self.under_way { None } else { Some(self.last_ms.map_or(0, |last| last + COMMIT_EVERY_MS)) }
    }
}

impl Running {
    /// The room of a note that is in the list, loaded if need be.
    pub(super) fn room(&mut self, note: &NoteId) -> Option<&mut Room> {
        let now = self.now_ms();
        if !self.rooms.contains_key(note) {
            self.list.get(note)?;
            let loaded = self.store.load(note).map_err(|error| error.to_string());
            match loaded.and_then(|loaded| Document::load(&loaded, [].into_iter())) {
                Ok(document) => drop(self.rooms.insert(note.clone(), Room::new(note.clone(), document, now))),
                Err(error) => {
                    self.window.tell(Event::Failed(Failure::Store(error)));
                    return None;
                }
            }
        }
        let room = self.rooms.get_mut(note)?;
        room.used_ms = now;
        Some(room)
    }

    /// A note has been changed. `offline`: nobody at the host has seen it.
    pub(super) fn note_changed(&mut self, note: &NoteId, offline: bool) {
        if let Some(meta) = self.list.get_mut(note) {
            meta.modified_ms = wall_ms();
            if offline && meta.joined.is_some() {
                meta.kept = meta.kept.saturating_add(1);
            }
        }
    }

    /// When something has to be written.
    pub(super) fn saving_due_ms(&self) -> Option<u64> {
        let next = self.pace.next_ms();
        let unload =
            self.rooms.values().filter(|room| room.unsaved.is_clean() && room.is_empty(&self.window));
        let unload = unload.map(|room| room.used_ms + UNLOAD_MS).min();
        let Some(next) = next else { return unload };
        let changes = self.list.is_unsaved() || self.rooms.values().any(|room| room.unsaved.has_changes());
        let settle = self.rooms.values().filter_map(|room| room.unsaved.settle_due_ms()).min();
        let write = changes.then_some(next).into_iter().chain(settle.map(|due| due.max(next))).min();
        write.into_iter().chain(unload).min()
    }

    pub(super) fn save(&mut self, now_ms: u64) {
        if self.saving_due_ms().is_none_or(|due| now_ms < due) {
            return;
        }
        if self.pace.next_ms().is_some_and(|next| now_ms >= next) {
            let writes = self.writes(now_ms);
            if !writes.is_empty() {
                self.pace.last_ms = Some(now_ms);
                self.pace.under_way = true;
                self.ask(Job::Commit(writes));
            }
        }
        let window = &self.window;
        self.rooms.retain(|_, room| {
            let unused = now_ms >= room.used_ms + UNLOAD_MS;
            !(unused && room.unsaved.is_clean() && room.is_empty(window))
        });
    }

    fn ask(&self, job: Job) {
        if let Some(writer) = &self.writer {
            writer.ask(job);
        }
    }

    fn writes(&mut self, now_ms: u64) -> Vec<Write> {
        let due = self.rooms.values_mut().filter(|room| room.unsaved.is_due(now_ms));
        let (mut writes, mut broken) = (Vec::new(), Vec::new());
        for room in due {
            // A document that holds what a stranger sent is read here as a whole.
            match catch_unwind(AssertUnwindSafe(|| room.write(now_ms))) {
                Ok(write) => writes.extend(write),
                Err(_) => broken.push(room.note.clone()),
            }
        }
        for note in broken {
            if let Some(room) = self.rooms.get_mut(&note) {
                room.unsaved.not_written();
            }
            self.rebuild(&note);
        }
        self.retitle();
        writes.extend(self.list.take_unsaved().into_iter().map(|(note, meta)| Write::Meta(note, meta)));
        writes
    }

    fn retitle(&mut self) {
        for room in self.rooms.values_mut().filter(|room| room.retitle) {
            room.retitle = false;
            let title = markdown::title(&room.document.text());
            if self.list.get(&room.note).is_some_and(|meta| meta.title != title)
                && let Some(meta) = self.list.get_mut(&room.note)
            {
                meta.title = title;
            }
        }
    }

    /// What the writer tells.
    pub(super) fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Committed => {
                self.pace.under_way = false;
                self.pace.complaint = None;
                for room in self.rooms.values_mut() {
                    if room.unsaved.committed() && self.window.shows(&room.note) {
                        self.window.tell(Event::Saved(room.note.clone()));
                    }
                }
            }
            Answer::Failed(error) | Answer::Folder(error) => self.complain(error),
            Answer::Edited { note, base, outside } => self.merge_outside(&note, &base, &outside),
            Answer::Found { name, text } => {
                let note = crate::share::new_note_id();
                self.create(note.clone(), &text);
                self.ask(Job::Adopt { note, name, text });
            }
        }
    }

    fn complain(&mut self, error: String) {
        if self.pace.complaint.as_ref() != Some(&error) {
            self.window.tell(Event::Failed(Failure::Store(error.clone())));
            self.pace.complaint = Some(error);
        }
    }

    /// Somebody has edited the file: what they did is done to the note.
    fn merge_outside(&mut self, note: &NoteId, base: &str, outside: &Outside) {
        let now = self.now_ms();
        let Some(room) = self.room(note) else { return };
        let edits = merge::three_way(base, &outside.text, &room.document.text());
        let change = room.document.edit(&edits);
        room.unsaved.merged_outside(outside.hash, now);
        let Some(update) = change else { return };
        let offline = room.host.is_none();
        // Again, because of the window.
        if let Some(room) = self.rooms.get_mut(note) {
            room.changed(None, update, &mut self.window, now);
        }
        self.note_changed(note, offline);
    }

    /// A new note with a first text.
    pub(super) fn create(&mut self, note: NoteId, text: &str) {
        let meta = Meta { title: markdown::title(text), modified_ms: wall_ms(), ..Meta::default() };
        if !self.list.insert(&note, meta) {
            return;
        }
        let now = self.now_ms();
        let mut room = Room::new(note.clone(), Document::new(), now);
        let first = merge::Edit { range: 0..0, text: text.to_owned() };
        if let Some(update) = room.document.edit(&[first]) {
            room.changed(None, update, &mut self.window, now);
        }
        self.rooms.insert(note, room);
    }

    /// Notes that a crash has left with updates behind their text.
    pub(super) fn settle_leftovers(&mut self) {
        let notes = self.store.unsettled().unwrap_or_default();
        for note in notes {
            if let Some(room) = self.room(&note) {
                room.unsaved.settle_at_once();
                room.retitle = true;
            }
        }
    }

    /// What was deleted when the program ended, or broke off.
    pub(super) fn purge_deleted(&mut self) {
        let writes: Vec<Write> = self.list.purge().into_iter().map(Write::Purge).collect();
        if !writes.is_empty() {
            self.pace.under_way = true;
            self.pace.purged = true;
            self.ask(Job::Commit(writes));
        }
    }

    /// Everything, now.
    pub(super) fn save_all(&mut self) {
        for room in self.rooms.values_mut().filter(|room| !room.unsaved.is_clean()) {
            room.unsaved.settle_at_once();
        }
        let now = self.now_ms().max(COMMIT_EVERY_MS * 60);
        let purged = self.list.purge();
        self.pace.purged |= !purged.is_empty();
        self.rooms.retain(|note, _| !purged.contains(note));
        let mut writes = self.writes(now);
        writes.extend(purged.into_iter().map(Write::Purge));
        if !writes.is_empty() {
            self.ask(Job::Commit(writes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_a_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.next_ms(), Some(0), "the first change is written at once");
        (pace.last_ms, pace.under_way) = (Some(5_000), true);
        assert_eq!(pace.next_ms(), None, "one at a time");
        pace.under_way = false;
        assert_eq!(pace.next_ms(), Some(6_000), "what is typed waits a second at most");
    }
}
