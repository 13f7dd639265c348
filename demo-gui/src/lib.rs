//! Collaborative notes: the window. Everything without a window is in `notes-core`.

pub mod app;
pub mod args;
pub mod editor;
pub mod i18n;
pub mod icons;
pub mod names;
pub mod parts;
pub mod preview;
pub mod settings;
mod system_theme;
pub mod theme;
