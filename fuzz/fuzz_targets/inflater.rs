//! Compressed messages from a peer, on one connection that remembers them: whole, in fragments and in pieces they must
//! mean the same, and what is accepted must be what zlib-rs alone makes of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws::proto::Role;
use ws::proto::conn::{Conn, Data, Event, Limits, Receiver};
use ws::proto::frame::{self, Opcode};
use zlib_rs::{Inflate, InflateFlush, Status};

const MOST: usize = 1 << 16;
const LIMITS: Limits = Limits { max_message: MOST as u64, max_parts: 100_000 };

/// A message, or the close code of the refusal, which ends the list.
type Seen = Result<Vec<u8>, u16>;

fn feed(conn: &mut Conn, piece: &[u8], seen: &mut Vec<Seen>) {
    let mut buffer = piece.to_vec();
    let mut position = 0;
    while let Some(event) = conn.next(&mut buffer, &mut position, &LIMITS, 0) {
        match event {
            Event::Message { data: Data::Inflated(out), .. } => {
                assert!(out.len() <= MOST);
                assert!(out.capacity() <= MOST + 1, "no more room than the limit and a byte");
                seen.push(Ok(out.as_slice().to_vec()));
                conn.receiver().expect("it was set").recycle(out);
            }
            Event::Fragment => {}
            Event::Failed(violation) => seen.push(Err(violation.code)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(position, buffer.len(), "every byte is used");
}

fn conn(bits: u8, takeover: bool) -> Conn {
    let mut conn = Conn::new(Role::Client);
    conn.set_receiver(Receiver::new(bits, takeover));
    conn
}

/// The message in frames of `size` bytes.
fn framed(payload: &[u8], size: usize) -> Vec<u8> {
    let count = payload.len().div_ceil(size).max(1);
    let mut out = Vec::new();
    for at in 0..count {
        let part = &payload[at * size..payload.len().min((at + 1) * size)];
        let opcode = if at == 0 { Opcode::Binary } else { Opcode::Continuation };
        out.extend_from_slice(&frame::header(at + 1 == count, at == 0, opcode, part.len() as u64, None));
        out.extend_from_slice(part);
    }
    out
}

/// What zlib-rs makes of the payload and its tail, if that is one stream that does not end.
fn plainly(payload: &[u8], history: &[u8]) -> Option<Vec<u8>> {
    let mut zlib = Inflate::new(false, 15);
    if !history.is_empty() {
        zlib.set_dictionary(history).ok()?;
    }
    let mut out = vec![0; MOST + 1];
    let status = zlib.decompress(payload, &mut out, InflateFlush::SyncFlush).ok()?;
    let written = zlib.total_out() as usize;
    if status == Status::StreamEnd || zlib.total_in() as usize != payload.len() || written > MOST {
        return None;
    }
    // The tail must end a block, and nothing else: there an empty final block ends the stream.
    let end = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];
    match zlib.decompress(&end, &mut out[written..], InflateFlush::SyncFlush) {
        Ok(Status::StreamEnd) if zlib.total_out() as usize == written => {}
        _ => return None,
    }
    if zlib.total_in() as usize != payload.len() + end.len() {
        return None;
    }
    out.truncate(written);
    Some(out)
}

/// As a long message is inflated: piece by piece, as it arrives.
fn pushed(receiver: &mut Receiver, payload: &[u8], size: usize) -> Seen {
    let mut inflating = receiver.begin().map_err(|violation| violation.code)?;
    for piece in payload.chunks(size) {
        receiver.push(&mut inflating, piece, MOST).map_err(|violation| violation.code)?;
    }
    let out = receiver.finish(inflating).map_err(|violation| violation.code)?;
    let seen = out.as_slice().to_vec();
    receiver.recycle(out);
    Ok(seen)
}

fn newest(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(most)..]
}

/// The first three bytes choose the parameters, the size of fragments and of pieces; each message has two bytes of length.
fuzz_target!(|input: &[u8]| {
    let Some((&[options, fragment, piece], rest)) = input.split_first_chunk::<3>() else { return };
    let (bits, takeover) = (8 + (options & 7), options & 8 != 0);
    let mut messages = Vec::new();
    let mut rest = rest;
    while let Some((&len, tail)) = rest.split_first_chunk::<2>() {
        let (message, behind) = tail.split_at(tail.len().min(usize::from(u16::from_le_bytes(len))));
        messages.push(message);
        rest = behind;
    }
    let (mut whole, mut parts, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    let (mut by_message, mut by_part, mut by_piece) =
        (conn(bits, takeover), conn(bits, takeover), conn(bits, takeover));
    let (mut receiver, mut as_it_came) = (Receiver::new(bits, takeover), Vec::new());
    let mut history = Vec::new();
    let window = if takeover { 1 << bits } else { 0 };
    for message in messages {
        let bytes = framed(message, usize::MAX / 2);
        feed(&mut by_message, &bytes, &mut whole);
        feed(&mut by_part, &framed(message, usize::from(fragment).max(1)), &mut parts);
        for piece in bytes.chunks(usize::from(piece).max(1)) {
            feed(&mut by_piece, piece, &mut pieces);
        }
        as_it_came.push(pushed(&mut receiver, message, usize::from(piece).max(1)));
        let expected = plainly(message, newest(&history, window));
        match (whole.last(), expected) {
            (Some(Ok(seen)), Some(expected)) => assert_eq!(*seen, expected),
            (_, Some(_)) => panic!("a good message was refused: {:?}", whole.last()),
            _ => {}
        }
        let Some(Ok(seen)) = whole.last() else { break };
        history.extend_from_slice(seen);
        assert!(by_message.receiver().expect("it was set").remembered() <= window);
    }
    assert_eq!(whole, parts);
    assert_eq!(whole, pieces);
    assert_eq!(whole, as_it_came);
});
