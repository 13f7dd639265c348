//! Input methods, for Chinese and others.
//!
//! TextEdit would put the letters of a composition into the text as if they were typed, and everybody would see them. So
//! its events are taken here: while composing only the peer's mirror changes, a commit is one change, and a composition
//! that is given up has never been.

use super::Editor;
use eframe::egui::{Event, ImeEvent, Ui};
use notes_core::peer::Edit;
use std::ops::Range;

impl Editor {
    /// Takes the events of the input method out of this frame's input and does what they say.
    pub(super) fn input_method(&mut self, ui: &Ui) {
        let mut events = Vec::new();
        ui.input_mut(|input| {
            input.events.retain(|event| match event {
                Event::Ime(ime) => {
                    events.push(ime.clone());
                    false
                }
                _ => true,
            });
        });
        if self.peer.is_read_only() {
            return;
        }
        for event in events {
            match event {
                ImeEvent::Preedit { text, .. } if text.is_empty() => self.cancel_composition(),
                ImeEvent::Preedit { text, .. } => self.preedit(&text),
                ImeEvent::Commit(text) => self.commit(&text),
                ImeEvent::DeleteSurrounding { before_chars, after_chars } => {
                    self.delete_surrounding(before_chars, after_chars);
                }
                #[expect(deprecated)]
                ImeEvent::Enabled | ImeEvent::Disabled => {}
            }
        }
    }

    /// What the composition, or else the selection, covers.
    fn covered(&self) -> Range<usize> {
        let (anchor, head) = self.selection;
        anchor.min(head)..anchor.max(head)
    }

    fn preedit(&mut self, text: &str) {
        self.peer.compose_begin();
        let start = self.put(text);
        // The letters stay selected until the next event puts others in their place; shown is an underline.
        self.selection = (start, start + text.len());
        (self.moved, self.reveal) = (true, true);
    }

    fn commit(&mut self, text: &str) {
        if !self.peer.is_composing() {
            if !text.is_empty() {
                let start = self.put(text);
                self.select(start + text.len(), start + text.len());
            }
            return;
        }
        let start = self.put(text);
        let caret = start + text.len();
        let waited = self.peer.compose_commit();
        self.caret_before(caret, &waited);
    }

    /// What is being composed has never been.
    pub(super) fn cancel_composition(&mut self) {
        if !self.peer.is_composing() {
            return;
        }
        let edits = self.peer.compose_cancel();
        let (start, _) = self.selection;
        self.caret_before(start, &edits);
    }

    /// The caret is here in the text as it was before these edits.
    fn caret_before(&mut self, at: usize, edits: &[Edit]) {
        (self.selection, self.moved, self.reveal) = ((at, at), true, true);
        self.shift(edits);
    }

    /// Puts text in the place of what is covered and returns where it starts.
    fn put(&mut self, text: &str) -> usize {
        let range = self.covered();
        let start = range.start;
        if !range.is_empty() {
            self.peer.delete(range);
        }
        self.peer.insert(start, text);
        self.version += 1;
        start
    }

    fn delete_surrounding(&mut self, before: usize, after: usize) {
        let Range { start, end } = self.covered();
        let text = self.peer.text();
        let from = text[..start].char_indices().rev().take(before).last().map_or(start, |(at, _)| at);
        let to = text[end..].char_indices().nth(after).map_or(text.len(), |(at, _)| end + at);
        if to > end {
            self.peer.delete(end..to);
        }
        if from < start {
            self.peer.delete(from..start);
            self.select(from, from + (end - start));
        }
        self.version += 1;
    }

    /// The letters that are being composed.
    pub fn composing(&self) -> Option<Range<usize>> {
        self.peer.is_composing().then(|| self.covered())
    }
}
