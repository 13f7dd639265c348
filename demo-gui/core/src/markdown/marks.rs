//! Bold, italic, code: marks put around what is selected, or taken away.

use std::ops::Range;

use super::{Change, touched_lines};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Bold,
    Italic,
    Code,
}

impl Mark {
    fn sign(self) -> char {
        if self == Mark::Code { '`' } else { '*' }
    }

    /// Whether this many signs on both sides mean it.
    fn is_in(self, run: usize) -> bool {
        match self {
            Mark::Bold => run >= 2,
            Mark::Italic => run % 2 == 1,
            Mark::Code => run >= 1,
        }
    }

    fn width(self) -> usize {
        if self == Mark::Bold { 2 } else { 1 }
    }
}

/// Puts `**` around the selection, or takes them away.
pub fn bold(text: &str, selection: Range<usize>) -> Change {
    toggle(text, selection, Mark::Bold)
}

/// Puts `*` around the selection, or takes them away.
pub fn italic(text: &str, selection: Range<usize>) -> Change {
    toggle(text, selection, Mark::Italic)
}

/// Puts backquotes around the selection, or takes them away; several lines become a block.
pub fn code(text: &str, selection: Range<usize>) -> Change {
    if text[selection.clone()].contains('\n') {
        fence(text, selection)
    } else {
        toggle(text, selection, Mark::Code)
    }
}

/// A stretch of one line and how many signs stand on both of its sides.
struct Stretch {
    core: Range<usize>,
    run: usize,
}

fn toggle(text: &str, selection: Range<usize>, mark: Mark) -> Change {
    let stretches = stretches(text, &selection, mark.sign());
    let take_away = stretches.iter().all(|stretch| mark.is_in(stretch.run));
    let start = stretches[0].core.start - stretches[0].run;
    let mut out = String::new();
    let (mut done, mut first, mut last) = (start, None, start);
    for Stretch { core, run } in &stretches {
        out.push_str(&text[done..core.start - run]);
        let signs = match (take_away, mark.is_in(*run)) {
            (true, _) if mark == Mark::Code => 0,
            (true, _) => run - mark.width(),
            (false, true) => *run,
            (false, false) if mark == Mark::Code => longest_run(&text[core.clone()]) + 1,
            (false, false) => run + mark.width(),
        };
        let (pad, inner) = padded(&text[core.clone()], mark, signs);
        let signs = mark.sign().to_string().repeat(signs);
        out.extend([signs.as_str(), pad]);
        first.get_or_insert(start + out.len());
        out.push_str(inner);
        last = start + out.len();
        out.extend([pad, signs.as_str()]);
        done = core.end + run;
    }
    Change { range: start..done, text: out, selection: first.unwrap_or(last)..last }
}

/// Code that has backquotes at its ends stands between spaces.
fn padded(inner: &str, mark: Mark, signs: usize) -> (&'static str, &str) {
    if mark != Mark::Code {
        return ("", inner);
    }
    if signs == 0 {
        let bare = inner.strip_prefix(' ').and_then(|inner| inner.strip_suffix(' '));
        return ("", bare.filter(|bare| bare.contains('`')).unwrap_or(inner));
    }
    (if inner.contains('`') { " " } else { "" }, inner)
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// The selected part of each line, without the spaces around it and the list marks before it: marks must touch what
/// they mark. Never empty.
fn stretches(text: &str, selection: &Range<usize>, sign: char) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut at = selection.start;
    for line in text[selection.clone()].split('\n') {
        let (start, end) = (at, at + line.len());
        at = end + 1;
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let content = line_start + super::lines::content_of(line_of(text, line_start));
        let inner = &text[start.max(content).min(end)..end];
        if inner.trim().is_empty() {
            continue;
        }
        let start = end - inner.trim_start().len();
        found.push(stretch(text, start..start + inner.trim().len(), sign));
    }
    if found.is_empty() {
        found.push(stretch(text, selection.start..selection.start, sign));
    }
    found
}

fn line_of(text: &str, start: usize) -> &str {
    text[start..].split('\n').next().unwrap_or("")
}

fn stretch(text: &str, part: Range<usize>, sign: char) -> Stretch {
    let is_sign = |c: &char| *c == sign;
    let selected = &text[part.clone()];
    let (before, after) =
        (selected.chars().take_while(is_sign).count(), selected.chars().rev().take_while(is_sign).count());
    // Nothing but signs: they are what is to be marked.
    let (before, after) = if before == selected.len() { (0, 0) } else { (before, after) };
    let core = part.start + before..part.end - after;
    let outside_before = text[..core.start].chars().rev().take_while(is_sign).count();
    let outside_after = text[core.end..].chars().take_while(is_sign).count();
    Stretch { run: outside_before.min(outside_after), core }
}

/// Whole lines between two lines of three backquotes (more when the text has such lines itself), or out of them.
fn fence(text: &str, selection: Range<usize>) -> Change {
    let lines = touched_lines(text, &selection);
    let inner = &text[lines.clone()];
    if let Some(bare) = unfenced(inner) {
        let selection = lines.start..lines.start + bare.len();
        return Change { range: lines, text: bare.to_owned(), selection };
    }
    let fence = "`".repeat((longest_run(inner) + 1).max(3));
    let out = format!("{fence}\n{inner}\n{fence}");
    let selection = lines.start..lines.start + out.len();
    Change { range: lines, text: out, selection }
}

fn unfenced(lines: &str) -> Option<&str> {
    let (first, rest) = lines.split_once('\n')?;
    let (inner, last) = rest.rsplit_once('\n').unwrap_or(("", rest));
    let signs = first.len() - first.trim_start_matches('`').len();
    let closed = last.len() >= signs && last.bytes().all(|byte| byte == b'`');
    (signs >= 3 && closed).then_some(inner)
}
