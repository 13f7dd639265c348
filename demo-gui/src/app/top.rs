//! The bar at the top: the list, the search, who is here, Share.

use super::App;
use super::keys::{self, Action};
use crate::icons::{self, Icon};
use crate::parts::{avatar, focus_ring, hint, icon_button, primary, title};
use crate::settings::Theme;
use crate::theme::palette;
use eframe::egui::{
    self, Align, Align2, CornerRadius, FontId, Frame, Layout, Margin, Panel, Rect, RichText, Role, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use notes_core::link::Place;

/// More people are a number.
const CHIPS: usize = 5;

impl App {
    pub(super) fn top_bar(&mut self, ui: &mut Ui, narrow: bool) {
        let colors = palette(ui);
        let frame = Frame::new().fill(colors.bar).inner_margin(Margin::symmetric(12, 8));
        let panel = super::bar(Panel::top("top"), 52.0, frame);
        let shown = panel.show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                if icon_button(ui, Icon::Menu, self.words.notes_list, &keys::written(Action::List)).clicked()
                {
                    self.act(ui, Action::List);
                }
                if !narrow {
                    title(ui, "libws notes", 15.0);
                }
                let whole = ui.max_rect();
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.right_side(ui, narrow, whole));
            });
        });
        let line = shown.response.rect;
        ui.painter().hline(line.x_range(), line.bottom() - 0.5, Stroke::new(1.0, colors.line));
    }

    fn right_side(&mut self, ui: &mut Ui, narrow: bool, whole: Rect) {
        self.more_menu(ui);
        if !narrow && icon_button(ui, self.theme_icon(ui), self.words.switch_theme, "").clicked() {
            self.settings.theme = if ui.visuals().dark_mode { Theme::Light } else { Theme::Dark };
            self.save_settings();
        }
        let sharing = self.open.as_ref().is_some_and(|open| open.is_shared());
        let share = if narrow {
            icon_button(ui, Icon::Share, self.words.share, &keys::written(Action::Share))
        } else {
            let response = primary(ui, Some(Icon::Share), self.words.share);
            response.on_hover_text(hint(self.words.share, &keys::written(Action::Share)))
        };
        if share.clicked() {
            self.act(ui, Action::Share);
        }
        ui.add_space(6.0);
        self.chips(ui, if narrow { 2 } else { CHIPS });
        if sharing {
            let name = self.words.react;
            if icon_button(ui, Icon::Smile, name, &keys::written(Action::React)).clicked() {
                self.act(ui, Action::React);
            }
        }
        self.search_field(ui, narrow, whole);
    }

    fn theme_icon(&self, ui: &Ui) -> Icon {
        if ui.visuals().dark_mode { Icon::Sun } else { Icon::Moon }
    }

    /// A button that looks like a field and opens the switcher.
    fn search_field(&mut self, ui: &mut Ui, narrow: bool, whole: Rect) {
        let key = keys::written(Action::Switch);
        if narrow {
            if icon_button(ui, Icon::Search, self.words.search_notes, &key).clicked() {
                self.act(ui, Action::Switch);
            }
            return;
        }
        let free = ui.available_rect_before_wrap();
        let width = (free.width() - 24.0).min(340.0);
        if width < 120.0 {
            return;
        }
        // In the middle of the window, as long as there is room.
        let center =
            whole.center().x.clamp(free.left() + width / 2.0 + 12.0, free.right() - width / 2.0 - 12.0);
        let rect = Rect::from_center_size(pos2(center, free.center().y), vec2(width, 34.0));
        let response = ui.interact(rect, ui.scope_id().with("search"), Sense::click());
        let colors = palette(ui);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, self.words.search_notes));
        let fill = if response.hovered() { colors.hover } else { colors.page };
        ui.painter().rect(
            rect,
            CornerRadius::same(9),
            fill,
            Stroke::new(1.0, colors.line),
            StrokeKind::Inside,
        );
        focus_ring(ui, &response, rect);
        let area = Rect::from_center_size(pos2(rect.left() + 18.0, rect.center().y), vec2(14.0, 14.0));
        icons::paint(ui.painter(), Icon::Search, area, colors.weak);
        let font = FontId::proportional(13.5);
        let at = pos2(rect.left() + 34.0, rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, self.words.search_notes, font.clone(), colors.weak);
        let at = pos2(rect.right() - 12.0, rect.center().y);
        ui.painter().text(at, Align2::RIGHT_CENTER, key, FontId::proportional(12.0), colors.weak);
        if response.clicked() {
            self.act(ui, Action::Switch);
        }
    }

    /// Who has the note open, we first; a click on somebody follows them.
    fn chips(&mut self, ui: &mut Ui, most: usize) {
        ui.spacing_mut().item_spacing.x = 3.0;
        let name = format!("{} ({})", self.settings.name, self.words.you);
        let me = avatar(ui, &self.settings.name, self.settings.color, 28.0, false);
        me.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if me.on_hover_text(&name).clicked() {
            self.act(ui, Action::Settings);
        }
        let Some(open) = &mut self.open else { return };
        let people = open.people();
        if people.len() > most {
            let rest = format!("+{}", people.len() - most);
            ui.label(RichText::new(rest).size(13.0).color(palette(ui).weak));
        }
        for person in people.into_iter().take(most) {
            let followed = open.editor.followed() == Some(person.client);
            let name =
                if followed { self.words.following(&person.name) } else { self.words.follow(&person.name) };
            let chip = avatar(ui, &person.name, person.color, 28.0, followed);
            chip.widget_info(|| WidgetInfo::selected(Role::Button, true, followed, &name));
            if chip.on_hover_text(&name).clicked() {
                open.editor.follow(if followed { None } else { Some(person.client) });
                open.editor.focus();
            }
        }
        ui.spacing_mut().item_spacing.x = 8.0;
    }

    fn more_menu(&mut self, ui: &mut Ui) {
        let button = icon_button(ui, Icon::More, self.words.more, "");
        let place = self.open.as_ref().and_then(|open| self.notes.iter().find(|note| note.note == open.note));
        let place = place.map(|note| note.place);
        let items = [
            (self.words.find_in_note, Action::Find),
            (self.words.search_all, Action::Search),
            (self.words.join, Action::Join),
            (self.words.import, Action::Import),
            (self.words.export, Action::Export),
            (self.words.view_mode, Action::Mode),
            (self.words.settings, Action::Settings),
            (self.words.help, Action::Help),
        ];
        let mut chosen = None;
        let (mut unshare, mut leave) = (false, false);
        egui::Popup::menu(&button).show(|ui| {
            ui.set_min_width(230.0);
            ui.spacing_mut().item_spacing.y = 1.0;
            for (name, action) in items {
                if menu_item(ui, name, &keys::written(action)) {
                    chosen = Some(action);
                }
            }
            if place == Some(Place::Hosted) {
                ui.separator();
                unshare = menu_item(ui, self.words.stop_sharing, "");
            }
            if place == Some(Place::Joined) {
                ui.separator();
                leave = menu_item(ui, self.words.leave_note, "");
            }
        });
        if let Some(action) = chosen {
            self.act(ui, action);
        }
        if unshare {
            self.unshare();
        }
        if leave {
            self.leave();
        }
    }
}

fn menu_item(ui: &mut Ui, name: &str, key: &str) -> bool {
    let colors = palette(ui);
    let button = egui::Button::new(name).frame(true).fill(egui::Color32::TRANSPARENT).stroke(Stroke::NONE);
    let button = button.shortcut_text(RichText::new(key).size(12.0).color(colors.weak));
    ui.add_sized([ui.available_width().max(230.0), 28.0], button.wrap_mode(egui::TextWrapMode::Extend))
        .clicked()
}
