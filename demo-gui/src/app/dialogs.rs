//! The dialogs: one at a time, over the window.

pub mod files;
pub mod find;
mod help;
mod join;
mod palette;
mod react;
mod settings;
pub mod share;

use super::App;
use crate::settings::Settings;
use eframe::egui::Ui;
use std::path::PathBuf;

/// The dialog that is shown.
pub enum Screen {
    /// Go to a note, or search all of them.
    Palette(palette::Palette),
    /// The share card.
    Share(share::Share),
    /// Join by link.
    Join(join::Join),
    /// Settings.
    Settings(settings::Form),
    /// The keys.
    Help,
    /// Import or export.
    Files(files::Files),
    /// React.
    React(react::React),
}

impl Screen {
    pub(super) fn switcher() -> Screen {
        Screen::Palette(palette::Palette::new(false))
    }

    pub(super) fn search() -> Screen {
        Screen::Palette(palette::Palette::new(true))
    }

    pub(super) fn join() -> Screen {
        Screen::Join(join::Join::default())
    }

    pub(super) fn settings(settings: &Settings) -> Screen {
        Screen::Settings(settings::Form::new(settings))
    }

    pub(super) fn react() -> Screen {
        Screen::React(react::React::default())
    }

    pub(super) fn import(folder: PathBuf) -> Screen {
        Screen::Files(files::Files::import(folder))
    }

    pub(super) fn export(path: PathBuf) -> Screen {
        Screen::Files(files::Files::export(path))
    }
}

impl App {
    /// Shows the dialog that is open. Each gives itself back, or is closed.
    pub(super) fn dialogs(&mut self, ui: &Ui) {
        let Some(screen) = self.screen.take() else { return };
        let next = match screen {
            Screen::Palette(palette) => self.palette(ui, palette).map(Screen::Palette),
            Screen::Share(share) => self.share_card(ui, share).map(Screen::Share),
            Screen::Join(join) => self.join_dialog(ui, join).map(Screen::Join),
            Screen::Settings(form) => self.settings_dialog(ui, form).map(Screen::Settings),
            Screen::Help => self.help_dialog(ui).then_some(Screen::Help),
            Screen::Files(files) => self.files_dialog(ui, files).map(Screen::Files),
            Screen::React(react) => self.react_dialog(ui, react).map(Screen::React),
        };
        let closed = next.is_none();
        // What a dialog does may open another one.
        if self.screen.is_none() {
            self.screen = next;
        }
        if closed && self.screen.is_none() {
            self.focus_text();
            ui.ctx().request_repaint();
        }
    }
}
