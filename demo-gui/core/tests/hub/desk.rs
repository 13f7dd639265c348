//! A window without a window: a hub in a folder, and a peer for every open note.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use notes_core::hub::{Hub, HubHandle, HubOptions};
use notes_core::link::{Command, Event, Failure, Hit, NoteId, NoteSummary, ShareCard, Status};
use notes_core::peer::Peer;
use notes_core::wire::{Color, User};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Desk {
    pub hub: HubHandle,
    pub peers: HashMap<NoteId, Peer>,
    pub notes: Vec<NoteSummary>,
    pub statuses: HashMap<NoteId, Vec<Status>>,
    /// What was said of a note that is open; its peer does not keep to it, as an older app would not.
    pub read_only: HashMap<NoteId, bool>,
    pub cards: HashMap<NoteId, ShareCard>,
    pub saved: HashMap<NoteId, usize>,
    pub joined: Vec<NoteId>,
    pub found: HashMap<u64, Vec<Hit>>,
    pub failures: Vec<Failure>,
    start: Instant,
    name: &'static str,
}

impl Desk {
    pub fn new(name: &'static str, folder: &Path) -> Desk {
        let data = folder.to_owned();
        let options = HubOptions { data, markdown: None, port: 0, wake: Box::new(|| {}) };
        let hub = Hub::start(options).unwrap();
        Desk {
            hub,
            peers: HashMap::new(),
            notes: Vec::new(),
            statuses: HashMap::new(),
            read_only: HashMap::new(),
            cards: HashMap::new(),
            saved: HashMap::new(),
            joined: Vec::new(),
            found: HashMap::new(),
            failures: Vec::new(),
            start: Instant::now(),
            name,
        }
    }

    pub fn ask(&self, command: Command) {
        self.hub.commands.send(command).unwrap();
    }

    /// Takes in what the hub says, and sends what the peers have to say.
    pub fn pump(&mut self) {
        let now = 1 + self.start.elapsed().as_millis() as u64;
        while let Ok(event) = self.hub.events.try_recv() {
            match event {
                Event::Notes(notes) => self.notes = notes,
                Event::Frame(note, frame) => {
                    if let Some(peer) = self.peers.get_mut(&note) {
                        peer.receive(&frame, now).unwrap();
                    }
                }
                Event::Status(note, status) => self.statuses.entry(note).or_default().push(status),
                Event::ReadOnly(note, read_only) => drop(self.read_only.insert(note, read_only)),
                Event::Saved(note) => *self.saved.entry(note).or_default() += 1,
                Event::Shared(note, card) => drop(self.cards.insert(note, card)),
                Event::Joined(note) => self.joined.push(note),
                Event::Found { id, hits } => drop(self.found.insert(id, hits)),
                Event::Failed(failure) => self.failures.push(failure),
            }
        }
        for (note, peer) in &mut self.peers {
            peer.tick(now);
            let commands = &self.hub.commands;
            peer.outgoing(now, |frame| commands.try_send(Command::Frame(note.clone(), frame)).is_ok());
        }
    }

    /// Opens a note with a fresh peer.
    pub fn open(&mut self, note: &NoteId) {
        let user = User { name: self.name.into(), color: Color([1, 2, 3]) };
        self.peers.insert(note.clone(), Peer::new(user));
        self.ask(Command::Open(note.clone()));
    }

    pub fn create(&mut self, name: &str, text: &str) -> NoteId {
        let note = NoteId(name.into());
        self.ask(Command::Create { note: note.clone(), text: text.into() });
        self.open(&note);
        until(&mut [self], |desks| desks[0].text(&note) == text);
        note
    }

    pub fn share(&mut self, note: &NoteId) -> ShareCard {
        self.cards.remove(note);
        let listen = Some("127.0.0.1:0".parse().unwrap());
        self.ask(Command::Share { note: note.clone(), listen });
        until(&mut [self], |desks| desks[0].cards.contains_key(note));
        self.cards[note].clone()
    }

    /// Joins and opens.
    pub fn join(&mut self, link: &str) -> NoteId {
        let before = self.joined.len();
        self.ask(Command::Join { link: link.into() });
        until(&mut [self], |desks| desks[0].joined.len() > before);
        let note = self.joined[before].clone();
        self.open(&note);
        note
    }

    pub fn peer(&mut self, note: &NoteId) -> &mut Peer {
        self.peers.get_mut(note).unwrap()
    }

    pub fn text(&self, note: &NoteId) -> &str {
        self.peers.get(note).map_or("", Peer::text)
    }

    /// Types at the end.
    pub fn type_in(&mut self, note: &NoteId, text: &str) {
        let peer = self.peer(note);
        let at = peer.text().len();
        assert_eq!(peer.insert(at, text), text.len());
    }

    pub fn status(&self, note: &NoteId) -> Option<&Status> {
        self.statuses.get(note)?.last()
    }

    pub fn titles(&self) -> Vec<&str> {
        self.notes.iter().map(|note| note.title.as_str()).collect()
    }

    /// Waits until everything typed in a note is on disk.
    pub fn until_saved(&mut self, note: &NoteId) {
        let before = self.saved.get(note).copied().unwrap_or(0);
        until(&mut [self], |desks| desks[0].saved.get(note).copied().unwrap_or(0) > before);
    }
}

/// Pumps these desks until something holds.
pub fn until(desks: &mut [&mut Desk], holds: impl Fn(&[&mut Desk]) -> bool) {
    let start = Instant::now();
    loop {
        desks.iter_mut().for_each(|desk| desk.pump());
        if holds(desks) {
            return;
        }
        if start.elapsed() > PATIENCE {
            for desk in desks {
                eprintln!("{}: {:?} {:?} {:?}", desk.name, desk.statuses, desk.failures, desk.notes);
                for (note, peer) in &desk.peers {
                    eprintln!("  {note}: {:?}", peer.text());
                }
            }
            panic!("waited in vain");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
