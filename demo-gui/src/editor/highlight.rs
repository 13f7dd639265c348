//! Markdown of one line, as styled ranges: what the editor shows while typing.
//!
//! It sees a line at a time and never changes the text: marks like `**` stay and become pale. Only a code fence reaches
//! over lines; [`Fence`] carries it.

use std::ops::Range;

/// How a piece of a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// 1 to 6 in a heading, else 0.
    pub heading: u8,
    /// Strong.
    pub bold: bool,
    /// Emphasis.
    pub italic: bool,
    /// Struck out, or the text of a ticked box.
    pub strike: bool,
    /// Code, inline or in a block.
    pub code: bool,
    /// Code in a block.
    pub block: bool,
    /// A link.
    pub link: bool,
    /// A Markdown mark, not text.
    pub mark: bool,
    /// In a quotation.
    pub quote: bool,
    /// A bullet, a number or a box: marks that should stay visible.
    pub bullet: bool,
}

/// The code fence that a line starts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fence {
    /// None.
    #[default]
    Outside,
    /// Opened by three or more of this.
    Inside(u8),
}

impl Fence {
    /// The fence that the next line starts in.
    pub fn after(self, line: &str) -> Fence {
        let start = line.trim_start_matches(' ').as_bytes();
        match (self, start) {
            (Fence::Outside, [mark @ (b'`' | b'~'), second, third, rest @ ..])
                if mark == second && mark == third && (*mark == b'~' || !rest.contains(&b'`')) =>
            {
                Fence::Inside(*mark)
            }
            (Fence::Inside(mark), [first, second, third, ..])
                if *first == mark
                    && *second == mark
                    && *third == mark
                    && start.trim_ascii_end().iter().all(|byte| *byte == mark) =>
            {
                Fence::Outside
            }
            _ => self,
        }
    }
}

/// Longer lines are shown without inline styles: searching for closing marks would be slow.
const INLINE_LIMIT: usize = 4000;
/// How deep marks nest; deeper ones are text.
const DEPTH: usize = 6;

/// The looks of a line, in order, without gaps.
pub fn line(text: &str, fence: Fence) -> Vec<(Range<usize>, Look)> {
    let mut out = Spans::default();
    let base = Look::default();
    if fence != Fence::Outside || fence.after(text) != fence {
        let is_mark = fence.after(text) != fence;
        out.push(0..text.len(), Look { code: true, block: true, mark: is_mark, ..base });
        return out.0;
    }
    let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
    out.push(0..indent, base);
    let rest = &text[indent..];
    if let Some(level) = heading(rest) {
        let look = Look { heading: level, bold: true, ..base };
        let body = level as usize + rest[level as usize..].len() - rest[level as usize..].trim_start().len();
        out.push(indent..indent + body, Look { mark: true, bold: false, ..look });
        inline(text, indent + body..text.len(), look, 0, &mut out);
    } else if let Some(quoted) = rest.strip_prefix('>') {
        let look = Look { quote: true, ..base };
        let body = 1 + usize::from(quoted.starts_with(' '));
        out.push(indent..indent + body, Look { mark: true, ..look });
        inline(text, indent + body..text.len(), look, 0, &mut out);
    } else if is_rule(rest) {
        out.push(indent..text.len(), Look { mark: true, ..base });
    } else if let Some(item) = list_item(rest) {
        out.push(indent..indent + item.bullet, Look { bullet: true, ..base });
        let body = indent + item.bullet + item.checkbox;
        out.push(indent + item.bullet..body, Look { bullet: true, bold: true, ..base });
        let look = Look { strike: item.done, ..base };
        inline(text, body..text.len(), look, 0, &mut out);
    } else {
        inline(text, indent..text.len(), base, 0, &mut out);
    }
    out.0
}

/// The level of a heading: `#` to `######`, then a blank.
fn heading(text: &str) -> Option<u8> {
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    ((1..=6).contains(&level) && text[level..].starts_with(' ')).then_some(level as u8)
}

fn is_rule(text: &str) -> bool {
    let text = text.trim_end();
    text.len() >= 3
        && ["-", "*", "_"].iter().any(|mark| text.replace(' ', "").chars().all(|c| c.to_string() == *mark))
}

/// The marks of a list item, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// `- ` or `12. `.
    pub bullet: usize,
    /// `[ ] `, or 0.
    pub checkbox: usize,
    /// Ticked.
    pub done: bool,
}

/// The marks at the start of a list item, without its indent.
pub fn list_item(text: &str) -> Option<Item> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let bullet = match text.as_bytes() {
        [b'-' | b'*' | b'+', b' ', ..] => 2,
        bytes
            if (1..=9).contains(&digits) && matches!(bytes.get(digits..digits + 2), Some(b". " | b") ")) =>
        {
            digits + 2
        }
        _ => return None,
    };
    let (checkbox, done) = match text.as_bytes()[bullet..] {
        [b'[', b' ', b']', b' ', ..] => (4, false),
        [b'[', b'x' | b'X', b']', b' ', ..] => (4, true),
        [b'[', b' ', b']'] => (3, false),
        [b'[', b'x' | b'X', b']'] => (3, true),
        _ => (0, false),
    };
    Some(Item { bullet, checkbox, done })
}

#[derive(Default)]
struct Spans(Vec<(Range<usize>, Look)>);

impl Spans {
    fn push(&mut self, range: Range<usize>, look: Look) {
        match self.0.last_mut() {
            _ if range.is_empty() => {}
            Some((last, same)) if *same == look && last.end == range.start => last.end = range.end,
            _ => self.0.push((range, look)),
        }
    }
}

fn inline(text: &str, range: Range<usize>, look: Look, depth: usize, out: &mut Spans) {
    let mut plain = range.start;
    let mut at = range.start;
    if range.len() > INLINE_LIMIT || depth > DEPTH {
        out.push(range, look);
        return;
    }
    while at < range.end {
        let Some(piece) = piece(text, at, range.end) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        out.push(plain..at, look);
        let mark = Look { mark: true, ..look };
        let inner = piece.change(look);
        out.push(at..piece.inner.start, if piece.kind == Kind::Address { inner } else { mark });
        match piece.kind {
            Kind::Code | Kind::Address => out.push(piece.inner.clone(), inner),
            _ => inline(text, piece.inner.clone(), inner, depth + 1, out),
        }
        out.push(piece.inner.end..piece.end, mark);
        at = piece.end;
        plain = at;
    }
    out.push(plain..range.end, look);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Escape,
    Code,
    Bold,
    Italic,
    Strike,
    Link,
    Address,
}

/// An inline element that starts at some place.
struct Piece {
    kind: Kind,
    inner: Range<usize>,
    end: usize,
}

impl Piece {
    fn change(&self, look: Look) -> Look {
        match self.kind {
            Kind::Escape => look,
            Kind::Code => Look { code: true, ..look },
            Kind::Bold => Look { bold: true, ..look },
            Kind::Italic => Look { italic: true, ..look },
            Kind::Strike => Look { strike: true, ..look },
            Kind::Link | Kind::Address => Look { link: true, ..look },
        }
    }
}

fn piece(text: &str, at: usize, end: usize) -> Option<Piece> {
    let rest = &text[at..end];
    let bytes = rest.as_bytes();
    match bytes[0] {
        b'\\' if bytes.get(1).is_some_and(u8::is_ascii_punctuation) => {
            Some(Piece { kind: Kind::Escape, inner: at + 1..at + 2, end: at + 2 })
        }
        b'`' => {
            let run = bytes.iter().take_while(|byte| **byte == b'`').count();
            let close = code_end(rest, run)?;
            Some(Piece { kind: Kind::Code, inner: at + run..at + close, end: at + close + run })
        }
        b'*' if rest.starts_with("**") => between(text, at, end, "**", Kind::Bold),
        b'~' if rest.starts_with("~~") => between(text, at, end, "~~", Kind::Strike),
        b'*' => between(text, at, end, "*", Kind::Italic),
        b'_' if !text[..at].ends_with(char::is_alphanumeric) => {
            let (delimiter, kind) =
                if rest.starts_with("__") { ("__", Kind::Bold) } else { ("_", Kind::Italic) };
            between(text, at, end, delimiter, kind)
        }
        b'[' => {
            let label = rest.find("](")?;
            let close = label + rest[label..].find(')')?;
            (label > 1).then_some(Piece { kind: Kind::Link, inner: at + 1..at + label, end: at + close + 1 })
        }
        b'h' if rest.starts_with("http://") || rest.starts_with("https://") => {
            let length =
                rest.find(|c: char| c.is_whitespace() || "<>\"）】」".contains(c)).unwrap_or(rest.len());
            let length = rest[..length].trim_end_matches(['.', ',', ';', ')', ':', '!', '?']).len();
            Some(Piece { kind: Kind::Address, inner: at..at + length, end: at + length })
        }
        _ => None,
    }
}

/// Where the run of exactly `run` backticks is that closes the one at the start.
fn code_end(text: &str, run: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = run;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
        if length == run {
            return Some(at);
        }
        at += length.max(1);
    }
    None
}

/// Text between two delimiters that touch it.
fn between(text: &str, at: usize, end: usize, delimiter: &str, kind: Kind) -> Option<Piece> {
    let start = at + delimiter.len();
    let rest = &text[start..end];
    if rest.starts_with(char::is_whitespace) {
        return None;
    }
    let close = rest.match_indices(delimiter).map(|(found, _)| found).find(|found| {
        let single = delimiter.len() == 2
            || !rest[found + 1..].starts_with(delimiter) && !rest[..*found].ends_with(delimiter);
        *found > 0
            && single
            && !rest[..*found].ends_with(char::is_whitespace)
            && !rest[..*found].ends_with('\\')
    })?;
    Some(Piece { kind, inner: start..start + close, end: start + close + delimiter.len() })
}

#[cfg(test)]
mod tests;
