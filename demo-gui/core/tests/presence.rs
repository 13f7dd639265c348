//! Awareness: exact cursors, renewal, expiry, at most 30 messages a second.

mod support;

use notes_core::peer::Peer;
use notes_core::wire::{self, AwarenessEntry, AwarenessTable, Color, EXPIRY_MS, Message, RENEWAL_MS, User};
use support::{Room, user};

fn frames(peer: &mut Peer, now_ms: u64) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    peer.tick(now_ms);
    peer.outgoing(now_ms, |frame| {
        frames.push(frame);
        true
    });
    frames
}

/// The states in these frames: client, clock, JSON.
fn states(frames: &[Vec<u8>]) -> Vec<(u64, u32, String)> {
    let entries = |frame: &Vec<u8>| match wire::decode(frame) {
        Ok(Message::Awareness(entries)) => {
            entries.iter().map(|entry| (entry.client, entry.clock, entry.state.to_owned())).collect()
        }
        _ => Vec::new(),
    };
    frames.iter().flat_map(entries).collect()
}

fn state(peer: &mut Peer, now_ms: u64) -> String {
    states(&frames(peer, now_ms)).pop().expect("a state").2
}

#[test]
fn the_cursor_is_as_yjs_writes_it() {
    let mut peer = Peer::with_client(User { name: "小明".into(), color: Color([0x30, 0xbc, 0xed]) }, 7);
    let head = r##"{"cursor":"##;
    let tail = r##","user":{"color":"#30bced","colorLight":"#cceffb","name":"小明"}}"##;
    let at = |clock: u32| {
        format!(r#"{{"assoc":0,"item":{{"client":7,"clock":{clock}}},"tname":null,"type":null}}"#)
    };
    let end = r#"{"assoc":0,"item":null,"tname":"content","type":null}"#;
    let cursor = |anchor: &str, caret: &str| format!(r#"{head}{{"anchor":{anchor},"head":{caret}}}{tail}"#);

    assert_eq!(state(&mut peer, 1000), format!("{head}null{tail}"));
    peer.select(Some((0, 0)));
    assert_eq!(state(&mut peer, 2000), cursor(end, end), "the beginning of an empty text is its end");
    // Clocks count UTF-16 units, offsets bytes.
    peer.insert(0, "a😀世");
    for (n, (offset, clock)) in [(0, 0), (1, 1), (5, 3)].into_iter().enumerate() {
        peer.select(Some((offset, offset)));
        assert_eq!(state(&mut peer, 3000 + n as u64 * 100), cursor(&at(clock), &at(clock)), "{offset}");
    }
    peer.select(Some((5, 8)));
    assert_eq!(state(&mut peer, 4000), cursor(&at(3), end), "the caret at the end of the text");
    peer.select(Some((8, 1)));
    assert_eq!(state(&mut peer, 5000), cursor(end, &at(1)), "backwards");
    // Not a boundary: never within a character.
    peer.select(Some((3, 7)));
    assert_eq!(state(&mut peer, 6000), cursor(&at(1), &at(3)));
    peer.select(None);
    assert_eq!(state(&mut peer, 7000), format!("{head}null{tail}"));
    peer.react("🎉 好");
    assert_eq!(state(&mut peer, 8000), format!(r#"{head}null,"reaction":{{"id":1,"text":"🎉 好"}}{tail}"#));
    assert_eq!(state(&mut peer, 13_000), format!("{head}null{tail}"), "after five seconds");
}

#[test]
fn cursors_of_others_are_read_in_every_form() {
    let mut room = Room::new(1);
    room.peer(0).insert(0, "a😀世b");
    room.settle();
    let id = |clock: u32| format!(r#"{{"client":100,"clock":{clock}}}"#);
    let full = |clock| format!(r#"{{"type":null,"tname":null,"item":{},"assoc":0}}"#, id(clock));
    let table = [
        (full(0), Some(0)),
        (full(1), Some(1)),
        // Half of an emoji.
        (full(2), Some(5)),
        (full(3), Some(5)),
        (format!(r#"{{"item":{}}}"#, id(4)), Some(8)),
        (format!(r#"{{"item":{},"assoc":-1}}"#, id(3)), Some(8)),
        (r#"{"tname":"content"}"#.to_owned(), Some(9)),
        (r#"{"type":null,"tname":"content","item":null,"assoc":-1}"#.to_owned(), Some(0)),
        // Not in our text, or nowhere.
        (r#"{"tname":"other"}"#.to_owned(), None),
        (full(99), None),
        (r#"{"item":{"client":-1,"clock":0}}"#.to_owned(), None),
        (r#"{"item":{"client":9007199254740992,"clock":0}}"#.to_owned(), None),
        (r#"{"type":{"client":100,"clock":0}}"#.to_owned(), None),
        ("{}".to_owned(), None),
        ("7".to_owned(), None),
    ];
    for (clock, (position, expected)) in table.into_iter().enumerate() {
        let json = format!(r#"{{"user":{{"name":"x"}},"cursor":{{"anchor":{position},"head":{position}}}}}"#);
        let entry = AwarenessEntry { client: 555, clock: clock as u32 + 1, state: &json };
        let now_ms = room.now_ms;
        room.peer(0).receive(&wire::awareness(&[entry]), now_ms).unwrap();
        assert_eq!(room.peer(0).carets().first().map(|caret| caret.head), expected, "{position}");
        assert_eq!(room.peer(0).people().len(), 1);
    }
}

#[test]
fn carets_go_with_the_text() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "一二三");
    room.settle();
    room.peer(0).select(Some((3, 9)));
    room.settle();
    let caret = |room: &mut Room| {
        let carets = room.peer(1).carets();
        (carets[0].anchor, carets[0].head)
    };
    assert_eq!(caret(&mut room), (3, 9));
    // Before the update of the caret's owner comes, the text that it types moves it.
    room.peer(1).insert(0, "xy");
    assert_eq!(caret(&mut room), (5, 11));
    room.peer(1).insert(11, "end");
    assert_eq!(caret(&mut room), (5, 14));
    room.peer(1).delete(2..8);
    assert_eq!(caret(&mut room), (2, 8));
    room.settle();
    assert_eq!(
        room.peer(0).selection(),
        Some((2, 5)),
        "it stays in front of what others put there, and says so"
    );
    assert_eq!(caret(&mut room), (2, 5));
    // A caret may come before the text that it stands in.
    room.peer(0).insert(5, "late");
    room.peer(0).select(Some((7, 7)));
    let mut sent = frames(room.peer(0), 90_000);
    sent.reverse();
    sent.iter().for_each(|frame| drop(room.peer(1).receive(frame, 90_000).unwrap()));
    assert_eq!(caret(&mut room), (7, 7));
}

#[test]
fn a_state_is_renewed_every_fifteen_seconds_and_not_before() {
    let mut peer = Peer::with_client(user(0), 7);
    assert_eq!(states(&frames(&mut peer, 1000)), [(7, 1, state_of(0))]);
    assert_eq!(peer.next_tick_ms(), 1000 + RENEWAL_MS);
    for now_ms in (1001..1000 + RENEWAL_MS).step_by(500) {
        assert!(frames(&mut peer, now_ms).is_empty(), "{now_ms}");
    }
    assert_eq!(states(&frames(&mut peer, 1000 + RENEWAL_MS)), [(7, 2, state_of(0))]);
    assert!(frames(&mut peer, 1001 + RENEWAL_MS).is_empty());
    // The machine slept, the clock jumped: once is enough.
    assert_eq!(states(&frames(&mut peer, 3_600_000)).len(), 1);
    assert!(frames(&mut peer, 3_600_001).is_empty());
}

fn state_of(n: usize) -> String {
    format!(r##"{{"cursor":null,"user":{{"color":"#0{n}0000","colorLight":"#c0c0c0","name":"peer {n}"}}}}"##)
}

#[test]
fn presence_goes_out_thirty_times_a_second_at_most() {
    let mut peer = Peer::with_client(user(0), 7);
    peer.insert(0, &"x".repeat(2000));
    let mut sent = 0;
    for now_ms in 10_000..11_000 {
        peer.select(Some((now_ms as usize - 10_000, 0)));
        sent += states(&frames(&mut peer, now_ms)).len();
    }
    assert!((25..=31).contains(&sent), "{sent}");
    // The last one is not lost.
    assert!(peer.next_tick_ms() <= 11_033, "{}", peer.next_tick_ms());
    let last = states(&frames(&mut peer, 11_040)).pop().unwrap().2;
    assert!(last.contains(r#""clock":999"#), "{last}");
    assert!(frames(&mut peer, 11_500).is_empty());
}

#[test]
fn those_of_whom_nothing_is_heard_go_after_thirty_seconds() {
    let mut room = Room::new(2);
    let heard = room.now_ms;
    assert_eq!(room.peer(0).people().len(), 1);
    // Peer 1 says nothing any more, and the connection stays.
    let now_ms = heard + EXPIRY_MS - 100;
    room.peer(0).tick(now_ms);
    assert_eq!(room.peer(0).people().len(), 1);
    assert!(room.peer(0).next_tick_ms() <= now_ms + 100);
    room.peer(0).tick(heard + EXPIRY_MS);
    assert!(room.peer(0).people().is_empty());
    // It is heard again: it is back.
    room.now_ms = heard + EXPIRY_MS + 5000;
    room.settle();
    assert_eq!(room.peer(0).people()[0].name, "peer 1");
}

#[test]
fn a_hub_says_that_somebody_has_gone_and_we_say_that_we_have_not() {
    let mut room = Room::new(2);
    room.cut(1);
    room.settle();
    assert!(room.peer(0).people().is_empty());
    // The hub takes us for gone: our connection was cut, and is back before we noticed.
    let ours = room.peer(0).client();
    let gone = room.table.remove([ours], room.now_ms).expect("we were there");
    let now_ms = room.now_ms;
    room.peer(0).receive(&gone, now_ms).unwrap();
    room.settle();
    assert!(room.table.state(ours).is_some_and(|state| state.contains("peer 0")));
    room.connect(1);
    room.settle();
    assert_eq!(room.peer(0).people()[0].name, "peer 1");
    assert_eq!(room.peer(1).people()[0].name, "peer 0");
    // We leave.
    let farewell = room.peer(0).farewell();
    room.take_in(0, &farewell);
    while room.receive(1).is_some() {}
    assert!(room.peer(1).people().is_empty());
}

#[test]
fn reactions_are_shown_once_each() {
    let mut room = Room::new(2);
    for _ in 0..3 {
        assert!(room.peer(0).react("👍"));
        room.settle();
    }
    room.now_ms += 2000;
    room.peer(0).select(Some((0, 0)));
    room.settle();
    let thrown = room.peer(1).reactions();
    assert_eq!(thrown.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["👍"; 3]);
    assert!(!room.peer(0).react("\u{200b}\n"));
    assert!(room.peer(0).react(&"好".repeat(100)));
    room.settle();
    assert_eq!(room.peer(1).reactions()[0].text, "好".repeat(32));
}

#[test]
fn the_rules_of_a_table_are_those_of_y_protocols() {
    let mut table = AwarenessTable::new();
    let entry = |client, clock, state| AwarenessEntry { client, clock, state };
    let ok = |table: &mut AwarenessTable, entries: &[AwarenessEntry<'_>], now_ms| {
        table.apply(entries, now_ms).unwrap()
    };
    assert_eq!(ok(&mut table, &[entry(1, 5, "{}")], 0).updated, [1]);
    assert!(ok(&mut table, &[entry(1, 5, r#"{"x":1}"#), entry(1, 4, "null")], 0).is_empty(), "not newer");
    assert_eq!(ok(&mut table, &[entry(1, 5, "null")], 0).removed, [1], "the same clock takes away");
    assert!(ok(&mut table, &[entry(1, 5, "{}")], 0).is_empty(), "late, and does not bring it back");
    assert_eq!(ok(&mut table, &[entry(1, 6, "{}")], 10).updated, [1]);
    assert!(ok(&mut table, &[entry(2, 1, "null")], 10).is_empty(), "nobody went");
    // What it says is what it heard, cleaned.
    let frame = table.frame([1, 2, 3]).unwrap();
    assert_eq!(states(&[frame]), [(1, 6, "{}".to_owned()), (2, 1, "null".to_owned())]);
    // One bad entry: nothing of the message is taken.
    assert!(table.apply(&[entry(1, 7, "{}"), entry(3, 1, "[]")], 10).is_err());
    assert_eq!((table.clock(1), table.state(3)), (Some(6), None));
    // Gone with its connection: null at the same clock, and back with the next.
    let gone = table.remove([1, 2], 20).unwrap();
    assert_eq!(states(&[gone]), [(1, 6, "null".to_owned())]);
    assert!(table.remove([1], 20).is_none());
    assert!(ok(&mut table, &[entry(1, 6, "{}")], 20).is_empty());
    assert_eq!(ok(&mut table, &[entry(1, 7, "{}")], 20).updated, [1]);
    // Expired at its clock: the next one brings it back.
    ok(&mut table, &[entry(4, 1, "{}")], 100);
    assert_eq!(table.next_expiry_ms(), Some(20 + EXPIRY_MS));
    assert_eq!(table.expire(20 + EXPIRY_MS), [1]);
    assert_eq!(table.next_expiry_ms(), Some(100 + EXPIRY_MS));
    assert!(table.expire(99 + EXPIRY_MS).is_empty());
    assert_eq!(table.expire(100 + EXPIRY_MS), [4]);
    assert_eq!(ok(&mut table, &[entry(4, 2, "{}")], 101 + EXPIRY_MS).updated, [4]);
    // Frames hold 64 at most.
    for n in 0..100 {
        ok(&mut table, &[entry(1000 + n, 1, "{}")], 200_000);
    }
    assert_eq!(
        table.frames().iter().map(|frame| states(std::slice::from_ref(frame)).len()).collect::<Vec<_>>(),
        [64, 37]
    );
}
