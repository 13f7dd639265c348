//! Several peers: any partition and any order, overflow, undo, input methods.

#[path = "support/random.rs"]
mod random;
mod support;

use notes_core::peer::{Peer, shift};
use notes_core::wire::{self, Message};
use proptest::prelude::*;
use random::{Random, WORDS};
use support::{Room, user};

/// One edit at any byte offset, good or bad; the peer must have done exactly what a String does, or nothing.
fn any_edit(random: &mut Random, peer: &mut Peer) {
    let mut model = peer.text().to_owned();
    let at = random.below(model.len() + 3);
    let end = at + random.below(9);
    match random.below(4) {
        0 => {
            let done = peer.delete(at..end);
            assert_eq!(done, end > at && model.get(at..end).is_some());
            if done {
                model.replace_range(at..end, "");
            }
        }
        1 => {
            let word = random.pick(&WORDS);
            let took = peer.replace(at..end, word);
            if model.get(at..end).is_some() {
                assert_eq!(took, word.len());
                model.replace_range(at..end, word);
            } else {
                assert_eq!(took, 0);
            }
        }
        _ => {
            let word = random.pick(&WORDS);
            let took = peer.insert(at, word);
            if model.is_char_boundary(at) {
                assert_eq!(took, word.len());
                model.insert_str(at, word);
            } else {
                assert_eq!(took, 0);
            }
        }
    }
    assert_eq!(peer.text(), model);
}

fn assert_converged(room: &mut Room) {
    let text = room.text();
    for n in 0..room.seats.len() {
        assert_eq!(room.peer(n).text(), text, "peer {n}");
        // No emoji was taken apart: a half of one is shown as this (it is typed, whole, by one of the words).
        assert!(!text.contains("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_offset_does_what_a_string_does_or_nothing(seed: u64) {
        let mut random = Random(seed);
        let mut room = Room::new(1);
        for _ in 0..60 {
            any_edit(&mut random, room.peer(0));
        }
        room.settle();
        assert_converged(&mut room);
    }

    #[test]
    fn three_peers_converge_whatever_is_cut_and_whoever_is_first(seed: u64) {
        let mut random = Random(seed);
        let mut room = Room::new(3);
        for _ in 0..80 {
            let n = random.below(3);
            match random.below(10) {
                0 => room.cut(n),
                1 => room.connect(n),
                2 | 3 => drop(room.send(n)),
                4..=6 => {
                    // The caret moves by the edits exactly as the text does: what stands before it or after it stays.
                    let before = room.peer(n).text().to_owned();
                    let caret = before.floor_char_boundary(random.below(before.len() + 1));
                    if let Some(edits) = room.receive(n) {
                        let mut text = before;
                        for edit in &edits {
                            text.replace_range(edit.range(), &edit.inserted);
                        }
                        prop_assert_eq!(room.peer(n).text(), text.as_str());
                        prop_assert!(text.is_char_boundary(shift(caret, &edits)));
                    }
                }
                7 => drop(room.peer(n).undo()),
                8 => drop(room.peer(n).redo()),
                _ => any_edit(&mut random, room.peer(n)),
            }
        }
        (0..3).for_each(|n| room.connect(n));
        room.settle();
        assert_converged(&mut room);
    }

    #[test]
    fn a_full_channel_loses_nothing(seed: u64) {
        let mut random = Random(seed);
        let mut room = Room::new(2);
        let mut resyncs = 0;
        for _ in 0..40 {
            let n = random.below(2);
            (0..random.below(8)).for_each(|_| any_edit(&mut random, room.peer(n)));
            // The channel takes a few frames and is full then.
            let mut space = random.below(4);
            let mut frames = Vec::new();
            let now_ms = room.now_ms;
            room.peer(n).outgoing(now_ms, |frame| {
                let took = space > 0;
                if took {
                    space -= 1;
                    frames.push(frame);
                }
                took
            });
            resyncs += usize::from(room.peer(n).must_resync());
            frames.iter().for_each(|frame| room.take_in(n, frame));
            room.receive(n);
            room.now_ms += 40;
        }
        prop_assert!(resyncs > 0);
        room.settle();
        assert_converged(&mut room);
        prop_assert!(!room.peer(0).must_resync());
    }

    #[test]
    fn an_input_method_among_others(seed: u64) {
        let mut random = Random(seed);
        let mut room = Room::new(2);
        for _ in 0..40 {
            let peer = room.peer(0);
            match random.below(8) {
                0 => peer.compose_begin(),
                1 => drop(peer.compose_commit()),
                2 => drop(peer.compose_cancel()),
                3 | 4 => any_edit(&mut random, peer),
                5 => any_edit(&mut random, room.peer(1)),
                _ => {
                    (0..2).for_each(|n| {
                        room.send(n);
                    });
                    (0..2).for_each(|n| while room.receive(n).is_some() {});
                }
            }
        }
        room.peer(0).compose_commit();
        room.settle();
        assert_converged(&mut room);
    }
}

/// Updates only, not presence.
fn updates(frames: &[Vec<u8>]) -> usize {
    let is_update = |frame: &&Vec<u8>| matches!(wire::decode(frame), Ok(Message::Update(update) | Message::SyncStep2(update)) if update.len() > 2);
    frames.iter().filter(is_update).count()
}

#[test]
fn overflow_ends_in_one_difference() {
    let mut room = Room::new(1);
    let peer = room.peer(0);
    for n in 0..1000 {
        peer.insert(peer.text().len(), ["a", "世", "😀"][n % 3]);
        peer.outgoing(5000, |_| false);
    }
    assert!(peer.must_resync());
    let mut frames = Vec::new();
    peer.outgoing(5000, |frame| {
        frames.push(frame);
        true
    });
    assert_eq!(updates(&frames), 1);
    frames.iter().for_each(|frame| room.take_in(0, frame));
    assert_eq!(room.text(), room.seats[0].peer.text());
    // And what was never handed over at all is bounded too.
    let peer = room.peer(0);
    for n in 0..1000 {
        peer.insert(n % 2, "x");
    }
    let mut frames = Vec::new();
    peer.outgoing(9000, |frame| {
        frames.push(frame);
        true
    });
    assert!(updates(&frames) <= 256, "{}", updates(&frames));
    frames.iter().for_each(|frame| room.take_in(0, frame));
    assert_eq!(room.text(), room.seats[0].peer.text());
}

#[test]
fn undo_is_of_ones_own_across_a_reconnect() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "mine. ");
    room.settle();
    room.peer(1).insert(6, "yours. ");
    room.settle();
    room.cut(0);
    room.now_ms += 5000;
    let now_ms = room.now_ms;
    room.peer(0).tick(now_ms);
    room.peer(0).insert(6, "offline 世界. ");
    room.send(0);
    room.peer(1).insert(13, "later. ");
    room.settle();
    room.connect(0);
    room.settle();
    assert_converged(&mut room);
    let all = room.text();
    for part in ["mine. ", "offline 世界. ", "yours. ", "later. "] {
        assert!(all.contains(part), "{all}");
    }
    let edits = room.peer(0).undo();
    assert_eq!(edits.len(), 1);
    assert_eq!(room.peer(0).text(), all.replace("offline 世界. ", ""));
    assert!(!room.peer(0).undo().is_empty());
    room.settle();
    assert_eq!(room.text(), "yours. later. ");
    assert!(room.peer(0).undo().is_empty() && !room.peer(0).can_undo());
    assert!(!room.peer(0).redo().is_empty());
    assert!(!room.peer(0).redo().is_empty());
    assert!(room.peer(0).redo().is_empty());
    room.settle();
    assert_eq!(room.text().len(), all.len());
    assert_converged(&mut room);
}

#[test]
fn undo_steps_are_what_one_typed_in_one_go() {
    let mut peer = Peer::with_client(user(0), 9);
    let mut now_ms = 1000;
    let mut type_at = |peer: &mut Peer, at: usize, text: &str| {
        let mut at = at;
        for letter in text.chars() {
            now_ms += 100;
            peer.tick(now_ms);
            at += peer.insert(at, letter.encode_utf8(&mut [0; 4]));
        }
    };
    type_at(&mut peer, 0, "你好 hello");
    type_at(&mut peer, 0, "x");
    let end = peer.text().len();
    peer.replace(0..end, "pasted **text**");
    type_at(&mut peer, 15, "abc");
    let mut steps = Vec::new();
    while !peer.undo().is_empty() {
        steps.push(peer.text().to_owned());
    }
    assert_eq!(steps, ["pasted **text**", "x你好 hello", "你好 hello", ""]);
    // After a pause, another step.
    type_at(&mut peer, 0, "ab");
    now_ms += 1000;
    peer.tick(now_ms);
    peer.insert(2, "c");
    peer.undo();
    assert_eq!(peer.text(), "ab");
}

#[test]
fn an_input_method_sends_once_and_others_wait() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "start end");
    room.settle();
    room.seats[0].sent.clear();

    // "ni" is shown, then "nih", then "你好" is taken.
    let peer = room.peer(0);
    peer.compose_begin();
    peer.insert(6, "ni");
    peer.select(Some((8, 8)));
    peer.delete(6..8);
    peer.insert(6, "nih");
    peer.select(Some((9, 9)));
    room.peer(1).insert(0, "其他 ");
    room.peer(1).select(Some((16, 16)));
    room.settle();
    assert_eq!(room.peer(0).text(), "start nihend", "what others did waits");
    assert_eq!(room.text(), "其他 start end", "nothing was sent");
    assert_eq!(updates(&room.seats[0].sent), 0);
    let caret = &room.peer(0).carets()[0];
    assert_eq!(caret.head, 9 + 3, "at the end of theirs, which is behind the composed letters");

    let peer = room.peer(0);
    peer.delete(6..9);
    peer.insert(6, "你好");
    let edits = peer.compose_commit();
    assert_eq!(peer.text(), "其他 start 你好end");
    assert_eq!(shift(12, &edits), 19, "the caret, behind what was composed");
    room.settle();
    assert_eq!(updates(&room.seats[0].sent), 1, "one update");
    assert_eq!(room.text(), "其他 start 你好end");
    assert_converged(&mut room);
    room.peer(0).undo();
    assert_eq!(room.peer(0).text(), "其他 start end", "and one undo step");
}

#[test]
fn an_input_method_that_gives_up_sends_nothing() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "a世b");
    room.settle();
    room.seats[0].sent.clear();
    let peer = room.peer(0);
    peer.compose_begin();
    // Over a selection: it is taken out first.
    peer.delete(1..4);
    peer.insert(1, "shi");
    room.peer(1).insert(5, "!");
    room.settle();
    let edits = room.peer(0).compose_cancel();
    assert_eq!(room.peer(0).text(), "a世b!");
    assert_eq!(edits.len(), 2, "{edits:?}");
    room.settle();
    assert_eq!(updates(&room.seats[0].sent), 0);
    assert_converged(&mut room);
    // The same text again is no change either.
    let peer = room.peer(0);
    peer.compose_begin();
    peer.delete(1..4);
    peer.insert(1, "世");
    peer.compose_commit();
    room.settle();
    assert_eq!(updates(&room.seats[0].sent), 0);
}

#[test]
fn while_composing_a_flood_is_not_kept_but_asked_for_again() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "x");
    room.settle();
    room.peer(0).compose_begin();
    room.peer(0).insert(1, "ni");
    for _ in 0..12 {
        room.peer(1).insert(0, &"世".repeat(160_000));
        room.settle();
    }
    assert_eq!(room.peer(0).text(), "xni");
    room.peer(0).compose_cancel();
    room.settle();
    assert_converged(&mut room);
    assert_eq!(room.text().len(), 12 * 480_000 + 1);
}

#[test]
fn a_paste_is_one_undo_step_however_large() {
    let mut room = Room::new(2);
    room.seats[0].sent.clear();
    let paste = "心跳 ping/pong 每 30 秒一次。\n".repeat(40_000);
    assert_eq!(room.peer(0).insert(0, &paste), paste.len());
    room.settle();
    assert_eq!(updates(&room.seats[0].sent), paste.len().div_ceil(512 << 10));
    assert_converged(&mut room);
    assert_eq!(room.peer(0).undo().len(), 1);
    assert_eq!(room.peer(0).text(), "");
    room.peer(0).redo();
    room.settle();
    assert_converged(&mut room);
    assert_eq!(room.text(), paste);
    // A note has an end.
    assert_eq!(room.peer(0).insert(0, &"x".repeat(8 << 20)), 0);
}

#[test]
fn one_who_writes_under_our_name_does_not_stop_us() {
    let mut room = Room::new(1);
    room.peer(0).insert(0, "ours ");
    room.settle();
    let ours = room.peer(0).client();
    // Another peer has taken the same identifier, and was there before.
    let mut other = Peer::with_client(user(1), ours);
    other.insert(0, "a much longer text of theirs");
    let mut frames = Vec::new();
    other.outgoing(1, |frame| {
        frames.push(frame);
        true
    });
    for frame in frames.iter().filter(|frame| updates(std::slice::from_ref(frame)) == 1) {
        room.take_in(0, frame);
    }
    room.settle();
    assert_ne!(room.peer(0).client(), ours);
    room.peer(0).insert(0, "世");
    room.settle();
    assert_converged(&mut room);
    assert!(room.text().starts_with("世ours "), "{}", room.text());
    let mut late = Room::new(0);
    std::mem::swap(&mut late, &mut room);
    assert_eq!(late.table.clients().count(), 1, "the former one has gone");
}

/// Rich text, as other editors of the same room may write it: what is no text is not shown, and offsets hold.
#[test]
fn embedded_objects_between_the_letters_do_not_shift_them() {
    use yrs::{Any, Doc, GetString, ReadTxn, Text, Transact};
    let rich = Doc::with_client_id(50);
    let text = rich.get_or_insert_text(wire::TEXT);
    text.insert(&mut rich.transact_mut(), 0, "ab世");
    text.insert_embed(
        &mut rich.transact_mut(),
        1,
        Any::from(std::collections::HashMap::from([("image".to_owned(), Any::from("x.png"))])),
    );
    let update = rich.transact().encode_state_as_update_v1(&yrs::StateVector::default());
    let mut room = Room::new(1);
    room.take_in(0, &wire::update(&update));
    room.settle();
    assert_eq!(room.peer(0).text(), "ab世");
    room.peer(0).insert(2, "x");
    room.peer(0).delete(0..1);
    room.peer(0).insert(5, "!");
    room.settle();
    assert_eq!(room.peer(0).text(), "bx世!");
    assert_eq!(room.text(), "bx世!");
    let all = room.doc.transact().encode_state_as_update_v1(&rich.transact().state_vector());
    wire::apply_hostile(&rich, &all, "x").unwrap();
    assert_eq!(text.get_string(&rich.transact()), "bx世!");
    assert_eq!(text.len(&rich.transact()) as usize, "bx世!".len() + 1, "the picture is still there");
}
