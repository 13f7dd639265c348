//! Guests who want to break the hub. It lives, and the other rooms hardly notice.

#[path = "../support/random.rs"]
pub mod random;

use notes_core::link::NoteId;
use notes_core::wire::{self, AwarenessEntry, Message};
use random::{Random, mutate, shaped_update};
use tempfile::tempdir;

use crate::desk::{Desk, until};
use crate::guest::{Guest, Said};

/// What a turn may cost, in microseconds of CPU: another room waits for one turn of each room that is busy.
const TURN_US: u64 = if cfg!(debug_assertions) { 400_000 } else { 100_000 };

fn cases(default: u64) -> u64 {
    std::env::var("NOTES_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

/// A shared note and a quiet one beside it, with a guest who asks from time to time.
struct Stage {
    host: Desk,
    note: NoteId,
    link: String,
    calm: Guest,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempdir().unwrap();
        let mut host = Desk::new("a", folder.path());
        let note = host.create("hostile", "# Here\nis a text of some length, 有中文 and 👩‍👩‍👧.");
        let quiet = host.create("quiet", "quiet");
        let link = host.share(&note).edit;
        let calm = Guest::by_link(&host.share(&quiet).edit);
        calm.all();
        Stage { host, note, link, calm, _folder: folder }
    }

    /// The quiet room answers, and no turn was long.
    fn is_alive(&mut self, what: &str) {
        assert!(!self.calm.all().is_empty(), "{what}");
        let longest = self.host.hub.turns().longest_us();
        assert!(longest <= TURN_US, "{what}: a turn took {longest} us");
        self.host.pump();
    }
}

/// Sends until the hub has had enough; a new connection each time.
fn throw(stage: &mut Stage, frames: impl Iterator<Item = Vec<u8>>) -> (usize, usize) {
    let mut guest = Guest::by_link(&stage.link);
    let (mut sent, mut closed) = (0, 0);
    for frame in frames {
        guest.send_if_open(&frame);
        sent += 1;
        if sent % 16 == 0 {
            stage.is_alive("a corpus");
        }
        while let Ok(said) = guest.said.try_recv() {
            if matches!(said, Said::Closed { .. }) {
                closed += 1;
                guest = Guest::by_link(&stage.link);
                break;
            }
        }
    }
    (sent, closed)
}

#[test]
fn updates_of_every_shape() {
    let mut stage = Stage::new();
    let mut random = Random(1);
    let frames = (0..cases(600)).map(move |_| {
        let mut update = shaped_update(&mut random);
        if random.chance(4) {
            mutate(&mut random, &mut update);
        }
        if random.chance(2) { wire::update(&update) } else { wire::step2(&update) }
    });
    let (sent, closed) = throw(&mut stage, frames);
    stage.is_alive("after all updates");
    println!(
        "{sent} updates, {closed} connections closed, longest turn {} us",
        stage.host.hub.turns().longest_us()
    );
    // Nothing of it has cut the room off: honest guests go on.
    let mut honest = Desk::new("b", tempdir().unwrap().path());
    let joined = honest.join(&stage.link);
    until(&mut [&mut stage.host, &mut honest], |desks| desks[1].text(&joined) == desks[0].text(&stage.note));
    honest.peer(&joined).insert(0, "honest ");
    until(&mut [&mut stage.host, &mut honest], |desks| {
        desks[0].text(&stage.note).contains("honest ") && desks[1].text(&joined) == desks[0].text(&stage.note)
    });
}

#[test]
fn frames_of_every_shape() {
    let mut stage = Stage::new();
    let mut random = Random(2);
    let state = r##"{"user":{"name":"x","color":"#010203"},"cursor":null}"##;
    let frames = (0..cases(600)).map(move |_| {
        let mut frame = match random.below(4) {
            0 => wire::step1(&[1, 5, 3]),
            1 => wire::awareness(&[AwarenessEntry { client: random.next() >> 12, clock: 1, state }]),
            2 => wire::update(&shaped_update(&mut random)),
            _ => wire::query_awareness(),
        };
        mutate(&mut random, &mut frame);
        frame
    });
    let (sent, closed) = throw(&mut stage, frames);
    assert!(closed > 0, "nothing was refused");
    println!(
        "{sent} frames, {closed} connections closed, longest turn {} us",
        stage.host.hub.turns().longest_us()
    );
    stage.is_alive("after all frames");
}

#[test]
fn the_bomb_of_thirteen_bytes() {
    let mut stage = Stage::new();
    let bomb = b"\x00\x02\x0a\x84\xac\x8b\x71\xf7\x37\xb0\x8f\xc4\x32";
    for frame in [wire::update(bomb), wire::step2(bomb), wire::step1(bomb)] {
        let guest = Guest::by_link(&stage.link);
        guest.send(&frame);
        assert_eq!(guest.closed().0, 1008);
        stage.is_alive("the bomb");
    }
}

#[test]
fn names_that_are_traps() {
    let mut stage = Stage::new();
    let guest = Guest::by_link(&stage.link);
    let state = r##"{"user":{"name":"\u202e\u0000\u200bevil\u0007","color":"url(//x)"},"cursor":{"anchor":-1,"head":{"x":[]}}}"##;
    guest.send(&wire::awareness(&[AwarenessEntry { client: 5, clock: 1, state }]));
    let seen = guest.until(|message| match message {
        Message::Awareness(entries) if entries.iter().any(|entry| entry.client == 5) => {
            Some(entries[0].state.to_owned())
        }
        _ => None,
    });
    assert!(seen.contains(r##""name":"evil""##) && seen.contains(r##""color":"#808080""##), "{seen}");
    let note = stage.note.clone();
    until(&mut [&mut stage.host], |desks| desks[0].peers[&note].people().len() == 1);
    let big = format!("{{\"x\":\"{}\"}}", "a".repeat(wire::MAX_STATE));
    guest.send(&wire::awareness(&[AwarenessEntry { client: 6, clock: 1, state: &big }]));
    assert_eq!(guest.closed().0, 1009);
    stage.is_alive("names");
}

#[test]
fn a_flood_waits_its_turn() {
    let mut stage = Stage::new();
    let flood: Vec<Guest> = (0..8).map(|_| Guest::by_link(&stage.link)).collect();
    let state = format!("{{\"x\":\"{}\"}}", "a".repeat(3000));
    stage.host.hub.turns().reset();
    for clock in 1..400 {
        for (n, guest) in flood.iter().enumerate() {
            let entry = AwarenessEntry { client: 100 + n as u64, clock, state: &state };
            // Refused when it is paused and full, or sent away as too slow: both are right.
            let _ = guest.conn.send_binary(&wire::awareness(&[entry]));
            let _ = guest.conn.send_binary(&wire::step1(&[0]));
            while guest.said.try_recv().is_ok() {}
        }
        if clock % 20 == 0 {
            stage.is_alive("a flood");
        }
    }
    println!("longest turn {} us", stage.host.hub.turns().longest_us());
}

#[test]
fn a_million_empty_messages_cost_no_memory() {
    let mut stage = Stage::new();
    let guest = Guest::by_link(&stage.link);
    for _ in 0..200_000 {
        if guest.conn.send_binary(b"").is_err() && guest.conn.ready_state() != ws::ReadyState::Open {
            break;
        }
    }
    assert_eq!(guest.closed().0, 1008);
    stage.is_alive("empty messages");
}

/// A megabyte of items that all want to stand at the same place, each of another client.
fn crowd(client: u64, items: u64) -> Vec<u8> {
    let mut update = Vec::new();
    wire::write_uint(&mut update, items);
    for n in 0..items {
        wire::write_uint(&mut update, 1);
        wire::write_uint(&mut update, client + n);
        wire::write_uint(&mut update, 0);
        // No neighbours: in the text "content", one letter.
        update.push(4);
        wire::write_uint(&mut update, 1);
        wire::write_bytes(&mut update, wire::TEXT.as_bytes());
        wire::write_bytes(&mut update, b"x");
    }
    update.push(0);
    update
}

#[test]
fn a_crowd_at_one_place() {
    let mut stage = Stage::new();
    stage.host.hub.turns().reset();
    for (round, items) in [200, 1_000, 5_000, 20_000, 40_000].into_iter().enumerate() {
        let guest = Guest::by_link(&stage.link);
        let update = crowd(1_000_000 * (round as u64 + 1), items);
        guest.send(&wire::step2(&update));
        // It is taken or refused; either way the hub has looked at it.
        guest.conn.send_binary(&wire::step1(&[0])).unwrap();
        loop {
            match guest.next() {
                Said::Closed { code, reason, .. } => {
                    println!("{items} items, {} bytes: {code} {reason}", update.len());
                    break;
                }
                Said::Frame(frame) if matches!(wire::decode(&frame), Ok(Message::SyncStep2(_))) => {
                    println!("{items} items, {} bytes: taken", update.len());
                    break;
                }
                _ => {}
            }
        }
        println!("longest turn {} us", stage.host.hub.turns().longest_us());
        stage.is_alive("a crowd");
    }
}
