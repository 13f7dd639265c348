//! The text of a note laid out, with a cache per line.
//!
//! egui lays a whole text out anew on every change. Here each line has its own galley, made once; a change makes those
//! of the changed lines and joins all of them, so that typing costs the same in a long note as in a short one, but for
//! the joining.

use super::bold;
use super::highlight::{self, Fence, Look};
use crate::theme::{self, Palette};
use eframe::egui::{
    Align, FontFamily, FontId, Galley, Stroke, Ui,
    text::{LayoutJob, TextFormat},
};
use std::ops::Range;
use std::sync::Arc;

/// The cache of one note.
#[derive(Default)]
pub struct NoteLayout {
    text: String,
    lines: Vec<Line>,
    key: Option<Key>,
    galley: Option<Arc<Galley>>,
    /// How many lines were laid out since the start, for the tests.
    pub laid_out: usize,
}

struct Line {
    range: Range<usize>,
    fence: Fence,
    galley: Arc<Galley>,
}

/// What a galley depends on besides its text.
struct Key {
    wrap_width: f32,
    palette: Palette,
    pixels_per_point: f32,
    /// A galley that egui keeps as long as its font atlas lives: another one means that ours are void.
    atlas: Arc<Galley>,
}

impl Key {
    fn now(ui: &Ui, wrap_width: f32) -> Key {
        let palette = theme::palette(ui);
        let probe = ("\u{200b}".to_owned(), FontId::proportional(1.0), palette.text);
        Key {
            wrap_width,
            palette,
            pixels_per_point: ui.pixels_per_point(),
            atlas: ui.fonts_mut(|fonts| fonts.layout_no_wrap(probe.0, probe.1, probe.2)),
        }
    }

    fn is(&self, other: &Key) -> bool {
        self.wrap_width == other.wrap_width
            && self.palette == other.palette
            && self.pixels_per_point == other.pixels_per_point
            && Arc::ptr_eq(&self.atlas, &other.atlas)
    }
}

impl NoteLayout {
    /// The galley of `text`.
    pub fn galley(&mut self, ui: &Ui, text: &str, wrap_width: f32) -> Arc<Galley> {
        let key = Key::now(ui, wrap_width);
        if !self.key.as_ref().is_some_and(|old| old.is(&key)) {
            self.lines.clear();
            self.galley = None;
        }
        if let (Some(galley), true) = (&self.galley, self.text == text) {
            return galley.clone();
        }
        self.lines = self.fresh_lines(ui, text, &key);
        text.clone_into(&mut self.text);
        let galleys: Vec<_> = self.lines.iter().map(|line| line.galley.clone()).collect();
        let job = LayoutJob::simple(
            text.to_owned(),
            FontId::proportional(theme::NOTE_SIZE),
            key.palette.text,
            wrap_width,
        );
        let galley = Arc::new(Galley::concat(Arc::new(job), &galleys, key.pixels_per_point));
        self.key = Some(key);
        self.galley = Some(galley.clone());
        galley
    }

    /// The rows of each block of code, by their numbers.
    pub fn code_rows(&self) -> Vec<Range<usize>> {
        let mut blocks: Vec<Range<usize>> = Vec::new();
        let mut row = 0;
        for line in &self.lines {
            let next = row + line.galley.rows.len();
            let opens = line.fence == Fence::Outside
                && line.fence.after(&self.text[line.range.clone()]) != line.fence;
            match blocks.last_mut() {
                _ if opens => blocks.push(row..next),
                Some(block) if line.fence != Fence::Outside => block.end = next,
                _ => {}
            }
            row = next;
        }
        blocks
    }

    /// Keeps the lines at both ends that are as they were, and lays out those between.
    fn fresh_lines(&mut self, ui: &Ui, text: &str, key: &Key) -> Vec<Line> {
        let wanted = split(text);
        let mut old = std::mem::take(&mut self.lines);
        let same = |line: &Line, (range, fence): &(Range<usize>, Fence)| {
            line.fence == *fence && self.text[line.range.clone()] == text[range.clone()]
        };
        let most = old.len().min(wanted.len());
        let head = (0..most).take_while(|i| same(&old[*i], &wanted[*i])).count();
        let tail =
            (1..=most - head).take_while(|i| same(&old[old.len() - i], &wanted[wanted.len() - i])).count();
        let kept_tail = old.split_off(old.len() - tail);
        old.truncate(head);
        for (range, fence) in &wanted[head..wanted.len() - tail] {
            let galley = lay_out(ui, &text[range.clone()], *fence, key);
            old.push(Line { range: range.clone(), fence: *fence, galley });
            self.laid_out += 1;
        }
        old.extend(kept_tail);
        for (line, (range, _)) in old.iter_mut().zip(wanted) {
            line.range = range;
        }
        old
    }
}

/// The lines with the fence that each starts in; a text that ends with a line break has an empty last line.
fn split(text: &str) -> Vec<(Range<usize>, Fence)> {
    let mut fence = Fence::Outside;
    let mut start = 0;
    text.split('\n')
        .map(|line| {
            let here = (start..start + line.len(), fence);
            fence = fence.after(line);
            start += line.len() + 1;
            here
        })
        .collect()
}

fn lay_out(ui: &Ui, line: &str, fence: Fence, key: &Key) -> Arc<Galley> {
    let looks = highlight::line(line, fence);
    let mut job = LayoutJob { keep_trailing_whitespace: true, ..LayoutJob::default() };
    job.wrap.max_width = key.wrap_width;
    for (range, look) in &looks {
        job.append(&line[range.clone()], 0.0, format(*look, &key.palette));
    }
    if looks.is_empty() {
        job.append("", 0.0, format(Look::default(), &key.palette));
    }
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let bold_chars: Vec<bool> = looks
        .iter()
        .flat_map(|(range, look)| line[range.clone()].chars().map(|_| look.bold && !look.code))
        .collect();
    bold::embolden(galley, &bold_chars)
}

/// Font, colours and lines of a look.
pub fn format(look: Look, palette: &Palette) -> TextFormat {
    let (size, line_height) = match look.heading {
        0 => (theme::NOTE_SIZE, theme::NOTE_LINE),
        1 => (25.0, 38.0),
        2 => (20.5, 33.0),
        3 => (17.5, 28.0),
        _ => (theme::NOTE_SIZE, theme::NOTE_LINE),
    };
    let family = if look.code { FontFamily::Monospace } else { FontFamily::Proportional };
    let color = match look {
        Look { bullet: true, .. } => palette.accent,
        Look { mark: true, .. } => palette.mark,
        Look { link: true, .. } => palette.accent,
        Look { strike: true, .. } | Look { quote: true, .. } => palette.weak,
        Look { bold: true, .. } => palette.strong,
        _ => palette.text,
    };
    let line = |is: bool| if is { Stroke::new(1.0, color) } else { Stroke::NONE };
    let mut format =
        TextFormat::simple(FontId::new(if look.code { size - 1.5 } else { size }, family), color);
    format.line_height = Some(line_height);
    format.italics = look.italic;
    format.strikethrough = line(look.strike && !look.mark);
    if look.code && !look.block {
        // egui paints a ground as high as the line, and too low in a line that is higher than its font.
        format.background = palette.code;
        format.line_height = None;
        format.valign = Align::Center;
    }
    format
}
