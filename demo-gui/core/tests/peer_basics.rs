//! One peer and another, frame by frame.

mod support;

use notes_core::wire::{Color, User};
use support::{Room, user};

#[test]
fn what_one_types_the_other_has() {
    let mut room = Room::new(2);
    assert_eq!(room.peer(0).insert(0, "Hello, 世界"), 13);
    room.settle();
    assert_eq!(room.peer(1).text(), "Hello, 世界");
    assert!(room.peer(1).delete(5..6));
    room.settle();
    assert_eq!(room.peer(0).text(), "Hello 世界");
}

#[test]
fn offsets_that_are_none_do_nothing() {
    let mut room = Room::new(1);
    let peer = room.peer(0);
    peer.insert(0, "a😀世");
    for at in [2, 3, 4, 6, 9, 100, usize::MAX] {
        assert_eq!(peer.insert(at, "x"), 0, "{at}");
        assert!(!peer.delete(at..at + usize::from(at < 100)), "{at}");
    }
    #[expect(clippy::reversed_empty_ranges)]
    let backwards = 5..1;
    assert!(!peer.delete(backwards));
    assert!(!peer.delete(0..0));
    assert_eq!(peer.text(), "a😀世");
    assert_eq!(peer.insert(1, "b\r\nc\rd"), 5);
    assert_eq!(peer.text(), "ab\nc\nd😀世");
}

#[test]
fn one_that_only_reads_changes_nothing_and_has_what_others_do() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "ab");
    room.settle();
    let peer = room.peer(0);
    peer.set_read_only(true);
    assert_eq!((peer.insert(1, "x"), peer.replace(0..1, "x"), peer.delete(0..1)), (0, 0, false));
    peer.replace_all("x");
    assert!(peer.undo().is_empty());
    peer.compose_begin();
    assert!(!peer.is_composing());
    room.peer(1).insert(2, "世");
    room.settle();
    assert_eq!(room.peer(0).text(), "ab世");
    assert_eq!(room.text(), "ab世");
    let peer = room.peer(0);
    peer.set_read_only(false);
    assert!(!peer.undo().is_empty());
    room.settle();
    assert_eq!(room.text(), "世");
}

#[test]
fn carets_reactions_and_names_arrive() {
    let mut room = Room::new(2);
    room.peer(0).insert(0, "ab😀世");
    room.settle();
    room.peer(0).select(Some((1, 6)));
    room.peer(0).react("🎉\u{202e}");
    room.peer(0).set_user(User { name: "小明\n".to_owned(), color: Color([1, 2, 3]) });
    room.settle();
    let caret = &room.peer(1).carets()[0];
    assert_eq!((caret.name.as_str(), caret.color, caret.anchor, caret.head), ("小明", [1, 2, 3], 1, 6));
    let thrown = room.peer(1).reactions();
    assert_eq!((thrown.len(), thrown[0].text.as_str(), thrown[0].at), (1, "🎉", Some(6)));
    assert!(room.peer(1).reactions().is_empty());
    assert_eq!(room.peer(0).reactions().len(), 1);
    assert_eq!(user(0).name, "peer 0");
}
