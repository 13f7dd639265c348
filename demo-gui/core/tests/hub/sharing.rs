//! Hosts and guests over loopback.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use notes_core::hub::{Hub, HubOptions};
use notes_core::link::{Command, Event, Failure, NoteId, Place, Refusal, ShareCard, Status};
use notes_core::wire::{self, AwarenessEntry, Message};
use tempfile::tempdir;
use ws::{ConnectOptions, Handler, ListenOptions, Loop, LoopOptions, Peer};
use yrs::{Doc, ReadTxn, StateVector, Text, Transact};

use crate::desk::{Desk, until};
use crate::guest::{Guest, Said};

pub fn is_live(desk: &Desk, note: &NoteId) -> bool {
    matches!(desk.status(note), Some(Status::Live { .. }))
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `ws://…/ws/<note>` of a card, and its token.
fn parts(card: &ShareCard) -> (String, String) {
    let target = notes_core::share::parse(&card.edit).unwrap();
    (target.url, card.edit.rsplit_once('.').unwrap().1.to_owned())
}

/// An update that puts a text into an empty note.
pub fn update_of(text: &str, client: u64) -> Vec<u8> {
    let doc = Doc::with_client_id(client);
    let content = doc.get_or_insert_text(wire::TEXT);
    content.insert(&mut doc.transact_mut(), 0, text);
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

#[test]
fn two_desks_write_one_note() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut host, mut guest) = (Desk::new("Ada", here.path()), Desk::new("小明", there.path()));
    let note = host.create("shared", "# Title\n");
    let card = host.share(&note);
    let joined = guest.join(&card.edit);
    until(&mut [&mut host, &mut guest], |desks| {
        desks[1].text(&joined) == "# Title\n" && is_live(desks[1], &joined)
    });
    host.type_in(&note, "你好");
    guest.type_in(&joined, "hello");
    until(&mut [&mut host, &mut guest], |desks| {
        desks[0].text(&note).len() == "# Title\n你好hello".len()
            && desks[0].text(&note) == desks[1].text(&joined)
    });
    host.peer(&note).select(Some((0, 2)));
    guest.peer(&joined).select(Some((1, 1)));
    until(&mut [&mut host, &mut guest], |desks| {
        let names =
            |desk: &Desk, note| desk.peers[note].carets().iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        names(desks[0], &note) == ["小明"] && names(desks[1], &joined) == ["Ada"]
    });
    until(&mut [&mut host, &mut guest], |desks| {
        desks.iter().all(|desk| desk.notes.iter().any(|line| line.title == "Title" && line.people == 1))
    });
    assert_eq!(host.status(&note), Some(&Status::Hosting { port: card.address.port() }));
    let place = |desk: &Desk| desk.notes.iter().find(|line| line.title == "Title").unwrap().place;
    assert_eq!((place(&host), place(&guest)), (Place::Hosted, Place::Joined));
    until(&mut [&mut host, &mut guest], |desks| {
        matches!(desks[1].status(&joined), Some(Status::Live { round_trip_ms: Some(_) }))
    });
    // One who closes the note is gone for the other.
    guest.peers.remove(&joined);
    guest.ask(Command::Close(joined.clone()));
    until(&mut [&mut host, &mut guest], |desks| {
        desks[0].peers[&note].people().is_empty() && desks[0].notes.iter().all(|line| line.people == 0)
    });
}

#[test]
fn sharing_ends_with_a_word() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut host, mut guest) = (Desk::new("a", here.path()), Desk::new("b", there.path()));
    let note = host.create("shared", "text");
    let card = host.share(&note);
    let joined = guest.join(&card.edit);
    until(&mut [&mut host, &mut guest], |desks| is_live(desks[1], &joined));
    host.ask(Command::Unshare(note.clone()));
    let refused = Status::Refused(Refusal::Unauthorised);
    until(&mut [&mut host, &mut guest], |desks| desks[1].status(&joined) == Some(&refused));
    until(&mut [&mut host], |desks| desks[0].status(&note) == Some(&Status::Device));
    // The text stays with the guest, who may go on alone.
    guest.type_in(&joined, "!");
    until(&mut [&mut guest], |desks| desks[0].text(&joined) == "text!");
    guest.ask(Command::Leave(joined.clone()));
    until(&mut [&mut guest], |desks| desks[0].status(&joined) == Some(&Status::Device));
    // New links; the old one is void.
    let again = host.share(&note);
    assert_ne!(again.edit, card.edit);
    let (url, _) = parts(&again);
    let old = format!("{url}?token={}", parts(&card).1);
    assert_eq!(Guest::dial(&old, ConnectOptions::default()).closed().0, 4401);
}

#[test]
fn nothing_listens_before_a_note_is_shared() {
    let folder = tempdir().unwrap();
    let port = free_port();
    let options = HubOptions { data: folder.path().to_owned(), markdown: None, port, wake: Box::new(|| {}) };
    let hub = Hub::start(options).unwrap();
    let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    let note = NoteId("n".into());
    let wait_for = |wanted: fn(&Event) -> bool| while !wanted(&hub.events.recv().unwrap()) {};
    hub.commands.send(Command::Create { note: note.clone(), text: "x".into() }).unwrap();
    wait_for(|event| matches!(event, Event::Notes(notes) if notes.len() == 2));
    assert!(!listens());
    hub.commands.send(Command::Share { note: note.clone(), listen: None }).unwrap();
    wait_for(|event| matches!(event, Event::Shared(..)));
    assert!(listens());
    hub.commands.send(Command::Unshare(note)).unwrap();
    wait_for(
        |event| matches!(event, Event::Notes(notes) if notes.iter().all(|line| line.place == Place::Device)),
    );
    assert!(!listens());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("n", "");
    desk.ask(Command::Share { note: note.clone(), listen: Some(address) });
    until(&mut [&mut desk], |desks| !desks[0].failures.is_empty());
    let Failure::Listen(said) = &desk.failures[0] else { panic!("{:?}", desk.failures) };
    assert!(said.contains(&address.to_string()), "{said}");
    desk.ask(Command::Share { note: NoteId("none".into()), listen: None });
    until(&mut [&mut desk], |desks| desks[0].failures.len() == 2);
    assert_eq!(desk.failures[1], Failure::NoSuchNote(NoteId("none".into())));
    desk.ask(Command::Join { link: "https://h/#a.b".into() });
    until(&mut [&mut desk], |desks| desks[0].failures.len() == 3);
    assert!(matches!(&desk.failures[2], Failure::Link(said) if said.contains("not supported yet")));
}

#[test]
fn who_has_no_token_stays_outside() {
    let folder = tempdir().unwrap();
    let mut host = Desk::new("a", folder.path());
    let (note, private) = (host.create("shared", "text"), host.create("private", "secret"));
    let card = host.share(&note);
    let (url, token) = parts(&card);
    let base = url.strip_suffix("/ws/shared").unwrap();
    let plain = ConnectOptions::default;
    assert!(!Guest::dial(&format!("{url}?token={token}"), plain()).opened().all().is_empty());
    for wrong in
        [String::new(), "?token=".into(), format!("?token={}", &token[1..]), format!("?token={token}x")]
    {
        let (code, reason) = Guest::dial(&format!("{url}{wrong}"), plain()).closed();
        assert_eq!((code, reason.contains("link")), (4401, true), "{wrong}");
    }
    // A note that is not shared is as little there as one that does not exist.
    for name in [&private.0, "nowhere"] {
        assert_eq!(Guest::dial(&format!("{base}/ws/{name}?token={token}"), plain()).closed().0, 4404);
    }
    for path in ["/", "/ws/", "/ws/../x", "/other"] {
        assert_eq!(Guest::dial(&format!("{base}{path}"), plain()).closed().1, "HTTP 404", "{path}");
    }
    let evil = ConnectOptions { origin: Some("http://evil.example".into()), ..plain() };
    assert_eq!(Guest::dial(&format!("{url}?token={token}"), evil).closed().1, "HTTP 403");
}

/// Closes everybody with one code, and counts them.
struct Closes(u16, Arc<AtomicUsize>);

impl Handler for Closes {
    fn on_open(&mut self, peer: Peer) {
        self.1.fetch_add(1, SeqCst);
        peer.close(self.0, "").unwrap();
    }
}

#[test]
fn a_refusal_is_final() {
    let expected = [
        (4401, Refusal::Unauthorised),
        (4403, Refusal::Forbidden),
        (4404, Refusal::NotFound),
        (1009, Refusal::TooBig),
        (4499, Refusal::Other(4499)),
    ];
    for (code, refusal) in expected {
        let attempts = Arc::new(AtomicUsize::new(0));
        let event_loop = Loop::new(LoopOptions::default()).unwrap();
        let closes = Closes(code, attempts.clone());
        let listener =
            event_loop.handle().listen("ws://127.0.0.1:0", closes, ListenOptions::default()).unwrap();
        event_loop.start().unwrap();
        let folder = tempdir().unwrap();
        let mut desk = Desk::new("a", folder.path());
        let note = desk.join(&format!("ws://127.0.0.1:{}/room", listener.port().unwrap()));
        until(&mut [&mut desk], |desks| desks[0].status(&note) == Some(&Status::Refused(refusal)));
        assert_eq!(attempts.load(SeqCst), 1, "{code}");
    }
}

#[test]
fn edits_made_apart_come_together() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let address = format!("127.0.0.1:{}", free_port());
    let listen = Some(address.parse().unwrap());
    let mut host = Desk::new("a", here.path());
    let mut guest = Desk::new("b", there.path());
    let note = host.create("shared", "");
    host.ask(Command::Share { note: note.clone(), listen });
    until(&mut [&mut host], |desks| desks[0].cards.contains_key(&note));
    let card = host.cards[&note].clone();
    let joined = guest.join(&card.edit);
    until(&mut [&mut host, &mut guest], |desks| is_live(desks[1], &joined));
    host.type_in(&note, "together ");
    until(&mut [&mut host, &mut guest], |desks| desks[1].text(&joined) == "together ");
    drop(host);
    let is_away = |desk: &Desk, kept: u32| matches!(desk.status(&joined), Some(Status::Reconnecting { kept: n, .. }) if *n == kept);
    until(&mut [&mut guest], |desks| is_away(desks[0], 0));
    guest.type_in(&joined, "offline ");
    until(&mut [&mut guest], |desks| is_away(desks[0], 1));
    guest.until_saved(&joined);
    // The guest ends too, and comes back before its host.
    drop(guest);
    let mut guest = Desk::new("b", there.path());
    guest.open(&joined);
    until(&mut [&mut guest], |desks| is_away(desks[0], 1) && desks[0].text(&joined) == "together offline ");
    let mut host = Desk::new("a", here.path());
    host.open(&note);
    until(&mut [&mut host], |desks| desks[0].text(&note) == "together ");
    host.type_in(&note, "alone ");
    host.pump();
    host.ask(Command::Share { note: note.clone(), listen });
    until(&mut [&mut host, &mut guest], |desks| {
        let text = desks[0].text(&note);
        is_live(desks[1], &joined) && text.len() == 23 && text == desks[1].text(&joined)
    });
    let text = host.text(&note);
    assert!(text.starts_with("together ") && text.contains("alone ") && text.contains("offline "), "{text}");
    assert_eq!(host.cards[&note].edit, card.edit, "the links live on");
}

#[test]
fn nobody_speaks_for_another_client() {
    let folder = tempdir().unwrap();
    let mut host = Desk::new("a", folder.path());
    let note = host.create("shared", "text");
    let card = host.share(&note);
    let (good, evil) = (Guest::by_link(&card.edit), Guest::by_link(&card.edit));
    let state = r##"{"user":{"name":"good","color":"#010203"}}"##;
    good.send(&wire::awareness(&[AwarenessEntry { client: 5, clock: 1, state }]));
    // Everybody hears everything, the speaker too.
    good.until(|message| match message {
        Message::Awareness(entries) if entries.iter().any(|entry| entry.client == 5 && entry.clock == 1) => {
            Some(())
        }
        _ => None,
    });
    let window = host.peers[&note].client();
    let forged = r#"{"user":{"name":"forged"}}"#;
    evil.send(&wire::awareness(&[AwarenessEntry { client: 5, clock: 9, state: "null" }]));
    evil.send(&wire::awareness(&[AwarenessEntry { client: 5, clock: 10, state: forged }]));
    evil.send(&wire::awareness(&[AwarenessEntry { client: window, clock: 999, state: forged }]));
    evil.send(&wire::awareness(&[AwarenessEntry {
        client: 6,
        clock: 1,
        state: r#"{"user":{"name":"own"}}"#,
    }]));
    evil.all();
    until(&mut [&mut host], |desks| desks[0].peers[&note].people().len() == 2);
    let mut names: Vec<String> =
        host.peers[&note].people().iter().map(|person| person.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["good", "own"]);
    evil.conn.terminate().unwrap();
    until(&mut [&mut host], |desks| desks[0].peers[&note].people().len() == 1);
    let many: Vec<_> = (100..164).map(|client| AwarenessEntry { client, clock: 1, state: "{}" }).collect();
    good.send(&wire::awareness(&many));
    assert_eq!(good.closed().0, 1008, "it has one already");
}

#[test]
fn what_is_too_big_is_refused_with_words() {
    let folder = tempdir().unwrap();
    let mut host = Desk::new("a", folder.path());
    let note = host.create("shared", "");
    let card = host.share(&note);
    let guest = Guest::by_link(&card.edit);
    guest.send(&wire::step2(&update_of(&"x".repeat(wire::MAX_UPDATE + 100), 9)));
    assert_eq!(guest.closed().0, 1009);
    // Update by update, up to what a note may be.
    let guest = Guest::by_link(&card.edit);
    let part = "y".repeat(1_000_000);
    for client in 1..=10 {
        guest.send_if_open(&wire::update(&update_of(&part, client)));
    }
    let (code, reason) = guest.closed();
    assert_eq!((code, reason.as_str()), (1009, "a note has at most 8 MiB"));
    until(&mut [&mut host], |desks| desks[0].text(&note).len() == 8_000_000);
}

#[test]
fn who_does_not_read_is_sent_away() {
    let folder = tempdir().unwrap();
    let mut host = Desk::new("a", folder.path());
    let note = host.create("shared", "");
    let card = host.share(&note);
    let (deaf, other) = (Guest::by_link(&card.edit), Guest::by_link(&card.edit));
    other.all();
    deaf.conn.pause(true).unwrap();
    let part = "z".repeat(400_000);
    // More than the kernel and the queue take; what is deleted again does not count against the note.
    for _ in 0..60 {
        host.type_in(&note, &part);
        host.pump();
        other.until(|message| {
            matches!(message, Message::Update(update) if update.len() > 400_000).then_some(())
        });
        let len = host.text(&note).len();
        assert!(host.peer(&note).delete(0..len));
        host.pump();
    }
    host.type_in(&note, "the end");
    until(&mut [&mut host], |desks| desks[0].text(&note) == "the end");
    deaf.conn.pause(false).unwrap();
    assert_eq!(deaf.closed().0, 1013);
    assert!(!other.all().is_empty());
    // It comes back, and has everything.
    assert!(!Guest::by_link(&card.edit).all().is_empty());
}

#[test]
fn a_frame_that_is_no_message_ends_the_connection() {
    let folder = tempdir().unwrap();
    let mut host = Desk::new("a", folder.path());
    let note = host.create("shared", "text");
    let card = host.share(&note);
    for (bad, code) in [(&b""[..], 1008), (b"\x09", 1008), (b"\x00\x02\x05abc", 1008), (b"\x01\xff", 1008)] {
        let guest = Guest::by_link(&card.edit);
        guest.send(bad);
        assert_eq!(guest.closed().0, code, "{bad:?}");
    }
    let guest = Guest::by_link(&card.edit);
    guest.conn.send_text("hello").unwrap();
    assert_eq!(guest.closed().0, 1003);
    let guest = Guest::by_link(&card.edit);
    assert!(matches!(guest.next(), Said::Frame(_)));
    guest.all();
}
