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
        let starts = text.get(from..)?.char_indices().filter(|&(_, c)| begins_with(c, first));
        let mut places =
            starts.filter_map(|(at, _)| self.ends(&text[from + at..]).map(|len| from + at..from + at + len));
        places.next()
    }

    /// How many bytes of `text` it covers, when it stands at its beginning.
    fn ends(&self, text: &str) -> Option<usize> {
        let mut wanted = self.folded.iter();
        for (at, c) in text.char_indices() {
            for letter in fold(c) {
                match wanted.next() {
                    Some(next) if *next == letter => {}
                    Some(_) => return None,
                    // Only a part of this character was wanted: all of it is the place.
                    None => break,
                }
            }
            if wanted.len() == 0 {
                return Some(at + c.len_utf8());
            }
        }
        None
    }
}

/// Whether a character, folded, begins with this letter. Most characters of most texts are decided without a table.
fn begins_with(c: char, letter: char) -> bool {
    if c.is_ascii() {
        return c.to_ascii_lowercase() == letter;
    }
    match c {
        '\u{3001}'..='\u{a63f}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'.. => c == letter,
        _ => fold(c).next() == Some(letter),
    }
}

/// The letters that a character stands for when case does not matter: lower case of upper case, so that `ß` finds `SS`
/// and `ς` finds `Σ`. Full-width Latin letters, as Chinese input methods write them, are the plain ones.
fn fold(c: char) -> impl Iterator<Item = char> {
    let plain = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    plain.to_uppercase().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(query: &str, text: &'a str) -> Vec<&'a str> {
        Needle::new(query).find(text, 100).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn any_case_in_any_script() {
        assert_eq!(found("websocket", "WebSocket and WEBSOCKET"), ["WebSocket", "WEBSOCKET"]);
        assert_eq!(found("心跳", "心跳 ping，心心跳"), ["心跳", "心跳"]);
        assert_eq!(found("strasse", "Straße"), ["Straße"]);
        assert_eq!(found("STRASSE", "Hauptstraße 1"), ["straße"]);
        assert_eq!(found("ΟΔΟΣ", "οδος"), ["οδος"]);
        assert_eq!(found("İ", "xİy"), ["İ"]);
        assert_eq!(found("ａＢ３", "xAb3"), ["Ab3"]);
        assert_eq!(found("ab", "ＡＢ"), ["ＡＢ"]);
        assert_eq!(found("😀", "a😀b😀"), ["😀", "😀"]);
        assert_eq!(found("ÉTÉ", "l'été"), ["été"]);
    }

    #[test]
    fn not_what_is_not_there() {
        assert!(found("", "abc").is_empty());
        assert!(found("abc", "").is_empty());
        assert!(found("abcd", "abc").is_empty());
        assert_eq!(found("aa", "aaaaa"), ["aa", "aa"]);
        assert_eq!(found("aab", "aaab"), ["aab"]);
        assert!(found("世界", "世 界").is_empty());
    }

    #[test]
    fn part_of_a_letter_is_the_letter() {
        assert_eq!(found("stras", "Straße"), ["Straß"]);
        assert_eq!(Needle::new("a").find("aaa", 2), [0..1, 1..2]);
        assert_eq!(Needle::new("世").find_from("世a世", 3), Some(4..7));
        assert_eq!(Needle::new("世").find_from("世a世", 1), None);
    }

    #[test]
    fn the_short_cuts_fold_as_the_tables_do() {
        for c in '\0'..=char::MAX {
            let first = fold(c).next().expect("at least one letter");
            assert!(begins_with(c, first), "{c:?}");
            for other in ['a', '世', 'ß', 's', '\u{ac01}'] {
                assert_eq!(begins_with(c, other), first == other, "{c:?} {other}");
            }
        }
    }

    mod any {
        use proptest::prelude::*;

        use super::super::*;

        proptest! {
            #[test]
            fn a_part_of_the_text_is_found_in_it(text in "[a-dA-DßİΣςσ世界😀é ]{1,40}", ends in any::<[prop::sample::Index; 2]>()) {
                let [a, b] = ends.map(|end| text.floor_char_boundary(end.index(text.len() + 1)));
                let part = &text[a.min(b)..a.max(b)];
                for query in [part.to_owned(), part.to_uppercase(), part.to_lowercase()] {
                    let needle = Needle::new(&query);
                    let found = needle.find(&text, usize::MAX);
                    if query == part {
                        prop_assert_eq!(found.is_empty(), part.is_empty());
                    }
                    let mut end = 0;
                    for range in found {
                        prop_assert!(range.start >= end && text.get(range.clone()).is_some());
                        prop_assert!(Needle::new(&text[range.clone()]).find_from(&text, range.start).is_some());
                        end = range.end;
                    }
                }
            }
        }
    }
}
