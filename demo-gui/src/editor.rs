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
use buffer::Buffer;
use eframe::egui::{
    self, Id, Margin, Rect, ScrollArea, Sense, Shape, TextBuffer, TextEdit, Ui, pos2,
    text::{CCursor, CCursorRange},
    text_edit::TextEditState,
    vec2,
};
use layout::NoteLayout;
use notes_core::markdown;
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
    facts: Option<Facts>,
    last_key: f64,
}

/// Line, column and words, with the version and the selection that they are of.
type Facts = (u64, (usize, usize), (usize, usize, usize));

/// The editor's text field.
pub fn field_id() -> Id {
    Id::unique("note text")
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

    /// The caret goes to the end, which need not be seen.
    pub fn caret_at_end(&mut self) {
        let end = self.peer.text().len();
        (self.selection, self.moved) = ((end, end), true);
    }

    /// Takes nothing that is typed any more, or again; it can be read, searched and copied all the same.
    pub fn set_read_only(&mut self, read_only: bool) {
        if read_only {
            self.cancel_composition();
        }
        self.peer.set_read_only(read_only);
    }

    /// How many lines were laid out since the start, for tests.
    pub fn lines_laid_out(&self) -> usize {
        self.layout.laid_out
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
        if self.peer.is_read_only() {
            return;
        }
        self.peer.replace(range.clone(), text);
        let edit = Edit { at: range.start, removed: range.len(), inserted: text.to_owned() };
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
        let same_text =
            self.facts.filter(|(version, ..)| *version == self.version).map(|(_, _, facts)| facts.2);
        let facts = (
            line,
            before[line_start..].chars().count() + 1,
            same_text.unwrap_or_else(|| markdown::words(text)),
        );
        self.facts = Some((self.version, self.selection, facts));
        facts
    }

    /// Shows the text and takes what is typed.
    pub fn show(&mut self, ui: &mut Ui, words: &Words, now_ms: u64) {
        let side = ((ui.available_width() - COLUMN) / 2.0).max(if ui.available_width() < 480.0 {
            16.0
        } else {
            30.0
        });
        let height = ui.available_height();
        let scroll = ScrollArea::vertical().id_salt("note").auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            let area = ui.available_rect_before_wrap();
            let column = Rect::from_min_max(area.min + vec2(side, 0.0), pos2(area.max.x - side, area.max.y));
            let inner = ui.scope_builder(egui::UiBuilder::new().max_rect(column), |ui| {
                self.text_field(ui, words, height, now_ms);
            });
            // The margins belong to the text: a click there sets the caret at the end of what is there.
            let margin = ui.interact(
                inner.response.rect.expand2(vec2(side, 0.0)),
                ui.scope_id().with("margin"),
                Sense::hover(),
            );
            if margin.hovered() && ui.input(|input| input.pointer.primary_pressed()) && self.screen_free(ui) {
                self.focus = true;
                ui.ctx().request_repaint();
            }
        });
    }

    /// Is nothing above the text under the pointer?
    fn screen_free(&self, ui: &Ui) -> bool {
        ui.input(|input| input.pointer.interact_pos())
            .is_some_and(|at| ui.ctx().layer_id_at(at) == Some(ui.layer_id()))
    }

    fn text_field(&mut self, ui: &mut Ui, words: &Words, height: f32, now_ms: u64) {
        self.blink(ui);
        let focus = std::mem::take(&mut self.focus);
        if focus {
            // Before it is shown, because without the keyboard TextEdit gives its selection up; and again after it, because
            // in the frame of a click elsewhere it gives the keyboard up.
            ui.memory_mut(|memory| memory.request_focus(field_id()));
        }
        if ui.memory(|memory| memory.has_focus(field_id())) {
            self.input_method(ui);
        } else if self.peer.is_composing() {
            let edits = self.peer.compose_cancel();
            self.shift(&edits);
        }
        let behind = [ui.painter().add(Shape::Noop), ui.painter().add(Shape::Noop)];
        self.tell_selection(ui.ctx());
        let read_only = self.peer.is_read_only();
        let layout = &mut self.layout;
        let mut layouter =
            |ui: &Ui, buffer: &dyn TextBuffer, width: f32| layout.galley(ui, buffer.as_str(), width);
        let mut buffer = Buffer::new(&mut self.peer);
        let frame = egui::Frame::NONE.inner_margin(Margin { left: 0, right: 0, top: 26, bottom: 70 });
        let output = TextEdit::multiline(&mut buffer)
            .id(field_id())
            .frame(frame)
            .desired_width(f32::INFINITY)
            .min_size(vec2(0.0, height))
            .lock_focus(!read_only)
            .layouter(&mut layouter)
            .show(ui);
        let changes = buffer.changes;
        let response = &output.response.response;
        response.widget_info(|| {
            let mut info = egui::WidgetInfo::labeled(egui::Role::TextInput, true, words.note_text);
            info.current_text_value = Some(self.peer.text().to_owned());
            info
        });
        if focus {
            response.request_focus();
        }
        self.after(ui, &output, changes);
        self.show_code(ui, &output, behind[0]);
        self.show_others(ui, &output, behind[1], now_ms);
        self.bring_into_view(ui, &output);
    }

    /// Takes over what TextEdit did with the selection.
    fn after(&mut self, ui: &Ui, output: &egui::text_edit::TextEditOutput, changes: u64) {
        self.version += changes;
        let text = self.peer.text();
        if let Some(range) = output.state.cursor.char_range() {
            let anchor = byte_at(text, range.secondary.index.0);
            let head = if range.is_empty() { anchor } else { byte_at(text, range.primary.index.0) };
            if (anchor, head) != self.selection || changes > 0 {
                self.last_key = ui.input(|input| input.time);
                if changes > 0 || ui.memory(|memory| memory.has_focus(field_id())) {
                    self.followed = None;
                }
            }
            self.selection = (anchor, head);
        }
        // The others see where we are as long as the note is shown, also while a dialog has the keyboard: what one throws
        // in from there floats up beside the caret.
        self.peer.select(Some(self.selection));
    }

    /// Tells TextEdit where the selection is, when it was not TextEdit that moved it.
    fn tell_selection(&mut self, ctx: &egui::Context) {
        if !std::mem::take(&mut self.moved) {
            return;
        }
        let text = self.peer.text();
        let char_at = |byte: usize| CCursor::new(text[..floor(text, byte)].chars().count());
        let mut state = TextEditState::load(ctx, field_id()).unwrap_or_default();
        let range = CCursorRange {
            primary: char_at(self.selection.1),
            secondary: char_at(self.selection.0),
            h_pos: None,
        };
        state.cursor.set_char_range(Some(range));
        state.store(ctx, field_id());
    }

    /// The caret blinks while somebody writes, then stands still: a window that nobody touches draws nothing.
    fn blink(&self, ui: &mut Ui) {
        let idle = ui.input(|input| input.time) - self.last_key;
        ui.visuals_mut().text_cursor.blink &= idle < BLINKS;
    }

    /// Scrolls to what should be seen: our caret after a jump, a found place, or the one whom we follow.
    fn bring_into_view(&mut self, ui: &Ui, output: &egui::text_edit::TextEditOutput) {
        let mut target = self.go_to.take();
        if std::mem::take(&mut self.reveal) {
            target = Some(self.selection.1);
        }
        if let Some(client) = self.followed {
            match self.peer.carets().into_iter().find(|caret| caret.client == client) {
                Some(caret) if self.others.has_moved(client, caret.head) => target = Some(caret.head),
                Some(_) => {}
                None if self.peer.people().iter().all(|person| person.client != client) => {
                    self.followed = None
                }
                None => {}
            }
        }
        if let Some(at) = target {
            let rect = caret_rect(output, self.peer.text(), at);
            ui.scroll_to_rect(rect.expand2(vec2(0.0, 60.0)), None);
        }
    }
}

/// Where the caret stands at a byte of the text, on the screen.
fn caret_rect(output: &egui::text_edit::TextEditOutput, text: &str, at: usize) -> Rect {
    let cursor = CCursor::new(text[..floor(text, at)].chars().count());
    output.galley.pos_from_cursor(cursor).translate(output.galley_pos.to_vec2())
}

/// The byte of a character.
fn byte_at(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

/// The nearest character boundary at or before.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}
