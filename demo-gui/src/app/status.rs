//! The line at the bottom: the state of the note in words and as a shape.

use super::App;
use crate::icons::{self, Icon, Sign, paint_sign};
use crate::parts::choices;
use crate::settings::Mode;
use crate::theme::palette;
use eframe::egui::{
    Align, Color32, Frame, Layout, Margin, Panel, Rect, RichText, Sense, Stroke, Ui, Vec2, vec2,
};
use notes_core::link::{Refusal, Status};

impl App {
    pub(super) fn status_bar(&mut self, ui: &mut Ui, narrow: bool) {
        let colors = palette(ui);
        let frame = Frame::new().fill(colors.bar).inner_margin(Margin::symmetric(14, 0));
        let shown = super::bar(Panel::bottom("status"), 36.0, frame).show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                self.state(ui, narrow);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.facts(ui, narrow));
            });
        });
        let line = shown.response.rect;
        ui.painter().hline(line.x_range(), line.top() + 0.5, Stroke::new(1.0, colors.line));
    }

    fn state(&mut self, ui: &mut Ui, narrow: bool) {
        let Some(open) = &self.open else { return };
        let colors = palette(ui);
        let people = open.people().len() + 1;
        let (sign, color, mut text) = match &open.status {
            Status::Device => (Sign::Ring, colors.weak, self.words.status_device.to_owned()),
            Status::Hosting { port } => {
                (Sign::Disc, colors.good, format!("{} :{port}", self.words.status_hosting))
            }
            Status::Live { round_trip_ms: Some(ms) } => {
                (Sign::Disc, colors.good, format!("{} {ms} ms", self.words.status_live))
            }
            Status::Live { round_trip_ms: None } => {
                (Sign::Disc, colors.good, self.words.status_live.to_owned())
            }
            Status::Reconnecting { kept, .. } => {
                let seconds = open.seconds_left();
                if seconds > 0 {
                    ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
                }
                (Sign::Triangle, colors.warn, self.words.reconnecting(seconds, *kept))
            }
            Status::Refused(refusal) => (Sign::Stop, colors.bad, self.refusal(*refusal)),
        };
        if matches!(open.status, Status::Hosting { .. } | Status::Live { .. }) {
            text = format!("{text} · {}", self.words.people(people));
        }
        let cause = match &open.status {
            Status::Reconnecting { cause, .. } => cause.clone(),
            _ => String::new(),
        };
        let (rect, _) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
        paint_sign(ui.painter(), sign, rect.center(), color);
        let text_color = if matches!(sign, Sign::Triangle | Sign::Stop) { color } else { colors.text };
        let label = ui.label(RichText::new(text).size(12.5).color(text_color));
        if !cause.is_empty() {
            label.on_hover_text(cause);
        }
        if open.editor.peer.is_read_only() {
            dot(ui, colors.line);
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
            let area = Rect::from_center_size(rect.center(), Vec2::splat(12.0));
            icons::paint(ui.painter(), Icon::Lock, area, colors.strong);
            let label = RichText::new(self.words.read_only).size(12.5).color(colors.strong);
            ui.label(label).on_hover_text(self.words.read_only_hint);
        } else if !narrow {
            dot(ui, colors.line);
            let saved = if open.saved { self.words.saved } else { self.words.saving };
            ui.label(RichText::new(saved).size(12.5).color(colors.weak));
        }
    }

    /// Why the host refuses, in words.
    fn refusal(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::Unauthorised => self.words.refused_unauthorised.to_owned(),
            Refusal::Forbidden => self.words.refused_forbidden.to_owned(),
            Refusal::NotFound => self.words.refused_not_found.to_owned(),
            Refusal::TooBig => self.words.refused_too_big.to_owned(),
            Refusal::Other(code) => format!("{} ({code})", self.words.refused_other),
        }
    }

    fn facts(&mut self, ui: &mut Ui, narrow: bool) {
        let mut modes = vec![
            (Mode::Edit, self.words.edit),
            (Mode::Split, self.words.split),
            (Mode::Read, self.words.read),
        ];
        if narrow {
            modes.remove(1);
        }
        let current =
            if narrow && self.settings.mode == Mode::Split { Mode::Edit } else { self.settings.mode };
        if let Some(mode) = choices(ui, self.words.view_mode, &modes, current) {
            self.set_mode(mode);
        }
        let Some(open) = &mut self.open else { return };
        let colors = palette(ui);
        let (line, column, words) = open.editor.facts();
        if !narrow {
            ui.add_space(6.0);
            ui.label(RichText::new(self.words.line_column(line, column)).size(12.5).color(colors.weak));
            dot(ui, colors.line);
            ui.label(RichText::new(self.words.count_words(words)).size(12.5).color(colors.weak));
        }
    }
}

fn dot(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(4.0, 20.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 2.0, color);
}
