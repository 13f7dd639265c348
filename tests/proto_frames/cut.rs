//! Where reads cut the stream makes no difference: every frame, and every pair of frames, at every byte.

use crate::support::{DEFAULTS, Receiver, Seen, frame, put, receive};
use ws::proto::Role;
use ws::proto::frame::Opcode::{Binary, Close, Continuation, Ping, Pong, Text};

/// Streams of one or a few frames, right and wrong, as the peer of `role` sends them.
fn streams(role: Role) -> Vec<Vec<u8>> {
    let long = vec![0xa5; 130];
    let chinese = "协作笔记，édité à plusieurs 😀".as_bytes();
    let mut streams = vec![
        frame(role, true, Text, b""),
        frame(role, true, Text, chinese),
        frame(role, true, Text, b"ab\xed\xa0\x80cd"),
        frame(role, true, Text, b"ends in \xe4\xb8"),
        frame(role, true, Binary, b""),
        frame(role, true, Binary, b"twenty bytes of data"),
        frame(role, true, Binary, &long),
        frame(role, true, Ping, b""),
        frame(role, true, Ping, &long[..125]),
        frame(role, true, Pong, b"pong"),
        frame(role, true, Close, b""),
        frame(role, true, Close, b"\x03"),
        frame(role, true, Close, b"\x03\xe8"),
        frame(role, true, Close, b"\x0b\xb9bye"),
        frame(role, true, Close, b"\x03\xed"),
        frame(role, true, Close, b"\x03\xe8\xff"),
        frame(role, false, Ping, b"x"),
        frame(role, true, Continuation, b"x"),
        frame(role, true, Ping, &long),
        vec![0xc1, 0x80],
        vec![0x83, 0x80],
        vec![0x82, 0xfe, 0, 20, 1, 2, 3, 4],
        vec![0x82, 0x7e, 0, 20],
        vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
        vec![0x82, 0x7f, 0, 0, 0, 0, 0xff, 0, 0, 0],
    ];
    let mut fragmented = Vec::new();
    put(&mut fragmented, role, false, Text, &chinese[..4]);
    put(&mut fragmented, role, true, Ping, b"between");
    put(&mut fragmented, role, false, Continuation, b"");
    put(&mut fragmented, role, false, Continuation, &chinese[4..11]);
    put(&mut fragmented, role, true, Continuation, &chinese[11..]);
    streams.push(fragmented);
    let mut unfinished = frame(role, false, Binary, b"begun");
    put(&mut unfinished, role, true, Text, b"and another");
    streams.push(unfinished);
    streams
}

fn same_at_every_cut(role: Role, stream: &[u8]) -> Vec<Seen> {
    let whole = receive(role, DEFAULTS, [stream]);
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        let pieces = receive(role, DEFAULTS, [left, right]);
        assert_eq!(pieces, whole, "{role:?}, cut at {cut} of {stream:02x?}");
    }
    assert_eq!(receive(role, DEFAULTS, stream.chunks(1)), whole, "{role:?}, byte by byte: {stream:02x?}");
    whole
}

#[test]
fn every_frame_cut_at_every_byte() {
    for role in [Role::Server, Role::Client] {
        let mut events = 0;
        for stream in streams(role) {
            events += same_at_every_cut(role, &stream).len();
        }
        assert!(events >= streams(role).len(), "{events} events");
    }
}

#[test]
fn every_pair_of_frames_cut_at_every_byte() {
    for role in [Role::Server, Role::Client] {
        let streams = streams(role);
        for first in &streams {
            for second in &streams {
                same_at_every_cut(role, &[&first[..], second].concat());
            }
        }
    }
}

#[test]
fn a_whole_frame_is_reported_in_place_and_leaves_nothing_behind() {
    use ws::proto::conn::{Conn, Data, Event};
    for role in [Role::Server, Role::Client] {
        for len in [0, 1, 20, 125, 126, 65535, 65536, 200_000] {
            let payload = vec![b'x'; len];
            for opcode in [Text, Binary] {
                let mut buf = b"before".to_vec();
                put(&mut buf, role, true, opcode, &payload);
                let mut conn = Conn::new(role);
                let mut pos = 6;
                let event = conn.next(&mut buf, &mut pos, &DEFAULTS, 0);
                let range = buf.len() - len..buf.len();
                match event {
                    Some(Event::Message { data: Data::InPlace(got), .. }) => assert_eq!(got, range),
                    other => panic!("{other:?}"),
                }
                assert_eq!((&buf[range], pos), (&payload[..], buf.len()));
                assert!(conn.is_idle());
                assert_eq!(conn.unfinished(), None);
            }
        }
    }
}

#[test]
fn a_frame_whose_header_alone_was_cut_is_still_reported_in_place() {
    use ws::proto::conn::{Conn, Data, Event};
    let bytes = frame(Role::Server, true, Binary, b"payload");
    for cut in 1..=6 {
        let mut conn = Conn::new(Role::Server);
        let (mut left, mut right) = (bytes[..cut].to_vec(), bytes[cut..].to_vec());
        assert_eq!(conn.next(&mut left, &mut 0, &DEFAULTS, 0), None);
        // A header that is whole begins its message; before that only header bytes are held.
        assert_eq!(conn.unfinished().is_some(), cut == 6);
        assert!(!conn.is_idle());
        let event = conn.next(&mut right, &mut 0, &DEFAULTS, 0);
        let Some(Event::Message { data, .. }) = event else { panic!("{event:?}") };
        assert_eq!(matches!(data, Data::InPlace(_)), cut < 6);
        assert_eq!(data.as_slice(&right), b"payload");
        assert!(conn.is_idle());
    }
}

#[test]
fn what_is_unfinished_is_known_with_its_age_and_size() {
    let mut receiver = Receiver::new(Role::Client, DEFAULTS);
    let step = |receiver: &mut Receiver, bytes: &[u8], now| {
        let event = receiver.conn.next(&mut bytes.to_vec(), &mut 0, &DEFAULTS, now);
        let unfinished = receiver.conn.unfinished().map(|unfinished| (unfinished.since_ms, unfinished.bytes));
        (event.is_some(), unfinished)
    };
    assert_eq!(step(&mut receiver, &[0x01, 5, b'a', b'b'], 10), (false, Some((10, 2))));
    assert_eq!(step(&mut receiver, b"cde", 20), (true, Some((10, 5))), "a fragment is told");
    assert_eq!(step(&mut receiver, &[0x89, 2, b'p'], 30), (false, Some((10, 6))));
    assert_eq!(step(&mut receiver, b"p", 40), (true, Some((10, 5))));
    assert_eq!(step(&mut receiver, &[0x80, 0], 50), (true, None));
    assert_eq!(step(&mut receiver, &[0x89, 2, b'p'], 60), (false, Some((60, 1))));
    assert_eq!(step(&mut receiver, b"p", 70), (true, None));
    assert!(receiver.conn.is_idle());
}

#[test]
fn each_fragment_is_told_so_that_their_number_can_be_bounded() {
    use ws::proto::conn::{Conn, Event};
    let role = Role::Server;
    let mut stream = frame(role, false, Binary, b"x");
    let one = frame(role, false, Continuation, b"x");
    (0..9).for_each(|_| stream.extend_from_slice(&one));
    stream.extend(frame(role, true, Continuation, b""));
    let (mut conn, mut position) = (Conn::new(role), 0);
    for told in 1..=10 {
        assert_eq!(conn.next(&mut stream, &mut position, &DEFAULTS, 0), Some(Event::Fragment));
        assert_eq!(position, told * one.len(), "nothing beyond it is looked at");
    }
    let event = conn.next(&mut stream, &mut position, &DEFAULTS, 0);
    let Some(Event::Message { data, .. }) = event else { panic!("{event:?}") };
    assert_eq!(data.as_slice(&stream), b"xxxxxxxxxx");
}
