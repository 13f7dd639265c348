//! Join a note by its link.

use crate::app::App;
use crate::icons::Icon;
use crate::parts::{dialog, field, primary, weak};
use crate::theme::palette;
use eframe::egui::{self, Key, Label, RichText, Ui};

/// The dialog's state.
#[derive(Default)]
pub struct Join {
    link: String,
    waiting: bool,
    error: Option<String>,
    focused: bool,
}

impl App {
    pub(super) fn join_dialog(&mut self, ui: &Ui, mut join: Join) -> Option<Join> {
        let words = self.words;
        let mut go = false;
        let closed = dialog(ui, words.join_title, words.close, 460.0, |ui| {
            weak(ui, words.join_lead);
            ui.add_space(6.0);
            let response = field(ui, words.link, &mut join.link, words.join_hint);
            if !std::mem::replace(&mut join.focused, true) {
                response.request_focus();
            }
            if response.changed() {
                join.error = None;
            }
            if let Some(error) = &join.error {
                let text = format!("{}: {error}", words.failed_link);
                ui.add(Label::new(RichText::new(text).color(palette(ui).bad)).wrap());
            }
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                let ready = !join.link.trim().is_empty() && !join.waiting;
                let button =
                    ui.add_enabled_ui(ready, |ui| primary(ui, Some(Icon::Link), words.join_now)).inner;
                let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                go = ready && (button.clicked() || enter);
                if join.waiting {
                    ui.add(egui::Spinner::new().size(16.0));
                    weak(ui, words.waiting);
                }
            });
        });
        if go {
            self.join(join.link.clone());
            join.waiting = true;
        }
        (!closed).then_some(join)
    }

    /// The link does not work: the dialog says it, when it is open.
    pub(in crate::app) fn join_failed(&mut self, why: &str) -> bool {
        let Some(super::Screen::Join(join)) = &mut self.screen else { return false };
        join.waiting = false;
        join.error = Some(why.to_owned());
        true
    }
}
