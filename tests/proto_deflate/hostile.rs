//! What breaks inflaters.

use ws::proto::conn::Limits;
use ws::proto::frame::Opcode::{Binary, Close, Continuation, Ping, Pong, Text};

use crate::support::{DEFAULTS, client, frame, packed, prose, receive};

#[test]
fn the_bit_where_it_may_not_stand() {
    let begun = frame(false, true, Text, &packed(b"x"));
    let rows = [
        frame(true, true, Ping, b""),
        frame(true, true, Pong, b""),
        frame(true, true, Close, b""),
        [begun.clone(), frame(true, true, Continuation, b"")].concat(),
        [begun, frame(true, true, Text, b"")].concat(),
    ];
    for bytes in rows {
        assert_eq!(receive(&mut client(15, true), &DEFAULTS, &bytes), Err(1002), "{bytes:x?}");
    }
    for first in [0xa1, 0x91, 0xe1, 0xd1, 0xf1] {
        assert_eq!(receive(&mut client(15, true), &DEFAULTS, &[first]), Err(1002), "{first:x}");
    }
}

#[test]
fn corrupt_data_and_messages_that_are_cut_short() {
    let good = packed(&prose(5000));
    let mut rows: Vec<Vec<u8>> = vec![
        vec![0xff; 20],
        // A distance into nothing, a reserved block type, a stored block whose lengths disagree.
        b"\xf2\x00\x11\x00\x00".to_vec(),
        vec![0x06],
        b"\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00".to_vec(),
        // A stored block that promises more than comes.
        b"\x00\x05\x00\xfa\xff\x48".to_vec(),
        b"\x00\xff\xff\x00\x00".to_vec(),
    ];
    rows.extend((1..good.len()).step_by(29).map(|end| good[..end].to_vec()));
    for payload in rows {
        for bytes in [
            frame(true, true, Binary, &payload),
            [frame(false, true, Binary, &payload), frame(true, false, Continuation, b"")].concat(),
        ] {
            assert_eq!(receive(&mut client(15, false), &DEFAULTS, &bytes), Err(1007), "{payload:x?}");
        }
    }
}

#[test]
fn a_long_message_that_breaks_in_the_middle() {
    let mut payload = packed(&prose(2_000_000));
    let middle = payload.len() / 2;
    payload[middle..middle + 200].fill(0xff);
    let bytes = frame(true, true, Binary, &payload);
    assert!(bytes.len() > 200_000, "{}", bytes.len());
    let mut conn = client(15, true);
    let result = bytes.chunks(10_000).try_for_each(|chunk| receive(&mut conn, &DEFAULTS, chunk).map(|_| ()));
    assert_eq!(result, Err(1007));
    assert_eq!(receive(&mut conn, &DEFAULTS, &bytes), Ok(vec![]), "what follows is swallowed");
}

#[test]
fn compressed_bytes_that_inflate_to_nothing_are_not_taken_for_ever() {
    let limits = Limits { max_message: 10_000, ..DEFAULTS };
    let empty_blocks = b"\x00\x00\x00\xff\xff".repeat(1000);
    let mut conn = client(15, false);
    assert_eq!(receive(&mut conn, &limits, &frame(false, true, Binary, &empty_blocks)), Ok(vec![]));
    let more = frame(false, false, Continuation, &empty_blocks);
    assert_eq!(receive(&mut conn, &limits, &more), Ok(vec![]));
    assert_eq!(receive(&mut conn, &limits, &more), Err(1009));
    for claimed in [11_000_u64 + 1280, 1 << 32, 1 << 62, (1 << 63) - 1] {
        let header = ws::proto::frame::header(true, true, Binary, claimed, None);
        assert_eq!(receive(&mut client(15, false), &limits, &header), Err(1009), "{claimed}");
    }
}

#[test]
fn one_byte_fragments_are_counted() {
    let mut conn = client(15, false);
    assert_eq!(receive(&mut conn, &DEFAULTS, &frame(false, true, Binary, b"\x00")), Ok(vec![]));
    let fragment = frame(false, false, Continuation, b"\x00");
    let result = (0..100_000).try_for_each(|_| receive(&mut conn, &DEFAULTS, &fragment).map(|_| ()));
    // The bytes make no valid stream; whichever is noticed first, it ends.
    assert!(matches!(result, Err(1007 | 1008)), "{result:?}");
}
