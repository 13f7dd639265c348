//! The app without its window, for tests: it joins a note, and lines of JSON on stdin do what a keyboard does.
//!
//! `headless_editor --data DIR --name NAME --join LINK`. Each line is a command such as `{"do":"insert","at":3,"text":"x"}`
//! and is answered by one line. Offsets count characters. The input's end is the program's.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, select};
use notes_core::hub::{Hub, HubHandle, HubOptions};
use notes_core::link::{Command, Event, NoteId, Refusal, Status};
use notes_core::peer::Peer;
use notes_core::wire::{Color, User};
use serde_json::{Value, json};

struct Arguments {
    data: PathBuf,
    name: String,
    link: String,
}

fn main() -> ExitCode {
    match arguments().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headless_editor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let (mut data, mut name, mut link) = (None, None, None);
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        let place = match option.as_str() {
            "--data" => &mut data,
            "--name" => &mut name,
            "--join" => &mut link,
            other => return Err(format!("unknown option {other}")),
        };
        *place = Some(given.next().ok_or(format!("{option} wants a value"))?);
    }
    let missing = |option: &str| format!("{option} is missing");
    Ok(Arguments {
        data: data.ok_or(missing("--data"))?.into(),
        name: name.ok_or(missing("--name"))?,
        link: link.ok_or(missing("--join"))?,
    })
}

fn run(arguments: Arguments) -> Result<(), String> {
    let options = HubOptions { data: arguments.data, markdown: None, port: 0, wake: Box::new(|| {}) };
    let hub = Hub::start(options)?;
    let note = join(&hub, arguments.link)?;
    let user = User { name: arguments.name, color: Color([0x1f, 0x6f, 0xeb]) };
    let mut editor = Editor::new(hub, note, user);
    let lines = lines_of_stdin();
    loop {
        select! {
            recv(lines) -> line => match line {
                Ok(line) => editor.answer(&line),
                Err(_) => return Ok(()),
            },
            recv(editor.hub.events) -> event => match event {
                Ok(event) => editor.hear(event),
                Err(_) => return Err("the hub has ended".into()),
            },
            default(editor.rest()) => {}
        }
        editor.work();
    }
}

fn join(hub: &HubHandle, link: String) -> Result<NoteId, String> {
    hub.commands.send(Command::Join { link }).map_err(|error| error.to_string())?;
    loop {
        match hub.events.recv().map_err(|error| error.to_string())? {
            Event::Joined(note) => {
                hub.commands.send(Command::Open(note.clone())).map_err(|error| error.to_string())?;
                return Ok(note);
            }
            Event::Failed(failure) => return Err(format!("{failure:?}")),
            _ => {}
        }
    }
}

fn lines_of_stdin() -> Receiver<String> {
    let (sender, lines) = bounded(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Editor {
    hub: HubHandle,
    note: NoteId,
    peer: Peer,
    status: Status,
    /// How often a live connection was lost.
    drops: u32,
    /// The hub has written what was typed to disk.
    saved: bool,
    /// What others have thrown in, all of it.
    reactions: Vec<String>,
    started: Instant,
}

impl Editor {
    fn new(hub: HubHandle, note: NoteId, user: User) -> Editor {
        let status = Status::Reconnecting { in_ms: 0, kept: 0, cause: String::new() };
        let started = Instant::now();
        let peer = Peer::new(user);
        Editor { hub, note, peer, status, drops: 0, saved: true, reactions: Vec::new(), started }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn rest(&self) -> Duration {
        Duration::from_millis(self.peer.next_tick_ms().saturating_sub(self.now_ms()).max(1))
    }

    /// What a window does at every frame.
    fn work(&mut self) {
        let now = self.now_ms();
        self.peer.tick(now);
        let (commands, note) = (&self.hub.commands, &self.note);
        self.peer.outgoing(now, |frame| commands.try_send(Command::Frame(note.clone(), frame)).is_ok());
        self.reactions.extend(self.peer.reactions().into_iter().map(|thrown| thrown.text));
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Frame(note, frame) if note == self.note => {
                if let Err(error) = self.peer.receive(&frame, self.now_ms()) {
                    eprintln!("headless_editor: the hub sent {error}");
                }
            }
            Event::Status(note, status) if note == self.note => {
                let lost = matches!(self.status, Status::Live { .. })
                    && matches!(status, Status::Reconnecting { .. });
                self.drops += u32::from(lost);
                self.status = status;
            }
            Event::Saved(note) if note == self.note => self.saved = true,
            _ => {}
        }
    }

    fn answer(&mut self, line: &str) {
        let answer = match serde_json::from_str::<Value>(line) {
            Ok(command) => self.obey(&command),
            Err(error) => json!({"ok": false, "error": error.to_string()}),
        };
        // Whoever closed our output will close our input too.
        let _ = writeln!(std::io::stdout(), "{answer}");
    }

    fn obey(&mut self, command: &Value) -> Value {
        let number = |key: &str| usize::try_from(command[key].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        let text = command["text"].as_str().unwrap_or_default();
        match command["do"].as_str().unwrap_or_default() {
            "text" => json!({"ok": true, "text": self.peer.text()}),
            "insert" => {
                self.saved = false;
                json!({"ok": self.peer.insert(self.byte(number("at")), text) == text.len()})
            }
            "delete" => self.delete(number("at"), number("count"), command["only"].as_str()),
            "select" => {
                let selection = (self.byte(number("anchor")), self.byte(number("head")));
                self.peer.select(Some(selection));
                json!({"ok": true})
            }
            "react" => json!({"ok": self.peer.react(text)}),
            "reactions" => json!({"ok": true, "reactions": self.reactions}),
            "state" => self.state(),
            "people" => json!({"ok": true, "people": self.people()}),
            "carets" => json!({"ok": true, "carets": self.carets()}),
            other => json!({"ok": false, "error": format!("there is no command {other:?}")}),
        }
    }

    /// With `only`, it deletes nothing but that.
    fn delete(&mut self, at: usize, count: usize, only: Option<&str>) -> Value {
        let range = self.byte(at)..self.byte(at.saturating_add(count));
        let wanted = only.is_none_or(|only| &self.peer.text()[range.clone()] == only);
        let done = wanted && (range.is_empty() || self.peer.delete(range));
        json!({"ok": done == wanted, "done": done})
    }

    fn state(&self) -> Value {
        let (state, code) = match &self.status {
            Status::Device | Status::Hosting { .. } | Status::Live { .. } => ("live", None),
            Status::Reconnecting { .. } => ("reconnecting", None),
            Status::Refused(refusal) => ("refused", Some(code(*refusal))),
        };
        let status = format!("{:?}", self.status);
        let (drops, saved) = (self.drops, self.saved);
        json!({"ok": true, "state": state, "code": code, "drops": drops, "saved": saved, "status": status})
    }

    fn people(&self) -> Vec<Value> {
        let person = |person: notes_core::peer::Person| json!({"name": person.name, "color": Color(person.color).hex()});
        self.peer.people().into_iter().map(person).collect()
    }

    fn carets(&self) -> Vec<Value> {
        let caret = |caret: notes_core::peer::Caret| {
            json!({
                "name": caret.name,
                "color": Color(caret.color).hex(),
                "anchor": self.character(caret.anchor),
                "head": self.character(caret.head),
            })
        };
        self.peer.carets().into_iter().map(caret).collect()
    }

    /// The byte offset of the character with this number.
    fn byte(&self, at: usize) -> usize {
        self.peer.text().char_indices().nth(at).map_or(self.peer.text().len(), |(byte, _)| byte)
    }

    fn character(&self, byte: usize) -> usize {
        self.peer.text()[..byte].chars().count()
    }
}

fn code(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::Unauthorised => 4401,
        Refusal::Forbidden => 4403,
        Refusal::NotFound => 4404,
        Refusal::TooBig => 1009,
        Refusal::Other(code) => code,
    }
}
