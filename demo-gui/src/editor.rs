//! The text of a note: egui's TextEdit over the peer.
//!
//! Every edit goes to the peer as it happens, as an exact insertion or deletion. Undo and the input method are taken away
//! from TextEdit: its own undo would rewrite the whole text, which would delete everybody's work.

pub mod bold;
mod buffer;
pub mod highlight;
mod ime;
pub mod layout;
mod marks;
mod others;
mod reactions;

pub use marks::Wrap;

use crate::i18n::Words;
use crate::theme::{self, palette};
use buffer::Buffer;
use eframe::egui::{
    self, Id, Margin, ScrollArea, Shape, TextEdit, Ui,
    text::{CCursor, CCursorRange},
    text_edit::TextEditState,
    vec2,
};
use layout::NoteLayout;
use notes_core::peer::{Edit, Peer, shift};
use std::ops::Range;

/// The widest that lines become: longer ones are hard to read.
const COLUMN: f32 = 760.0;
/// How long the caret blinks after the last key; then it stands still and costs nothing.
const BLINKS: f64 = 10.0;

/// The editor of one note.
pub struct Editor {
    /// The text and everybody in it.
    pub peer: Peer,
    layout: NoteLayout,
    /// Anchor and caret, in bytes of the text.
    selection: (usize, usize),
    /// The selection was moved by us, not by TextEdit: it must be told.
    moved: bool,
    /// Bring the caret into view.
    reveal: bool,
    /// Take the keyboard in the next frame.
    focus: bool,
    followed: Option<u64>,
    reactions: reactions::Floating,
    others: others::Flags,
    /// Found places, the chosen one, shown behind the text.
    pub found: Vec<Range<usize>>,
    /// Which of them.
    pub found_at: usize,
    /// A place to bring into view once.
    pub go_to: Option<usize>,
    /// Counts changes, whoever made them.
    pub version: u64,
    facts: Option<(u64, (usize, usize), (usize, usize, usize))>,
    last_key: f64,
}

/// The editor's text field.
pub fn field_id() -> Id {
    Id::new("note text")
}

impl Editor {
    /// Over a peer, with the caret at the end of what it has.
    pub fn new(peer: Peer) -> Editor {
        let end = peer.text().len();
        Editor {
            peer,
            layout: NoteLayout::default(),
            selection: (end, end),
            moved: true,
            reveal: false,
            focus: true,
            followed: None,
            reactions: reactions::Floating::default(),
            others: others::Flags::default(),
            found: Vec::new(),
            found_at: 0,
            go_to: None,
            version: 0,
            facts: None,
            last_key: 0.0,
        }
    }

    /// Takes the keyboard in the next frame.
    pub fn focus(&mut self) {
        self.focus = true;
    }

    /// Anchor and caret, in bytes.
    pub fn selection(&self) -> (usize, usize) {
        self.selection
    }

    /// Selects a range, the caret at its end, and brings it into view.
    pub fn select(&mut self, anchor: usize, head: usize) {
        let text = self.peer.text();
        self.selection = (floor(text, anchor), floor(text, head));
        (self.moved, self.reveal) = (true, true);
    }

    /// Whom we follow.
    pub fn followed(&self) -> Option<u64> {
        self.followed
    }

    /// Follows somebody's caret, or nobody's.
    pub fn follow(&mut self, client: Option<u64>) {
        self.followed = client;
    }

    /// A frame of the hub: the text, the caret and the selection move with what others did.
    pub fn receive(&mut self, frame: &[u8], now_ms: u64) {
        // Frames come from our own hub, which checks what comes from outside: an error here changes nothing.
        if let Ok(edits) = self.peer.receive(frame, now_ms) {
            self.shift(&edits);
        }
    }

    fn shift(&mut self, edits: &[Edit]) {
        if edits.is_empty() {
            return;
        }
        let (anchor, head) = self.selection;
        self.selection = (shift(anchor, edits), shift(head, edits));
        for range in &mut self.found {
            *range = shift(range.start, edits)..shift(range.end, edits);
        }
        self.moved = true;
        self.version += 1;
    }

    /// Takes back our own last step; the caret goes where it was done.
    pub fn undo(&mut self) {
        let edits = self.peer.undo();
        self.stepped(&edits);
    }

    /// Does it again.
    pub fn redo(&mut self) {
        let edits = self.peer.redo();
        self.stepped(&edits);
    }

    fn stepped(&mut self, edits: &[Edit]) {
        let Some(last) = edits.last() else { return };
        let at = last.at + last.inserted.len();
        self.version += 1;
        self.select(at, at);
    }

    /// Puts `text` in the place of `range`, as one undo step.
    pub fn replace(&mut self, range: Range<usize>, text: &str) {
        let end = range.start + text.len();
        self.peer.replace(range.clone(), text);
        let edit = Edit { at: range.start, removed: range.len(), inserted: text.to_owned() };
        let _ = end;
        self.shift(std::slice::from_ref(&edit));
    }

    /// Line and column of the caret, counted from one, and the number of words.
    pub fn facts(&mut self) -> (usize, usize, usize) {
        if let Some((version, selection, facts)) = self.facts
            && (version, selection) == (self.version, self.selection)
        {
            return facts;
        }
        let text = self.peer.text();
        let before = &text[..floor(text, self.selection.1)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let same_text = self.facts.filter(|(version, ..)| *version == self.version).map(|(_, _, facts)| facts.2);
        let facts = (line, before[line_start..].chars().count() + 1, same_text.unwrap_or_else(|| count_words(text)));
        self.facts = Some((self.version, self.selection, facts));
        facts
    }

    /// Shows the text and takes what is typed.
    pub fn show(&mut self, ui: &mut Ui, words: &Words, now_ms: u64) {
        let colors = palette(ui);
        let side = ((ui.available_width() - COLUMN) / 2.0).max(28.0).min(ui.available_width() * 0.12).max(16.0);
        let side = side.max((ui.available_width() - COLUMN) / 2.0);
        let view_height = ui.available_height();
        let scroll = ScrollArea::vertical().id_salt("note").auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            self.blink(ui);
            self.input_method(ui);
            let behind = ui.painter().add(Shape::Noop);
            self.tell_selection(ui.ctx());
            let before = self.peer.text().len();
            let layout = &mut self.layout;
            let mut layouter =
                |ui: &Ui, buffer: &dyn egui::TextBuffer, width: f32| layout.galley(ui, buffer.as_str(), width);
            let mut buffer = Buffer::new(&mut self.peer);
            let edit = TextEdit::multiline(&mut buffer)
                .id(field_id())
                .frame(egui::Frame::NONE.inner_margin(Margin {
                    left: side as i8 as i8,
                    right: 0,
                    top: 28,
                    bottom: 60,
                }))
                .desired_width(f32::INFINITY)
                .min_size(vec2(0.0, view_height))
                .lock_focus(true)
                .hint_text("")
                .layouter(&mut layouter);
            let output = edit.show(ui);
            let changes = buffer.changes;
            let _ = (before, colors, words, now_ms, behind, output, changes);
        });
    }
}

/// The nearest character boundary at or before.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// Words of scripts with spaces, and each character of those without.
fn count_words(text: &str) -> usize {
    let (mut count, mut in_word) = (0, false);
    for c in text.chars() {
        let alone = matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
        let letter = !alone && (c.is_alphanumeric() || in_word && matches!(c, '\'' | '’' | '-'));
        count += usize::from(alone || letter && !in_word);
        in_word = letter;
    }
    count
}
