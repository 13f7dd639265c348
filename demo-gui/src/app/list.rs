//! The list of notes at the left, or as a drawer.

use super::{App, keys, wall_ms};
use crate::app::keys::Action;
use crate::icons::{self, Icon};
use crate::parts::{focus_ring, icon_button_sized, weak};
use crate::theme::{Palette, palette};
use eframe::egui::{
    self, Align2, CornerRadius, FontId, Frame, Margin, Panel, Rect, RichText, Role, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};
use notes_core::link::{NoteId, NoteSummary, Place};

const WIDTH: f32 = 248.0;

/// Is a note of this section?
type Belongs = fn(&NoteSummary) -> bool;

/// What was clicked in the list.
enum Click {
    Open(NoteId),
    Pin(NoteId, bool),
    Delete(NoteId),
    New,
}

impl App {
    pub(super) fn side_list(&mut self, ui: &mut Ui) {
        let frame = Frame::new().fill(palette(ui).list).inner_margin(Margin {
            left: 10,
            right: 10,
            top: 12,
            bottom: 8,
        });
        let panel = super::bar(Panel::left("list"), WIDTH, frame);
        let click = panel.show(ui, |ui| self.list(ui)).inner;
        self.clicked(click);
    }

    /// The list over a narrow window; a click beside it closes it.
    pub(super) fn drawer(&mut self, ui: &Ui) {
        let screen = ui.ctx().content_rect();
        let area =
            egui::Area::new(egui::Id::unique("drawer")).order(egui::Order::Foreground).fixed_pos(screen.min);
        let inner = area.show(ui.ctx(), |ui| {
            let shade = ui.interact(screen, ui.scope_id().with("shade"), Sense::click());
            shade.widget_info(|| WidgetInfo::labeled(Role::Button, true, self.words.close));
            ui.painter().rect_filled(screen, 0, egui::Color32::from_black_alpha(90));
            let width = WIDTH.min(screen.width() - 40.0) + 20.0;
            let rect = Rect::from_min_size(screen.min, vec2(width, screen.height()));
            // Clicks on the drawer itself must not fall through to the shade.
            ui.interact(rect, ui.scope_id().with("drawer"), Sense::click());
            ui.painter().rect_filled(rect, 0, palette(ui).list);
            let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(10.0, 12.0))));
            let click = self.list(&mut inside);
            let closed =
                shade.clicked() || ui.input(|input| input.key_pressed(egui::Key::Escape)) || click.is_some();
            (click, closed)
        });
        let (click, closed) = inner.inner;
        self.drawer = !closed;
        self.clicked(click);
    }

    pub(super) fn toggle_list(&mut self, narrow: bool) {
        if narrow {
            self.drawer = !self.drawer;
        } else {
            self.settings.list = !self.settings.list;
            self.save_settings();
        }
    }

    fn clicked(&mut self, click: Option<Click>) {
        match click {
            Some(Click::Open(note)) => self.open_note(note),
            Some(Click::Pin(note, pinned)) => self.pin(note, pinned),
            Some(Click::Delete(note)) => self.delete(note),
            Some(Click::New) => self.create(String::new()),
            None => {}
        }
    }

    fn list(&self, ui: &mut Ui) -> Option<Click> {
        let mut click = None;
        if new_button(ui, self.words.new_note) {
            click = Some(Click::New);
        }
        ui.add_space(6.0);
        if self.notes.is_empty() {
            weak(ui, self.words.no_notes);
        }
        let sections: [(&str, Belongs); 3] = [
            (self.words.pinned, |note| note.pinned),
            (self.words.on_this_device, |note| !note.pinned && note.place == Place::Device),
            (self.words.shared, |note| !note.pinned && note.place != Place::Device),
        ];
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for (title, belongs) in sections {
                let notes: Vec<_> = self.notes.iter().filter(|note| belongs(note)).collect();
                if notes.is_empty() {
                    continue;
                }
                ui.add_space(8.0);
                ui.horizontal(|ui| {
                    ui.add_space(8.0);
                    ui.label(RichText::new(title).size(12.0).color(palette(ui).weak));
                });
                ui.add_space(2.0);
                for note in notes {
                    click = self.row(ui, note).or(click.take());
                }
            }
        });
        click
    }

    fn row(&self, ui: &mut Ui, note: &NoteSummary) -> Option<Click> {
        let colors = palette(ui);
        let chosen = self.open.as_ref().is_some_and(|open| open.note == note.note);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 48.0), Sense::click());
        let title = self.title(note);
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &title));
        let over = ui.rect_contains_pointer(rect);
        if chosen || over {
            let fill = if chosen { colors.chosen } else { colors.hover };
            ui.painter().rect_filled(rect, CornerRadius::same(9), fill);
        }
        focus_ring(ui, &response, rect);
        let icons_width = if over { 60.0 } else { 0.0 };
        let color = if chosen { colors.strong } else { colors.text };
        line(ui, rect, 14.0, &title, 14.0, color, rect.width() - 20.0 - icons_width);
        self.second_line(ui, note, rect, colors);
        let mut click = None;
        if over {
            let area = Rect::from_min_max(pos2(rect.right() - 64.0, rect.top()), rect.max);
            let mut inside = ui.new_child(
                egui::UiBuilder::new()
                    .max_rect(area)
                    .layout(egui::Layout::left_to_right(egui::Align::Center))
                    .id_salt(&note.note.0),
            );
            inside.spacing_mut().item_spacing.x = 2.0;
            let (pin, delete) =
                (if note.pinned { self.words.unpin } else { self.words.pin }, self.words.delete);
            if icon_button_sized(&mut inside, Icon::Pin, pin, "", 28.0).clicked() {
                click = Some(Click::Pin(note.note.clone(), !note.pinned));
            }
            if icon_button_sized(&mut inside, Icon::Trash, delete, "", 28.0).clicked() {
                click = Some(Click::Delete(note.note.clone()));
            }
        }
        response.context_menu(|ui| {
            let pin = if note.pinned { self.words.unpin } else { self.words.pin };
            if ui.button(pin).clicked() {
                click = Some(Click::Pin(note.note.clone(), !note.pinned));
            }
            if ui.button(self.words.delete).clicked() {
                click = Some(Click::Delete(note.note.clone()));
            }
        });
        if click.is_none() && response.clicked() {
            click = Some(Click::Open(note.note.clone()));
        }
        click
    }

    /// When it was changed, and who has it open.
    fn second_line(&self, ui: &Ui, note: &NoteSummary, rect: Rect, colors: Palette) {
        let mut text = self.words.ago(wall_ms().saturating_sub(note.modified_ms));
        if note.people > 0 {
            text = format!("{text} · {}", self.words.people(note.people as usize + 1));
        }
        let mut x = 10.0;
        if note.place != Place::Device {
            let area = Rect::from_center_size(rect.left_top() + vec2(16.0, 34.0), vec2(12.0, 12.0));
            icons::paint(ui.painter(), Icon::Link, area, colors.accent);
            x = 26.0;
        }
        let font = FontId::proportional(12.0);
        ui.painter().text(rect.left_top() + vec2(x, 34.0), Align2::LEFT_CENTER, text, font, colors.weak);
    }

    /// A note's title, or a word for one that has none.
    pub(super) fn title(&self, note: &NoteSummary) -> String {
        let title = note.title.trim();
        if title.is_empty() { self.words.untitled.to_owned() } else { title.to_owned() }
    }
}

/// One line of text that ends with "…" where there is no more room.
fn line(ui: &Ui, rect: Rect, y: f32, text: &str, size: f32, color: egui::Color32, width: f32) {
    let mut job =
        egui::text::LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(size), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(20.0));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    ui.painter().galley(
        pos2(rect.left() + 10.0, rect.top() + y - galley.size().y / 2.0 + 2.0),
        galley,
        color,
    );
}

fn new_button(ui: &mut Ui, name: &str) -> bool {
    let colors = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    if response.hovered() {
        ui.painter().rect_filled(rect, CornerRadius::same(9), colors.hover);
    }
    focus_ring(ui, &response, rect);
    let area = Rect::from_center_size(pos2(rect.left() + 18.0, rect.center().y), vec2(15.0, 15.0));
    icons::paint(ui.painter(), Icon::Plus, area, colors.accent);
    let at = pos2(rect.left() + 34.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, name, FontId::proportional(14.0), colors.accent);
    let at = pos2(rect.right() - 10.0, rect.center().y);
    let key = keys::written(Action::New);
    ui.painter().text(at, Align2::RIGHT_CENTER, key, FontId::proportional(12.0), colors.weak);
    response.clicked()
}
