//! Lists: going on with them, ticking them off.

use std::ops::Range;

use super::{Change, touched_lines};

/// What stands before a line's content.
struct Prefix<'a> {
    /// Spaces and the signs of a quotation.
    indent: &'a str,
    /// `-`, `*`, `+`, `1.`, `1)`; empty when it is no item of a list.
    marker: &'a str,
    /// Ticked or not.
    checkbox: Option<bool>,
    /// Bytes before the content.
    len: usize,
}

fn prefix(line: &str) -> Prefix<'_> {
    let indent_len = line.len() - line.trim_start_matches([' ', '\t', '>']).len();
    let (indent, rest) = line.split_at(indent_len);
    let marker_len = marker_len(rest);
    let (marker, after) = rest.split_at(marker_len);
    if marker.is_empty() {
        return Prefix { indent, marker, checkbox: None, len: indent_len };
    }
    let space = usize::from(after.starts_with(' '));
    let after = &after[space..];
    let checkbox = match after.get(..3) {
        Some("[ ]") => Some(false),
        Some("[x]" | "[X]") => Some(true),
        _ => None,
    };
    let checkbox = checkbox.filter(|_| after.len() == 3 || after[3..].starts_with(' '));
    let box_len = if checkbox.is_some() { (3 + 1).min(after.len()) } else { 0 };
    Prefix { indent, marker, checkbox, len: indent_len + marker_len + space + box_len }
}

/// A marker is followed by a space, or by nothing.
fn marker_len(rest: &str) -> usize {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let len = match rest.as_bytes().get(digits) {
        Some(b'-' | b'*' | b'+') if digits == 0 => 1,
        Some(b'.' | b')') if (1..=9).contains(&digits) => digits + 1,
        _ => return 0,
    };
    let after = &rest[len..];
    if after.is_empty() || after.starts_with(' ') { len } else { 0 }
}

/// Where a line's content begins.
pub(super) fn content_of(line: &str) -> usize {
    prefix(line).len
}

/// The next line of the same list: None where Enter is only a line end. At an item without content, the list ends.
pub fn enter(text: &str, selection: Range<usize>) -> Option<Change> {
    let start = text[..selection.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].split('\n').next().unwrap_or("");
    let prefix = prefix(line);
    let is_list = !prefix.marker.is_empty();
    let is_quote = prefix.indent.contains('>');
    if !(is_list || is_quote) || selection.start < start + prefix.len || in_fence(&text[..start]) {
        return None;
    }
    if line[prefix.len..].trim().is_empty() && selection.end <= start + line.len() {
        let range = start..start + line.len();
        return Some(Change { range, text: String::new(), selection: start..start });
    }
    let marker = match next_marker(prefix.marker) {
        marker if prefix.checkbox.is_some() => format!("{marker} [ ] "),
        marker if is_list => format!("{marker} "),
        marker => marker,
    };
    let new = format!("\n{}{marker}", prefix.indent);
    let caret = selection.start + new.len();
    Some(Change { range: selection, text: new, selection: caret..caret })
}

fn next_marker(marker: &str) -> String {
    let digits = marker.trim_end_matches(['.', ')']);
    match digits.parse::<u64>() {
        Ok(number) => format!("{}{}", number + 1, &marker[digits.len()..]),
        Err(_) => marker.to_owned(),
    }
}

/// The text so far has opened a block of code and not closed it.
fn in_fence(before: &str) -> bool {
    let mut fence: Option<&str> = None;
    for line in before.lines().map(str::trim_start) {
        let signs = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            None if signs.len() >= 3 => fence = Some(signs),
            Some(open) if signs.len() >= open.len() && signs.len() == line.trim_end().len() => fence = None,
            _ => {}
        }
    }
    fence.is_some()
}

/// Makes the selected lines items to be ticked off; when they all are, ticks them; when they all are ticked, unticks
/// them.
pub fn toggle_checkbox(text: &str, selection: Range<usize>) -> Change {
    let lines = touched_lines(text, &selection);
    let whole = &text[lines.clone()];
    let only_blank = whole.trim().is_empty();
    let counts = |line: &&str| only_blank || !line.trim().is_empty();
    let boxes: Vec<Option<bool>> =
        whole.split('\n').filter(counts).map(|line| prefix(line).checkbox).collect();
    let target = if boxes.contains(&None) { None } else { Some(boxes.contains(&Some(false))) };
    let mut out = String::with_capacity(whole.len() + 6 * boxes.len());
    let mut old_at = lines.start;
    let selection = selection.start..selection.end.min(lines.end);
    let (mut start, mut end) = (selection.start, selection.end);
    for (n, line) in whole.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let before = prefix(line);
        let new_start = lines.start + out.len();
        let mut new_prefix = line[..before.len].to_owned();
        if counts(&line) && (target.is_some() || before.checkbox.is_none()) {
            let marker = if before.marker.is_empty() { "-" } else { before.marker };
            let tick = if target == Some(true) { 'x' } else { ' ' };
            new_prefix = format!("{}{marker} [{tick}] ", before.indent);
        }
        out.push_str(&new_prefix);
        out.push_str(&line[before.len..]);
        let line_range = old_at..=old_at + line.len();
        let moved = |at: usize| new_start + (at - old_at).max(before.len) - before.len + new_prefix.len();
        if line_range.contains(&selection.start) {
            start = moved(selection.start);
        }
        if line_range.contains(&selection.end) {
            end = moved(selection.end);
        }
        old_at += line.len() + 1;
    }
    let text_end = lines.start + out.len();
    let end = end.min(text_end).max(start);
    Change { range: lines, text: out, selection: start..end }
}

/// Ticks or unticks the one item at this place, for a click in the preview. None when there is none.
pub fn flip_checkbox(text: &str, at: usize) -> Option<Change> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].split('\n').next().unwrap_or("");
    let ticked = prefix(line).checkbox?;
    let at = start + line.find('[')? + 1;
    let tick = if ticked { " " } else { "x" };
    Some(Change { range: at..at + 1, text: tick.to_owned(), selection: at + 1..at + 1 })
}
