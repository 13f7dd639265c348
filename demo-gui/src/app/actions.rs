//! What the window asks the hub for.

use super::dialogs::share::Share;
use super::open::user;
use super::toasts::Offer;
use super::{App, Open, Screen};
use crate::editor::Editor;
use crate::names;
use crate::settings::Mode;
use notes_core::link::{Command, NoteId};
use std::net::SocketAddr;

/// Notes that keep their undo while others are open.
const KEPT: usize = 8;

impl App {
    /// Asks the hub. Its channel is large; when it is full all the same, it works on much, and we may wait a little.
    pub(super) fn ask(&mut self, command: Command) {
        let _ = self.link.commands.send_timeout(command, std::time::Duration::from_millis(500));
    }

    /// Does something with the open note's editor.
    pub(super) fn with_editor(&mut self, act: impl FnOnce(&mut Editor)) {
        if self.settings.mode == Mode::Read {
            return;
        }
        if let Some(open) = &mut self.open {
            act(&mut open.editor);
            open.editor.focus();
        }
    }

    /// A new note, which opens.
    pub fn create(&mut self, text: String) {
        let note = names::random_note();
        self.ask(Command::Create { note: note.clone(), text });
        self.open_note(note);
    }

    /// Opens a note.
    pub fn open_note(&mut self, note: NoteId) {
        (self.drawer, self.screen) = (false, None);
        if self.open.as_ref().is_some_and(|open| open.note == note) {
            self.focus_text();
            return;
        }
        self.close_open();
        let open = self.closed.remove(&note).unwrap_or_else(|| Open::new(note.clone(), &self.settings));
        self.open = Some(open);
        self.find = None;
        self.ask(Command::Open(note.clone()));
        self.settings.last = Some(note.0);
        self.save_settings();
        self.focus_text();
    }

    /// The keyboard goes to the text.
    pub(super) fn focus_text(&mut self) {
        if let Some(open) = &mut self.open {
            open.editor.focus();
        }
    }

    /// The open note goes to those that keep their undo.
    fn close_open(&mut self) {
        let now = self.now_ms();
        let Some(mut open) = self.open.take() else { return };
        open.editor.peer.compose_cancel();
        open.editor.peer.select(None);
        open.send(&self.link.commands, now);
        let farewell = open.editor.peer.farewell();
        self.ask(Command::Frame(open.note.clone(), farewell));
        self.ask(Command::Close(open.note.clone()));
        if self.closed.len() >= KEPT {
            self.closed.clear();
        }
        self.closed.insert(open.note.clone(), open);
    }

    /// Keeps a note at the top, or no longer.
    pub fn pin(&mut self, note: NoteId, pinned: bool) {
        self.ask(Command::Pin(note, pinned));
    }

    /// Deletes a note; a toast offers to take it back.
    pub fn delete(&mut self, note: NoteId) {
        let title = self.notes.iter().find(|line| line.note == note).map(|line| self.title(line));
        let title = title.unwrap_or_else(|| self.words.untitled.to_owned());
        let was_open = self.open.as_ref().is_some_and(|open| open.note == note);
        if was_open {
            self.close_open();
        }
        self.closed.remove(&note);
        self.ask(Command::Delete(note.clone()));
        self.toasts.offer(self.words.deleted_note(&title), Offer::Restore(note.clone()));
        if was_open {
            match self.notes.iter().find(|line| line.note != note).map(|line| line.note.clone()) {
                Some(next) => self.open_note(next),
                None => self.create(String::new()),
            }
        }
    }

    /// Takes a deletion back and opens the note.
    pub fn restore(&mut self, note: NoteId) {
        self.ask(Command::Restore(note.clone()));
        self.open_note(note);
    }

    /// Edit, split or read.
    pub fn set_mode(&mut self, mode: Mode) {
        self.settings.mode = mode;
        self.save_settings();
        if mode != Mode::Read {
            self.focus_text();
        }
    }

    /// Shares the open note and shows its card.
    pub fn share(&mut self, listen: Option<SocketAddr>) {
        let Some(open) = &self.open else { return };
        let (note, known) = (open.note.clone(), open.card.is_some());
        self.screen = Some(Screen::Share(Share::default()));
        if !known {
            self.ask(Command::Share { note, listen });
        }
    }

    /// The port could not be had: the card has nothing to show.
    pub(super) fn share_failed(&mut self) {
        if matches!(self.screen, Some(Screen::Share(_))) {
            self.screen = None;
        }
    }

    /// Ends the sharing of the open note.
    pub fn unshare(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.card = None;
        let note = open.note.clone();
        self.ask(Command::Unshare(note));
        self.screen = None;
    }

    /// Joins by a link.
    pub fn join(&mut self, link: String) {
        self.ask(Command::Join { link: link.trim().to_owned() });
    }

    /// A note was joined: it opens.
    pub(super) fn joined(&mut self, note: NoteId) {
        if matches!(self.screen, Some(Screen::Join(_))) {
            self.screen = None;
        }
        self.open_note(note);
    }

    /// Leaves the host of the open note; the text stays here.
    pub fn leave(&mut self) {
        if let Some(open) = &self.open {
            let note = open.note.clone();
            self.ask(Command::Leave(note));
        }
    }

    /// The name or the colour has changed.
    pub(super) fn introduce(&mut self) {
        let me = user(&self.settings);
        for open in self.open.iter_mut().chain(self.closed.values_mut()) {
            open.editor.peer.set_user(me.clone());
        }
    }

    /// Writes the settings; a failure is said, and they hold until the end.
    pub(super) fn save_settings(&mut self) {
        if let Err(error) = self.settings.save(&self.data) {
            let text = self.words.file_failed(&self.data.display().to_string(), &error.to_string());
            self.toasts.warn(text);
        }
    }

    /// The window closes: what is typed goes to the hub before it ends.
    pub fn close(&mut self) {
        self.close_open();
        self.ask(Command::Shutdown);
    }
}
