//! Changes of the text as offsets, for those who hold offsets.

use std::ops::Range;

/// At this byte offset so many bytes were taken out and this was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// In the text as it is when the edits before this one are done.
    pub at: usize,
    /// Bytes taken out.
    pub removed: usize,
    /// What was put in.
    pub inserted: String,
}

impl Edit {
    /// What is taken out.
    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.removed
    }

    fn apply(&self, offset: usize, stays: bool) -> usize {
        if offset < self.at || stays && offset == self.at {
            offset
        } else if offset < self.at + self.removed {
            self.at
        } else {
            offset - self.removed + self.inserted.len()
        }
    }
}

/// Where an offset of ours is after these edits of others: what is inserted right at it stays behind it.
pub fn shift(offset: usize, edits: &[Edit]) -> usize {
    edits.iter().fold(offset, |offset, edit| edit.apply(offset, true))
}

/// Where somebody's caret is after these edits: it stands before the same character as before.
pub(super) fn carry(offset: usize, edits: &[Edit]) -> usize {
    edits.iter().fold(offset, |offset, edit| edit.apply(offset, false))
}

/// Few edits are made in place; for many, the text is put together once.
const IN_PLACE: usize = 8;

/// Does edits that ascend, as those of one transaction do, to a text.
pub(super) fn apply_all(text: &mut String, edits: &[Edit]) {
    if edits.len() <= IN_PLACE {
        for edit in edits {
            text.replace_range(edit.range(), &edit.inserted);
        }
        return;
    }
    let mut out =
        String::with_capacity(text.len() + edits.iter().map(|edit| edit.inserted.len()).sum::<usize>());
    let mut rest = text.as_str();
    for edit in edits {
        let (kept, after) = rest.split_at(edit.at - out.len());
        out.push_str(kept);
        out.push_str(&edit.inserted);
        rest = &after[edit.removed..];
    }
    out.push_str(rest);
    *text = out;
}

/// The one edit that makes `new` of `old`: what both begin and end with is left alone.
pub(super) fn difference(old: &str, new: &str) -> Option<Edit> {
    if old == new {
        return None;
    }
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let start =
        (0..=same).rev().find(|&at| old.is_char_boundary(at) && new.is_char_boundary(at)).unwrap_or(0);
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let same = old_rest.bytes().rev().zip(new_rest.bytes().rev()).take_while(|(a, b)| a == b).count();
    let fits = |len: &usize| {
        old_rest.is_char_boundary(old_rest.len() - len) && new_rest.is_char_boundary(new_rest.len() - len)
    };
    let tail = (0..=same).rev().find(fits).unwrap_or(0);
    let inserted = new_rest[..new_rest.len() - tail].to_owned();
    Some(Edit { at: start, removed: old_rest.len() - tail, inserted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(at: usize, removed: usize, inserted: &str) -> Edit {
        Edit { at, removed, inserted: inserted.to_owned() }
    }

    #[test]
    fn offsets_move_with_the_text() {
        let edits = [edit(2, 0, "世界")];
        assert_eq!([0, 2, 3].map(|at| shift(at, &edits)), [0, 2, 9]);
        assert_eq!([0, 2, 3].map(|at| carry(at, &edits)), [0, 8, 9]);
        let edits = [edit(1, 3, "x")];
        assert_eq!([0, 1, 2, 3, 4, 5].map(|at| shift(at, &edits)), [0, 1, 1, 1, 2, 3]);
    }

    #[test]
    fn the_difference_is_small_and_cuts_no_character() {
        assert_eq!(difference("a世b", "a世b"), None);
        assert_eq!(difference("a世b", "a丗b"), Some(edit(1, 3, "丗")));
        assert_eq!(difference("aa", "aaa"), Some(edit(2, 0, "a")));
        assert_eq!(difference("x😀y", "x😁y"), Some(edit(1, 4, "😁")));
        assert_eq!(difference("", "é"), Some(edit(0, 0, "é")));
        assert_eq!(difference("éè", ""), Some(edit(0, 4, "")));
    }

    #[test]
    fn many_edits_at_once_do_what_they_do_one_by_one() {
        let text = "0123456789".repeat(10);
        let edits: Vec<Edit> = (0..12).map(|n| edit(n * 7, n % 3, ["", "ab", "世界x"][n % 3])).collect();
        let (mut once, mut each) = (text.clone(), text);
        apply_all(&mut once, &edits);
        edits.iter().for_each(|edit| each.replace_range(edit.range(), &edit.inserted));
        assert_eq!(once, each);
    }
}
