//! The middle of the window: the text, the page, or both.

use super::App;
use crate::preview::Action;
use crate::settings::Mode;
use crate::theme::palette;
use eframe::egui::{self, Margin, Panel, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

/// The widest that the page becomes.
const COLUMN: f32 = 720.0;

impl App {
    pub(super) fn body(&mut self, ui: &mut Ui, narrow: bool) {
        if self.open.is_none() {
            return;
        }
        // The page is a tab in a narrow window: there is no split.
        let mode = if narrow && self.settings.mode == Mode::Split { Mode::Edit } else { self.settings.mode };
        if mode != Mode::Read {
            self.find_bar(ui);
        }
        match mode {
            Mode::Edit => self.editor(ui),
            Mode::Read => self.page(ui),
            Mode::Split => {
                let width = ui.available_width() / 2.0;
                let frame = egui::Frame::new().fill(palette(ui).page);
                let panel = super::bar(Panel::right("page"), width, frame);
                let shown = panel.show(ui, |ui| self.page(ui));
                let line = shown.response.rect;
                ui.painter().vline(line.left(), line.y_range(), Stroke::new(1.0, palette(ui).line));
                self.editor(ui);
            }
        }
    }

    fn editor(&mut self, ui: &mut Ui) {
        let (now, words) = (self.now_ms(), self.words);
        if let Some(open) = &mut self.open {
            ui.push_id(&open.note.0, |ui| open.editor.show(ui, words, now));
        }
    }

    fn page(&mut self, ui: &mut Ui) {
        let Some(open) = &mut self.open else { return };
        let side = ((ui.available_width() - COLUMN) / 2.0).max(if ui.available_width() < 480.0 {
            16.0
        } else {
            30.0
        });
        let scroll = ScrollArea::vertical().id_salt(("page", &open.note.0)).auto_shrink([false, false]);
        let output = scroll.show(ui, |ui| {
            let area = ui.available_rect_before_wrap();
            let column = Rect::from_min_max(area.min + vec2(side, 0.0), pos2(area.max.x - side, area.max.y));
            let inner = ui.scope_builder(egui::UiBuilder::new().max_rect(column), |ui| {
                ui.add_space(28.0);
                let text = open.editor.peer.text().to_owned();
                let action = open.preview.show(ui, &text, open.editor.peer.is_read_only());
                ui.add_space(60.0);
                action
            });
            inner.inner
        });
        match output.inner {
            Some(Action::Tick { range, done }) => {
                open.editor.replace(range, if done { "[x]" } else { "[ ]" })
            }
            Some(Action::Open(url)) => ui.ctx().open_url(egui::OpenUrl::new_tab(url)),
            None => {}
        }
    }
}

/// A bar inside the page, above the text.
pub(super) fn strip(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let colors = palette(ui);
    let frame = egui::Frame::new().fill(colors.bar).inner_margin(Margin::symmetric(16, 7));
    let shown = super::bar(Panel::top("find"), 46.0, frame).show(ui, contents);
    let line = shown.response.rect;
    ui.painter().hline(line.x_range(), line.bottom() - 0.5, Stroke::new(1.0, colors.line));
    ui.interact(line, ui.scope_id().with("strip"), Sense::hover());
}
