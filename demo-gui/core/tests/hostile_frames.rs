//! Malformed frames and awareness: refused, in words; names and states from outside are bounded.

#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;

use measure::{alone, within};
use notes_core::peer::Peer;
use notes_core::wire::{self, AwarenessEntry, AwarenessTable, Color, MAX_CLIENTS, Message, User, WireError};
use random::{Random, mutate};

fn me() -> User {
    User { name: "me".to_owned(), color: Color([1, 2, 3]) }
}

/// As a hub and a window take a frame in.
fn take_in(frame: &[u8]) -> Result<(), WireError> {
    match wire::decode(frame)? {
        Message::SyncStep1(vector) => wire::decode_state_vector(vector).map(drop),
        Message::SyncStep2(update) | Message::Update(update) => wire::validate_update(update),
        Message::Awareness(entries) => AwarenessTable::new().apply(&entries, 1).map(drop),
        Message::Auth(_) | Message::QueryAwareness => Ok(()),
    }
}

#[test]
fn the_corpus_is_refused_in_words() {
    let _alone = alone();
    let mut frames = 0;
    for line in
        include_str!("corpus/frames.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (hex, name) = line.split_once("  # ").expect("hex and a name");
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        let frame: Vec<u8> =
            if hex == "-" { Vec::new() } else { (0..hex.len()).step_by(2).map(digit).collect() };
        let (result, _) = within(64 << 10, || take_in(&frame));
        let error = result.expect_err(name);
        assert!(!error.to_string().is_empty());
        // A window stays as it is.
        let mut peer = Peer::new(me());
        peer.insert(0, "世界");
        let (_, _) = within(1 << 20, || peer.receive(&frame, 5));
        assert_eq!(peer.text(), "世界", "{name}");
        frames += 1;
    }
    assert!(frames >= 20, "{frames}");
}

fn sample(random: &mut Random) -> Vec<u8> {
    let cursor = r#"{"anchor":{"type":null,"tname":"content","item":null,"assoc":0},"head":{"item":{"client":9,"clock":3}}}"#;
    let states = [
        "null".to_owned(),
        "{}".to_owned(),
        format!(
            r##"{{"user":{{"name":"小明","color":"#30bced","colorLight":"#30bced33"}},"cursor":{cursor}}}"##
        ),
        r#"{"user":{"name":"a"},"cursor":null,"reaction":{"id":1,"text":"🎉"}}"#.to_owned(),
    ];
    let entries: Vec<AwarenessEntry<'_>> = (0..random.below(5))
        .map(|n| AwarenessEntry {
            client: 1 + n as u64,
            clock: random.below(4) as u32,
            state: &states[random.below(4)],
        })
        .collect();
    wire::awareness(&entries)
}

#[test]
fn awareness_with_broken_bytes_breaks_nothing() {
    let _alone = alone();
    let mut table = AwarenessTable::new();
    let mut peer = Peer::new(me());
    peer.insert(0, "Hello 世界😀");
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut frame = sample(&mut random);
        if !random.chance(4) {
            mutate(&mut random, &mut frame);
        }
        if let Ok(Message::Awareness(entries)) = wire::decode(&frame) {
            let _ = table.apply(&entries, seed);
        }
        match peer.receive(&frame, seed) {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
        for caret in peer.carets() {
            assert!(peer.text().is_char_boundary(caret.head) && peer.text().is_char_boundary(caret.anchor));
            assert!(caret.name.chars().count() <= 32 && !caret.name.chars().any(char::is_control));
        }
        peer.reactions();
        assert_eq!(peer.text(), "Hello 世界😀");
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 2000 && refused > 2000, "{taken} {refused}");
}

#[test]
fn a_million_cursors_find_no_room() {
    let _alone = alone();
    let mut table = AwarenessTable::new();
    let state = format!("{{\"x\":\"{}\"}}", "a".repeat(1000));
    let (refused, _) = within(16 << 20, || {
        let mut refused = 0;
        for n in 0..1_000_000 / MAX_CLIENTS as u64 {
            let entries: Vec<_> = (0..MAX_CLIENTS as u64)
                .map(|m| AwarenessEntry { client: n * MAX_CLIENTS as u64 + m, clock: 1, state: &state })
                .collect();
            refused += u64::from(table.apply(&entries, 0) == Err(WireError::TooManyClients));
        }
        refused
    });
    assert!(refused > 15_000, "{refused}");
    assert!(table.clients().count() <= 4096);
    let too_many = vec![AwarenessEntry { client: 1, clock: 1, state: "null" }; MAX_CLIENTS + 1];
    assert_eq!(table.apply(&too_many, 0), Err(WireError::TooManyClients));
}
