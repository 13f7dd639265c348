//! Keys that write Markdown marks.

use super::{Editor, floor, highlight};
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

impl Wrap {
    fn mark(self) -> &'static str {
        match self {
            Wrap::Bold => "**",
            Wrap::Italic => "*",
            Wrap::Code => "`",
        }
    }
}

impl Editor {
    /// Puts marks around the selection, or takes them away; without a selection, around the word at the caret.
    pub fn wrap(&mut self, wrap: Wrap) {
        let text = self.peer.text();
        let (anchor, head) = self.selection;
        let mut range = floor(text, anchor.min(head))..floor(text, anchor.max(head));
        if range.is_empty() {
            range = word_at(text, range.start);
        }
        let mark = wrap.mark();
        if let Some(outer) = surrounding(text, &range, mark) {
            let inner = text[range].to_owned();
            self.replace(outer.clone(), &inner);
            self.select(outer.start, outer.start + inner.len());
        } else {
            let marked = format!("{mark}{}{mark}", &text[range.clone()]);
            let start = range.start + mark.len();
            let length = range.len();
            self.replace(range, &marked);
            self.select(start, start + length);
        }
    }

    /// Makes the caret's line an item with a checkbox; where it is one, ticks it or unticks it.
    pub fn checkbox(&mut self) {
        let text = self.peer.text();
        let (anchor, head) = self.selection;
        let at = floor(text, head);
        let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let start = start + indent;
        let (range, new) = match highlight::list_item(&line[indent..]) {
            Some(item) if item.checkbox > 0 => {
                let mark = start + item.bullet;
                (mark..mark + 3, if item.done { "[ ]" } else { "[x]" })
            }
            Some(item) => (start + item.bullet..start + item.bullet, "[ ] "),
            None => (start..start, "- [ ] "),
        };
        let (from, added) = (range.end, new.len() - range.len());
        self.replace(range, new);
        let moved = |offset: usize| if offset >= from { offset + added } else { offset };
        self.select(moved(anchor), moved(head));
    }
}

/// The word around a place, or nothing there.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text[..at].char_indices().rev().take_while(|(_, c)| is_word(*c)).last().map_or(at, |(start, _)| start);
    let end = text[at..].char_indices().find(|(_, c)| !is_word(*c)).map_or(text.len(), |(end, _)| at + end);
    start..end
}

/// The range with the marks that are around it, if they are.
fn surrounding(text: &str, range: &Range<usize>, mark: &str) -> Option<Range<usize>> {
    let before = text[..range.start].strip_suffix(mark)?;
    let after = text[range.end..].strip_prefix(mark)?;
    // One star of two is no mark of its own.
    let doubled = mark == "*" && (before.ends_with('*') != after.starts_with('*') || before.ends_with('*') && !before.ends_with("**"));
    (!doubled).then_some(range.start - mark.len()..range.end + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use notes_core::peer::Peer;
    use notes_core::wire::{Color, User};

    /// An editor whose selection is between the bars of the text.
    fn editor(text: &str) -> Editor {
        let places: Vec<usize> = text.match_indices('|').map(|(at, _)| at).collect();
        let mut peer = Peer::new(User { name: "me".into(), color: Color([0, 0, 0]) });
        peer.insert(0, &text.replace('|', ""));
        let mut editor = Editor::new(peer);
        editor.select(places[0], places.get(1).map_or(places[0], |second| second - 1));
        editor
    }

    fn shown(editor: &Editor) -> String {
        let mut out = editor.peer.text().to_owned();
        let (anchor, head) = editor.selection();
        out.insert(head, '|');
        if anchor != head {
            out.insert(anchor, '|');
        }
        out
    }

    #[test]
    fn marks_come_and_go() {
        let mut one = editor("a |你好| b");
        one.wrap(Wrap::Bold);
        assert_eq!(shown(&one), "a **|你好|** b");
        one.wrap(Wrap::Italic);
        assert_eq!(shown(&one), "a ***|你好|*** b");
        one.wrap(Wrap::Bold);
        one.wrap(Wrap::Code);
        assert_eq!(shown(&one), "a *`|你好|`* b");
        let mut word = editor("say hel|lo");
        word.wrap(Wrap::Bold);
        assert_eq!(shown(&word), "say **|hello|**");
    }

    #[test]
    fn a_line_becomes_a_checkbox_and_is_ticked() {
        let mut one = editor("x\nmil|k\ny");
        one.checkbox();
        assert_eq!(shown(&one), "x\n- [ ] mil|k\ny");
        one.checkbox();
        assert_eq!(shown(&one), "x\n- [x] mil|k\ny");
        one.checkbox();
        assert_eq!(shown(&one), "x\n- [ ] mil|k\ny");
        let mut item = editor("  - a|");
        item.checkbox();
        assert_eq!(shown(&item), "  - [ ] a|");
        one.undo();
        assert!(one.peer.text().contains("[x]"));
    }
}
