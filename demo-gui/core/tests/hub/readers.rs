//! Guests who may only read.

use notes_core::link::{Command, NoteId, Refusal, Status};
use notes_core::wire::{self, AwarenessEntry, Message};
use tempfile::tempdir;

use crate::desk::{Desk, until};
use crate::guest::Guest;
use crate::sharing::{free_port, is_live, update_of};

#[test]
fn a_reader_reads() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut host, mut guest) = (Desk::new("a", here.path()), Desk::new("b", there.path()));
    let note = host.create("shared", "text");
    let card = host.share(&note);
    // He is told so, and a sync without anything new is no edit.
    let reader = Guest::by_link(&card.read);
    reader.until(|message| matches!(message, Message::Auth(_)).then_some(()));
    let all = reader.all();
    reader.send(&wire::step2(&all));
    reader.send(&wire::awareness(&[AwarenessEntry {
        client: 5,
        clock: 1,
        state: r#"{"user":{"name":"r"}}"#,
    }]));
    until(&mut [&mut host], |desks| desks[0].peers[&note].people().len() == 1);
    reader.send(&wire::update(&update_of("forbidden", 77)));
    assert_eq!(reader.closed().0, 4403);
    let joined = guest.join(&card.read);
    until(&mut [&mut host, &mut guest], |desks| desks[1].text(&joined) == "text");
    host.type_in(&note, "!");
    until(&mut [&mut host, &mut guest], |desks| desks[1].text(&joined) == "text!");
    guest.type_in(&joined, "no");
    let refused = Status::Refused(Refusal::Forbidden);
    until(&mut [&mut host, &mut guest], |desks| desks[1].status(&joined) == Some(&refused));
    assert_eq!(host.text(&note), "text!");
}

#[test]
fn a_guest_is_told_that_it_only_reads() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let listen = Some(format!("127.0.0.1:{}", free_port()).parse().unwrap());
    let open_host = |host: &mut Desk, note: &NoteId| {
        host.ask(Command::Share { note: note.clone(), listen });
        until(&mut [host], |desks| desks[0].cards.contains_key(note));
        host.cards[note].clone()
    };
    let (mut host, mut guest) = (Desk::new("a", here.path()), Desk::new("b", there.path()));
    let note = host.create("shared", "text");
    let card = open_host(&mut host, &note);
    assert_eq!(host.read_only.get(&note), Some(&false));
    let joined = guest.join(&card.read);
    let knows = |desk: &Desk, read_only| desk.read_only.get(&joined) == Some(&read_only);
    until(&mut [&mut host, &mut guest], |desks| is_live(desks[1], &joined) && knows(desks[1], true));
    // It is told again whenever the note opens, also when the program has started anew and the host is away.
    guest.read_only.clear();
    guest.ask(Command::Close(joined.clone()));
    guest.open(&joined);
    until(&mut [&mut guest], |desks| knows(desks[0], true));
    drop(host);
    drop(guest);
    let mut guest = Desk::new("b", there.path());
    guest.open(&joined);
    until(&mut [&mut guest], |desks| desks[0].text(&joined) == "text" && knows(desks[0], true));
    assert!(!is_live(&guest, &joined));
    // The other link lets it write, and that the host takes.
    let mut host = Desk::new("a", here.path());
    host.open(&note);
    open_host(&mut host, &note);
    assert_eq!(guest.join(&card.edit), joined);
    // The note is opened anew: typing behind its text means to wait for that.
    until(&mut [&mut host, &mut guest], |desks| {
        is_live(desks[1], &joined) && knows(desks[1], false) && desks[1].text(&joined) == "text"
    });
    guest.type_in(&joined, "!");
    until(&mut [&mut host, &mut guest], |desks| desks[0].text(&note) == "text!");
    // One's own text is one's own.
    guest.join(&card.read);
    until(&mut [&mut host, &mut guest], |desks| knows(desks[1], true));
    guest.ask(Command::Leave(joined.clone()));
    until(&mut [&mut guest], |desks| knows(desks[0], false));
}
