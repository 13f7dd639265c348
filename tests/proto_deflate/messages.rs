//! Compressed messages as a connection receives them.

use ws::proto::conn::{Event, Limits};
use ws::proto::deflate::compress::Compressor;
use ws::proto::frame::Opcode::{Binary, Continuation, Ping, Text};

use crate::support::{DEFAULTS, Seen, client, deflated, frame, noise, packed, receive};

#[test]
fn the_examples_of_section_7_2_3() {
    let hello = vec![(b"Hello".to_vec(), true)];
    let twice = [hello.clone(), hello.clone()].concat();
    let rows: [(&[u8], bool, &Vec<Seen>); 5] = [
        (b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", false, &hello),
        // In two fragments.
        (b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", false, &hello),
        // The second message refers to the first.
        (b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", true, &twice),
        // A stored block; a final block; two blocks.
        (b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", false, &hello),
        (b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", false, &hello),
    ];
    for (bytes, takeover, expected) in rows {
        assert_eq!(receive(&mut client(15, takeover), &DEFAULTS, bytes).as_ref(), Ok(expected), "{bytes:x?}");
    }
    let two_blocks = b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    assert_eq!(receive(&mut client(15, false), &DEFAULTS, two_blocks), Ok(hello));
}

#[test]
fn empty_messages_in_every_form() {
    let empty = Ok(vec![(Vec::new(), true)]);
    let payloads: [&[u8]; 6] =
        [b"\x00", b"", b"\x00\x00\x00\xff\xff", b"\x02\x00", b"\x03\x00", b"\x01\x00\x00\xff\xff"];
    for payload in payloads {
        let bytes = frame(true, true, Text, payload);
        assert_eq!(receive(&mut client(15, false), &DEFAULTS, &bytes), empty, "{payload:x?}");
        let pieces = [frame(false, true, Text, b""), frame(true, false, Continuation, payload)].concat();
        assert_eq!(receive(&mut client(15, true), &DEFAULTS, &pieces), empty, "{payload:x?} in pieces");
    }
}

#[test]
fn streams_that_end_within_a_message_go_on() {
    // Each "\x03\x00" is an empty stream of its own; "\xf3\x48\xcd\xc9\xc9\x07\x00" says Hello and ends its stream.
    let hello = b"\xf3\x48\xcd\xc9\xc9\x07\x00";
    for streams in [1, 2, 5, 63] {
        let bytes = frame(true, true, Text, &hello.repeat(streams));
        let expected = vec![(b"Hello".repeat(streams), true)];
        assert_eq!(receive(&mut client(15, true), &DEFAULTS, &bytes), Ok(expected));
    }
    let bytes = frame(true, true, Text, &hello.repeat(100));
    assert_eq!(receive(&mut client(15, true), &DEFAULTS, &bytes), Err(1008));
    // The second stream refers to the first.
    let mut compressor = Compressor::new(6, 15).unwrap();
    let (first, second) = (noise(900, 1), noise(900, 1));
    let first = deflated(&mut compressor, &first, false);
    let second = deflated(&mut compressor, &second, true);
    let ended = [&first[..], b"\x00\x00\xff\xff\x03\x00", &second].concat();
    let bytes = frame(true, true, Binary, &ended);
    assert_eq!(receive(&mut client(15, false), &DEFAULTS, &bytes), Ok(vec![(noise(900, 1).repeat(2), true)]));
}

#[test]
fn compressed_and_plain_messages_take_turns() {
    let mut compressor = Compressor::new(6, 15).unwrap();
    let mut conn = client(15, true);
    for round in 0..50 {
        let data = vec![b'a' + (round % 20) as u8; 40 * round];
        let mut bytes = frame(true, true, Text, &deflated(&mut compressor, &data, true));
        bytes.extend(frame(true, false, Text, &data));
        let expected = vec![(data.clone(), true), (data, false)];
        assert_eq!(receive(&mut conn, &DEFAULTS, &bytes), Ok(expected));
    }
}

#[test]
fn every_cut_of_a_fragmented_message_means_the_same() {
    let data = "心跳 ping/pong 每 30 秒一次。".repeat(9);
    let payload = packed(data.as_bytes());
    let (first, second) = payload.split_at(payload.len() / 2);
    let bytes = [
        frame(false, true, Text, first),
        frame(true, false, Ping, b"between"),
        frame(false, false, Continuation, b""),
        frame(true, false, Continuation, second),
    ]
    .concat();
    let expected = Ok(vec![(data.clone().into_bytes(), true)]);
    assert_eq!(receive(&mut client(15, false), &DEFAULTS, &bytes), expected);
    for cut in 1..bytes.len() {
        let mut conn = client(15, false);
        let mut seen = receive(&mut conn, &DEFAULTS, &bytes[..cut]).unwrap();
        seen.extend(receive(&mut conn, &DEFAULTS, &bytes[cut..]).unwrap());
        assert_eq!(Ok(seen), expected, "cut at {cut}");
    }
    let mut conn = client(15, false);
    let pieces = bytes.iter().flat_map(|&byte| receive(&mut conn, &DEFAULTS, &[byte]).unwrap());
    assert_eq!(Ok(pieces.collect::<Vec<_>>()), expected, "byte by byte");
}

#[test]
fn a_long_message_is_inflated_as_it_arrives() {
    let data = noise(700_000, 5);
    let bytes = frame(true, true, Binary, &packed(&data));
    for chunk in [1000, 65_536, 300_000] {
        let mut conn = client(15, true);
        let seen: Vec<_> =
            bytes.chunks(chunk).flat_map(|chunk| receive(&mut conn, &DEFAULTS, chunk).unwrap()).collect();
        assert!(seen == [(data.clone(), true)], "chunks of {chunk}");
        assert_eq!(conn.receiver().unwrap().remembered(), 1 << 15);
        assert!(conn.is_idle());
    }
}

#[test]
fn no_more_is_remembered_than_the_peer_may_refer_to() {
    for (bits, takeover, expected) in [(15, true, 1 << 15), (9, true, 512), (8, true, 256), (15, false, 0)] {
        let mut conn = client(bits, takeover);
        for len in [100, 5, 200, 40_000, 3] {
            let bytes = frame(true, true, Binary, &packed(&noise(len, 9)));
            receive(&mut conn, &DEFAULTS, &bytes).unwrap();
        }
        assert_eq!(conn.receiver().unwrap().remembered(), expected, "{bits} bits, takeover {takeover}");
    }
}

#[test]
fn the_limit_counts_what_comes_out() {
    let limits = Limits { max_message: 1000, ..DEFAULTS };
    for (len, fits) in [(999, true), (1000, true), (1001, false), (100_000, false)] {
        for data in [noise(len, 11), vec![7; len]] {
            let payload = packed(&data);
            let expected = if fits { Ok(vec![(data, true)]) } else { Err(1009) };
            let whole = frame(true, true, Binary, &payload);
            assert_eq!(receive(&mut client(15, true), &limits, &whole), expected, "{len}");
            let (first, second) = payload.split_at(payload.len() / 2);
            let pieces =
                [frame(false, true, Binary, first), frame(true, false, Continuation, second)].concat();
            assert_eq!(receive(&mut client(15, true), &limits, &pieces), expected, "{len} in pieces");
        }
    }
}

#[test]
fn text_is_checked_after_inflating() {
    for bad in [&b"\xff"[..], b"\xe4\xb8", b"ok\xc0\x80"] {
        let bytes = frame(true, true, Text, &packed(bad));
        assert_eq!(receive(&mut client(15, false), &DEFAULTS, &bytes), Err(1007));
        let bytes = frame(true, true, Binary, &packed(bad));
        assert!(receive(&mut client(15, false), &DEFAULTS, &bytes).is_ok());
    }
}

#[test]
fn the_deadline_of_a_message_counts_what_has_arrived() {
    let mut conn = client(15, false);
    let mut start = frame(false, true, Binary, &packed(&vec![1; 10_000]));
    assert_eq!(conn.next(&mut start, &mut 0, &DEFAULTS, 77), Some(Event::Fragment));
    let unfinished = conn.unfinished().unwrap();
    assert_eq!(unfinished.since_ms, 77);
    assert!((1..100).contains(&unfinished.bytes), "{unfinished:?}");
}

#[test]
fn an_empty_message_behind_another_is_well_formed() {
    let mut compressor = Compressor::new(6, 15).unwrap();
    let mut conn = client(15, true);
    for (takeover, data) in
        [(true, &b"abc"[..]), (true, b""), (true, b""), (true, b"abc"), (false, b""), (false, b"")]
    {
        let bytes = frame(true, true, Text, &deflated(&mut compressor, data, takeover));
        assert_eq!(receive(&mut conn, &DEFAULTS, &bytes), Ok(vec![(data.to_vec(), true)]));
    }
}
