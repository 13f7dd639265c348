//! How long a frame takes while typing into a long note: `cargo run --release -p demo-gui --example frame_time [LINES]`.
//!
//! A frame here is all that the program does on the processor: taking the key, the peer's edit, layout, the window, and the
//! triangles for the graphics card. Printed are medians and the slowest of a hundred.

use crossbeam_channel::{Receiver, bounded};
use eframe::egui::{self, Event, Pos2, RawInput, Rect, Vec2};
use notes_core::link::{Command, Event as Told, NoteId, NoteSummary, Place};
use notes_core::peer::Peer;
use notes_core::wire::{Color, User};
use notes_gui::app::{App, Link, Wishes};
use notes_gui::settings::{Mode, Settings, Theme, Tongue};
use notes_gui::theme;
use std::time::{Duration, Instant};

const FRAMES: usize = 300;
const WARM_UP: usize = 20;

fn main() {
    let lines = std::env::args().nth(1).and_then(|lines| lines.parse().ok()).unwrap_or(5_000);
    println!("{lines} lines, {FRAMES} frames each");
    for (mode, name) in [(Mode::Edit, "edit"), (Mode::Split, "split")] {
        let mut bench = Bench::new(lines, mode);
        let still = bench.measure(|_| Vec::new());
        let typing = bench.measure(|frame| vec![Event::Text(["a", "b", " ", "中"][frame % 4].into())]);
        println!("{name:>5}: typing {}, redrawing {}", shown(typing), shown(still));
    }
}

fn shown(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!(
        "{:.2} ms (slowest of a hundred {:.2} ms)",
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100])
    )
}

/// A note with headings, lists, marks, code and Chinese.
fn text(lines: usize) -> String {
    let kinds = [
        "# Part",
        "Some words with **bold**, *italic* and `code`, as people write them, long enough to be wrapped now and then.",
        "- [ ] something to do",
        "- [x] something done",
        "心跳 ping/pong 每 30 秒一次，超时就断开。",
        "",
        "> quoted",
        "```\nlet x = 1;\n```",
    ];
    let all: Vec<&str> = kinds.into_iter().flat_map(|kind| kind.split('\n')).cycle().take(lines).collect();
    all.join("\n")
}

struct Bench {
    ctx: egui::Context,
    app: App,
    commands: Receiver<Command>,
    time: f64,
}

impl Bench {
    fn new(lines: usize, mode: Mode) -> Bench {
        let ctx = egui::Context::default();
        theme::install(&ctx);
        let (commands, command_inbox) = bounded(1024);
        let (outbox, events) = bounded(1024);
        let note = NoteId("bench".into());
        let summary = NoteSummary {
            note: note.clone(),
            title: "Part".into(),
            pinned: false,
            place: Place::Device,
            modified_ms: 0,
            people: 0,
        };
        outbox.send(Told::Notes(vec![summary])).expect("room");
        let settings = Settings {
            name: "Bench".into(),
            theme: Theme::Light,
            language: Tongue::English,
            mode,
            ..Settings::default()
        };
        let data = std::env::temp_dir().join("notes-frame-time");
        let app = App::new(Link { commands, events }, data.clone(), settings, Wishes::default());
        let mut bench = Bench { ctx, app, commands: command_inbox, time: 0.0 };
        bench.frame(Vec::new());
        let mut hub = Peer::new(User { name: "hub".into(), color: Color([0, 0, 0]) });
        hub.insert(0, &text(lines));
        // The hub's peer asks what we have, and answers our question.
        for step in 0..4 {
            while let Ok(command) = bench.commands.try_recv() {
                if let Command::Frame(_, frame) = command {
                    hub.receive(&frame, step).expect("a frame");
                }
            }
            hub.outgoing(step, |frame| outbox.send(Told::Frame(note.clone(), frame)).is_ok());
            bench.frame(Vec::new());
        }
        let open = bench.app.open.as_mut().expect("an open note");
        assert_eq!(open.text().lines().count(), text(lines).lines().count(), "the text has come");
        let middle = open.text().len() / 2;
        open.editor.select(middle, middle);
        std::mem::forget(outbox);
        let _ = std::fs::remove_dir_all(data);
        bench
    }

    fn measure(&mut self, input: impl Fn(usize) -> Vec<Event>) -> Vec<Duration> {
        let times = (0..FRAMES + WARM_UP).map(|frame| {
            let time = self.frame(input(frame));
            while self.commands.try_recv().is_ok() {}
            time
        });
        times.collect::<Vec<_>>().split_off(WARM_UP)
    }

    fn frame(&mut self, events: Vec<Event>) -> Duration {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(1180.0, 760.0))),
            time: Some(self.time),
            focused: true,
            events,
            ..RawInput::default()
        };
        let start = Instant::now();
        let mut output = self.ctx.run_ui(input, |ui| self.app.frame(ui));
        let shapes = std::mem::take(&mut output.shapes);
        std::hint::black_box(self.ctx.tessellate(shapes, output.pixels_per_point));
        let time = start.elapsed();
        output.textures_delta.clear();
        time
    }
}
