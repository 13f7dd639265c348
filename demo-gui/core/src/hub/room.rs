//! A loaded note: its document, who has it open, and what of it is not yet on disk.

use std::collections::VecDeque;

use ws::{Conn, ErrorCode};

use super::document::Document;
use super::presence::Presence;
use super::window::Window;
use crate::link::NoteId;
use crate::store::Write;

/// The `.md` file and the snapshot are written so long after the last edit.
const QUIET_MS: u64 = 2_000;

/// And so long after the first, if there is no end of editing.
const SETTLE_AT_MOST_MS: u64 = 10_000;

/// More updates than this, or more bytes, are written as one snapshot.
const MANY_UPDATES: usize = 512;
const MANY_BYTES: usize = 1 << 20;

/// Where a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// The window of this program.
    Window,
    /// A guest of ours, or the host that we joined.
    Conn(Conn),
}

/// The room.
pub struct Room {
    /// Its note.
    pub note: NoteId,
    /// The document.
    pub document: Document,
    /// Who is here.
    pub presence: Presence,
    /// Those who have joined us.
    pub guests: Vec<Conn>,
    /// The host that we joined, while it is connected.
    pub host: Option<Conn>,
    /// It was too slow to take a frame: it gets a difference when it has caught up.
    pub host_behind: bool,
    /// What is not on disk.
    pub unsaved: Unsaved,
    /// Those whose messages wait, in the order of their turns.
    pub ready: VecDeque<Conn>,
    /// When it was last used.
    pub used_ms: u64,
    /// The text has changed since the title was taken from it.
    pub retitle: bool,
}

/// What of a note is not on disk.
#[derive(Debug, Default)]
pub struct Unsaved {
    /// Updates that no commit has taken yet.
    updates: Vec<Vec<u8>>,
    bytes: usize,
    /// Those of the commit that is under way.
    under_way: Vec<Vec<u8>>,
    /// The first and the last edit since the last settling.
    edited_ms: Option<(u64, u64)>,
    /// An outside edit of the file is in it: the next commit must settle.
    outside: Option<u64>,
}

impl Unsaved {
    /// A change was made.
    pub fn push(&mut self, update: Vec<u8>, now_ms: u64) {
        self.bytes += update.len();
        self.updates.push(update);
        let first = self.edited_ms.map_or(now_ms, |(first, _)| first);
        self.edited_ms = Some((first, now_ms));
    }

    /// It holds an outside edit now; the hash is that of the file.
    pub fn merged_outside(&mut self, hash: u64, now_ms: u64) {
        self.outside = Some(hash);
        let first = self.edited_ms.map_or(now_ms, |(first, _)| first);
        self.edited_ms = Some((first, now_ms));
    }

    /// The store's text is behind the updates that it has.
    pub fn settle_at_once(&mut self) {
        self.edited_ms = Some((0, 0));
    }

    /// When it should be settled.
    pub fn settle_due_ms(&self) -> Option<u64> {
        let (first, last) = self.edited_ms?;
        Some((last + QUIET_MS).min(first + SETTLE_AT_MOST_MS))
    }

    /// Whether the next commit has something to write.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.has_changes() || self.settle_due_ms().is_some_and(|due| now_ms >= due)
    }

    /// Whether something typed is only in memory.
    pub fn has_changes(&self) -> bool {
        !self.updates.is_empty() || self.outside.is_some()
    }

    /// Whether nothing at all is left to do.
    pub fn is_clean(&self) -> bool {
        !self.has_changes() && self.under_way.is_empty() && self.edited_ms.is_none()
    }

    /// What a document that is read from the store lacks.
    pub fn missing_in_store(&self) -> impl Iterator<Item = &[u8]> {
        self.under_way.iter().chain(&self.updates).map(Vec::as_slice)
    }

    /// The commit could not be made: what was to be in it still waits.
    pub fn not_written(&mut self) {
        let later = std::mem::replace(&mut self.updates, std::mem::take(&mut self.under_way));
        self.updates.extend(later);
    }

    /// The commit that was under way is on disk. Whether that is all.
    pub fn committed(&mut self) -> bool {
        let had = !std::mem::take(&mut self.under_way).is_empty();
        had && !self.has_changes()
    }
}

impl Room {
    /// A room around a document.
    pub fn new(note: NoteId, document: Document, now_ms: u64) -> Room {
        Room {
            note,
            document,
            presence: Presence::default(),
            guests: Vec::new(),
            host: None,
            host_behind: false,
            unsaved: Unsaved::default(),
            ready: VecDeque::new(),
            used_ms: now_ms,
            retitle: false,
        }
    }

    /// A change of the document: to the disk, and to everybody; a guest gets his own back, the host and the window do
    /// not.
    pub fn changed(&mut self, from: Option<Member>, update: Vec<u8>, window: &mut Window, now_ms: u64) {
        let frame = crate::wire::change(&update);
        self.pass_on(from, &frame, window);
        self.unsaved.push(update, now_ms);
        self.retitle = true;
    }

    /// Sends a frame to everybody; a guest gets his own back, the host and the window do not.
    pub fn pass_on(&mut self, from: Option<Member>, frame: &[u8], window: &mut Window) {
        if from != Some(Member::Window) {
            window.frame(&self.note, frame);
        }
        for guest in &self.guests {
            send_to_guest(*guest, frame);
        }
        if let Some(host) = self.host.filter(|host| from != Some(Member::Conn(*host))) {
            self.send_to_host(host, frame);
        }
    }

    fn send_to_host(&mut self, host: Conn, frame: &[u8]) {
        if self.host_behind {
            return;
        }
        if host.send_binary(frame).is_err_and(|error| error.code == ErrorCode::Full) {
            self.host_behind = true;
        }
    }

    /// The next commit's part of this note.
    pub fn write(&mut self, now_ms: u64) -> Option<Write> {
        let unsaved = &mut self.unsaved;
        let quiet = unsaved.settle_due_ms().is_some_and(|due| now_ms >= due);
        let many = unsaved.updates.len() > MANY_UPDATES || unsaved.bytes > MANY_BYTES;
        let settle = quiet || many || unsaved.outside.is_some();
        if !settle && !unsaved.has_changes() {
            return None;
        }
        unsaved.under_way = std::mem::take(&mut unsaved.updates);
        unsaved.bytes = 0;
        let note = self.note.clone();
        if !settle {
            return Some(Write::Append(note, unsaved.under_way.clone()));
        }
        unsaved.edited_ms = None;
        let outside = unsaved.outside.take();
        let (snapshot, text) = (self.document.snapshot(), self.document.text());
        Some(Write::Settle { note, snapshot, text, outside })
    }

    /// Whether nobody has it open.
    pub fn is_empty(&self, window: &Window) -> bool {
        self.guests.is_empty() && self.host.is_none() && !window.shows(&self.note)
    }
}

/// A guest that does not take what we send is sent away: it comes back, and a sync makes up for what it missed.
pub fn send_to_guest(guest: Conn, frame: &[u8]) {
    match guest.send_binary(frame) {
        Ok(_) => {}
        Err(error) if error.code == ErrorCode::Full => {
            let _ = guest.close(1013, "you are too slow, come back");
        }
        // It is closing: its end is on the way to us.
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_two_seconds_and_never_later_than_ten() {
        let mut unsaved = Unsaved::default();
        assert!(unsaved.is_clean() && unsaved.settle_due_ms().is_none());
        unsaved.push(vec![1], 100);
        assert_eq!(unsaved.settle_due_ms(), Some(2_100));
        unsaved.push(vec![2], 1_500);
        assert_eq!(unsaved.settle_due_ms(), Some(3_500));
        unsaved.push(vec![3], 9_000);
        assert_eq!(unsaved.settle_due_ms(), Some(10_100));
        unsaved.settle_at_once();
        assert!(unsaved.is_due(2_000) && unsaved.settle_due_ms() == Some(2_000));
    }

    #[test]
    fn what_is_not_on_disk_is_not_forgotten() {
        let mut room = Room::new(NoteId("n".into()), Document::new(), 0);
        room.unsaved.push(vec![1], 0);
        assert_eq!(room.write(1), Some(Write::Append(NoteId("n".into()), vec![vec![1]])));
        room.unsaved.push(vec![2], 1);
        let missing = |room: &Room| room.unsaved.missing_in_store().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(missing(&room), [[1], [2]]);
        room.unsaved.not_written();
        assert_eq!(missing(&room), [[1], [2]], "in their order");
        assert_eq!(room.write(2), Some(Write::Append(NoteId("n".into()), vec![vec![1], vec![2]])));
        assert!(room.unsaved.committed(), "that is all");
        assert!(!room.unsaved.committed(), "it is said once");
        assert!(matches!(room.write(3_000), Some(Write::Settle { outside: None, .. })));
        assert!(room.unsaved.is_clean());
        room.unsaved.merged_outside(7, 4_000);
        assert!(matches!(room.write(4_000), Some(Write::Settle { outside: Some(7), .. })), "at once");
    }
}
