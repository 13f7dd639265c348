//! Keys that write Markdown marks: what they do to a text is decided in the core.

use super::Editor;
use notes_core::markdown::{self, Change};
use std::ops::Range;

/// Marks around a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// `**`
    Bold,
    /// `*`
    Italic,
    /// `` ` ``
    Code,
}

impl Editor {
    /// Puts marks around the selection, or takes them away.
    pub fn wrap(&mut self, wrap: Wrap) {
        let text = self.peer.text();
        let change = match wrap {
            Wrap::Bold => markdown::bold(text, self.range()),
            Wrap::Italic => markdown::italic(text, self.range()),
            Wrap::Code => markdown::code(text, self.range()),
        };
        self.change(&change);
    }

    /// Makes the selected lines items with checkboxes; where they are, ticks them or unticks them.
    pub fn checkbox(&mut self) {
        let change = markdown::toggle_checkbox(self.peer.text(), self.range());
        self.change(&change);
    }

    fn range(&self) -> Range<usize> {
        let (anchor, head) = self.selection;
        anchor.min(head)..anchor.max(head)
    }

    /// One change, one undo step.
    fn change(&mut self, change: &Change) {
        if self.peer.is_read_only() {
            return;
        }
        self.replace(change.range.clone(), &change.text);
        self.select(change.selection.start, change.selection.end);
    }
}
