//! A compressing peer, and bytes worth compressing.

use ws::proto::Role;
use ws::proto::conn::{Conn, Data, Event, Limits, Receiver};
use ws::proto::deflate::Output;
use ws::proto::deflate::compress::Compressor;
use ws::proto::frame::{self, Opcode};

pub const DEFAULTS: Limits = Limits { max_message: 16 << 20, max_parts: 100_000 };

/// The deflated payload of one message, as RFC 7692 section 7.2.1 wants it.
pub fn deflated(compressor: &mut Compressor, data: &[u8], takeover: bool) -> Vec<u8> {
    let mut out = Output::default();
    compressor.message(data, takeover, &mut out).unwrap();
    out.as_slice().to_vec()
}

/// The same, by itself, with a window of 15 bits.
pub fn packed(data: &[u8]) -> Vec<u8> {
    deflated(&mut Compressor::new(6, 15).unwrap(), data, false)
}

/// A frame to a client, which therefore is not masked.
pub fn frame(fin: bool, rsv1: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    [&frame::header(fin, rsv1, opcode, payload.len() as u64, None)[..], payload].concat()
}

/// A client's connection with permessage-deflate.
pub fn client(bits: u8, takeover: bool) -> Conn {
    let mut conn = Conn::new(Role::Client);
    conn.set_receiver(Receiver::new(bits, takeover));
    conn
}

/// A message, and whether it came compressed.
pub type Seen = (Vec<u8>, bool);

/// What arrives, each message with whether it came compressed; the close code of a refusal ends it.
pub fn receive(conn: &mut Conn, limits: &Limits, bytes: &[u8]) -> Result<Vec<Seen>, u16> {
    let (mut bytes, mut pos, mut seen) = (bytes.to_vec(), 0, Vec::new());
    while let Some(event) = conn.next(&mut bytes, &mut pos, limits, 0) {
        match event {
            Event::Message { data: Data::Inflated(out), .. } => {
                seen.push((out.as_slice().to_vec(), true));
                conn.receiver().unwrap().recycle(out);
            }
            Event::Message { data, .. } => seen.push((data.as_slice(&bytes).to_vec(), false)),
            Event::Failed(violation) => return Err(violation.code),
            _ => {}
        }
    }
    Ok(seen)
}

/// Bytes that do not repeat within many kilobytes.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Numbers in words and digits: it shrinks, and not to nothing.
pub fn prose(len: usize) -> Vec<u8> {
    let words = ["open", "message", "close", "ping", "pong", "心跳", "text"];
    let mut text = String::new();
    for (at, byte) in noise(len, 19).into_iter().enumerate() {
        if text.len() >= len {
            break;
        }
        text += &format!("{} {} ", words[usize::from(byte) % words.len()], at * usize::from(byte));
    }
    text.into_bytes().into_iter().take(len).collect()
}
