//! Malformed and malicious updates: the process lives, memory and time are bounded, what is sound is taken.

#[path = "support/document.rs"]
mod document;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;

use std::time::Duration;

use document::{document, text_of};
use measure::{alone, within};
use notes_core::peer::Peer;
use notes_core::wire::{self, ApplyError, Color, Guard, MAX_UPDATE, Message, TEXT, User, WireError};
use notes_core::wire::{validate_update, write_bytes, write_uint};
use random::{Random, WORDS, mutate, shaped_update};
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, Update};

/// A build for tests takes some times as long.
const SLOW: u32 = if cfg!(debug_assertions) { 3 } else { 1 };

/// `NOTES_FUZZ_CASES=1000000 NOTES_FUZZ_SEED=1 cargo test --release -p notes-core --test hostile_updates` for more.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let first = number("NOTES_FUZZ_SEED").unwrap_or(0u64);
    first..first + number("NOTES_FUZZ_CASES").unwrap_or(default)
}

/// What a hub and a window do with a document between two updates.
fn use_it(random: &mut Random, doc: &Doc) {
    let text = doc.get_or_insert_text(TEXT);
    let string = text_of(doc);
    if random.chance(2) && text.len(&doc.transact()) as usize == string.len() {
        let at = string.floor_char_boundary(random.below(string.len() + 1));
        text.insert(&mut doc.transact_mut_with("local"), at as u32, "x世");
        let string = text_of(doc);
        let end = string.floor_char_boundary(at + random.below(8));
        if end > at {
            text.remove_range(&mut doc.transact_mut_with("local"), at as u32, (end - at) as u32);
        }
    }
    let all = doc.transact().encode_state_as_update_v1(&StateVector::default());
    assert!(all.len() >= 2);
}

/// Gives a document these updates; what the guard makes of them must be what another document, one without a guard,
/// takes in without leaving anything over.
fn feed(random: &mut Random, updates: &[Vec<u8>]) -> (u64, u64) {
    let (doc, mut guard) = (document(3), Guard::new());
    let follower = document(4);
    let (mut applied, mut refused) = (0, 0);
    for update in updates {
        let follow = |update: Vec<u8>| {
            let update = Update::decode_v1(&update).expect("an update of the guard's");
            follower.transact_mut().apply_update(update).expect("an update of the guard's");
        };
        match guard.apply(&doc, update, "remote", follow) {
            Ok(()) => applied += 1,
            Err(ApplyError::Invalid(_)) => refused += 1,
            Err(ApplyError::Broken) => panic!("the document broke"),
        }
        assert!(!doc.transact().has_missing_updates() && !follower.transact().has_missing_updates());
        assert_eq!(text_of(&doc), text_of(&follower));
    }
    use_it(random, &doc);
    // And a document that is used between them.
    let (doc, mut guard) = (document(3), Guard::new());
    for update in updates {
        assert_ne!(guard.apply(&doc, update, "remote", drop).err(), Some(ApplyError::Broken));
        use_it(random, &doc);
    }
    (applied, refused)
}

/// A window behind a hub, which gets them first, and one that gets them as they come; both are written in meanwhile.
fn feed_windows(random: &mut Random, updates: &[Vec<u8>]) {
    let me = User { name: "me".to_owned(), color: Color([0, 0, 0]) };
    let (doc, mut guard) = (document(1), Guard::new());
    let (mut behind, mut bare) = (Peer::with_client(me.clone(), 20), Peer::with_client(me, 30));
    for (n, update) in updates.iter().enumerate() {
        let mut told = Vec::new();
        let _ = guard.apply(&doc, update, "remote", |update| told.push(wire::change(&update)));
        for frame in told {
            let received = behind.receive(&frame, n as u64);
            assert!(received.is_ok(), "{received:?}: {frame:02x?} of {updates:02x?}");
        }
        let _ = bare.receive(&wire::change(update), n as u64);
        for peer in [&mut behind, &mut bare] {
            let at = peer.text().floor_char_boundary(random.below(peer.text().len() + 1));
            match random.below(4) {
                0 => drop(peer.undo()),
                1 => {
                    peer.delete(at..peer.text().ceil_char_boundary((at + 2).min(peer.text().len())));
                }
                _ => {
                    peer.insert(at, "世😀");
                }
            }
            peer.select(Some((at, at)));
        }
        behind.outgoing(n as u64, |frame| {
            if let Ok(Message::Update(update) | Message::SyncStep2(update)) = wire::decode(&frame) {
                guard.apply(&doc, update, "remote", drop).expect("an update of the window's");
            }
            true
        });
        bare.outgoing(n as u64, |_| true);
        assert_eq!(behind.text(), text_of(&doc));
    }
}

#[test]
fn shaped_updates_break_nothing() {
    let _alone = alone();
    let (mut applied, mut refused) = (0, 0);
    for seed in seeds(600) {
        let mut random = Random(seed);
        let shape = |random: &mut Random| {
            let mut update = shaped_update(random);
            if random.chance(4) {
                mutate(random, &mut update);
            }
            update
        };
        let updates: Vec<_> = (0..1 + random.below(8)).map(|_| shape(&mut random)).collect();
        feed_windows(&mut random, &updates);
        let (more_applied, more_refused) = feed(&mut random, &updates);
        applied += more_applied;
        refused += more_refused;
    }
    println!("{applied} applied, {refused} refused");
    assert!(applied > refused / 2 && refused > applied / 10, "{applied} applied, {refused} refused");
}

/// Updates of people who write and delete at the same time, in the order in which they were made.
fn real_updates(random: &mut Random) -> Vec<Vec<u8>> {
    let docs = [document(7), document(8), document(9)];
    let mut updates = Vec::new();
    for _ in 0..2 + random.below(12) {
        let doc = &docs[random.below(3)];
        let before = doc.transact().state_vector();
        let text = doc.get_or_insert_text(TEXT);
        let string = text_of(doc);
        let at = string.floor_char_boundary(random.below(string.len() + 1));
        let end = string.floor_char_boundary((at + random.below(6)).min(string.len()));
        if end > at && random.chance(3) {
            text.remove_range(&mut doc.transact_mut(), at as u32, (end - at) as u32);
        } else {
            text.insert(&mut doc.transact_mut(), at as u32, random.pick(&WORDS));
        }
        updates.push(doc.transact().encode_state_as_update_v1(&before));
        if random.chance(2) {
            // All of them, in order: yrs loses text when updates wait in its documents.
            for (other, update) in
                docs.iter().flat_map(|other| updates.iter().map(move |update| (other, update)))
            {
                other.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
            }
        }
    }
    updates
}

#[test]
fn real_updates_with_broken_bytes_break_nothing() {
    let _alone = alone();
    for seed in seeds(600) {
        let mut random = Random(seed);
        let mut updates = real_updates(&mut random);
        for update in &mut updates {
            if random.chance(3) {
                mutate(&mut random, update);
            }
        }
        feed_windows(&mut random, &updates);
        feed(&mut random, &updates);
    }
}

#[test]
fn real_updates_are_taken_in_any_order() {
    let _alone = alone();
    for seed in seeds(400) {
        let mut random = Random(seed);
        let updates = real_updates(&mut random);
        let plain = document(3);
        for update in &updates {
            plain.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        let mut order: Vec<usize> = (0..updates.len()).collect();
        (1..order.len()).for_each(|n| order.swap(n, random.below(n + 1)));
        // Some come twice, and the whole of it comes at the end of a few.
        let doubled: Vec<usize> = order.iter().copied().filter(|_| random.chance(3)).collect();
        order.extend(doubled);
        let (doc, mut guard) = (document(4), Guard::new());
        for n in order {
            guard.apply(&doc, &updates[n], "remote", drop).unwrap_or_else(|error| panic!("{seed}: {error}"));
        }
        assert!(!guard.is_waiting(), "{seed}");
        assert_eq!(text_of(&doc), text_of(&plain), "{seed}");
        let all = plain.transact().encode_state_as_update_v1(&StateVector::default());
        let (doc, mut guard) = (document(4), Guard::new());
        for update in updates.iter().take(random.below(updates.len())).chain([&all]) {
            guard.apply(&doc, update, "remote", drop).unwrap_or_else(|error| panic!("{seed}: {error}"));
        }
        assert_eq!(text_of(&doc), text_of(&plain), "{seed}");
    }
}

fn hex(line: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).expect("hex");
    (0..line.len()).step_by(2).map(digit).collect()
}

#[test]
fn the_corpus_breaks_nothing() {
    let _alone = alone();
    let mut sequences = 0;
    for paragraph in include_str!("corpus/updates.txt").split("\n\n") {
        let updates: Vec<_> = paragraph.lines().filter(|line| !line.starts_with('#')).map(hex).collect();
        if updates.is_empty() {
            continue;
        }
        sequences += 1;
        let name = paragraph.lines().next().unwrap_or("");
        let (_, time) = within(8 << 20, || feed(&mut Random(1), &updates));
        assert!(time < Duration::from_millis(20) * SLOW, "{name}: {time:?}");
    }
    assert!(sequences >= 30, "{sequences}");
}

#[test]
fn the_bomb_of_thirteen_bytes_is_nothing() {
    let _alone = alone();
    let bomb = hex("00020a84ac8b71f737b08fc432");
    let (result, _) = within(4 << 10, || validate_update(&bomb));
    assert_eq!(result, Err(WireError::Count));
}

/// An update of one kind of small block, as many as the size allows.
fn filled(block: impl Fn(&mut Vec<u8>, u64), clients: bool) -> Vec<u8> {
    let mut body = Vec::new();
    let mut count = 0;
    while body.len() < MAX_UPDATE - 64 {
        if clients {
            write_uint(&mut body, 1);
            write_uint(&mut body, 1000 + count);
            write_uint(&mut body, 0);
        }
        block(&mut body, count);
        count += 1;
    }
    let mut out = Vec::new();
    if clients {
        write_uint(&mut out, count);
    } else {
        write_uint(&mut out, 1);
        write_uint(&mut out, count);
        write_uint(&mut out, 7);
        write_uint(&mut out, 0);
    }
    out.extend_from_slice(&body);
    out.push(0);
    out
}

fn root_text(out: &mut Vec<u8>, text: &str) {
    out.extend([4, 1]);
    write_bytes(out, TEXT.as_bytes());
    write_bytes(out, text.as_bytes());
}

fn beside(out: &mut Vec<u8>, origin: Option<(u64, u64)>, right: Option<(u64, u64)>) {
    out.push(4 | if origin.is_some() { 0x80 } else { 0 } | if right.is_some() { 0x40 } else { 0 });
    for (client, clock) in [origin, right].into_iter().flatten() {
        write_uint(out, client);
        write_uint(out, clock);
    }
    write_bytes(out, b"x");
}

/// What a megabyte can cost at most, whatever is in it.
#[test]
fn a_megabyte_of_malice_is_bounded() {
    let _alone = alone();
    let mut base = vec![1, 1, 6, 0];
    root_text(&mut base, &"x".repeat(200_000));
    base.push(0);
    let scattered = {
        let mut out = vec![0, 1, 6];
        let count = 200_000u64 / 2;
        write_uint(&mut out, count);
        (0..count).for_each(|n| {
            write_uint(&mut out, n * 2);
            write_uint(&mut out, 1);
        });
        out
    };
    let table: [(&str, Vec<u8>); 8] = [
        ("clients that all begin the text", filled(|out, _| root_text(out, "x"), true)),
        (
            "clients that all stand behind one character",
            filled(|out, _| beside(out, Some((6, 9)), None), true),
        ),
        ("one client, all behind one, each before another", {
            filled(|out, n| beside(out, Some((6, 0)), Some((6, 1 + n % 199_999))), false)
        }),
        (
            "one client, each behind another",
            filled(|out, n| beside(out, Some((6, n * 7919 % 200_000)), None), false),
        ),
        ("deletions, each of one", scattered),
        ("the smallest of blocks", filled(|out, _| out.extend([0, 1]), false)),
        (
            "roots",
            filled(
                |out, n| {
                    out.extend([4, 1]);
                    write_bytes(out, n.to_string().as_bytes());
                    write_bytes(out, b"x");
                },
                false,
            ),
        ),
        ("waiting for what never comes, in a chain", {
            filled(|out, n| beside(out, Some((1000 + n + 1, 0)), None), true)
        }),
    ];
    for (name, update) in table {
        let (doc, mut guard) = (document(3), Guard::new());
        guard.apply(&doc, &base, "remote", drop).expect("a text");
        let heap = measure::heap();
        let mut slices = 0;
        let (result, time) = within(256 << 20, || guard.apply(&doc, &update, "remote", |_| slices += 1));
        let kept = measure::heap().saturating_sub(heap) >> 20;
        println!(
            "{name}: {} bytes, {result:?}, {slices} slices, {time:?} of CPU, {kept} MiB kept",
            update.len()
        );
        assert_ne!(result, Err(ApplyError::Broken), "{name}");
        // The budget is 50 ms and a quarter of a second for a megabyte; the last slice comes on top.
        assert!(time < Duration::from_secs(1) * SLOW, "{name}: {time:?}");
    }
}
