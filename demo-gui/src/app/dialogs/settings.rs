//! Settings: they hold at once, but for folder and port.

use crate::app::App;
use crate::names;
use crate::parts::{choices, dialog, field, focus_ring, primary, weak};
use crate::settings::{Settings, Theme, Tongue};
use crate::theme::palette;
use eframe::egui::{Color32, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2};
use std::path::PathBuf;

/// What is typed and may not be valid yet.
pub struct Form {
    name: String,
    folder: String,
    port: String,
}

impl Form {
    pub(super) fn new(settings: &Settings) -> Form {
        let folder = settings.folder.as_ref().map_or(String::new(), |folder| folder.display().to_string());
        Form { name: settings.name.clone(), folder, port: settings.port.to_string() }
    }
}

impl App {
    pub(super) fn settings_dialog(&mut self, ui: &Ui, mut form: Form) -> Option<Form> {
        let words = self.words;
        let mut new = self.settings.clone();
        let mut done = false;
        let default_folder = self.data.join("notes").display().to_string();
        let closed = dialog(ui, words.settings, words.close, 430.0, |ui| {
            let height = ui.ctx().content_rect().height() - 170.0;
            ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
                if field(ui, words.name, &mut form.name, "").changed() && !form.name.trim().is_empty() {
                    new.name = form.name.trim().chars().take(notes_core::wire::MAX_NAME).collect();
                }
                title(ui, words.color);
                swatches(ui, words.language == crate::i18n::Language::English, &mut new.color);
                title(ui, words.theme);
                let themes = [
                    (Theme::System, words.theme_system),
                    (Theme::Light, words.theme_light),
                    (Theme::Dark, words.theme_dark),
                ];
                new.theme = choices(ui, words.theme, &themes, new.theme).unwrap_or(new.theme);
                title(ui, words.tongue);
                let tongues = [
                    (Tongue::System, words.language_system),
                    (Tongue::English, "English"),
                    (Tongue::Chinese, "简体中文"),
                ];
                new.language = choices(ui, words.tongue, &tongues, new.language).unwrap_or(new.language);
                ui.add_space(6.0);
                if field(ui, words.folder, &mut form.folder, &default_folder).changed() {
                    let folder = form.folder.trim();
                    new.folder = (!folder.is_empty()).then(|| PathBuf::from(folder));
                }
                weak(ui, words.folder_note);
                ui.add_space(4.0);
                if field(ui, words.port, &mut form.port, "8765").changed()
                    && let Ok(port) = form.port.trim().parse()
                {
                    new.port = port;
                }
                weak(ui, words.port_note);
                ui.add_space(4.0);
                weak(ui, format!("{}: {}", words.data_folder, self.data.display()));
            });
            ui.add_space(8.0);
            done = primary(ui, None, words.close_dialog).clicked();
        });
        if new != self.settings {
            let introduce = new.name != self.settings.name || new.color != self.settings.color;
            self.settings = new;
            self.save_settings();
            if introduce {
                self.introduce();
            }
            ui.ctx().request_repaint();
        }
        (!closed && !done).then_some(form)
    }
}

fn title(ui: &mut Ui, text: &str) {
    ui.add_space(4.0);
    ui.label(RichText::new(text).size(13.0).color(palette(ui).weak));
}

fn swatches(ui: &mut Ui, english: bool, chosen: &mut [u8; 3]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (color, name, chinese) in names::COLORS {
            let (rect, response) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::click());
            let is_chosen = *chosen == color;
            let name = if english { name } else { chinese };
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, name));
            let [red, green, blue] = color;
            let fill = Color32::from_rgb(red, green, blue);
            ui.painter().circle_filled(rect.center(), 11.0, fill);
            if is_chosen {
                ui.painter().circle_stroke(rect.center(), 14.0, Stroke::new(2.0, fill));
            }
            focus_ring(ui, &response, rect);
            if response.on_hover_text(name).clicked() {
                *chosen = color;
            }
        }
    });
}
