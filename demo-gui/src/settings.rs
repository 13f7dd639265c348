//! What a person has chosen, in `settings.json` of the data folder.

use crate::i18n::Language;
use crate::names;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// The language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tongue {
    /// As the system has it.
    #[default]
    System,
    /// English.
    English,
    /// 简体中文.
    Chinese,
}

/// Edit, split or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The text only.
    #[default]
    Edit,
    /// The text and the page.
    Split,
    /// The page only.
    Read,
}

impl Mode {
    /// The next of the three, for Ctrl+E.
    pub fn next(self) -> Mode {
        match self {
            Mode::Edit => Mode::Split,
            Mode::Split => Mode::Read,
            Mode::Read => Mode::Edit,
        }
    }
}

/// All of them. A missing field takes its default, so that older files stay readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Shown to others.
    pub name: String,
    /// Of the caret that others see.
    pub color: [u8; 3],
    /// Light or dark.
    pub theme: Theme,
    /// The words of the window.
    pub language: Tongue,
    /// Where the `.md` files are; None: below the data folder.
    pub folder: Option<PathBuf>,
    /// For sharing; 0 is any free port.
    pub port: u16,
    /// How a note is shown.
    pub mode: Mode,
    /// Is the list shown?
    pub list: bool,
    /// The note that was open last.
    pub last: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            name: String::new(),
            color: names::COLORS[0].0,
            theme: Theme::System,
            language: Tongue::System,
            folder: None,
            port: 8765,
            mode: Mode::Edit,
            list: true,
            last: None,
        }
    }
}

impl Settings {
    /// Reads them. The first start has none: then a random name and colour. A damaged file is set aside, and the second
    /// value says so in words.
    pub fn load(data: &Path) -> Result<(Settings, Option<String>), String> {
        let path = file(data);
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut notice = None;
        let mut settings = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                let aside = path.with_extension("json.damaged");
                let _ = fs::rename(&path, &aside);
                notice = Some(format!("{}; set aside as {}", failed(&error), aside.display()));
                Settings::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
            Err(error) => return Err(failed(&error)),
        };
        if settings.name.trim().is_empty() {
            (settings.name, settings.color) = names::random_person(settings.language());
        }
        Ok((settings, notice))
    }

    /// Writes them, whole or not at all.
    pub fn save(&self, data: &Path) -> io::Result<()> {
        fs::create_dir_all(data)?;
        let path = file(data);
        let fresh = path.with_extension("json.new");
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs::write(&fresh, text + "\n")?;
        fs::rename(fresh, path)
    }

    /// The language that is meant.
    pub fn language(&self) -> Language {
        match self.language {
            Tongue::System => Language::of_system(),
            Tongue::English => Language::English,
            Tongue::Chinese => Language::Chinese,
        }
    }
}

fn file(data: &Path) -> PathBuf {
    data.join("settings.json")
}

/// The data folder of the system: `$XDG_DATA_HOME/libws-notes` or `~/.local/share/libws-notes`, on macOS
/// `~/Library/Application Support/libws-notes`.
pub fn default_data() -> Result<PathBuf, String> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(base) = absolute("XDG_DATA_HOME") {
        return Ok(base.join("libws-notes"));
    }
    let home = absolute("HOME").ok_or("HOME is not set: say where notes live with --data DIR")?;
    let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    Ok(home.join(below).join("libws-notes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were() {
        let data = std::env::temp_dir().join(format!("notes-settings-{}", std::process::id()));
        let (mut settings, _) = Settings::load(&data).expect("the first start");
        assert!(!settings.name.is_empty(), "a random name");
        settings.theme = Theme::Dark;
        settings.language = Tongue::Chinese;
        settings.save(&data).expect("saved");
        assert_eq!(Settings::load(&data).expect("read"), (settings, None));

        fs::write(file(&data), r#"{"name": "小明"}"#).expect("written");
        let (older, _) = Settings::load(&data).expect("an older file");
        assert_eq!((older.name.as_str(), older.port), ("小明", 8765));

        fs::write(file(&data), "nonsense").expect("written");
        let (_, notice) = Settings::load(&data).expect("a damaged file");
        assert!(notice.is_some_and(|notice| notice.contains("settings.json.damaged")));
        assert_eq!(fs::read(data.join("settings.json.damaged")).expect("kept"), b"nonsense");
        fs::remove_dir_all(data).expect("removed");
    }
}
