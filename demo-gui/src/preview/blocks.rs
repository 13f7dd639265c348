//! Markdown as a flat list of blocks, each with the styled pieces of its text.

use crate::editor::highlight::Look;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// A piece of text of one look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// What it says.
    pub text: String,
    /// How it looks.
    pub look: Look,
    /// Where it leads.
    pub url: Option<String>,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Running text.
    Text,
    /// A heading: its level is in the looks of its pieces.
    Heading(u8),
    /// A block of code.
    Code,
    /// A line across.
    Rule,
    /// A row of a table: the cells are separated by pieces that are a single tab.
    Row {
        /// The first one.
        head: bool,
    },
}

/// One block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub pieces: Vec<Piece>,
    /// How many lists it is in.
    pub depth: usize,
    /// How many quotations it is in.
    pub quotes: usize,
    /// "•" or "3." at the start of a list item.
    pub bullet: Option<String>,
    /// Where `[ ]` is in the text, from the block's start, and whether it is ticked.
    pub checkbox: Option<(Range<usize>, bool)>,
    /// Follows the previous block closely.
    pub tight: bool,
}

impl Block {
    /// Its text without marks.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// A block and where it starts in the text.
pub type Placed = (usize, Block);

/// The blocks of a text.
pub fn parse(text: &str) -> Vec<Placed> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut builder = Builder::default();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        builder.event(event, range);
    }
    builder.finish();
    builder.out
}

#[derive(Default)]
struct Builder {
    out: Vec<Placed>,
    pieces: Vec<Piece>,
    look: Vec<Look>,
    urls: Vec<String>,
    /// The numbers of the lists we are in; None: bullets.
    lists: Vec<Option<u64>>,
    quotes: usize,
    bullet: Option<String>,
    checkbox: Option<(Range<usize>, bool)>,
    start: usize,
    head: bool,
    in_row: bool,
}

impl Builder {
    fn look(&self) -> Look {
        self.look.last().copied().unwrap_or_default()
    }

    fn with(&mut self, change: impl FnOnce(&mut Look)) {
        let mut look = self.look();
        change(&mut look);
        self.look.push(look);
    }

    fn push(&mut self, text: &str, look: Look) {
        let url = self.urls.last().cloned();
        self.pieces.push(Piece { text: text.to_owned(), look, url });
    }

    /// Ends the block that is being collected.
    fn block(&mut self, kind: Kind) {
        let tight = self.bullet.is_some() || matches!(kind, Kind::Row { head: false });
        let mut checkbox = self.checkbox.take();
        if let Some((range, _)) = &mut checkbox {
            *range = range.start.saturating_sub(self.start)..range.end.saturating_sub(self.start);
        }
        let block = Block {
            kind,
            pieces: std::mem::take(&mut self.pieces),
            depth: self.lists.len(),
            quotes: self.quotes,
            bullet: self.bullet.take(),
            checkbox,
            tight,
        };
        self.out.push((self.start, block));
    }

    fn finish(&mut self) {
        if !self.pieces.is_empty() || self.bullet.is_some() {
            self.block(Kind::Text);
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.pieces.is_empty() && self.bullet.is_none() && !self.in_row {
            self.start = range.start;
        }
        match event {
            Event::Start(tag) => self.open(tag, range),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.push(&text, self.look()),
            Event::Code(text) => self.push(&text, Look { code: true, ..self.look() }),
            Event::SoftBreak => self.push(" ", self.look()),
            Event::HardBreak => self.push("\n", self.look()),
            Event::Rule => self.block(Kind::Rule),
            Event::TaskListMarker(done) => {
                self.checkbox = Some((range, done));
                if let (true, Some(look)) = (done, self.look.last_mut()) {
                    look.strike = true;
                }
            }
            Event::FootnoteReference(name) => self.push(&format!("[{name}]"), self.look()),
            Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.push(&text, Look { code: true, ..self.look() })
            }
        }
    }

    fn open(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.finish();
                self.start = range.start;
                self.with(|look| (look.heading, look.bold) = (level as u8, true));
            }
            Tag::CodeBlock(_) => {
                self.finish();
                self.start = range.start;
                self.with(|look| (look.code, look.block) = (true, true));
            }
            Tag::BlockQuote(_) => {
                self.finish();
                self.quotes += 1;
                self.with(|look| look.quote = true);
            }
            Tag::List(first) => {
                self.finish();
                self.lists.push(first);
            }
            Tag::Item => {
                self.finish();
                self.start = range.start;
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "•".into(),
                });
                self.with(|_| ());
            }
            Tag::TableHead | Tag::TableRow => {
                self.start = range.start;
                self.in_row = true;
                self.head = matches!(tag, Tag::TableHead);
                let head = self.head;
                self.with(|look| look.bold |= head);
            }
            Tag::TableCell if !self.pieces.is_empty() => self.push("\t", Look::default()),
            Tag::Emphasis => self.with(|look| look.italic = true),
            Tag::Strong => self.with(|look| look.bold = true),
            Tag::Strikethrough => self.with(|look| look.strike = true),
            Tag::Link { dest_url, .. } => {
                self.urls.push(dest_url.into_string());
                self.with(|look| look.link = true);
            }
            // Pictures are never loaded: their text stands for them.
            Tag::Image { .. } => self.with(|look| look.quote = true),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.finish(),
            TagEnd::Heading(level) => {
                self.block(Kind::Heading(level as u8));
                self.look.pop();
            }
            TagEnd::CodeBlock => {
                if let Some(last) = self.pieces.last_mut() {
                    last.text.truncate(last.text.trim_end_matches('\n').len());
                }
                self.block(Kind::Code);
                self.look.pop();
            }
            TagEnd::BlockQuote(_) => {
                self.finish();
                self.quotes -= 1;
                self.look.pop();
            }
            TagEnd::List(_) => {
                self.finish();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.finish();
                self.look.pop();
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                self.block(Kind::Row { head: self.head });
                self.in_row = false;
                self.look.pop();
            }
            TagEnd::Link => {
                self.urls.pop();
                self.look.pop();
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Image => {
                self.look.pop();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for each block.
    fn shown(text: &str) -> String {
        let line = |(_, block): Placed| {
            let box_ = block.checkbox.as_ref().map_or("", |(_, done)| if *done { "[x] " } else { "[ ] " });
            let bullet = block.bullet.as_ref().map_or(String::new(), |bullet| format!("{bullet} "));
            let kind = match &block.kind {
                Kind::Text => "".into(),
                other => format!("{other:?} "),
            };
            format!(
                "{}{}{kind}{bullet}{box_}{}",
                "  ".repeat(block.depth),
                "> ".repeat(block.quotes),
                block.text()
            )
        };
        parse(text).into_iter().map(line).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn blocks_are_in_order_with_their_marks() {
        assert_eq!(shown("# T\n\na *b*\nc\n\n---"), "Heading(1) T|a b c|Rule ");
        assert_eq!(shown("- a\n  - [x] b\n- [ ] c"), "  • a|    • [x] b|  • [ ] c");
        assert_eq!(shown("3. x\n4. y"), "  3. x|  4. y");
        assert_eq!(shown("> q\n>> r"), "> q|> > r");
        assert_eq!(shown("```rust\nfn a() {}\n\nb\n```"), "Code fn a() {}\n\nb");
        assert_eq!(shown("|a|b|\n|-|-|\n|1|2|"), "Row { head: true } a\tb|Row { head: false } 1\t2");
        assert_eq!(shown("![cat](http://x/y.png)"), "cat");
        assert_eq!(shown("- \n- a"), "  • |  • a");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn a_checkbox_knows_its_place_in_the_text() {
        let text = "标题\n\n- [ ] 牛奶\n- [x] 米";
        let found: Vec<_> = parse(text)
            .into_iter()
            .filter_map(|(start, block)| {
                block.checkbox.map(|(range, _)| start + range.start..start + range.end)
            })
            .map(|range| &text[range])
            .collect();
        assert_eq!(found, ["[ ]", "[x]"]);
    }

    #[test]
    fn any_text_is_parsed() {
        let parts =
            ["- ", "[ ] ", "> ", "|", "\n", "```", "*", "# ", "1. ", "a", "  ", "[x](y)", "<b>", "汉", "---"];
        let mut seed = 7_u32;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..14 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text += parts[(seed >> 16) as usize % parts.len()];
            }
            for (start, block) in parse(&text) {
                if let Some((range, _)) = block.checkbox {
                    let mark = &text[start + range.start..start + range.end];
                    assert!(mark.starts_with('[') && mark.ends_with(']'), "{mark} in {text:?}");
                }
            }
        }
    }
}
