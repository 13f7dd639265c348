//! What TextEdit writes into: each of its edits becomes one of the peer's.

use eframe::egui::{
    TextBuffer,
    text::{CCursor, CharIndex},
};
use notes_core::markdown;
use notes_core::peer::Peer;
use std::ops::Range;

/// The peer's text as TextEdit sees it.
pub struct Buffer<'a> {
    peer: &'a mut Peer,
    /// How many edits were made.
    pub changes: u64,
}

impl<'a> Buffer<'a> {
    /// Over a peer.
    pub fn new(peer: &'a mut Peer) -> Buffer<'a> {
        Buffer { peer, changes: 0 }
    }

    fn insert(&mut self, at: usize, text: &str) -> usize {
        let taken = self.peer.insert(at, text);
        self.changes += u64::from(taken > 0);
        self.peer.text()[at..at + taken].chars().count()
    }

    /// Enter in a list begins the next item; in an empty item it ends the list. False when it is no list.
    fn next_item(&mut self, caret: &mut CCursor) -> bool {
        let at = self.byte_index_from_char_index(caret.index).0;
        let Some(change) = markdown::enter(self.peer.text(), at..at) else { return false };
        self.peer.replace(change.range, &change.text);
        self.changes += 1;
        caret.index = self.char_index_from_byte_index(change.selection.end.into());
        true
    }
}

impl TextBuffer for Buffer<'_> {
    fn is_mutable(&self) -> bool {
        !self.peer.is_read_only()
    }

    fn as_str(&self) -> &str {
        self.peer.text()
    }

    fn insert_text(&mut self, text: &str, char_index: CharIndex) -> usize {
        let at = self.byte_index_from_char_index(char_index).0;
        self.insert(at, text)
    }

    fn delete_char_range(&mut self, range: Range<CharIndex>) {
        let start = self.byte_index_from_char_index(range.start).0;
        let end = self.byte_index_from_char_index(range.end).0;
        // TextEdit deletes nothing before each letter; it must not become an edit.
        if start < end && self.peer.delete(start..end) {
            self.changes += 1;
        }
    }

    fn insert_text_at(&mut self, caret: &mut CCursor, text: &str, _char_limit: usize) {
        // TextEdit asks this way also for a text that is not mutable.
        if self.is_mutable() && (text != "\n" || !self.next_item(caret)) {
            caret.index += self.insert_text(text, caret.index);
        }
    }

    fn type_id(&self) -> std::any::TypeId {
        std::any::TypeId::of::<Buffer<'static>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notes_core::wire::{Color, User};

    /// Presses Enter where `|` is, and shows where the caret is then.
    fn enter(text: &str) -> String {
        let at = text.find('|').expect("a caret");
        let mut peer = Peer::new(User { name: "me".into(), color: Color([0, 0, 0]) });
        peer.insert(0, &text.replace('|', ""));
        let mut buffer = Buffer::new(&mut peer);
        let mut caret = CCursor::new(text[..at].chars().count());
        buffer.insert_text_at(&mut caret, "\n", usize::MAX);
        let mut out: Vec<char> = peer.text().chars().collect();
        out.insert(caret.index.0, '|');
        out.into_iter().collect()
    }

    #[test]
    fn enter_goes_on_with_a_list() {
        assert_eq!(enter("a|"), "a\n|");
        assert_eq!(enter("- 牛奶|"), "- 牛奶\n- |");
        assert_eq!(enter("- a|b"), "- a\n- |b");
        assert_eq!(enter("x\n  - [x] a|\ny"), "x\n  - [x] a\n  - [ ] |\ny");
        assert_eq!(enter("9. a|"), "9. a\n10. |");
        assert_eq!(enter("- a\n- |"), "- a\n|");
        assert_eq!(enter("- [ ] |\nz"), "|\nz");
        assert_eq!(enter("|- a"), "\n|- a");
    }

    #[test]
    fn deleting_nothing_is_no_edit() {
        let mut peer = Peer::new(User { name: "me".into(), color: Color([0, 0, 0]) });
        let mut buffer = Buffer::new(&mut peer);
        buffer.insert_text("你好", CharIndex(0));
        buffer.delete_char_range(CharIndex(1)..CharIndex(1));
        assert_eq!(buffer.changes, 1);
        buffer.delete_char_range(CharIndex(0)..CharIndex(1));
        assert_eq!((buffer.as_str(), buffer.changes), ("好", 2));
    }
}
