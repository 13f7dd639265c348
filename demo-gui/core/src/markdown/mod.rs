//! What the toolbar and the keys do to Markdown: from a text and a selection to one change. And what is read of a text:
//! its title, how many words it has.
//!
//! A selection is a byte range of whole characters, an empty one the caret. Every change is one undo step.

mod lines;
mod marks;
mod read;

use std::ops::Range;

pub use lines::{enter, flip_checkbox, toggle_checkbox};
pub use marks::{bold, code, italic};
pub use read::{title, words};

/// This range is replaced by this text, and then this is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of the text before.
    pub range: Range<usize>,
    /// In its place.
    pub text: String,
    /// In the text after.
    pub selection: Range<usize>,
}

/// The lines that a selection touches: from the beginning of the first to the end of the last, without its line end.
fn touched_lines(text: &str, selection: &Range<usize>) -> Range<usize> {
    let start = text[..selection.start].rfind('\n').map_or(0, |at| at + 1);
    // A selection that ends at the beginning of a line does not touch it.
    let last = if selection.end > selection.start && text[..selection.end].ends_with('\n') {
        selection.end - 1
    } else {
        selection.end
    };
    let end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    start..end.max(start)
}

#[cfg(test)]
mod tests;
