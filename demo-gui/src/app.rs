//! The window: what is open, what is shown, and a frame of it.

mod actions;
mod body;
mod dialogs;
mod events;
mod keys;
mod list;
mod open;
mod status;
mod toasts;
mod top;

pub use dialogs::Screen;
pub use open::Open;

use crate::i18n::Words;
use crate::settings::Settings;
use crate::theme;
use crossbeam_channel::{Receiver, Sender};
use dialogs::find::Find;
use eframe::egui::{self, CentralPanel, Frame, Panel, Ui};
use notes_core::link::{Command, Event, NoteId, NoteSummary};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use toasts::Toasts;

/// Below this width the list is a drawer and the page a tab.
pub const NARROW: f32 = 700.0;

/// The channels to the hub.
pub struct Link {
    /// What we ask for.
    pub commands: Sender<Command>,
    /// What it says.
    pub events: Receiver<Event>,
}

/// What the command line wants at the start.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Share the first note, listening here.
    pub host: Option<SocketAddr>,
    /// Join this link.
    pub join: Option<String>,
}

/// The window's state.
pub struct App {
    link: Link,
    data: PathBuf,
    /// What the person has chosen.
    pub settings: Settings,
    words: &'static Words,
    /// The list, as the hub last sent it.
    pub notes: Vec<NoteSummary>,
    listed: bool,
    /// The note that is shown.
    pub open: Option<Open>,
    /// Peers of notes that were open: they keep their undo.
    closed: HashMap<NoteId, Open>,
    /// The dialog that is shown.
    pub screen: Option<Screen>,
    find: Option<Find>,
    toasts: Toasts,
    wishes: Wishes,
    /// Print the links of what is shared.
    announce: bool,
    /// The list is drawn over a narrow window.
    drawer: bool,
    searches: u64,
    /// Of egui: since the start.
    clock_ms: u64,
    applied: Option<(crate::settings::Theme, crate::settings::Tongue)>,
    system_dark: Option<Receiver<bool>>,
    hub_gone: bool,
    fonts_checked: bool,
}

impl App {
    /// A window over a hub that was started.
    pub fn new(link: Link, data: PathBuf, settings: Settings, wishes: Wishes) -> App {
        App {
            link,
            data,
            words: settings.language().words(),
            settings,
            notes: Vec::new(),
            listed: false,
            open: None,
            closed: HashMap::new(),
            screen: None,
            find: None,
            toasts: Toasts::default(),
            wishes,
            announce: false,
            drawer: false,
            searches: 0,
            clock_ms: 0,
            applied: None,
            system_dark: None,
            hub_gone: false,
            fonts_checked: false,
        }
    }

    /// Asks the desktop for dark or light, on a thread: the answer comes with a repaint.
    pub fn ask_system_theme(&mut self, ctx: &egui::Context) {
        let (send, receive) = crossbeam_channel::bounded(1);
        let ctx = ctx.clone();
        let asked = std::thread::Builder::new().name("system-theme".into()).spawn(move || {
            let _ = send.send(crate::system_theme::prefers_dark());
            ctx.request_repaint();
        });
        self.system_dark = asked.is_ok().then_some(receive);
    }

    /// One frame.
    pub fn frame(&mut self, ui: &mut Ui) {
        self.clock_ms = ui.input(|input| (input.time * 1000.0) as u64);
        self.apply_settings(ui.ctx());
        self.pump(ui.ctx());
        self.keys(ui);
        let narrow = ui.available_width() < NARROW;
        self.top_bar(ui, narrow);
        self.status_bar(ui, narrow);
        if self.settings.list && !narrow {
            self.side_list(ui);
        }
        let page = Frame::new().fill(theme::palette(ui).page);
        CentralPanel::no_frame().frame(page).show(ui, |ui| self.body(ui, narrow));
        if narrow && self.drawer {
            self.drawer(ui);
        }
        self.dialogs(ui);
        self.toasts(ui);
        self.settle(ui.ctx());
    }

    /// Theme and language, when they have changed.
    fn apply_settings(&mut self, ctx: &egui::Context) {
        if let Some(dark) = self.system_dark.as_ref().and_then(|answer| answer.try_recv().ok()) {
            let theme = if dark { egui::Theme::Dark } else { egui::Theme::Light };
            ctx.options_mut(|options| options.fallback_theme = theme);
            self.system_dark = None;
        }
        let wanted = (self.settings.theme, self.settings.language);
        if self.applied != Some(wanted) {
            theme::choose(ctx, self.settings.theme);
            self.words = self.settings.language().words();
            self.applied = Some(wanted);
        }
    }

    /// The end of a frame: what was typed goes to the hub, and the next frame is asked for when it is due.
    fn settle(&mut self, ctx: &egui::Context) {
        self.check_fonts(ctx);
        let now = self.now_ms();
        let Some(open) = &mut self.open else { return };
        let commands = self.link.commands.clone();
        if let Some(wait) = open.send(&commands, now) {
            ctx.request_repaint_after(Duration::from_millis(wait));
        }
    }

    /// Says in words, once, when no font has Chinese characters.
    fn check_fonts(&mut self, ctx: &egui::Context) {
        if self.fonts_checked {
            return;
        }
        let chinese_wanted = self.words.language == crate::i18n::Language::Chinese;
        let chinese_shown = self.open.as_ref().is_some_and(|open| open.text().contains(is_chinese));
        if !chinese_wanted && !chinese_shown {
            return;
        }
        self.fonts_checked = true;
        let sample = "中文".to_owned();
        let font = egui::FontId::proportional(14.0);
        // Laying it out makes egui look for a font; only then does it know whether there is one.
        let found = ctx.fonts_mut(|fonts| {
            fonts.layout_no_wrap(sample.clone(), font.clone(), egui::Color32::WHITE);
            fonts.has_glyphs(&font, &sample)
        });
        if !found {
            self.toasts.warn(self.words.no_font.to_owned());
        }
    }

    /// Milliseconds since the start, by a clock that never goes back.
    fn now_ms(&self) -> u64 {
        self.clock_ms
    }
}

/// Han characters.
fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

/// Milliseconds since 1970.
fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A panel whose size is ours.
fn bar(panel: Panel, size: f32, frame: Frame) -> Panel {
    panel.exact_size(size).resizable(false).show_separator_line(false).frame(frame)
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.frame(ui);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.close();
    }
}
