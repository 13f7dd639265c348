//! Replies out of `on_message`: the hot way, and what takes a connection off it.

use std::io::Write;

use ws::proto::Kind;
use ws::{ErrorCode, Handler, ListenOptions, Message, Peer, Sent};

use crate::support::*;

/// Listens with `handler` and returns a raw client.
fn served(handler: impl Handler + 'static) -> (ws::Loop, std::net::TcpStream) {
    let event_loop = background();
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", handler, ListenOptions::default()).unwrap();
    let peer = raw_client(listener.port().unwrap());
    (event_loop, peer)
}

/// Sends what came back as text, whole and in parts, and then what each send returned.
struct AsText;

impl Handler for AsText {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        let data = message.data;
        let told =
            [data, &data[..data.len() - 1], &data[1..]].map(|part| match peer.send(Kind::Text, part) {
                Ok(Sent::Ok) => b'+',
                Err(error) if error.code == ErrorCode::Utf8 => b'-',
                other => panic!("{other:?}"),
            });
        peer.send(Kind::Binary, &told).unwrap();
    }
}

#[test]
fn only_the_very_text_that_came_is_not_checked_again() {
    let (_loop, mut peer) = served(AsText);
    let ask = |peer: &mut std::net::TcpStream, first: u8, payload: &[u8], told: &[u8]| {
        peer.write_all(&frame(first, payload)).unwrap();
        let parts = [payload, &payload[..payload.len() - 1], &payload[1..]];
        for (part, &told) in parts.iter().zip(told) {
            if told == b'+' {
                assert_eq!(read_frame(peer), Some((0x81, part.to_vec())));
            }
        }
        assert_eq!(read_frame(peer), Some((0x82, told.to_vec())));
    };
    // The same place of the same buffer each time, and the same length.
    ask(&mut peer, 0x81, b"four", b"+++");
    ask(&mut peer, 0x82, b"\xff\xff\xff\xff", b"---");
    ask(&mut peer, 0x82, b"four", b"+++");
    // A text cut inside its last character, and inside its first.
    ask(&mut peer, 0x81, "四x".as_bytes(), b"++-");
    ask(&mut peer, 0x81, "x四".as_bytes(), b"+-+");
    ask(&mut peer, 0x82, b"\xff\xff\xff\xff", b"---");
}

/// Answers each message with its own bytes, after something that makes the loop look again.
struct Busy;

impl Handler for Busy {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        match message.data[0] % 7 {
            0 => assert!(peer.buffered_amount().is_ok()),
            1 => peer.subscribe("all").unwrap(),
            2 => drop(peer.info().unwrap()),
            3 => peer.ping(b"?").unwrap(),
            4 => drop(peer.send(Kind::Binary, &vec![message.data[0]; 70_000]).unwrap()),
            5 => peer.set_user(message.data[0].into()).unwrap(),
            _ => {}
        }
        peer.send(message.kind, message.data).unwrap();
    }
}

#[test]
fn replies_keep_their_order_whatever_happens_between_them() {
    let (_loop, mut peer) = served(Busy);
    let mut segment = Vec::new();
    for n in 0..70_u8 {
        segment.extend(frame(0x82, &[n, b'x']));
        if n % 10 == 9 {
            segment.extend(frame(0x89, &[n]));
            // One message in two fragments, with a ping between them.
            segment.extend(frame(0x02, &[n]));
            segment.extend(frame(0x89, b"between"));
            segment.extend(frame(0x80, b"y"));
        }
    }
    let mut writer = peer.try_clone().unwrap();
    let sender = std::thread::spawn(move || writer.write_all(&segment).unwrap());
    let expect_extra = |peer: &mut std::net::TcpStream, n: u8| match n % 7 {
        3 => assert_eq!(read_frame(peer), Some((0x89, b"?".to_vec()))),
        4 => assert_eq!(read_frame(peer), Some((0x82, vec![n; 70_000]))),
        _ => {}
    };
    for n in 0..70_u8 {
        expect_extra(&mut peer, n);
        assert_eq!(read_frame(&mut peer), Some((0x82, vec![n, b'x'])));
        if n % 10 == 9 {
            assert_eq!(read_frame(&mut peer), Some((0x8a, vec![n])));
            assert_eq!(read_frame(&mut peer), Some((0x8a, b"between".to_vec())));
            expect_extra(&mut peer, n);
            assert_eq!(read_frame(&mut peer), Some((0x82, vec![n, b'y'])));
        }
    }
    sender.join().unwrap();
}

/// Does what the first byte says, then tries to reply.
struct Stopper(std::sync::mpsc::Sender<(u8, bool)>);

impl Handler for Stopper {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        match message.data[0] {
            b'p' => peer.pause(true).unwrap(),
            b'c' => peer.close(1000, "enough").unwrap(),
            b't' => peer.terminate().unwrap(),
            b'!' => panic!("as asked"),
            _ => {}
        }
        let sent = peer.send(message.kind, message.data).is_ok();
        self.0.send((message.data[0], sent)).unwrap();
    }
}

#[test]
fn nothing_is_handed_out_after_a_stop_in_a_callback() {
    for (stop, sent) in [(b'p', true), (b'c', false), (b't', false)] {
        let (sender, heard) = std::sync::mpsc::channel();
        let (event_loop, mut peer) = served(Stopper(sender));
        let segment = [b'1', b'2', stop, b'4'].map(|byte| frame(0x82, &[byte])).concat();
        peer.write_all(&segment).unwrap();
        for expected in [(b'1', true), (b'2', true), (stop, sent)] {
            assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), expected);
        }
        drop(event_loop);
        assert!(heard.try_recv().is_err(), "{} was not the last", stop as char);
    }
}

#[test]
fn a_panic_between_messages_closes_and_the_replies_before_it_leave() {
    let (sender, heard) = std::sync::mpsc::channel();
    let (_loop, mut peer) = served(Stopper(sender));
    peer.write_all(&[b'1', b'!', b'3'].map(|byte| frame(0x82, &[byte])).concat()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), (b'1', true));
    assert_eq!(read_frame(&mut peer), Some((0x82, b"1".to_vec())));
    let (first, close) = read_frame(&mut peer).unwrap();
    assert_eq!((first, &close[..2]), (0x88, &1011_u16.to_be_bytes()[..]));
    assert!(heard.try_recv().is_err());
}

/// Says how the replies of a client look, and those to a short message of a connection with permessage-deflate.
struct Long;

impl Handler for Long {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        if message.data.len() < 100 {
            peer.send(Kind::Text, &[b'x'; 1000]).unwrap();
        }
    }
}

#[test]
fn a_client_masks_its_replies() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    event_loop.handle().connect(&listener.url().unwrap(), Long, ws::ConnectOptions::default()).unwrap();
    let conn = opened(&heard);
    for _ in 0..3 {
        conn.send(Kind::Text, b"short").unwrap();
        assert!(matches!(next(&heard), Heard::Message(Kind::Text, data) if data == [b'x'; 1000]));
    }
}

#[test]
fn a_reply_is_compressed_where_that_was_agreed() {
    let event_loop = background();
    let settings = ws::Settings { deflate: Some(ws::Deflate::default()), ..ws::Settings::default() };
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", Long, options).unwrap();
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut peer = raw_client_with(listener.port().unwrap(), extension);
    for _ in 0..3 {
        peer.write_all(&frame(0x81, b"short")).unwrap();
        let (first, payload) = read_frame(&mut peer).unwrap();
        assert_eq!(first, 0xc1);
        assert!(payload.len() < 100, "{} bytes", payload.len());
    }
}

#[test]
fn many_tiny_messages_leave_a_turn_to_others() {
    const COUNT: usize = 30_000;
    let (open, gate) = std::sync::mpsc::channel();
    let (sender, seen) = std::sync::mpsc::channel();
    let event_loop = background();
    let handler = Gate(Some(gate), sender);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", handler, ListenOptions::default()).unwrap();
    let port = listener.port().unwrap();
    let (mut many, mut one) = (raw_client(port), raw_client(port));
    many.write_all(&frame(0x82, b"").repeat(COUNT)).unwrap();
    one.write_all(&frame(0x82, b"small")).unwrap();
    open.send(()).unwrap();
    let order: Vec<usize> = (0..=COUNT).map(|_| seen.recv_timeout(PATIENCE).unwrap()).collect();
    let place = order.iter().position(|&len| len == 5).unwrap();
    // What fits into one read is more than 13,000.
    assert!(place <= 2 * 4096, "the other connection came after {place} messages");
}

#[test]
fn a_message_answers_the_heartbeat() {
    let event_loop = background();
    let (server, _heard) = reporter(false);
    let settings = ws::Settings { heartbeat_ms: 100, heartbeat_timeout_ms: 3000, ..ws::Settings::default() };
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, options).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    for round in 0..3 {
        let (first, _) = read_frame(&mut peer).unwrap_or_else(|| panic!("given up in round {round}"));
        assert_eq!(first, 0x89);
        // Later than the ping on the clock of the loop, which has milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(5));
        peer.write_all(&frame(0x82, b"here")).unwrap();
    }
}
