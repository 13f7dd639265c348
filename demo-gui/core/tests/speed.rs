//! A long note that many have written: what an edit costs, in this thread's time. A frame of the window is 8 ms.

#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;
mod support;

use std::time::Duration;

use measure::cpu_time;
use notes_core::peer::Peer;
use random::{Random, WORDS};
use support::Room;

const LINES: usize = 5000;
const EDITS: usize = 400;
const FRAME: Duration = Duration::from_millis(8);

/// 5,000 lines, and on top of them edits all over, so that the text is in very many pieces.
fn long_note(room: &mut Room, random: &mut Random) {
    let line = "- [ ] 心跳 ping/pong every 30 seconds, 每 30 秒一次 😀\n";
    room.peer(0).insert(0, &line.repeat(LINES));
    room.settle();
    for _ in 0..20 {
        for n in 0..2 {
            (0..100).for_each(|_| edit(random, room.peer(n)));
            room.send(n);
            (0..2).for_each(|n| while room.receive(n).is_some() {});
        }
    }
    room.settle();
}

fn edit(random: &mut Random, peer: &mut Peer) {
    let at = peer.text().floor_char_boundary(random.below(peer.text().len()));
    if random.chance(4) {
        let end = peer.text().ceil_char_boundary(at + 3);
        peer.delete(at..end);
    } else {
        peer.insert(at, random.pick(&WORDS));
    }
}

fn each(name: &str, mut run: impl FnMut()) -> Duration {
    let started = cpu_time();
    (0..EDITS).for_each(|_| run());
    let time = (cpu_time() - started) / EDITS as u32;
    println!("{name}: {time:?}");
    time
}

#[test]
fn edits_in_a_long_fragmented_note_stay_far_below_a_frame() {
    let _alone = measure::alone();
    let mut random = Random(5);
    let mut room = Room::new(2);
    long_note(&mut room, &mut random);
    println!("{} bytes, {} lines", room.text().len(), room.text().lines().count());

    let local = each("a local edit anywhere", || edit(&mut random, room.peer(0)));
    room.settle();
    let mut frames = Vec::new();
    for _ in 0..EDITS {
        edit(&mut random, room.peer(0));
        let now_ms = room.now_ms;
        room.peer(0).outgoing(now_ms, |frame| {
            frames.push(frame);
            true
        });
    }
    let mut next = frames.iter();
    let remote = each("a remote edit anywhere", || {
        if let Some(frame) = next.next() {
            room.seats[1].peer.receive(frame, 1).expect("a frame of ours");
        }
    });
    assert_eq!(room.seats[1].peer.text(), room.seats[0].peer.text());
    frames.iter().for_each(|frame| room.take_in(0, frame));
    room.settle();

    let mut now_ms = room.now_ms;
    let caret = each("a caret that moves, sent", || {
        now_ms += 50;
        let peer = &mut room.seats[0].peer;
        let at = random.below(peer.text().len());
        peer.select(Some((at, at)));
        peer.tick(now_ms);
        peer.outgoing(now_ms, |_| true);
        assert!(!peer.carets().is_empty() || peer.people().len() == 1);
    });
    let undo = each("undo of it", || {
        assert!(!room.seats[0].peer.undo().is_empty());
    });
    let started = cpu_time();
    let mut late = Room::new(0);
    std::mem::swap(&mut late.doc, &mut room.doc);
    late.seats.push(support::Seat::new(9));
    late.connect(0);
    late.settle();
    println!("the whole note, opened: {:?}", cpu_time() - started);
    assert!(late.peer(0).text().lines().count() > LINES - 500);

    // A build for tests takes some times as long; a failure is far from it.
    for (what, time) in [("local", local), ("remote", remote), ("caret", caret), ("undo", undo)] {
        assert!(time < FRAME, "{what}: {time:?}");
    }
}
