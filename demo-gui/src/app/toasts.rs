//! Short messages at the bottom of the window, with an action where there is one.

use super::App;
use crate::icons::{self, Icon, Sign};
use crate::parts::icon_button_sized;
use crate::theme::palette;
use eframe::egui::{self, Align2, RichText, Ui, vec2};
use notes_core::link::NoteId;
use std::time::Duration;

/// What a toast offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Takes back a deletion.
    Restore(NoteId),
}

struct Toast {
    text: String,
    bad: bool,
    offer: Option<Offer>,
    until: Option<f64>,
}

/// Those on show, the oldest first.
#[derive(Default)]
pub struct Toasts {
    all: Vec<Toast>,
}

const SECONDS: f64 = 5.0;
const MOST: usize = 3;

impl Toasts {
    /// Good to know; it goes by itself.
    pub fn say(&mut self, text: String) {
        self.push(Toast { text, bad: false, offer: None, until: None });
    }

    /// Something failed; it stays until it is closed.
    pub fn warn(&mut self, text: String) {
        self.push(Toast { text, bad: true, offer: None, until: Some(f64::INFINITY) });
    }

    /// It can be undone for a while.
    pub fn offer(&mut self, text: String, offer: Offer) {
        self.push(Toast { text, bad: false, offer: Some(offer), until: None });
    }

    fn push(&mut self, toast: Toast) {
        self.all.retain(|old| old.text != toast.text);
        self.all.push(toast);
        if self.all.len() > MOST {
            self.all.remove(0);
        }
    }
}

impl App {
    pub(super) fn toasts(&mut self, ui: &Ui) {
        let now = ui.input(|input| input.time);
        for toast in &mut self.toasts.all {
            let seconds = if toast.offer.is_some() { SECONDS * 2.0 } else { SECONDS };
            toast.until.get_or_insert(now + seconds);
        }
        self.toasts.all.retain(|toast| toast.until.is_none_or(|until| until > now));
        let next = self.toasts.all.iter().filter_map(|toast| toast.until).fold(f64::INFINITY, f64::min);
        if next.is_finite() {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(next - now + 0.01));
        }
        let (mut closed, mut accepted) = (None, None);
        for (index, toast) in self.toasts.all.iter().rev().enumerate() {
            let up = 44.0 + index as f32 * 54.0;
            let area = egui::Area::new(egui::Id::unique(("toast", index))).order(egui::Order::Foreground);
            area.anchor(Align2::CENTER_BOTTOM, vec2(0.0, -up)).show(ui.ctx(), |ui| {
                let (was_closed, was_accepted) = show(ui, toast, self.words);
                if was_closed {
                    closed = Some(self.toasts.all.len() - 1 - index);
                }
                if was_accepted {
                    accepted = Some((self.toasts.all.len() - 1 - index, toast.offer.clone()));
                }
            });
        }
        if let Some(index) = closed {
            self.toasts.all.remove(index);
        }
        if let Some((index, offer)) = accepted {
            self.toasts.all.remove(index);
            match offer {
                Some(Offer::Restore(note)) => self.restore(note),
                None => {}
            }
        }
    }
}

fn show(ui: &mut Ui, toast: &Toast, words: &crate::i18n::Words) -> (bool, bool) {
    let colors = palette(ui);
    let frame = egui::Frame::new()
        .fill(colors.raised)
        .stroke(egui::Stroke::new(1.0, colors.line))
        .corner_radius(11)
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(egui::Margin::symmetric(14, 7));
    let most = (ui.ctx().content_rect().width() - 160.0).clamp(160.0, 560.0);
    frame
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let (sign, _) = ui.allocate_exact_size(vec2(14.0, 20.0), egui::Sense::hover());
                if toast.bad {
                    icons::paint_sign(ui.painter(), Sign::Triangle, sign.center(), colors.warn);
                } else {
                    let area = egui::Rect::from_center_size(sign.center(), vec2(13.0, 13.0));
                    icons::paint(ui.painter(), Icon::Tick, area, colors.good);
                }
                let text = egui::Label::new(RichText::new(&toast.text).color(colors.text)).wrap();
                let font = egui::FontId::proportional(14.0);
                let width = ui.painter().layout_no_wrap(toast.text.clone(), font, colors.text).size().x + 2.0;
                ui.allocate_ui(vec2(width.min(most), 20.0), |ui| ui.add(text));
                let accepted = toast.offer.is_some()
                    && ui.button(RichText::new(words.undo).color(colors.accent)).clicked();
                let closed = icon_button_sized(ui, Icon::Cross, words.close, "", 24.0).clicked();
                (closed, accepted)
            })
            .inner
        })
        .inner
}
