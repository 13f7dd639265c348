//! Go to a note by its title, or search the text of all notes.

use crate::app::App;
use crate::icons::{self, Icon};
use crate::theme::palette;
use eframe::egui::text::{LayoutJob, TextFormat, TextWrapping};
use eframe::egui::{
    self, Align2, CornerRadius, FontId, Key, Margin, Modifiers, Rect, Role, ScrollArea, Sense, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};
use notes_core::find::Needle;
use notes_core::link::{Command, Hit, NoteId};

/// The dialog's state.
pub struct Palette {
    /// Only places in the text, no titles.
    everywhere: bool,
    query: String,
    asked: Option<(u64, String)>,
    hits: Vec<Hit>,
    chosen: usize,
    focused: bool,
}

impl Palette {
    pub(super) fn new(everywhere: bool) -> Palette {
        Palette { everywhere, query: String::new(), asked: None, hits: Vec::new(), chosen: 0, focused: false }
    }
}

/// A line that can be chosen.
enum Row {
    Note(NoteId, String, String),
    Place(Hit, String),
    New(String),
}

impl App {
    /// Places in the text have been found.
    pub(in crate::app) fn found(&mut self, id: u64, hits: Vec<Hit>) {
        if let Some(super::Screen::Palette(palette)) = &mut self.screen
            && palette.asked.as_ref().is_some_and(|(asked, _)| *asked == id)
        {
            palette.hits = hits;
        }
    }

    pub(super) fn palette(&mut self, ui: &Ui, mut state: Palette) -> Option<Palette> {
        self.ask_for_places(&mut state);
        let rows = self.rows(&state);
        state.chosen = state.chosen.min(rows.len().saturating_sub(1));
        let take = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if take(Key::ArrowDown) && !rows.is_empty() {
            state.chosen = (state.chosen + 1) % rows.len();
        }
        if take(Key::ArrowUp) && !rows.is_empty() {
            state.chosen = (state.chosen + rows.len() - 1) % rows.len();
        }
        let mut picked = take(Key::Enter).then_some(state.chosen);
        let screen = ui.ctx().content_rect();
        let width = 560.0_f32.min(screen.width() - 32.0);
        let place = egui::Area::new(egui::Id::unique("palette area"))
            .order(egui::Order::Foreground)
            .pivot(Align2::CENTER_TOP)
            .fixed_pos(pos2(screen.center().x, screen.top() + 70.0));
        let frame = egui::Frame::popup(ui.style()).inner_margin(Margin::same(10)).corner_radius(14);
        let modal =
            egui::Modal::new(egui::Id::unique("palette")).area(place).frame(frame).show(ui.ctx(), |ui| {
                ui.set_width(width);
                self.query_field(ui, &mut state);
                ui.add_space(4.0);
                let height = (screen.height() - 220.0).clamp(120.0, 420.0);
                ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    if rows.is_empty() && !state.query.trim().is_empty() {
                        crate::parts::weak(ui, self.words.nothing_found);
                    }
                    for (index, row) in rows.iter().enumerate() {
                        if self.palette_row(ui, row, index == state.chosen, &state.query) {
                            picked = Some(index);
                        }
                    }
                });
            });
        if let Some(row) = picked.and_then(|index| rows.into_iter().nth(index)) {
            self.go(row);
            return None;
        }
        (!modal.should_close()).then_some(state)
    }

    fn query_field(&self, ui: &mut Ui, state: &mut Palette) {
        let (name, hint) = if state.everywhere {
            (self.words.search_all, self.words.search_hint)
        } else {
            (self.words.search_notes, self.words.switch_hint)
        };
        let edit = TextEdit::singleline(&mut state.query).hint_text(hint).font(FontId::proportional(16.0));
        let response = ui.add(edit.desired_width(f32::INFINITY).margin(Margin::symmetric(10, 9)));
        let value = state.query.clone();
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
            info.current_text_value = Some(value.clone());
            info
        });
        if !std::mem::replace(&mut state.focused, true) {
            response.request_focus();
        }
        if response.changed() {
            state.chosen = 0;
        }
    }

    /// Asks the hub when the query has changed; its answer comes with a later frame.
    fn ask_for_places(&mut self, state: &mut Palette) {
        let query = state.query.trim();
        if state.asked.as_ref().is_some_and(|(_, asked)| asked == query) {
            return;
        }
        if query.is_empty() {
            state.hits.clear();
        } else {
            self.searches += 1;
            self.ask(Command::Search { id: self.searches, query: query.to_owned() });
        }
        state.asked = Some((self.searches, query.to_owned()));
    }

    fn rows(&self, state: &Palette) -> Vec<Row> {
        let query = state.query.trim();
        let needle = Needle::new(query);
        let mut rows = Vec::new();
        let now = crate::app::wall_ms();
        if !state.everywhere {
            let fits = |title: &str| needle.is_empty() || needle.find_from(title, 0).is_some();
            rows.extend(self.notes.iter().filter(|note| fits(&self.title(note))).map(|note| {
                Row::Note(
                    note.note.clone(),
                    self.title(note),
                    self.words.ago(now.saturating_sub(note.modified_ms)),
                )
            }));
        }
        let title_of =
            |hit: &Hit| self.notes.iter().find(|note| note.note == hit.note).map(|note| self.title(note));
        rows.extend(state.hits.iter().filter_map(|hit| Some(Row::Place(hit.clone(), title_of(hit)?))));
        if !state.everywhere && !query.is_empty() {
            rows.push(Row::New(query.to_owned()));
        }
        rows
    }

    fn go(&mut self, row: Row) {
        match row {
            Row::Note(note, ..) => self.open_note(note),
            Row::New(title) => self.create(format!("# {title}\n\n")),
            Row::Place(hit, _) => {
                self.open_note(hit.note);
                if let Some(open) = &mut self.open {
                    open.go_to(hit.range);
                }
            }
        }
    }

    fn palette_row(&self, ui: &mut Ui, row: &Row, chosen: bool, query: &str) -> bool {
        let colors = palette(ui);
        let height = if matches!(row, Row::Place(..)) { 46.0 } else { 36.0 };
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        let name = match row {
            Row::Note(_, title, _) => title.clone(),
            Row::Place(hit, title) => format!("{title}: {}", hit.line),
            Row::New(title) => format!("{}: {title}", self.words.create_named),
        };
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &name));
        if chosen || response.hovered() {
            ui.painter().rect_filled(
                rect,
                CornerRadius::same(8),
                if chosen { colors.chosen } else { colors.hover },
            );
        }
        if chosen {
            response.scroll_to_me(None);
        }
        let icon = match row {
            Row::Note(..) => Icon::Page,
            Row::Place(..) => Icon::Search,
            Row::New(_) => Icon::Plus,
        };
        let area = Rect::from_center_size(pos2(rect.left() + 18.0, rect.center().y), vec2(14.0, 14.0));
        icons::paint(ui.painter(), icon, area, colors.weak);
        let left = rect.left() + 36.0;
        match row {
            Row::Note(_, title, ago) => {
                let right = ui.painter().text(
                    pos2(rect.right() - 12.0, rect.center().y),
                    Align2::RIGHT_CENTER,
                    ago,
                    FontId::proportional(12.0),
                    colors.weak,
                );
                let found = Needle::new(query.trim()).find_from(title, 0);
                marked(ui, pos2(left, rect.center().y), title, found, 14.0, right.left() - left - 10.0);
            }
            Row::Place(hit, title) => {
                let width = rect.right() - left - 10.0;
                let font = FontId::proportional(12.0);
                ui.painter().text(
                    pos2(left, rect.top() + 13.0),
                    Align2::LEFT_CENTER,
                    title,
                    font,
                    colors.weak,
                );
                marked(ui, pos2(left, rect.top() + 31.0), &hit.line, Some(hit.in_line.clone()), 14.0, width);
            }
            Row::New(_) => {
                let at = pos2(left, rect.center().y);
                ui.painter().text(at, Align2::LEFT_CENTER, name, FontId::proportional(14.0), colors.accent);
            }
        }
        response.clicked()
    }
}

/// A line in which the found part stands out.
fn marked(ui: &Ui, at: egui::Pos2, text: &str, found: Option<std::ops::Range<usize>>, size: f32, width: f32) {
    let colors = palette(ui);
    let found = found.filter(|range| text.get(range.clone()).is_some()).unwrap_or(0..0);
    let plain = TextFormat::simple(FontId::proportional(size), colors.text);
    let lit = TextFormat {
        background: colors.found,
        ..TextFormat::simple(FontId::proportional(size), colors.strong)
    };
    let mut job = LayoutJob {
        wrap: TextWrapping::truncate_at_width(width.max(30.0)),
        break_on_newline: false,
        ..LayoutJob::default()
    };
    job.append(&text[..found.start], 0.0, plain.clone());
    job.append(&text[found.clone()], 0.0, lit);
    job.append(&text[found.end..], 0.0, plain);
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    ui.painter().galley(pos2(at.x, at.y - galley.size().y / 2.0), galley, colors.text);
}
