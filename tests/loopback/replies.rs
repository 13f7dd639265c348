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
