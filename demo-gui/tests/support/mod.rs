//! A window without a display, over a hub that the test plays.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod raster;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::{self, Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use notes_core::link::{Command, Event, NoteId, NoteSummary, Place, Status};
use notes_core::peer::Peer;
use notes_core::wire::{Color, User};
use notes_gui::app::{App, Link, Wishes};
use notes_gui::settings::{Mode, Settings, Theme, Tongue};
use notes_gui::theme;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

pub const CTRL: Modifiers = Modifiers::COMMAND;
pub const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// Somebody else in a note.
pub fn person(name: &str, color: [u8; 3]) -> Peer {
    // Identifiers that ascend, so that people are always shown in the same order.
    static CLIENTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let client = CLIENTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Peer::with_client(User { name: name.into(), color: Color(color) }, client)
}

/// What a window is started with.
pub struct Setup {
    pub settings: Settings,
    pub size: Vec2,
    pub scale: f32,
    /// Title, text, where it lives.
    pub notes: Vec<(&'static str, &'static str, Place)>,
    pub wishes: Wishes,
    pub chinese_font: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        let settings = Settings {
            name: "Teal Otter".into(),
            theme: Theme::Light,
            language: Tongue::English,
            mode: Mode::Edit,
            ..Settings::default()
        };
        let notes = vec![("Groceries", "# Groceries\n\n- [ ] milk\n- [x] rice\n", Place::Device)];
        Setup {
            settings,
            size: Vec2::new(1180.0, 720.0),
            scale: 1.0,
            notes,
            wishes: Wishes::default(),
            chinese_font: true,
        }
    }
}

/// The window, and the hub that the test plays: for each note a peer that holds its text.
pub struct Window {
    pub harness: Harness<'static, App>,
    commands: Receiver<Command>,
    events: Option<Sender<Event>>,
    /// The hub's side of each note.
    pub rooms: HashMap<NoteId, Peer>,
    pub list: Vec<NoteSummary>,
    /// Everything that was asked for, but for frames.
    pub asked: Vec<Command>,
    /// How many frames with a sync update came for the open note.
    pub updates: usize,
    /// Awareness frames that the window has sent.
    pub awareness: Vec<Vec<u8>>,
    pub data: PathBuf,
    now_ms: u64,
}

/// The name of the note at this place of the list.
pub fn note(index: usize) -> NoteId {
    NoteId(format!("note{index}"))
}

fn fonts(ctx: &egui::Context, chinese: bool) {
    theme::install(ctx);
    if !chinese {
        return;
    }
    // Chinese for the tests: exactly the characters that they need.
    let data = egui::FontData::from_static(include_bytes!("../fonts/chinese.otf"));
    let mut fonts = egui::FontDefinitions::default();
    fonts.font_data.insert("chinese".into(), Arc::new(data));
    for family in [egui::FontFamily::Proportional, egui::FontFamily::Monospace] {
        fonts.families.entry(family).or_default().push("chinese".into());
    }
    ctx.set_fonts(fonts);
}

impl Window {
    pub fn new(setup: Setup) -> Window {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let data = std::env::temp_dir().join(format!("notes-window-{}-{number}", std::process::id()));
        let (commands, command_inbox) = bounded(1024);
        let (event_outbox, events) = bounded(1024);
        let mut rooms = HashMap::new();
        let mut list = Vec::new();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_millis();
        for (index, (title, text, place)) in setup.notes.iter().enumerate() {
            let mut room = person("hub", [1, 1, 1]);
            room.insert(0, text);
            rooms.insert(note(index), room);
            list.push(NoteSummary {
                note: note(index),
                title: (*title).into(),
                pinned: false,
                place: *place,
                modified_ms: now as u64 - 90_000 * (index as u64 * index as u64 * 7),
                people: 0,
            });
        }
        event_outbox.send(Event::Notes(list.clone())).expect("room");
        let dark = setup.settings.theme == Theme::Dark;
        let app = App::new(Link { commands, events }, data.clone(), setup.settings, setup.wishes);
        let mut builder = Harness::builder();
        if !setup.chinese_font {
            builder = builder.allow_missing_glyphs();
        }
        let harness = builder
            .with_size(setup.size)
            .with_pixels_per_point(setup.scale)
            .with_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light })
            .with_render_cursor(false)
            .with_step_dt(1.0 / 30.0)
            .with_max_steps(12)
            .with_context_setup(move |ctx| fonts(ctx, setup.chinese_font))
            .renderer(raster::Raster::default())
            .build_eframe(|_| app);
        let mut window = Window {
            harness,
            commands: command_inbox,
            events: Some(event_outbox),
            rooms,
            list,
            asked: Vec::new(),
            updates: 0,
            awareness: Vec::new(),
            data,
            now_ms: 1_000,
        };
        window.settle();
        window
    }

    /// A window over one note with this text.
    pub fn with_text(text: &'static str) -> Window {
        Window::new(Setup { notes: vec![("Note", text, Place::Device)], ..Setup::default() })
    }

    /// Runs frames and the hub until both have nothing more to say.
    pub fn settle(&mut self) {
        for _ in 0..6 {
            self.harness.run_steps(2);
            self.serve();
            self.harness.run_steps(1);
        }
    }

    /// What the hub does.
    fn serve(&mut self) {
        self.now_ms += 40;
        while let Ok(command) = self.commands.try_recv() {
            match &command {
                Command::Frame(note, frame) => {
                    self.updates += usize::from(frame.starts_with(&[0, 2]));
                    if frame.starts_with(&[1]) {
                        self.awareness.push(frame.clone());
                    }
                    if let Some(room) = self.rooms.get_mut(note) {
                        room.receive(frame, self.now_ms).expect("a frame of ours");
                    }
                    continue;
                }
                Command::Create { note, text } => {
                    let mut room = person("hub", [1, 1, 1]);
                    room.insert(0, text);
                    self.rooms.insert(note.clone(), room);
                    let title = text.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
                    let summary = NoteSummary {
                        note: note.clone(),
                        title,
                        pinned: false,
                        place: Place::Device,
                        modified_ms: 1,
                        people: 0,
                    };
                    self.list.insert(0, summary);
                    self.send(Event::Notes(self.list.clone()));
                }
                Command::Delete(note) => {
                    self.list.retain(|line| line.note != *note);
                    self.send(Event::Notes(self.list.clone()));
                }
                Command::Pin(note, pinned) => {
                    self.list
                        .iter_mut()
                        .filter(|line| line.note == *note)
                        .for_each(|line| line.pinned = *pinned);
                    self.list.sort_by_key(|line| !line.pinned);
                    self.send(Event::Notes(self.list.clone()));
                }
                _ => {}
            }
            self.asked.push(command);
        }
        let now = self.now_ms;
        for (note, room) in &mut self.rooms {
            room.tick(now);
            room.outgoing(now, |frame| {
                // The hub itself is nobody in the note.
                let events = self.events.as_ref();
                frame.starts_with(&[1])
                    || events.is_none_or(|events| events.try_send(Event::Frame(note.clone(), frame)).is_ok())
            });
        }
    }

    pub fn send(&self, event: Event) {
        if let Some(events) = &self.events {
            events.send(event).expect("room in the channel");
        }
    }

    /// The hub is gone.
    pub fn end_hub(&mut self) {
        self.events = None;
        self.settle();
    }

    pub fn status(&mut self, status: Status) {
        self.send(Event::Status(self.opened(), status));
        self.settle();
    }

    /// The note that is open.
    pub fn opened(&self) -> NoteId {
        self.harness.state().open.as_ref().expect("an open note").note.clone()
    }

    /// The text in the window.
    pub fn text(&self) -> String {
        self.harness.state().open.as_ref().expect("an open note").text().to_owned()
    }

    /// The text as the hub has it.
    pub fn hub_text(&self) -> String {
        self.rooms[&self.opened()].text().to_owned()
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    pub fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.into()));
        self.settle();
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    /// Clicks and runs as few frames as that takes, to see what they put out.
    pub fn click_once(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(1);
    }

    /// Clicks the last of several of this name: what lies above others comes last.
    pub fn click_last(&mut self, label: &str) {
        self.harness.query_all_by_label(label).last().unwrap_or_else(|| panic!("no {label}")).click();
        self.settle();
    }

    pub fn click_part(&mut self, part: &str) {
        self.harness.query_all_by_label_contains(part).last().unwrap_or_else(|| panic!("no {part}")).click();
        self.settle();
    }

    pub fn click_box(&mut self, label: &str) {
        self.harness.get_by_role_and_label(egui::Role::CheckBox, label).click();
        self.settle();
    }

    pub fn hover(&mut self, label: &str) {
        self.harness.get_by_label(label).hover();
        self.settle();
    }

    /// Puts another text into a field.
    pub fn replace_field(&mut self, label: &str, text: &str) {
        self.harness.get_by_role_and_label(egui::Role::TextInput, label).focus();
        self.settle();
        self.press(CTRL, Key::A);
        self.type_text(text);
    }

    /// When the window wants to be drawn again.
    pub fn next_frame_in(&self) -> std::time::Duration {
        let viewports = &self.harness.output().viewport_output;
        viewports.values().map(|output| output.repaint_delay).min().unwrap_or(std::time::Duration::MAX)
    }

    pub fn shows(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    pub fn shows_part(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    pub fn selection(&self) -> (usize, usize) {
        self.harness.state().open.as_ref().expect("an open note").editor.selection()
    }

    pub fn select(&mut self, anchor: usize, head: usize) {
        self.harness.state_mut().open.as_mut().expect("an open note").editor.select(anchor, head);
        self.settle();
    }

    /// Somebody joins the open note; what they do reaches the window with [`Window::hear`].
    pub fn guest(&mut self, name: &str, color: [u8; 3]) -> Peer {
        let mut guest = person(name, color);
        self.hear(&mut guest);
        guest
    }

    /// Guest and hub exchange what they have; the hub passes it on.
    pub fn hear(&mut self, guest: &mut Peer) {
        let opened = self.opened();
        for _ in 0..4 {
            self.now_ms += 40;
            let now = self.now_ms;
            let (mut frames, mut told) = (Vec::new(), Vec::new());
            guest.tick(now);
            guest.outgoing(now, |frame| {
                frames.push(frame);
                true
            });
            let room = self.rooms.get_mut(&opened).expect("a room");
            for frame in frames {
                // Awareness, and what the guest has changed.
                if frame.starts_with(&[1]) || frame.starts_with(&[0, 2]) {
                    told.push(Event::Frame(opened.clone(), frame.clone()));
                }
                room.receive(&frame, now).expect("a frame of a guest");
            }
            let mut frames = Vec::new();
            room.outgoing(now, |frame| {
                frames.push(frame);
                true
            });
            for frame in frames.into_iter().filter(|frame| !frame.starts_with(&[1])) {
                guest.receive(&frame, now).expect("a frame of the hub");
                told.push(Event::Frame(opened.clone(), frame));
            }
            told.into_iter().for_each(|event| self.send(event));
        }
        self.settle();
    }

    /// The window as an image.
    pub fn image(&mut self) -> image::RgbaImage {
        self.harness.render().expect("an image")
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
