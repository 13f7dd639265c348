//! The words of the window, in English and 简体中文.
//!
//! One struct with a field per text: the compiler refuses a language that lacks one.

mod chinese;
mod english;
mod phrases;

pub use chinese::CHINESE;
pub use english::ENGLISH;

/// A language of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 简体中文.
    Chinese,
}

impl Language {
    /// The language of the system: Chinese for every `zh…` locale, else English.
    pub fn of_system() -> Language {
        match sys_locale::get_locale() {
            Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Language::Chinese,
            _ => Language::English,
        }
    }

    /// Its words.
    pub fn words(self) -> &'static Words {
        match self {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Every fixed text of the window.
        pub struct Words {
            /// Which language this is.
            pub language: Language,
            $($(#[$doc])* pub $name: &'static str,)*
        }

        impl Words {
            /// All of them, for the tests.
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

words! {
    // The top bar
    notes_list, search_notes, share, more, you, react, switch_theme,
    // The list
    new_note, pinned, on_this_device, shared, untitled, pin, unpin, delete, no_notes, just_now,
    // Menus
    import, export, join, settings, help, find_in_note, search_all, stop_sharing, leave_note,
    // The editor
    note_text, edit, split, read, view_mode, bold, italic, code, checkbox,
    // Finding
    find, previous, next, close, nothing_found, search_hint, switch_hint, create_named,
    // Status
    status_device, status_hosting, status_live, saved, saving, read_only, read_only_hint, no_font,
    refused_unauthorised, refused_forbidden, refused_not_found, refused_too_big, refused_other,
    // Sharing
    share_title, share_lead, can_edit, can_read, link, copy, copied, not_encrypted, starting, scan,
    join_title, join_lead, join_hint, join_now, waiting, qr_code,
    // Settings
    name, color, theme, theme_system, theme_light, theme_dark, tongue, language_system, folder, folder_note,
    port, port_note, data_folder, close_dialog,
    // Files
    import_title, export_title, path, folder_up, save, open_file,
    // Toasts and failures
    deleted, undo, failed_listen, failed_link, failed_no_note, failed_store, set_aside, hub_gone,
    // Help
    help_title, help_notes, help_writing, help_together, key_switch, key_undo, key_redo, key_mode, quit,
    // Reactions
    react_title, react_words, send,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_missing_and_chinese_is_chinese() {
        for ((name, english), (_, chinese)) in ENGLISH.all().into_iter().zip(CHINESE.all()) {
            assert!(!english.trim().is_empty() && !chinese.trim().is_empty(), "{name} is empty");
            assert!(!chinese.is_ascii(), "{name} is not translated: {chinese}");
        }
        assert_eq!(ENGLISH.language, Language::English);
        assert_eq!(CHINESE.language, Language::Chinese);
    }
}
