//! What the hub says.

use super::App;
use crossbeam_channel::TryRecvError;
use eframe::egui;
use notes_core::link::{Event, Failure, NoteId, NoteSummary};
use std::io::Write;
use std::time::{Duration, Instant};

/// How long one frame works on what comes in.
const BUDGET: Duration = Duration::from_millis(4);

impl App {
    /// Takes in what has come, for a few milliseconds; the rest waits for the next frame.
    pub(super) fn pump(&mut self, ctx: &egui::Context) {
        let start = Instant::now();
        loop {
            match self.link.events.try_recv() {
                Ok(event) => self.event(ctx, event),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    if !std::mem::replace(&mut self.hub_gone, true) {
                        self.toasts.warn(self.words.hub_gone.to_owned());
                    }
                    return;
                }
            }
            if start.elapsed() > BUDGET {
                ctx.request_repaint();
                return;
            }
        }
    }

    fn event(&mut self, ctx: &egui::Context, event: Event) {
        let now = self.now_ms();
        match event {
            Event::Notes(notes) => self.listed(notes),
            Event::Frame(note, frame) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.note == note) {
                    open.receive(&frame, now, ctx);
                }
            }
            Event::Status(note, status) => {
                if let Some(open) = self.opened(&note) {
                    open.set_status(status);
                }
            }
            Event::ReadOnly(note, read_only) => {
                if let Some(open) = self.opened(&note) {
                    open.editor.set_read_only(read_only);
                }
            }
            Event::Saved(note) => {
                if let Some(open) = self.opened(&note) {
                    open.saved = true;
                }
            }
            Event::Shared(note, card) => {
                if self.announce {
                    // --host is for scripts too: they read the links here, as those of --serve.
                    let _ = writeln!(std::io::stdout(), "edit {}\nread {}", card.edit, card.read);
                }
                if let Some(open) = self.opened(&note) {
                    open.card = Some(card);
                }
            }
            Event::Joined(note) => self.joined(note),
            Event::Found { id, hits } => self.found(id, hits),
            Event::Failed(failure) => self.failed(failure),
        }
    }

    fn opened(&mut self, note: &NoteId) -> Option<&mut super::Open> {
        match &mut self.open {
            Some(open) if open.note == *note => Some(open),
            _ => self.closed.get_mut(note),
        }
    }

    /// The list has changed. With the first one we know what to open.
    fn listed(&mut self, notes: Vec<NoteSummary>) {
        self.notes = notes;
        let known = |note: &NoteId| self.notes.iter().any(|line| line.note == *note);
        self.closed.retain(|note, _| known(note));
        if std::mem::replace(&mut self.listed, true) {
            return;
        }
        if let Some(link) = self.wishes.join.take() {
            self.join(link);
        } else if self.notes.is_empty() {
            self.create(String::new());
        } else {
            let last = self.settings.last.clone().map(NoteId).filter(known);
            self.open_note(last.unwrap_or_else(|| self.notes[0].note.clone()));
        }
        if let Some(address) = self.wishes.host.take() {
            self.announce = true;
            self.share(Some(address));
        }
    }

    fn failed(&mut self, failure: Failure) {
        let words = self.words;
        let text = match failure {
            Failure::Listen(why) => {
                self.share_failed();
                format!("{}: {why}", words.failed_listen)
            }
            Failure::Link(why) => {
                if self.join_failed(&why) {
                    return;
                }
                format!("{}: {why}", words.failed_link)
            }
            Failure::NoSuchNote(_) => words.failed_no_note.to_owned(),
            Failure::Store(why) => {
                if let Some(open) = &mut self.open {
                    open.saved = false;
                }
                format!("{}: {why}", words.failed_store)
            }
            Failure::SetAside(path) => format!("{}: {}", words.set_aside, path.display()),
        };
        self.toasts.warn(text);
    }
}
