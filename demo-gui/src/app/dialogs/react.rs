//! React: an emoji or a few words.

use crate::app::App;
use crate::parts::{dialog, field, focus_ring, primary};
use crate::theme::palette;
use eframe::egui::{self, Align2, CornerRadius, FontId, Key, Role, Sense, Ui, WidgetInfo, vec2};

/// The dialog's state.
#[derive(Default)]
pub struct React {
    text: String,
    focused: bool,
}

/// Those that the built-in fonts have.
const EMOJI: [&str; 10] = ["🎉", "👍", "❤", "😂", "😮", "🔥", "👏", "🚀", "💡", "❓"];

impl App {
    pub(super) fn react_dialog(&mut self, ui: &Ui, mut react: React) -> Option<React> {
        let words = self.words;
        let mut thrown = None;
        let closed = dialog(ui, words.react_title, words.close, 340.0, |ui| {
            let colors = palette(ui);
            egui::Grid::new("emoji").spacing(vec2(6.0, 6.0)).show(ui, |ui| {
                for (index, emoji) in EMOJI.iter().enumerate() {
                    let (rect, response) = ui.allocate_exact_size(vec2(61.0, 48.0), Sense::click());
                    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, *emoji));
                    let fill = if response.hovered() { colors.hover } else { colors.code };
                    ui.painter().rect_filled(rect, CornerRadius::same(8), fill);
                    focus_ring(ui, &response, rect);
                    let font = FontId::proportional(24.0);
                    ui.painter().text(rect.center(), Align2::CENTER_CENTER, emoji, font, colors.text);
                    if response.clicked() {
                        thrown = Some((*emoji).to_owned());
                    }
                    if index % 5 == 4 {
                        ui.end_row();
                    }
                }
            });
            ui.add_space(4.0);
            let response = field(ui, words.react_words, &mut react.text, "");
            if !std::mem::replace(&mut react.focused, true) {
                response.request_focus();
            }
            let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(4.0);
            let ready = !react.text.trim().is_empty();
            let send = ui.add_enabled_ui(ready, |ui| primary(ui, None, words.send)).inner;
            if ready && (enter || send.clicked()) {
                thrown = Some(react.text.trim().to_owned());
            }
        });
        if let Some(what) = thrown {
            if let Some(open) = &mut self.open {
                open.editor.peer.react(&what);
            }
            return None;
        }
        (!closed).then_some(react)
    }
}
