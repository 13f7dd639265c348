//! Looking for a text in all notes, a little in every turn.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::turn::Running;
use crate::find::Needle;
use crate::link::{Event, Hit, NoteId};

/// Places that are shown.
const MOST: usize = 200;

/// Of one note.
const MOST_OF_ONE: usize = 20;

/// What a turn may take.
const SLICE: Duration = Duration::from_millis(3);

/// Characters of a line that are shown, before and behind what was found.
const BEFORE: usize = 24;
const BEHIND: usize = 56;

/// A search that is under way.
pub struct Search {
    id: u64,
    needle: Needle,
    left: VecDeque<NoteId>,
    hits: Vec<Hit>,
}

impl Running {
    /// Begins a search; one that is under way is given up.
    pub(super) fn begin_search(&mut self, id: u64, query: &str) {
        let needle = Needle::new(query);
        let left = if needle.is_empty() {
            VecDeque::new()
        } else {
            self.list.ordered().into_iter().map(|(note, _)| note.clone()).collect()
        };
        self.search = Some(Search { id, needle, left, hits: Vec::new() });
    }

    pub(super) fn search_a_little(&mut self) {
        let Some(mut search) = self.search.take() else { return };
        let start = Instant::now();
        while let Some(note) = search.left.pop_front() {
            let text = match self.rooms.get(&note) {
                Some(room) => room.document.text(),
                None => self.store.text(&note).ok().flatten().unwrap_or_default(),
            };
            let most = MOST_OF_ONE.min(MOST - search.hits.len());
            for range in search.needle.find(&text, most) {
                search.hits.push(hit(&note, &text, range));
            }
            if search.hits.len() == MOST {
                break;
            }
            if start.elapsed() >= SLICE && !search.left.is_empty() {
                self.search = Some(search);
                return;
            }
        }
        self.window.tell(Event::Found { id: search.id, hits: search.hits });
    }
}

fn hit(note: &NoteId, text: &str, range: Range<usize>) -> Hit {
    let line_start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
    let start = text[line_start..range.start].char_indices().rev().take(BEFORE).last();
    let start = start.map_or(range.start, |(at, _)| line_start + at);
    let end =
        text[range.start..line_end].char_indices().nth(BEHIND).map_or(line_end, |(at, _)| range.start + at);
    // What was found may itself be longer than what is shown, or have several lines.
    let end = end.max(range.start);
    let in_line = range.start - start..range.end.min(end) - start;
    Hit { note: note.clone(), range, line: text[start..end].to_owned(), in_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, query: &str) -> Hit {
        let range = Needle::new(query).find(text, 1)[0].clone();
        let hit = hit(&NoteId("n".into()), text, range);
        assert_eq!(hit.line[hit.in_line.clone()], text[hit.range.clone()][..hit.in_line.len()]);
        hit
    }

    #[test]
    fn a_hit_shows_its_line() {
        let hit = found("first\nsecond 学习 line\nthird", "学习");
        assert_eq!((hit.line.as_str(), hit.in_line), ("second 学习 line", 7..13));
        assert_eq!(found("ABC", "b").line, "ABC");
        assert_eq!(found("\nx", "x").line, "x");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("{}needle{}", "长".repeat(500), "x".repeat(500));
        let hit = found(&text, "NEEDLE");
        assert_eq!(hit.line.chars().count(), BEFORE + BEHIND);
        let long = "y".repeat(300);
        assert_eq!(found(&long, &long).line.len(), BEHIND);
        assert_eq!(found("a\nb", "a\nb").in_line, 0..3);
    }
}
