//! What the window asks for.

use super::room::Member;
use super::turn::Running;
use crate::link::{Command, Event, Failure, NoteId};
use crate::wire;

impl Running {
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Create { note, text } => self.create(note, &text),
            Command::Open(note) => self.open_note(&note),
            Command::Close(note) => self.close_note(&note),
            Command::Frame(note, frame) => {
                if self.window.shows(&note) {
                    self.hear(&note, Member::Window, &frame);
                }
            }
            Command::Pin(note, pinned) => match self.list.get_mut(&note) {
                Some(meta) => meta.pinned = pinned,
                None => self.no_such_note(note),
            },
            Command::Delete(note) => self.delete(note),
            Command::Restore(note) => self.restore(note),
            Command::Share { note, listen } => self.share(note, listen),
            Command::Unshare(note) => self.unshare(&note),
            Command::Join { link } => self.join(&link),
            Command::Leave(note) => self.leave(&note),
            Command::Search { id, query } => self.begin_search(id, &query),
            // The loop sees to it.
            Command::Shutdown => {}
        }
    }

    fn no_such_note(&mut self, note: NoteId) {
        self.window.tell(Event::Failed(Failure::NoSuchNote(note)));
    }

    fn open_note(&mut self, note: &NoteId) {
        if self.list.get(note).is_none() {
            return self.no_such_note(note.clone());
        }
        let Some(room) = self.room(note) else { return };
        let mut frames = vec![wire::step1(&room.document.state_vector())];
        frames.extend(room.presence.frames());
        self.window.open(note);
        for frame in frames {
            self.window.frame(note, &frame);
        }
        // The window wants to know where it stands.
        self.told.remove(note);
    }

    fn close_note(&mut self, note: &NoteId) {
        self.window.close(note);
        self.told.remove(note);
        let now = self.now_ms();
        let Some(room) = self.rooms.get_mut(note) else { return };
        room.used_ms = now;
        if let Some(frame) = room.presence.leave(Member::Window, now) {
            room.pass_on(Some(Member::Window), &frame, &mut self.window);
        }
    }

    fn delete(&mut self, note: NoteId) {
        self.send_away(&note);
        self.close_note(&note);
        self.disconnect(&note);
        if !self.list.set_deleted(&note, true) {
            self.no_such_note(note);
        }
    }

    fn restore(&mut self, note: NoteId) {
        if !self.list.set_deleted(&note, false) {
            return self.no_such_note(note);
        }
        if let Some(link) = self.list.get(&note).and_then(|meta| meta.joined.clone()) {
            self.connect(&note, &link);
        }
    }
}
