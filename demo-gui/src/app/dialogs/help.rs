//! The keys.

use crate::app::App;
use crate::app::keys::{Action, written};
use crate::editor::Wrap;
use crate::parts::dialog;
use crate::theme::palette;
use eframe::egui::{self, Align, FontId, Layout, RichText, ScrollArea, Ui};

impl App {
    /// False when it was closed.
    pub(super) fn help_dialog(&self, ui: &Ui) -> bool {
        let words = self.words;
        let notes = [
            (words.new_note, Action::New),
            (words.key_switch, Action::Switch),
            (words.search_all, Action::Search),
            (words.find_in_note, Action::Find),
            (words.import, Action::Import),
            (words.export, Action::Export),
            (words.notes_list, Action::List),
            (words.settings, Action::Settings),
            (words.quit, Action::Quit),
        ];
        let writing = [
            (words.bold, Action::Wrap(Wrap::Bold)),
            (words.italic, Action::Wrap(Wrap::Italic)),
            (words.code, Action::Wrap(Wrap::Code)),
            (words.checkbox, Action::Checkbox),
            (words.key_undo, Action::Undo),
            (words.key_redo, Action::Redo),
            (words.key_mode, Action::Mode),
        ];
        let together =
            [(words.share, Action::Share), (words.join, Action::Join), (words.react, Action::React)];
        let wide = ui.ctx().content_rect().width() > 640.0;
        let width = if wide { 600.0 } else { 320.0 };
        let closed = dialog(ui, words.help_title, words.close, width, |ui| {
            let height = ui.ctx().content_rect().height() - 160.0;
            ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
                if wide {
                    ui.columns(2, |columns| {
                        group(&mut columns[0], words.help_notes, &notes);
                        group(&mut columns[1], words.help_writing, &writing);
                        columns[1].add_space(10.0);
                        group(&mut columns[1], words.help_together, &together);
                    });
                } else {
                    group(ui, words.help_notes, &notes);
                    group(ui, words.help_writing, &writing);
                    group(ui, words.help_together, &together);
                }
            });
        });
        !closed
    }
}

fn group(ui: &mut Ui, title: &str, keys: &[(&str, Action)]) {
    let colors = palette(ui);
    ui.label(RichText::new(title).size(12.5).color(colors.accent));
    for (name, action) in keys {
        ui.horizontal(|ui| {
            ui.label(*name);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let frame = egui::Frame::new().fill(colors.code).stroke(egui::Stroke::new(1.0, colors.line));
                frame.corner_radius(6).inner_margin(egui::Margin::symmetric(7, 2)).show(ui, |ui| {
                    let font = FontId::proportional(12.5);
                    ui.label(RichText::new(written(*action)).font(font).color(colors.text));
                });
            });
        });
    }
}
