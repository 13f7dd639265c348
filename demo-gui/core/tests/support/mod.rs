//! A small hub in memory: a document, and what is said to each peer and by each, in order.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::VecDeque;

use notes_core::peer::{Edit, Peer};
use notes_core::wire::{self, AwarenessTable, Color, Guard, Message, TEXT, User};
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, ReadTxn, Transact};

pub fn user(n: usize) -> User {
    User { name: format!("peer {n}"), color: Color([n as u8, 0, 0]) }
}

pub struct Seat {
    pub peer: Peer,
    pub online: bool,
    /// From the hub, not yet received.
    pub inbox: VecDeque<Vec<u8>>,
    /// Frames that it has sent, for those who count them.
    pub sent: Vec<Vec<u8>>,
}

impl Seat {
    pub fn new(n: usize) -> Seat {
        let peer = Peer::with_client(user(n), 100 + n as u64);
        Seat { peer, online: false, inbox: VecDeque::new(), sent: Vec::new() }
    }
}

/// Peers around a document, each over a link that may be cut.
pub struct Room {
    pub doc: Doc,
    pub guard: Guard,
    pub table: AwarenessTable,
    pub seats: Vec<Seat>,
    pub now_ms: u64,
}

impl Room {
    pub fn new(peers: usize) -> Room {
        let seats = (0..peers).map(Seat::new);
        let mut room = Room {
            doc: Doc::with_client_id(1),
            guard: Guard::new(),
            table: AwarenessTable::new(),
            seats: seats.collect(),
            now_ms: 1000,
        };
        room.doc.get_or_insert_text(TEXT);
        (0..peers).for_each(|n| room.connect(n));
        room.settle();
        room
    }

    pub fn peer(&mut self, n: usize) -> &mut Peer {
        &mut self.seats[n].peer
    }

    pub fn text(&self) -> String {
        let text = self.doc.get_or_insert_text(TEXT);
        text.get_string(&self.doc.transact())
    }

    /// As a hub does: the first step, and who is there.
    pub fn connect(&mut self, n: usize) {
        let seat = &mut self.seats[n];
        if !seat.online {
            seat.online = true;
            seat.inbox.push_back(wire::step1(&self.doc.transact().state_vector().encode_v1()));
            let all = self.doc.transact().encode_state_as_update_v1(&yrs::StateVector::default());
            seat.inbox.push_back(wire::step2(&all));
            seat.inbox.extend(self.table.frames());
        }
    }

    /// What is under way is lost.
    pub fn cut(&mut self, n: usize) {
        let seat = &mut self.seats[n];
        seat.online = false;
        seat.inbox.clear();
        let client = seat.peer.client();
        if let Some(frame) = self.table.remove([client], self.now_ms) {
            self.tell(&frame);
        }
    }

    fn tell(&mut self, frame: &[u8]) {
        self.seats
            .iter_mut()
            .filter(|seat| seat.online)
            .for_each(|seat| seat.inbox.push_back(frame.to_owned()));
    }

    /// The peer hands over what it has; the hub takes it in and tells everybody. A peer whose link is cut hands it over
    /// too: to nobody.
    pub fn send(&mut self, n: usize) -> usize {
        let mut frames = Vec::new();
        self.seats[n].peer.outgoing(self.now_ms, |frame| {
            frames.push(frame);
            true
        });
        self.seats[n].sent.extend(frames.iter().cloned());
        if self.seats[n].online {
            frames.iter().for_each(|frame| self.take_in(n, frame));
        }
        frames.len()
    }

    pub fn take_in(&mut self, n: usize, frame: &[u8]) {
        match wire::decode(frame).expect("a frame of ours") {
            Message::SyncStep1(vector) => {
                let vector = wire::decode_state_vector(vector).expect("a state vector of ours");
                let update = self.doc.transact().encode_state_as_update_v1(&vector);
                self.seats[n].inbox.push_back(wire::step2(&update));
            }
            Message::SyncStep2(update) | Message::Update(update) => {
                let mut clean = Vec::new();
                let applied = self.guard.apply(&self.doc, update, "peer", |update| clean.push(update));
                applied.expect("an update of ours");
                clean.iter().for_each(|update| self.tell(&wire::change(update)));
            }
            Message::Awareness(entries) => {
                let change = self.table.apply(&entries, self.now_ms).expect("a state of ours");
                if !change.is_empty() {
                    let frame = self.table.frame(change.updated.into_iter().chain(change.removed)).unwrap();
                    self.tell(&frame);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    /// The peer receives one frame.
    pub fn receive(&mut self, n: usize) -> Option<Vec<Edit>> {
        let frame = self.seats[n].inbox.pop_front()?;
        Some(self.seats[n].peer.receive(&frame, self.now_ms).expect("a frame of the hub"))
    }

    /// Time goes on by a frame of the screen, until nobody has anything to say.
    pub fn settle(&mut self) {
        loop {
            self.now_ms += 40;
            let mut busy = 0;
            for n in 0..self.seats.len() {
                let now_ms = self.now_ms;
                self.seats[n].peer.tick(now_ms);
                while self.receive(n).is_some() {
                    busy += 1;
                }
                busy += self.send(n);
            }
            if busy == 0 {
                break;
            }
        }
    }
}
