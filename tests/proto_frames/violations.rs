//! What a peer may not do, with the close code that answers it and the byte at which it is refused.

use crate::support::{DEFAULTS, KEY, Receiver, Seen, frame, put, receive};
use ws::proto::Role::{self, Client, Server};
use ws::proto::conn::Limits;
use ws::proto::frame::Opcode::{Binary, Close, Continuation, Ping, Pong, Text};

/// A stream that is refused, the code, and how many of its bytes must be enough to refuse it.
struct Row {
    name: String,
    role: Role,
    bytes: Vec<u8>,
    code: u16,
    within: usize,
}

fn row(name: impl Into<String>, role: Role, bytes: Vec<u8>, code: u16, within: usize) -> Row {
    Row { name: name.into(), role, bytes, code, within }
}

fn joined(frames: &[Vec<u8>]) -> Vec<u8> {
    frames.concat()
}

/// The header of a binary frame that claims `len`, as the peer of `role` sends it.
fn claim(role: Role, len: u64) -> Vec<u8> {
    let mask = if role == Server { 0x80 } else { 0 };
    let mut bytes = vec![0x82, mask | 127];
    bytes.extend_from_slice(&len.to_be_bytes());
    if role == Server {
        bytes.extend_from_slice(&KEY);
    }
    bytes
}

fn rows(role: Role) -> Vec<Row> {
    let other = if role == Server { Client } else { Server };
    let mask = if role == Server { 0x80 } else { 0 };
    let header = if role == Server { 6 } else { 2 };
    let open = frame(role, false, Text, b"open");
    let after_open = open.len();
    let mut rows = vec![
        row("F01 mask that does not fit the role", role, frame(other, true, Text, b"x"), 1002, 2),
        row("F01 the same on a control frame", role, frame(other, true, Ping, b""), 1002, 2),
        row("F01 the same on a longer frame", role, frame(other, true, Binary, &[0; 300]), 1002, 2),
        row(
            "F02 RSV1 on a continuation",
            role,
            joined(&[open.clone(), vec![0xc0, mask]]),
            1002,
            after_open + 1,
        ),
        row("F05 continuation first", role, frame(role, true, Continuation, b"x"), 1002, 1),
        row("F05 continuation first, unfinished", role, frame(role, false, Continuation, b"x"), 1002, 1),
        row(
            "F05 continuation after a whole message",
            role,
            joined(&[frame(role, true, Text, b"x"), frame(role, true, Continuation, b"x")]),
            1002,
            header + 2,
        ),
        row(
            "F05 text inside fragmented text",
            role,
            joined(&[open.clone(), frame(role, true, Text, b"x")]),
            1002,
            after_open + 1,
        ),
        row(
            "F05 binary inside fragmented text",
            role,
            joined(&[open.clone(), frame(role, false, Binary, b"x")]),
            1002,
            after_open + 1,
        ),
        row("F06 20 in 16 bits", role, vec![0x82, mask | 126, 0, 20], 1002, 4),
        row("F06 125 in 16 bits", role, vec![0x82, mask | 126, 0, 125], 1002, 4),
        row("F06 0 in 16 bits", role, vec![0x82, mask | 126, 0, 0], 1002, 4),
        row("F06 20 in 64 bits", role, vec![0x82, mask | 127, 0, 0, 0, 0, 0, 0, 0, 20], 1002, 10),
        row("F06 65535 in 64 bits", role, vec![0x82, mask | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 1002, 10),
        row("F08 a close of one byte", role, frame(role, true, Close, b"\x03"), 1002, header + 1),
        row(
            "F08 a reason that is not UTF-8",
            role,
            frame(role, true, Close, b"\x03\xe8\xff"),
            1007,
            header + 3,
        ),
        row(
            "F08 a reason cut in a character",
            role,
            frame(role, true, Close, b"\x03\xe8\xe4"),
            1007,
            header + 3,
        ),
        row("F10 2^63", role, claim(role, 1 << 63), 1009, 3),
        row("F10 2^64-1", role, claim(role, u64::MAX), 1009, 3),
        row("F10 2^62", role, claim(role, 1 << 62), 1009, header + 8),
        row("F10 2^32", role, claim(role, 1 << 32), 1009, header + 8),
        row("F10 max+1", role, claim(role, DEFAULTS.max_message + 1), 1009, header + 8),
        row("text cut in a character", role, frame(role, true, Text, b"ab\xe4\xb8"), 1007, header + 4),
        row(
            "text with an impossible second byte",
            role,
            frame(role, true, Text, b"\xe0\x80 more"),
            1007,
            header + 2,
        ),
        row(
            "text beyond U+10FFFF",
            role,
            frame(role, true, Text, b"ab\xf4\x90\x80\x80 more"),
            1007,
            header + 4,
        ),
        row("text with a surrogate", role, frame(role, true, Text, b"\xed\xa0\x80 more"), 1007, header + 2),
        row(
            "text with a fault in its second fragment",
            role,
            joined(&[open.clone(), frame(role, true, Continuation, b"\xff more")]),
            1007,
            after_open + header + 1,
        ),
        row(
            "text that ends in a character begun by an earlier fragment",
            role,
            joined(&[frame(role, false, Text, b"\xe4\xb8"), frame(role, true, Continuation, b"")]),
            1007,
            2 * header + 2,
        ),
    ];
    for reserved in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for opcode in [1, 2, 8, 9, 10] {
            let first = 0x80 | reserved | opcode;
            rows.push(row(format!("F02 first byte {first:x}"), role, vec![first, mask], 1002, 1));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for fin in [0, 0x80] {
            rows.push(row(format!("F03 opcode {opcode}"), role, vec![fin | opcode, mask], 1002, 1));
        }
    }
    for opcode in [Ping, Pong, Close] {
        rows.push(row(
            format!("F04 {opcode:?} of 126"),
            role,
            frame(role, true, opcode, &[b'x'; 126]),
            1002,
            2,
        ));
        rows.push(row(
            format!("F04 {opcode:?} of 70000"),
            role,
            frame(role, true, opcode, &[b'x'; 70000]),
            1002,
            2,
        ));
        rows.push(row(format!("F04 fragmented {opcode:?}"), role, frame(role, false, opcode, b""), 1002, 1));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        let close = frame(role, true, Close, &u16::to_be_bytes(code));
        rows.push(row(format!("F08 code {code}"), role, close, 1002, header + 2));
    }
    rows
}

#[test]
fn every_violation_has_its_code_and_is_seen_at_its_byte() {
    for role in [Server, Client] {
        let rows = rows(role);
        assert_eq!(rows.len(), 28 + 35 + 20 + 9 + 13);
        for Row { name, role, bytes, code, within } in rows {
            let whole = receive(role, DEFAULTS, [&bytes[..]]);
            assert_eq!(whole.last().and_then(Seen::refusal), Some(code), "{name}, {role:?}: {whole:?}");
            let mut receiver = Receiver::new(role, DEFAULTS);
            let mut taken = 0;
            for byte in bytes.chunks(1) {
                receiver.read(byte);
                taken += 1;
                if receiver.seen.last().is_some_and(|seen| seen.refusal().is_some()) {
                    break;
                }
            }
            assert_eq!(receiver.seen, whole, "{name}, {role:?}");
            assert_eq!(taken, within, "{name}, {role:?}: refused after so many bytes");
        }
    }
}

#[test]
fn codes_that_may_be_received_are_reported() {
    for role in [Server, Client] {
        for code in
            [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
        {
            let close = frame(role, true, Close, &[&u16::to_be_bytes(code)[..], "再见".as_bytes()].concat());
            assert_eq!(receive(role, DEFAULTS, [&close[..]]), [Seen::Close(code, "再见".into())]);
        }
        assert_eq!(
            receive(role, DEFAULTS, [&frame(role, true, Close, b"")[..]]),
            [Seen::Close(1005, vec![])]
        );
    }
}

#[test]
fn a_close_inside_a_fragmented_message_is_clean() {
    for role in [Server, Client] {
        let mut stream = frame(role, false, Text, b"never ended");
        put(&mut stream, role, true, Close, b"\x03\xe8");
        assert_eq!(receive(role, DEFAULTS, [&stream[..]]), [Seen::Close(1000, vec![])]);
    }
}

#[test]
fn after_the_end_everything_is_swallowed() {
    let close = frame(Server, true, Close, b"\x03\xe8");
    let wrong = vec![0xff];
    for end in [close, wrong] {
        let mut receiver = Receiver::new(Server, DEFAULTS);
        let mut stream = end;
        put(&mut stream, Server, true, Text, b"late");
        receiver.read(&stream);
        receiver.read(&frame(Server, true, Close, b"\x03\xe9"));
        receiver.read(&[0xff; 1000]);
        receiver.read(&frame(Server, true, Binary, &[0; 70_000])[..100]);
        assert_eq!(receiver.seen.len(), 1, "{:?}", receiver.seen);
        assert!(receiver.conn.is_idle() && receiver.conn.unfinished().is_none());
        assert!(receiver.conn.direct().is_none());
        assert_eq!(receiver.conn.direct_filled(1), None);
        receiver.read(&frame(Server, true, Text, b"later still"));
        assert_eq!(receiver.seen.len(), 1, "{:?}", receiver.seen);
    }
}

#[test]
fn the_message_limit_counts_all_frames_and_is_exact() {
    let limits = Limits { max_message: 1000, max_parts: 10 };
    for role in [Server, Client] {
        let exact = frame(role, true, Binary, &[1; 1000]);
        assert_eq!(receive(role, limits, [&exact[..]]), [Seen::Binary(vec![1; 1000])]);
        let over = frame(role, true, Binary, &[1; 1001]);
        assert_eq!(receive(role, limits, [&over[..]])[0].refusal(), Some(1009));

        let mut stream = frame(role, false, Binary, &[1; 600]);
        let mut exact = stream.clone();
        put(&mut exact, role, true, Continuation, &[1; 400]);
        assert_eq!(receive(role, limits, [&exact[..]]), [Seen::Binary(vec![1; 1000])]);
        put(&mut stream, role, false, Continuation, &[1; 401]);
        let payload_starts = stream.len() - 401;
        assert_eq!(receive(role, limits, [&stream[..payload_starts]])[0].refusal(), Some(1009));
    }
    let tiny = Limits { max_message: 10, max_parts: 10 };
    for over in [frame(Server, true, Text, &[b'x'; 11]), frame(Server, true, Text, &[b'x'; 200])] {
        assert_eq!(receive(Server, tiny, [&over[..]])[0].refusal(), Some(1009));
    }
    let ping = frame(Server, true, Ping, &[b'x'; 125]);
    assert_eq!(receive(Server, tiny, [&ping[..]]), [Seen::Ping(vec![b'x'; 125])]);
}

#[test]
fn a_total_that_would_overflow_is_too_big() {
    let unlimited = Limits { max_message: u64::MAX, max_parts: 10 };
    let mut stream = frame(Client, false, Binary, b"some");
    stream.extend_from_slice(&[0x80, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(receive(Client, unlimited, [&stream[..]])[0].refusal(), Some(1009));
}

#[test]
fn empty_fragments_count_as_parts_and_the_limit_is_exact() {
    let limits = Limits { max_message: 1000, max_parts: 3 };
    for role in [Server, Client] {
        let mut stream = frame(role, false, Text, b"");
        put(&mut stream, role, false, Continuation, b"");
        let mut exact = stream.clone();
        put(&mut exact, role, true, Continuation, b"");
        put(&mut exact, role, true, Text, b"next");
        assert_eq!(receive(role, limits, [&exact[..]]), [Seen::Text(vec![]), Seen::Text(b"next".to_vec())]);
        put(&mut stream, role, false, Continuation, b"");
        put(&mut stream, role, true, Continuation, b"");
        assert_eq!(receive(role, limits, [&stream[..]])[0].refusal(), Some(1008));
    }
}
