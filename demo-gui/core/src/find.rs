//! Looking for a text in a text, whatever the case, in any script.

use std::ops::Range;

/// A text to look for, folded once for many texts.
#[derive(Clone, Debug)]
pub struct Needle {
    folded: Vec<char>,
}

impl Needle {
    /// An empty one is found nowhere.
    pub fn new(query: &str) -> Self {
        Needle { folded: query.chars().flat_map(fold).collect() }
    }

    /// There is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Where it is, from the beginning, at most `most` times, not overlapping: byte ranges of whole characters of
    /// `text`.
    pub fn find(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while found.len() < most {
            let Some(range) = self.find_from(text, from) else { break };
            from = range.end;
            found.push(range);
        }
        found
    }

    /// The first place at or after `from`, a character boundary.
    pub fn find_from(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let first = *self.folded.first()?;
        let starts = text.get(from..)?.char_indices();
        starts
            .filter(|&(_, c)| fold(c).next() == Some(first))
            .find_map(|(at, _)| self.ends(&text[from + at..]).map(|len| from + at..from + at + len))
    }

    /// How many bytes of `text` it covers, when it stands at its beginning.
    fn ends(&self, text: &str) -> Option<usize> {
        let mut wanted = self.folded.iter();
        for (at, c) in text.char_indices() {
            let mut folded = fold(c).peekable();
            while folded.peek().is_some() {
                match wanted.next() {
                    // All was found, and this character is the next one, or only a part of it was wanted.
                    None => return Some(at),
                    Some(&letter) if Some(letter) == folded.next() => {}
                    Some(_) => return None,
                }
            }
            if wanted.len() == 0 {
                return Some(at + c.len_utf8());
            }
        }
        None
    }
}

fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase()
}
