//! The keys of the window. They are taken before any field sees them.

use super::{App, Screen};
use crate::editor::Wrap;
use eframe::egui::{Key, KeyboardShortcut, Modifiers, Ui};

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new note.
    New,
    /// Go to a note.
    Switch,
    /// Find in the note.
    Find,
    /// Search all notes.
    Search,
    /// Undo one's own change.
    Undo,
    /// Redo it.
    Redo,
    /// Put marks around the selection.
    Wrap(Wrap),
    /// Make the line a checkbox, tick it, untick it.
    Checkbox,
    /// Edit, split, read.
    Mode,
    /// Share the note.
    Share,
    /// Join by link.
    Join,
    /// Export it.
    Export,
    /// Import a file.
    Import,
    /// Show the keys.
    Help,
    /// Settings.
    Settings,
    /// React.
    React,
    /// Show or hide the list.
    List,
    /// End.
    Quit,
}

/// All keys with what they do; those with more modifiers come first, as egui wants it.
pub const KEYS: [(Modifiers, Key, Action); 23] = [
    (CTRL_SHIFT, Key::F, Action::Search),
    (CTRL_SHIFT, Key::Z, Action::Redo),
    (CTRL_SHIFT, Key::C, Action::Checkbox),
    (CTRL_SHIFT, Key::S, Action::Share),
    (CTRL_SHIFT, Key::E, Action::Export),
    (CTRL_SHIFT, Key::J, Action::Join),
    (CTRL, Key::N, Action::New),
    (CTRL, Key::K, Action::Switch),
    (CTRL, Key::P, Action::Switch),
    (CTRL, Key::F, Action::Find),
    (CTRL, Key::Z, Action::Undo),
    (CTRL, Key::Y, Action::Redo),
    (CTRL, Key::B, Action::Wrap(Wrap::Bold)),
    (CTRL, Key::I, Action::Wrap(Wrap::Italic)),
    (CTRL, Key::Backtick, Action::Wrap(Wrap::Code)),
    (CTRL, Key::E, Action::Mode),
    (CTRL, Key::O, Action::Import),
    (CTRL, Key::Slash, Action::Help),
    (CTRL, Key::Comma, Action::Settings),
    (CTRL, Key::Period, Action::React),
    (CTRL, Key::Backslash, Action::List),
    (CTRL_SHIFT, Key::Slash, Action::Help),
    (CTRL, Key::Q, Action::Quit),
];

impl App {
    pub(super) fn keys(&mut self, ui: &Ui) {
        for (modifiers, key, action) in KEYS {
            // In a dialog, undo and the like belong to its fields.
            if self.screen.is_some()
                && matches!(action, Action::Undo | Action::Redo | Action::Wrap(_) | Action::Checkbox)
            {
                continue;
            }
            let in_field = matches!(action, Action::Undo | Action::Redo) && self.find_has_keyboard(ui);
            if !in_field
                && ui.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
            {
                self.act(ui, action);
            }
        }
    }

    fn find_has_keyboard(&self, ui: &Ui) -> bool {
        self.find.is_some() && ui.memory(|memory| memory.focused()) == Some(super::dialogs::find::field_id())
    }

    /// Does what a key, a button or a menu asks for.
    pub fn act(&mut self, ui: &Ui, action: Action) {
        let toggle = |screen: &mut Option<Screen>, wanted: Screen| {
            let same = screen
                .as_ref()
                .is_some_and(|now| std::mem::discriminant(now) == std::mem::discriminant(&wanted));
            *screen = if same { None } else { Some(wanted) };
        };
        match action {
            Action::New => self.create(String::new()),
            Action::Switch => toggle(&mut self.screen, Screen::switcher()),
            Action::Search => toggle(&mut self.screen, Screen::search()),
            Action::Find => self.start_find(),
            Action::Undo => self.with_editor(|editor| editor.undo()),
            Action::Redo => self.with_editor(|editor| editor.redo()),
            Action::Wrap(wrap) => self.with_editor(|editor| editor.wrap(wrap)),
            Action::Checkbox => self.with_editor(|editor| editor.checkbox()),
            Action::Mode => self.set_mode(self.settings.mode.next()),
            Action::Share => self.share(None),
            Action::Join => toggle(&mut self.screen, Screen::join()),
            Action::Export => self.start_export(),
            Action::Import => self.start_import(),
            Action::Help => toggle(&mut self.screen, Screen::Help),
            Action::Settings => toggle(&mut self.screen, Screen::settings(&self.settings)),
            Action::React => toggle(&mut self.screen, Screen::react()),
            Action::Quit => ui.ctx().send_viewport_cmd(eframe::egui::ViewportCommand::Close),
            Action::List => self.toggle_list(ui.available_width() < super::NARROW),
        }
    }
}

/// How a key is written: "Ctrl+Shift+F".
pub fn written(wanted: Action) -> String {
    let Some((modifiers, key, _)) = KEYS.iter().find(|(_, _, action)| *action == wanted) else {
        return String::new();
    };
    let (ctrl, shift) = if cfg!(target_os = "macos") { ("⌘", "⇧") } else { ("Ctrl+", "Shift+") };
    let key = match key {
        Key::Backtick => "`",
        Key::Slash => "/",
        Key::Comma => ",",
        Key::Period => ".",
        Key::Backslash => "\\",
        other => other.name(),
    };
    format!("{ctrl}{}{key}", if modifiers.shift { shift } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_on_the_keyboard() {
        assert_eq!(written(Action::Search), "Ctrl+Shift+F");
        assert_eq!(written(Action::Settings), "Ctrl+,");
        assert_eq!(written(Action::Switch), "Ctrl+K");
    }

    #[test]
    fn no_key_means_two_things() {
        for (index, (modifiers, key, _)) in KEYS.iter().enumerate() {
            let again = KEYS[index + 1..].iter().any(|(other, same, _)| other == modifiers && same == key);
            assert!(!again, "{modifiers:?} {key:?}");
        }
    }
}
