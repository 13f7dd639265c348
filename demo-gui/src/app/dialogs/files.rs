//! Import and export: a path, and what is in its folder. No dialog of the desktop, so that it works on every one.

use crate::app::App;
use crate::icons::{self, Icon};
use crate::parts::{dialog, field, focus_ring, primary};
use crate::theme::palette;
use eframe::egui::{
    Align2, CornerRadius, FontId, Key, Label, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2,
    vec2,
};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Larger files are no notes.
const MAX_IMPORT: u64 = 8 << 20;
/// More entries of a folder are not shown.
const MOST: usize = 2_000;

/// The dialog's state.
pub struct Files {
    export: bool,
    path: String,
    /// The folder that is shown with its entries: name, and whether it is a folder.
    shown: Option<(PathBuf, Vec<(String, bool)>)>,
    error: Option<String>,
    focused: bool,
}

impl Files {
    pub(super) fn import(folder: PathBuf) -> Files {
        let path = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
        Files { export: false, path, shown: None, error: None, focused: false }
    }

    pub(super) fn export(path: PathBuf) -> Files {
        Files { export: true, path: path.display().to_string(), shown: None, error: None, focused: false }
    }

    /// The folder of the path that is typed.
    fn folder(&self) -> PathBuf {
        let path = expand(&self.path);
        if self.path.ends_with(std::path::MAIN_SEPARATOR) || path.is_dir() {
            return path;
        }
        path.parent().map_or_else(PathBuf::new, Path::to_owned)
    }

    /// What is in it: folders first, then Markdown files.
    fn entries(&mut self) -> Vec<(String, bool)> {
        let folder = self.folder();
        match &self.shown {
            Some((shown, entries)) if *shown == folder => entries.clone(),
            _ => {
                let entries = list(&folder);
                self.shown = Some((folder, entries.clone()));
                entries
            }
        }
    }
}

fn list(folder: &Path) -> Vec<(String, bool)> {
    let Ok(all) = fs::read_dir(folder) else { return Vec::new() };
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let is_folder = entry.path().is_dir();
        let is_text =
            ["md", "markdown", "txt"].iter().any(|end| name.to_lowercase().ends_with(&format!(".{end}")));
        (!name.starts_with('.') && (is_folder || is_text)).then_some((name, is_folder))
    };
    let mut entries: Vec<_> = all.take(MOST).filter_map(entry).collect();
    entries.sort_by_key(|(name, is_folder)| (!is_folder, name.to_lowercase()));
    entries
}

/// `~/` is the home folder.
fn expand(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Where files are expected.
fn home() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir());
    let documents = home.as_ref().map(|home| home.join("Documents")).filter(|folder| folder.is_dir());
    documents.or(home).unwrap_or_else(|| PathBuf::from("."))
}

impl App {
    pub(in crate::app) fn start_import(&mut self) {
        self.screen = Some(super::Screen::import(home()));
    }

    pub(in crate::app) fn start_export(&mut self) {
        let Some(open) = &self.open else { return };
        let title = open.text().lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let name = file_name(title.trim_start_matches(['#', ' ', '>', '-']), self.words.untitled);
        self.screen = Some(super::Screen::export(home().join(name)));
    }

    pub(super) fn files_dialog(&mut self, ui: &Ui, mut files: Files) -> Option<Files> {
        let words = self.words;
        let title = if files.export { words.export_title } else { words.import_title };
        let mut go = false;
        let closed = dialog(ui, title, words.close, 520.0, |ui| {
            let response = field(ui, words.path, &mut files.path, "");
            if !std::mem::replace(&mut files.focused, true) {
                response.request_focus();
            }
            if response.changed() {
                files.error = None;
            }
            go = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(4.0);
            self.entries(ui, &mut files);
            if let Some(error) = &files.error {
                ui.add(Label::new(RichText::new(error).color(palette(ui).bad)).wrap());
            }
            ui.add_space(6.0);
            go |= primary(ui, None, if files.export { words.save } else { words.open_file }).clicked();
        });
        if go {
            let path = expand(files.path.trim());
            let result = if files.export { self.export(&path) } else { self.import(&path) };
            match result {
                Ok(()) => return None,
                Err(error) => files.error = Some(error),
            }
        }
        (!closed).then_some(files)
    }

    fn entries(&self, ui: &mut Ui, files: &mut Files) {
        let folder = files.folder();
        let entries = files.entries();
        ScrollArea::vertical().max_height(220.0).min_scrolled_height(220.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if let Some(parent) = folder.parent()
                && entry(ui, Icon::Up, self.words.folder_up)
            {
                files.path = format!("{}{}", parent.display(), std::path::MAIN_SEPARATOR).replace("//", "/");
            }
            for (name, is_folder) in &entries {
                if entry(ui, if *is_folder { Icon::Folder } else { Icon::Page }, name) {
                    let path = folder.join(name).display().to_string();
                    files.path =
                        if *is_folder { format!("{path}{}", std::path::MAIN_SEPARATOR) } else { path };
                    files.error = None;
                }
            }
        });
    }

    fn export(&mut self, path: &Path) -> Result<(), String> {
        let Some(open) = &self.open else { return Ok(()) };
        let shown = path.display().to_string();
        let written = fs::OpenOptions::new().write(true).create_new(true).open(path);
        let written = written.and_then(|mut file| io::Write::write_all(&mut file, open.text().as_bytes()));
        written.map_err(|error| self.words.file_failed(&shown, &error.to_string()))?;
        let text = self.words.exported(&shown);
        self.toasts.say(text);
        Ok(())
    }

    /// A file becomes a new note, which opens.
    pub fn import(&mut self, path: &Path) -> Result<(), String> {
        let failed = |error: &str| self.words.file_failed(&path.display().to_string(), error);
        let text = read_text(path).map_err(|error| failed(&error.to_string()))?;
        self.create(text);
        Ok(())
    }
}

/// A file as text: a byte order mark and Windows' line ends go.
fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_IMPORT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_IMPORT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {} MiB", MAX_IMPORT >> 20),
        ));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// A title as the name of a file that every system takes.
fn file_name(title: &str, untitled: &str) -> String {
    let clean = |c: char| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { ' ' } else { c };
    let name: String = title.chars().map(clean).take(60).collect();
    let name = name.trim().trim_matches('.').trim();
    format!("{}.md", if name.is_empty() { untitled } else { name })
}

fn entry(ui: &mut Ui, icon: Icon, name: &str) -> bool {
    let colors = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    if response.hovered() {
        ui.painter().rect_filled(rect, CornerRadius::same(6), colors.hover);
    }
    focus_ring(ui, &response, rect);
    let area = Rect::from_center_size(pos2(rect.left() + 16.0, rect.center().y), vec2(14.0, 14.0));
    icons::paint(ui.painter(), icon, area, colors.weak);
    let at = pos2(rect.left() + 32.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, name, FontId::proportional(13.5), colors.text);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_file_name() {
        assert_eq!(file_name("WebSocket 学习笔记", "x"), "WebSocket 学习笔记.md");
        assert_eq!(file_name("../a/b: c?", "x"), "a b  c.md");
        assert_eq!(file_name(" . ", "无标题"), "无标题.md");
    }

    #[test]
    fn what_is_no_text_is_refused_in_words() {
        let path = std::env::temp_dir().join(format!("notes-import-{}.md", std::process::id()));
        fs::write(&path, b"\xef\xbb\xbfa\r\nb").expect("written");
        assert_eq!(read_text(&path).expect("text"), "a\nb");
        fs::write(&path, b"\xff\xfe").expect("written");
        assert_eq!(read_text(&path).expect_err("no text").to_string(), "not UTF-8 text");
        fs::remove_file(&path).expect("removed");
        assert!(read_text(&path).is_err());
    }
}
