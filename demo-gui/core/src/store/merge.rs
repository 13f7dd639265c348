//! An outside edit of a `.md` file, merged into a text that has changed meanwhile.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// After this time a difference gets coarser: the hub has others to serve.
const PATIENCE: Duration = Duration::from_millis(30);

/// One replacement, in byte offsets of the text before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub range: Range<usize>,
    /// What comes in its place.
    pub text: String,
}

/// What turns `old` into `new`, in ascending order: by lines first, then by characters within lines that changed.
pub fn difference(old: &str, new: &str) -> Vec<Edit> {
    let deadline = Some(Instant::now() + PATIENCE);
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old_lines, &new_lines, deadline);
    let (old_at, new_at) = (offsets(&old_lines), offsets(&new_lines));
    let mut edits = Vec::new();
    for op in ops {
        let old_range = old_at[op.old_range().start]..old_at[op.old_range().end];
        let new_range = new_at[op.new_range().start]..new_at[op.new_range().end];
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Replace { .. } => by_characters(old, old_range, &new[new_range], deadline, &mut edits),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {
                edits.push(Edit { range: old_range, text: new[new_range].to_owned() });
            }
        }
    }
    edits
}

fn by_characters(
    old: &str,
    within: Range<usize>,
    new: &str,
    deadline: Option<Instant>,
    edits: &mut Vec<Edit>,
) {
    let old_chars: Vec<char> = old[within.clone()].chars().collect();
    let new_chars: Vec<char> = new.chars().collect();
    let old_at = char_offsets(&old_chars);
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old_chars, &new_chars, deadline) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let range = within.start + old_at[op.old_range().start]..within.start + old_at[op.old_range().end];
        edits.push(Edit { range, text: new_chars[op.new_range()].iter().collect() });
    }
}

fn offsets(pieces: &[&str]) -> Vec<usize> {
    running(pieces.iter().map(|piece| piece.len()))
}

fn char_offsets(chars: &[char]) -> Vec<usize> {
    running(chars.iter().map(|c| c.len_utf8()))
}

fn running(lens: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut at = 0;
    let mut offsets = vec![0];
    for len in lens {
        at += len;
        offsets.push(at);
    }
    offsets
}

/// What somebody did to `base` by writing `outside`, as edits of `current`, which has come from the same `base`. In
/// descending order: applied one after the other, none moves the next.
pub fn three_way(base: &str, outside: &str, current: &str) -> Vec<Edit> {
    if outside == current {
        return Vec::new();
    }
    let theirs = difference(base, outside);
    if base == current {
        return theirs.into_iter().rev().collect();
    }
    let kept = kept_ranges(&difference(base, current), base.len());
    let mut edits = Vec::new();
    for edit in theirs {
        for kept in &kept {
            let start = edit.range.start.max(kept.base.start);
            let end = edit.range.end.min(kept.base.end);
            if start < end {
                edits.push(Edit { range: kept.to_current(start)..kept.to_current(end), text: String::new() });
            }
        }
        if !edit.text.is_empty() {
            let at = place(&kept, edit.range.start, current.len());
            edits.push(Edit { range: at..at, text: edit.text });
        }
    }
    // Of those at one place the deletion is done first, so that it does not take what is inserted there.
    edits.sort_by(|a, b| b.range.start.cmp(&a.range.start).then(a.range.is_empty().cmp(&b.range.is_empty())));
    edits
}

/// A part of `base` that is still there.
struct Kept {
    base: Range<usize>,
    current: usize,
}

impl Kept {
    fn to_current(&self, base: usize) -> usize {
        self.current + (base - self.base.start)
    }
}

fn kept_ranges(ours: &[Edit], base_len: usize) -> Vec<Kept> {
    let mut kept = Vec::new();
    let (mut base, mut current) = (0, 0);
    for edit in ours {
        kept.push(Kept { base: base..edit.range.start, current });
        current += edit.range.start - base + edit.text.len();
        base = edit.range.end;
    }
    kept.push(Kept { base: base..base_len, current });
    kept
}

/// Where in the current text an insertion at `at` of the base belongs: behind the letter that it stood behind, or, when
/// that is gone, where it was.
fn place(kept: &[Kept], at: usize, current_len: usize) -> usize {
    for part in kept {
        if at < part.base.start {
            return part.current;
        }
        let behind_a_letter = at > part.base.start || at == 0;
        if behind_a_letter && at <= part.base.end {
            return part.to_current(at);
        }
        if at == part.base.start && part.base.start < part.base.end {
            return part.current;
        }
    }
    kept.last().map_or(current_len, |last| last.to_current(last.base.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, edits: &[Edit]) -> String {
        let mut text = text.to_owned();
        for edit in edits {
            text.replace_range(edit.range.clone(), &edit.text);
        }
        text
    }

    fn merged(base: &str, outside: &str, current: &str) -> String {
        applied(current, &three_way(base, outside, current))
    }

    #[test]
    fn both_sides_are_kept() {
        for (base, outside, current, expected) in [
            ("", "new", "", "new"),
            ("a", "a", "ab", "ab"),
            ("a", "ab", "ab", "ab"),
            ("one\ntwo\nthree\n", "one\nTWO\nthree\n", "zero\none\ntwo\nthree\n", "zero\none\nTWO\nthree\n"),
            ("one\ntwo\n", "one\ntwo\nthree\n", "one!\ntwo\n", "one!\ntwo\nthree\n"),
            ("hello world", "hello brave world", "hello world!", "hello brave world!"),
            ("你好世界", "你好，世界", "你好世界！", "你好，世界！"),
            ("👩‍👩‍👧 x", "👩‍👩‍👧 y", "👩‍👩‍👧 x 🎉", "👩‍👩‍👧 y 🎉"),
            ("abc", "", "abXc", "X"),
            ("abc", "abc", "", ""),
            ("abc", "aZbc", "", "Z"),
        ] {
            assert_eq!(merged(base, outside, current), expected, "{base:?} {outside:?} {current:?}");
        }
    }

    #[test]
    fn a_small_change_is_a_small_edit() {
        let old = "line\n".repeat(1_000);
        let mut new = old.clone();
        new.replace_range(2_500..2_504, "list");
        let edits = difference(&old, &new);
        let touched: usize = edits.iter().map(|edit| edit.range.len() + edit.text.len()).sum();
        assert!(touched <= 8, "{edits:?}");
    }

    proptest::proptest! {
        #[test]
        fn differences_are_exact(old in "[ab\n你👩]{0,40}", new in "[ab\n你👩]{0,40}") {
            let mut edits = difference(&old, &new);
            edits.reverse();
            proptest::prop_assert_eq!(applied(&old, &edits), new);
        }

        #[test]
        fn one_side_alone_wins(base in "[ab\n你👩]{0,40}", other in "[ab\n你👩]{0,40}") {
            proptest::prop_assert_eq!(merged(&base, &other, &base), other.clone());
            proptest::prop_assert_eq!(merged(&base, &base, &other), other);
        }

        #[test]
        fn any_three_texts_merge(base in "[ab\n你]{0,30}", a in "[ab\n你]{0,30}", b in "[ab\n你]{0,30}") {
            // What neither base nor the others have does not appear; offsets are on character boundaries or this panics.
            let result = merged(&base, &a, &b);
            proptest::prop_assert!(result.chars().count() <= a.chars().count() + b.chars().count());
        }
    }
}
