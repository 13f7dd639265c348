//! The carets and selections of the others, and what was found, painted with the text.

use super::{Editor, caret_rect, floor};
use crate::parts::text_on;
use crate::theme::{palette, tint};
use eframe::egui::{
    Color32, CornerRadius, FontId, Galley, Rect, Shape, Stroke, Ui, layers::ShapeIdx, pos2,
    text_edit::TextEditOutput, vec2,
};
use notes_core::peer::Caret;
use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

/// A name flag is shown so long after its caret has moved.
const FLAG_MS: u64 = 2_500;
/// And takes so long to go.
const FADE_MS: u64 = 400;
/// How strong the selection of somebody else is.
const SELECTION: f32 = 0.25;
/// More carets than this are not painted: somebody made them up.
const MOST: usize = 64;

/// Where the carets were, to know who has moved.
#[derive(Default)]
pub struct Flags {
    heads: HashMap<u64, usize>,
}

impl Flags {
    /// Has this caret moved since the last call?
    pub fn has_moved(&mut self, client: u64, head: usize) -> bool {
        self.heads.insert(client, head) != Some(head)
    }
}

impl Editor {
    /// Paints the ground of blocks of code, as wide as the text.
    pub(super) fn show_code(&self, ui: &Ui, output: &TextEditOutput, behind: ShapeIdx) {
        let (seen, color) = (ui.clip_rect(), palette(ui).code);
        let right = output.response.response.rect.right();
        let ground = |rows: Range<usize>| {
            let top = output.galley.rows.get(rows.start)?.rect().top();
            let bottom = output.galley.rows.get(rows.end - 1)?.rect().bottom();
            let min = output.galley_pos + vec2(-10.0, top - 1.0);
            let rect = Rect::from_min_max(min, pos2(right, output.galley_pos.y + bottom + 1.0));
            rect.intersects(seen).then(|| Shape::rect_filled(rect, CornerRadius::same(8), color))
        };
        let shapes = self.layout.code_rows().into_iter().filter_map(ground).collect();
        ui.painter().set(behind, Shape::Vec(shapes));
    }

    /// Paints what belongs to the text: selections and found places behind it, carets and flags over it.
    pub(super) fn show_others(&mut self, ui: &Ui, output: &TextEditOutput, behind: ShapeIdx, now_ms: u64) {
        let text = self.peer.text();
        let seen = ui.clip_rect();
        let colors = palette(ui);
        let mut shapes = Vec::new();
        for (index, range) in self.found.iter().enumerate() {
            let chosen = index == self.found_at;
            for rect in rects(output, text, range.clone(), seen) {
                shapes.push(Shape::rect_filled(
                    rect.expand2(vec2(1.0, -1.0)),
                    CornerRadius::same(3),
                    colors.found,
                ));
                if chosen {
                    let stroke = Stroke::new(1.5, colors.accent);
                    let kind = eframe::egui::StrokeKind::Outside;
                    shapes.push(Shape::rect_stroke(
                        rect.expand2(vec2(1.0, -1.0)),
                        CornerRadius::same(3),
                        stroke,
                        kind,
                    ));
                }
            }
        }
        let carets: Vec<Caret> = self.peer.carets().into_iter().take(MOST).collect();
        for caret in carets.iter().filter(|caret| caret.anchor != caret.head) {
            let range = caret.anchor.min(caret.head)..caret.anchor.max(caret.head);
            for rect in rects(output, text, range, seen) {
                shapes.push(Shape::rect_filled(rect, CornerRadius::same(2), tint(caret.color, SELECTION)));
            }
        }
        ui.painter().set(behind, Shape::Vec(shapes));
        if let Some(range) = self.composing() {
            for rect in rects(output, text, range, seen) {
                ui.painter().hline(rect.x_range(), rect.bottom() - 2.0, Stroke::new(1.5, colors.accent));
            }
        }
        for caret in &carets {
            paint_caret(ui, caret, caret_rect(output, text, caret.head), now_ms);
        }
        self.show_reactions(ui, output);
    }
}

fn paint_caret(ui: &Ui, caret: &Caret, rect: Rect, now_ms: u64) {
    if !ui.clip_rect().expand(40.0).intersects(rect) {
        return;
    }
    let [red, green, blue] = caret.color;
    let color = Color32::from_rgb(red, green, blue);
    let line = Rect::from_min_max(
        pos2(rect.left() - 1.0, rect.top() + 1.0),
        pos2(rect.left() + 1.0, rect.bottom() - 1.0),
    );
    ui.painter().rect_filled(line, CornerRadius::same(1), color);
    let near = ui.input(|input| input.pointer.hover_pos()).is_some_and(|at| rect.expand(8.0).contains(at));
    let age = now_ms.saturating_sub(caret.seen_ms);
    let strength = if near { 1.0 } else { 1.0 - age.saturating_sub(FLAG_MS) as f32 / FADE_MS as f32 };
    if strength <= 0.0 {
        ui.painter().circle_filled(line.center_top(), 3.0, color);
        return;
    }
    // While it stands there is nothing to draw; while it fades there is.
    let wait = if near { u64::MAX } else { FLAG_MS.saturating_sub(age) };
    if wait < u64::MAX {
        ui.ctx().request_repaint_after(Duration::from_millis(wait.max(16)));
    }
    let name: String = caret.name.chars().take(24).collect();
    let ink = text_on(color).gamma_multiply(strength);
    let galley = ui.painter().layout_no_wrap(name, FontId::proportional(11.5), ink);
    let size = galley.size() + vec2(12.0, 4.0);
    let left = (line.left()).min(ui.clip_rect().right() - size.x - 4.0);
    // Above the line, or below where there is no room above.
    let above = line.top() - size.y;
    let top = if above < ui.clip_rect().top() { line.bottom() } else { above };
    let flag = Rect::from_min_size(pos2(left, top), size);
    let radius = CornerRadius { nw: 6, ne: 6, se: 6, sw: if above < ui.clip_rect().top() { 6 } else { 0 } };
    ui.painter().rect_filled(flag, radius, color.gamma_multiply(strength));
    ui.painter().galley(flag.min + vec2(6.0, 2.0), galley, ink);
}

/// The rectangles of a byte range, one for each row that is seen.
fn rects(output: &TextEditOutput, text: &str, range: Range<usize>, seen: Rect) -> Vec<Rect> {
    let (start, end) = (floor(text, range.start), floor(text, range.end));
    if start >= end {
        return Vec::new();
    }
    let first = text[..start].chars().count();
    let last = first + text[start..end].chars().count();
    row_rects(&output.galley, first..last, seen.translate(-output.galley_pos.to_vec2()))
        .into_iter()
        .map(|rect| rect.translate(output.galley_pos.to_vec2()))
        .collect()
}

fn row_rects(galley: &Galley, chars: Range<usize>, seen: Rect) -> Vec<Rect> {
    let mut out = Vec::new();
    let mut at = 0;
    for row in &galley.rows {
        let count = row.row.glyphs.len();
        let next = at + count + usize::from(row.ends_with_newline);
        let (from, to) = (chars.start.max(at), chars.end.min(next));
        if from < to && row.rect().intersects(seen) {
            let x = |character: usize| row.pos.x + row.row.x_offset((character - at).min(count).into());
            // A line break that is selected is shown as a little more.
            let more = if to > at + count { 6.0 } else { 0.0 };
            out.push(Rect::from_min_max(
                pos2(x(from), row.rect().top()),
                pos2(x(to) + more, row.rect().bottom()),
            ));
        }
        if next >= chars.end || row.rect().top() > seen.bottom() {
            break;
        }
        at = next;
    }
    out
}
