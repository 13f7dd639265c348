//! One open note: its editor, its page, its state.

use crate::editor::Editor;
use crate::preview::Preview;
use crate::settings::Settings;
use crossbeam_channel::{Sender, TrySendError};
use eframe::egui;
use notes_core::link::{Command, NoteId, ShareCard, Status};
use notes_core::peer::{Peer, Person};
use notes_core::wire::{Color, User};
use std::ops::Range;
use std::time::Instant;

/// An open note.
pub struct Open {
    /// Which.
    pub note: NoteId,
    /// Its text.
    pub editor: Editor,
    /// Its page.
    pub preview: Preview,
    /// Where it lives and whether the host is there.
    pub status: Status,
    status_since: Instant,
    /// All that was typed is on disk.
    pub saved: bool,
    /// Its links, once it is shared.
    pub card: Option<ShareCard>,
    sent_version: u64,
    fresh: bool,
    /// To be selected as soon as the text is there.
    wanted: Option<Range<usize>>,
}

/// Who we are, for others.
pub fn user(settings: &Settings) -> User {
    User { name: settings.name.clone(), color: Color(settings.color) }
}

impl Open {
    /// A note that the hub is asked to open.
    pub fn new(note: NoteId, settings: &Settings) -> Open {
        Open {
            note,
            editor: Editor::new(Peer::new(user(settings))),
            preview: Preview::default(),
            status: Status::Device,
            status_since: Instant::now(),
            saved: true,
            card: None,
            sent_version: 0,
            fresh: true,
            wanted: None,
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.editor.peer.text()
    }

    /// The others who are here.
    pub fn people(&self) -> Vec<Person> {
        self.editor.peer.people()
    }

    /// Others are or may be here.
    pub fn is_shared(&self) -> bool {
        self.status != Status::Device
    }

    /// A frame of the hub.
    pub fn receive(&mut self, frame: &[u8], now_ms: u64, ctx: &egui::Context) {
        let was_empty = self.text().is_empty();
        self.editor.receive(frame, now_ms);
        if self.fresh && was_empty && !self.text().is_empty() {
            // The text has come: the caret waits at its end, where one goes on writing.
            self.fresh = false;
            self.editor.caret_at_end();
        }
        if let Some(range) = self.wanted.take_if(|range| range.end <= self.editor.peer.text().len()) {
            self.editor.select(range.start, range.end);
        }
        self.sent_version = self.sent_version.max(self.editor.version);
        ctx.request_repaint();
    }

    /// Selects a place that was found, now or when the text has come.
    pub fn go_to(&mut self, range: Range<usize>) {
        if range.end <= self.text().len() {
            self.editor.select(range.start, range.end);
        } else {
            self.wanted = Some(range);
        }
    }

    /// The state has changed.
    pub fn set_status(&mut self, status: Status) {
        self.status_since = Instant::now();
        if status == Status::Device {
            self.card = None;
        }
        self.status = status;
    }

    /// Until the next attempt to reach the host.
    pub fn seconds_left(&self) -> u64 {
        match self.status {
            Status::Reconnecting { in_ms, .. } => {
                in_ms.saturating_sub(self.status_since.elapsed().as_millis() as u64).div_ceil(1000)
            }
            _ => 0,
        }
    }

    /// Hands what is new to the hub. Returns in how many milliseconds there is something to do again.
    pub fn send(&mut self, commands: &Sender<Command>, now_ms: u64) -> Option<u64> {
        if self.editor.version > self.sent_version {
            self.sent_version = self.editor.version;
            self.saved = false;
            self.fresh = false;
        }
        let shared = self.is_shared();
        let (note, peer) = (&self.note, &mut self.editor.peer);
        peer.tick(now_ms);
        let mut full = false;
        peer.outgoing(now_ms, |frame| match commands.try_send(Command::Frame(note.clone(), frame)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                full = true;
                false
            }
            // The hub has ended, and says so: the text stays here.
            Err(TrySendError::Disconnected(_)) => true,
        });
        if full || peer.must_resync() {
            return Some(50);
        }
        // A note that nobody shares needs no renewal of who is here.
        shared.then(|| peer.next_tick_ms().saturating_sub(now_ms).max(10))
    }
}
