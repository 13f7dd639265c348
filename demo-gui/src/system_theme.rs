//! Does the system want dark windows?
//!
//! On Linux winit does not know, so we ask where desktops keep it: `GTK_THEME`, the GNOME setting that
//! other desktops keep too, then GTK's settings files. No answer means light.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// Asks; this may start a process, so it is called on a thread of its own.
pub fn prefers_dark() -> bool {
    if let Some(theme) = env::var_os("GTK_THEME") {
        return theme.to_string_lossy().to_lowercase().contains("dark");
    }
    setting().unwrap_or_else(|| settings_files().iter().any(|text| says_dark(text)))
}

/// `gsettings`, where it is there and knows.
fn setting() -> Option<bool> {
    let arguments = ["get", "org.gnome.desktop.interface", "color-scheme"];
    let output = Command::new("gsettings").args(arguments).output().ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "'prefer-dark'" => Some(true),
        "'prefer-light'" => Some(false),
        _ => None,
    }
}

fn settings_files() -> Vec<String> {
    let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let files = ["gtk-4.0/settings.ini", "gtk-3.0/settings.ini"];
    files.iter().filter_map(|file| fs::read_to_string(config.as_ref()?.join(file)).ok()).collect()
}

fn says_dark(settings: &str) -> bool {
    settings.lines().filter_map(|line| line.split_once('=')).any(|(key, value)| match key.trim() {
        "gtk-application-prefer-dark-theme" => matches!(value.trim(), "1" | "true"),
        "gtk-theme-name" => value.to_lowercase().contains("dark"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::says_dark;

    #[test]
    fn settings_files_are_understood() {
        assert!(says_dark("[Settings]\ngtk-application-prefer-dark-theme=1\n"));
        assert!(says_dark("gtk-theme-name = Adwaita-dark"));
        assert!(!says_dark("[Settings]\ngtk-application-prefer-dark-theme=0\ngtk-theme-name=Adwaita"));
        assert!(!says_dark(""));
    }
}
