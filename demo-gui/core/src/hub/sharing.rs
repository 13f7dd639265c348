//! Opening a note to others, and closing it again.

use std::net::SocketAddr;

use super::turn::Running;
use crate::link::{Event, Failure, NoteId};
use crate::share::{address, link};

impl Running {
    /// Shares a note; again, it is found where it was, under the same links.
    pub(super) fn share(&mut self, note: NoteId, listen: Option<SocketAddr>) {
        let Some(meta) = self.list.get_mut(&note) else {
            return self.window.tell(Event::Failed(Failure::NoSuchNote(note)));
        };
        if meta.joined.is_some() {
            let sorry = "this note is shared by another computer; leave it there first";
            return self.window.tell(Event::Failed(Failure::Listen(sorry.into())));
        }
        let tokens = meta.tokens.get_or_insert_default().clone();
        let (door, address) = match self.network.open_door(listen) {
            Ok(opened) => opened,
            Err(error) => return self.window.tell(Event::Failed(Failure::Listen(error.to_string()))),
        };
        self.doors.insert(note.clone(), (door, address));
        let host = address::reachable(address).to_string();
        let card = link::card(&note, &tokens, &host, address);
        self.window.tell(Event::Shared(note, card));
        self.close_unused_doors();
    }

    /// Ends it: everybody is sent away for good, and the links are void.
    pub(super) fn unshare(&mut self, note: &NoteId) {
        if let Some(meta) = self.list.get_mut(note) {
            meta.tokens = None;
        }
        self.send_away(note);
    }

    /// Nobody comes in any more.
    pub(super) fn send_away(&mut self, note: &NoteId) {
        if self.doors.remove(note).is_none() {
            return;
        }
        let guests = self.rooms.get(note).map(|room| room.guests.clone()).unwrap_or_default();
        for guest in guests {
            self.refuse(guest, 4401, "the note is not shared any more");
        }
        self.close_unused_doors();
        self.list.changed();
    }

    fn close_unused_doors(&mut self) {
        let used: Vec<u32> = self.doors.values().map(|(door, _)| *door).collect();
        self.network.close_doors_but(&used);
    }
}
