//! What a guard lets through, and what it tells.

#[path = "support/document.rs"]
mod document;

use document::{document, text_of};
use notes_core::wire::{ApplyError, Guard, TEXT, WireError, write_bytes, write_uint};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, Update};

/// Types, and returns the update.
fn insert(doc: &Doc, at: u32, what: &str) -> Vec<u8> {
    let before = doc.transact().state_vector();
    doc.get_or_insert_text(TEXT).insert(&mut doc.transact_mut(), at, what);
    doc.transact().encode_state_as_update_v1(&before)
}

fn apply(guard: &mut Guard, doc: &Doc, update: &[u8]) -> Vec<Vec<u8>> {
    let mut told = Vec::new();
    guard.apply(doc, update, "remote", |update| told.push(update)).expect("a sound update");
    told
}

#[test]
fn only_what_is_new_is_told() {
    let (theirs, ours, mut guard) = (document(7), document(1), Guard::new());
    let first = insert(&theirs, 0, "ab");
    assert_eq!(apply(&mut guard, &ours, &first), std::slice::from_ref(&first));
    assert!(apply(&mut guard, &ours, &first).is_empty(), "an echo");
    assert!(apply(&mut guard, &ours, &[0, 0]).is_empty(), "nothing");
    insert(&theirs, 2, "😀世");
    // The whole of it: the part that is known is cut off, within a block.
    let all = theirs.transact().encode_state_as_update_v1(&StateVector::default());
    let told = apply(&mut guard, &ours, &all);
    assert_eq!(text_of(&ours), "ab😀世");
    assert_eq!(told.len(), 1);
    let lower = Update::decode_v1(&told[0]).unwrap().state_vector_lower();
    assert_eq!(lower.get(&ClientID::new(7)), 2);
}

#[test]
fn what_was_done_here_is_learned_or_found() {
    for told_of_it in [true, false] {
        let (theirs, ours, mut guard) = (document(7), document(1), Guard::new());
        apply(&mut guard, &ours, &insert(&theirs, 0, "x"));
        let mine = insert(&ours, 1, "mine 世");
        if told_of_it {
            guard.learn(&mine);
        }
        theirs.transact_mut().apply_update(Update::decode_v1(&mine).unwrap()).unwrap();
        let on_it = insert(&theirs, 6, "😀");
        assert_eq!(apply(&mut guard, &ours, &on_it).len(), 1, "{told_of_it}");
        assert!(!guard.is_waiting());
        assert_eq!(text_of(&ours), "xmine 😀世");
        // Its own come back, from somewhere.
        assert!(apply(&mut guard, &ours, &mine).is_empty());
    }
}

#[test]
fn what_comes_too_early_waits_and_not_in_the_document() {
    let (theirs, ours, mut guard) = (document(7), document(1), Guard::new());
    let updates: Vec<_> = (0..5).map(|n| insert(&theirs, n, "x")).collect();
    for update in updates[1..].iter().rev() {
        assert!(apply(&mut guard, &ours, update).is_empty());
    }
    assert!(guard.is_waiting() && !ours.transact().has_missing_updates());
    assert_eq!(apply(&mut guard, &ours, &updates[0]).len(), 5);
    assert!(!guard.is_waiting());
    assert_eq!(text_of(&ours), "xxxxx");
    // A deletion of what is not there waits as well.
    let more = insert(&theirs, 0, "yy");
    let before = theirs.transact().state_vector();
    theirs.get_or_insert_text(TEXT).remove_range(&mut theirs.transact_mut(), 0, 1);
    let deletion = theirs.transact().encode_state_as_update_v1(&before);
    apply(&mut guard, &ours, &deletion);
    assert_eq!(text_of(&ours), "xxxxx");
    apply(&mut guard, &ours, &more);
    assert_eq!(text_of(&ours), "yxxxxx");
    assert!(!guard.is_waiting());
}

#[test]
fn what_waits_is_bounded() {
    let (ours, mut guard) = (document(1), Guard::new());
    let theirs = document(7);
    insert(&theirs, 0, "first");
    let late = insert(&theirs, 5, &"x".repeat(900_000));
    for _ in 0..3 {
        apply(&mut guard, &ours, &late);
    }
    assert!(guard.is_waiting());
    for _ in 0..2 {
        apply(&mut guard, &ours, &late);
    }
    // They were dropped: the next sync brings all of it.
    let all = theirs.transact().encode_state_as_update_v1(&StateVector::default());
    apply(&mut guard, &ours, &all);
    assert_eq!(text_of(&ours).len(), 900_005);
}

/// One block: client 8, clock 0.
fn block(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![1, 1, 8, 0];
    write(&mut out);
    out.push(0);
    out
}

#[test]
fn what_contradicts_the_document_is_refused_and_changes_nothing() {
    let beside = |flags: u8, ids: &'static [(u64, u64)]| {
        block(move |out| {
            out.push(4 | flags);
            for (client, clock) in ids {
                write_uint(out, *client);
                write_uint(out, *clock);
            }
            write_bytes(out, b"x");
        })
    };
    let root = |kind: u8, name: &'static str, content: &'static [u8]| {
        block(move |out| {
            out.extend([kind, 1]);
            write_bytes(out, name.as_bytes());
            out.extend(content);
        })
    };
    let table = [
        ("behind half an emoji", beside(0x80, &[(7, 1)]), WireError::Refused),
        ("before half an emoji", beside(0x40, &[(7, 2)]), WireError::Refused),
        ("between two texts", beside(0xc0, &[(7, 0), (9, 0)]), WireError::Refused),
        ("deletes half an emoji", vec![0, 1, 7, 1, 2, 1], WireError::Refused),
        ("a nested type", root(7, TEXT, &[2]), WireError::Unknown(7)),
        ("an entry of a map", root(0x28, TEXT, b"\x01k\x01\x7e"), WireError::Unknown(0x28)),
        ("a document in it", root(9, TEXT, b"\x01a\x7e"), WireError::Unknown(9)),
        ("binary", root(3, TEXT, b"\x01a"), WireError::Unknown(3)),
        ("a string as an object", root(5, TEXT, b"\x03\"a\""), WireError::Unknown(5)),
        ("a long name", root(4, "n".repeat(300).leak(), b"\x01a"), WireError::TooBig(256)),
    ];
    for (name, update, expected) in table {
        let (theirs, other, ours, mut guard) =
            (document(7), Doc::with_client_id(9), document(1), Guard::new());
        apply(&mut guard, &ours, &insert(&theirs, 0, "a😀"));
        other.get_or_insert_text("other").insert(&mut other.transact_mut(), 0, "o");
        apply(&mut guard, &ours, &other.transact().encode_state_as_update_v1(&StateVector::default()));
        let before = ours.transact().encode_state_as_update_v1(&StateVector::default());
        let result = guard.apply(&ours, &update, "remote", |_| panic!("{name}: told"));
        assert_eq!(result, Err(ApplyError::Invalid(expected)), "{name}");
        assert_eq!(ours.transact().encode_state_as_update_v1(&StateVector::default()), before, "{name}");
        // And the next sound one is taken.
        apply(&mut guard, &ours, &insert(&theirs, 5, "世"));
        assert_eq!(text_of(&ours), "a😀世", "{name}");
    }
}
