//! The page beside the text: Markdown as it is meant. Nothing is ever loaded for it.

pub mod blocks;

use crate::editor::{bold, highlight::Look, layout};
use crate::icons::{self, Icon};
use crate::parts::focus_ring;
use crate::theme::{self, Palette, palette};
use blocks::{Block, Kind, Piece, Placed};
use eframe::egui::{
    self, CornerRadius, FontId, Galley, Label, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, text::LayoutJob, vec2,
};
use std::ops::Range;
use std::sync::Arc;

/// What somebody did on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ticked or unticked the box at this place of the text.
    Tick {
        /// Where `[ ]` is.
        range: Range<usize>,
        /// To be ticked.
        done: bool,
    },
    /// Clicked a link.
    Open(String),
}

/// The page of one note.
#[derive(Default)]
pub struct Preview {
    text: String,
    blocks: Vec<Placed>,
    galleys: Vec<Option<Arc<Galley>>>,
    tops: Vec<f32>,
    /// Boxes are not to be ticked.
    read_only: bool,
    key: Option<(f32, Palette, f32)>,
}

const INDENT: f32 = 24.0;
const QUOTE: f32 = 18.0;

impl Preview {
    /// Shows the page of `text`; one that is read-only has boxes that cannot be ticked.
    pub fn show(&mut self, ui: &mut Ui, text: &str, read_only: bool) -> Option<Action> {
        self.read_only = read_only;
        let colors = palette(ui);
        let width = ui.available_width();
        self.update(ui, text, width, colors);
        let mut action = None;
        let origin = ui.next_widget_position();
        let height = self.tops.last().copied().unwrap_or(0.0);
        let seen = ui.clip_rect().y_range();
        // Only what is seen is laid out as widgets; the rest is known by its height.
        let first = self.tops.partition_point(|top| origin.y + top < seen.min).saturating_sub(1);
        for index in first..self.blocks.len() {
            let top = origin.y + self.tops[index];
            if top > seen.max {
                break;
            }
            let area = Rect::from_min_max(
                pos2(origin.x, top),
                pos2(origin.x + width, origin.y + self.tops[index + 1]),
            );
            let mut child = ui.new_child(egui::UiBuilder::new().max_rect(area).id_salt(index));
            action = self.block(&mut child, index, area, colors).or(action);
        }
        ui.allocate_exact_size(vec2(width, height), Sense::hover());
        action
    }

    /// Parses and lays out what has changed.
    fn update(&mut self, ui: &Ui, text: &str, width: f32, colors: Palette) {
        let key = (width, colors, ui.pixels_per_point());
        let same_key = self.key == Some(key);
        if same_key && self.text == text {
            self.lay_out_fresh(ui, width, colors);
            return;
        }
        let blocks =
            if self.text == text && self.key.is_some() { self.blocks.clone() } else { blocks::parse(text) };
        let old = std::mem::replace(&mut self.blocks, blocks);
        let mut galleys = std::mem::take(&mut self.galleys);
        let (new, count) = (&self.blocks, self.blocks.len());
        let most = if same_key { old.len().min(count) } else { 0 };
        let head = (0..most).take_while(|i| old[*i].1 == new[*i].1).count();
        let tail = (1..=most - head).take_while(|i| old[old.len() - i].1 == new[count - i].1).count();
        let kept = galleys.split_off(galleys.len() - tail);
        galleys.truncate(head);
        galleys.resize(count - tail, None);
        galleys.extend(kept);
        self.galleys = galleys;
        self.key = Some(key);
        text.clone_into(&mut self.text);
        self.lay_out_fresh(ui, width, colors);
    }

    fn lay_out_fresh(&mut self, ui: &Ui, width: f32, colors: Palette) {
        if self.galleys.iter().all(Option::is_some) && self.tops.len() == self.blocks.len() + 1 {
            return;
        }
        let mut top = 0.0;
        self.tops.clear();
        for (index, (_, block)) in self.blocks.iter().enumerate() {
            let galley = self.galleys[index]
                .get_or_insert_with(|| galley(ui, block, width - left(block) - 4.0, colors));
            self.tops.push(top);
            let goes_on = self.blocks.get(index + 1).is_some_and(|(_, next)| next.tight);
            top += above(block, index) + galley.size().y + below(block, goes_on);
        }
        self.tops.push(top);
    }

    fn block(&self, ui: &mut Ui, index: usize, area: Rect, colors: Palette) -> Option<Action> {
        let (start, block) = &self.blocks[index];
        let galley = self.galleys[index].clone()?;
        let at = area.min + vec2(left(block), above(block, index));
        let text_area = Rect::from_min_size(at, galley.size());
        for quote in 0..block.quotes {
            let x = area.left() + quote as f32 * QUOTE + 2.0;
            let bar = Rect::from_min_max(pos2(x, at.y - 2.0), pos2(x + 3.0, text_area.bottom() + 4.0));
            ui.painter().rect_filled(bar, CornerRadius::same(2), colors.accent.gamma_multiply(0.5));
        }
        match block.kind {
            Kind::Rule => {
                let y = area.center().y;
                ui.painter().hline(area.x_range(), y, Stroke::new(1.0, colors.line));
                return None;
            }
            Kind::Code => {
                let ground = Rect::from_min_max(
                    pos2(at.x - 12.0, at.y - 8.0),
                    pos2(area.right(), text_area.bottom() + 8.0),
                );
                ui.painter().rect_filled(ground, CornerRadius::same(8), colors.code);
            }
            Kind::Row { head } => {
                let y = text_area.bottom() + 5.0;
                let stroke = Stroke::new(if head { 1.5 } else { 1.0 }, colors.line);
                ui.painter().hline(area.left()..=area.right(), y, stroke);
                return self.cells(ui, block, area, at, colors);
            }
            Kind::Heading(1) => {
                let stroke = Stroke::new(1.0, colors.line);
                ui.painter().hline(area.x_range(), text_area.bottom() + 4.0, stroke);
            }
            _ => {}
        }
        let mut action = None;
        if let Some((range, done)) = &block.checkbox {
            let center = pos2(at.x - 15.0, at.y + theme::NOTE_LINE / 2.0);
            let response = checkbox(ui, &block.text(), center, *done, self.read_only, *start);
            if response.clicked() {
                action = Some(Action::Tick { range: start + range.start..start + range.end, done: !done });
            }
        } else if let Some(bullet) = &block.bullet {
            let color = colors.accent;
            let font = FontId::proportional(theme::NOTE_SIZE);
            let bullet = ui.painter().layout_no_wrap(bullet.clone(), font, color);
            let y = at.y + (theme::NOTE_LINE - bullet.size().y) / 2.0;
            ui.painter().galley(pos2(at.x - 8.0 - bullet.size().x, y), bullet, color);
        }
        let response = ui.put(text_area, Label::new(galley.clone()).selectable(true).sense(Sense::click()));
        let link = response
            .hover_pos()
            .and_then(|pointer| url_at(block, galley.cursor_from_pos(pointer - at).index.0))
            .filter(|url| openable(url));
        if let Some(url) = link {
            let response = response.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(&url);
            if response.clicked() {
                action = Some(Action::Open(url));
            }
        }
        action
    }

    /// The cells of a table row, all of the same width.
    fn cells(
        &self,
        ui: &mut Ui,
        block: &Block,
        area: Rect,
        at: egui::Pos2,
        colors: Palette,
    ) -> Option<Action> {
        let cells: Vec<&[Piece]> = block.pieces.split(|piece| piece.text == "\t").collect();
        let width = (area.right() - at.x) / cells.len() as f32;
        for (column, pieces) in cells.into_iter().enumerate() {
            let galley = text_galley(ui, pieces, (width - 12.0).max(20.0), colors);
            let cell = Rect::from_min_size(pos2(at.x + column as f32 * width, at.y), galley.size());
            ui.put(cell, Label::new(galley).selectable(true));
        }
        None
    }
}

/// A checkbox named after its item.
fn checkbox(
    ui: &mut Ui,
    name: &str,
    center: egui::Pos2,
    done: bool,
    read_only: bool,
    salt: usize,
) -> Response {
    let colors = palette(ui);
    let area = Rect::from_center_size(center, Vec2::splat(17.0));
    let sense = if read_only { Sense::hover() } else { Sense::click() };
    let response = ui.interact(area, ui.scope_id().with(("checkbox", salt)), sense);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, !read_only, done, name));
    let radius = CornerRadius::same(4);
    if done {
        ui.painter().rect_filled(area, radius, colors.accent);
        icons::paint(ui.painter(), Icon::Tick, area.shrink(3.0), colors.on_accent);
    } else {
        let inviting = response.hovered() && !read_only;
        let stroke = Stroke::new(1.5, if inviting { colors.accent } else { colors.weak });
        ui.painter().rect_stroke(area, radius, stroke, StrokeKind::Inside);
    }
    focus_ring(ui, &response, area.expand(3.0));
    if read_only { response } else { response.on_hover_cursor(egui::CursorIcon::PointingHand) }
}

/// The space left of a block's text.
fn left(block: &Block) -> f32 {
    let code = if block.kind == Kind::Code { 12.0 } else { 0.0 };
    block.depth as f32 * INDENT + block.quotes as f32 * QUOTE + code
}

fn above(block: &Block, index: usize) -> f32 {
    match block.kind {
        Kind::Heading(_) if index > 0 => 14.0,
        Kind::Code => 12.0,
        Kind::Rule => 10.0,
        Kind::Row { head: true } => 6.0,
        _ => 0.0,
    }
}

fn below(block: &Block, goes_on: bool) -> f32 {
    match block.kind {
        Kind::Heading(1) => 16.0,
        Kind::Heading(_) => 6.0,
        Kind::Code => 20.0,
        Kind::Row { .. } => {
            if goes_on {
                11.0
            } else {
                18.0
            }
        }
        _ if block.tight && goes_on => 4.0,
        _ => 12.0,
    }
}

fn galley(ui: &Ui, block: &Block, width: f32, colors: Palette) -> Arc<Galley> {
    match block.kind {
        // As high as its highest cell: that is what decides about the row's height.
        Kind::Row { .. } => {
            let cells: Vec<&[Piece]> = block.pieces.split(|piece| piece.text == "\t").collect();
            let width = (width / cells.len() as f32 - 12.0).max(20.0);
            let galleys = cells.into_iter().map(|pieces| text_galley(ui, pieces, width, colors));
            galleys
                .max_by(|one, other| one.size().y.total_cmp(&other.size().y))
                .unwrap_or_else(|| text_galley(ui, &[], width, colors))
        }
        _ => text_galley(ui, &block.pieces, width.max(40.0), colors),
    }
}

fn text_galley(ui: &Ui, pieces: &[Piece], width: f32, colors: Palette) -> Arc<Galley> {
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    for piece in pieces {
        job.append(&piece.text, 0.0, layout::format(piece.look, &colors));
    }
    if pieces.is_empty() {
        job.append("", 0.0, layout::format(Look::default(), &colors));
    }
    let is_bold = |piece: &Piece| piece.look.bold && !piece.look.code;
    let bold_chars: Vec<bool> =
        pieces.iter().flat_map(|piece| piece.text.chars().map(|_| is_bold(piece))).collect();
    bold::embolden(ui.fonts_mut(|fonts| fonts.layout_job(job)), &bold_chars)
}

/// The link at a character of the block.
fn url_at(block: &Block, character: usize) -> Option<String> {
    let mut end = 0;
    let piece = block.pieces.iter().find(|piece| {
        end += piece.text.chars().count();
        character < end
    })?;
    piece.url.clone()
}

/// Only what a browser or a mail program opens: a note may come from anybody.
fn openable(url: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| url.to_ascii_lowercase().starts_with(scheme))
}
