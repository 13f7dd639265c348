//! What both frame targets do: the same bytes whole and in pieces must give the same events, and never cost more memory
//! than arrived.

use std::hash::{DefaultHasher, Hash, Hasher};

use ws::proto::Role;
use ws::proto::conn::{Conn, Data, Event, Limits};

const LIMITS: Limits = Limits { max_message: 1 << 20, max_parts: 1000 };

/// What the application and the peer would see of an event: its kind, its number and a hash of its bytes.
fn seen(event: &Event, buffer: &[u8]) -> (&'static str, u16, u64) {
    let hash = |data: &Data| {
        let mut hasher = DefaultHasher::new();
        data.as_slice(buffer).hash(&mut hasher);
        hasher.finish()
    };
    match event {
        Event::Message { kind, data } => ("message", *kind as u16, hash(data)),
        Event::Fragment => ("fragment", 0, 0),
        Event::Ping(data) => ("ping", 0, hash(data)),
        Event::Pong(data) => ("pong", 0, hash(data)),
        Event::Close { code, reason } => ("close", *code, hash(reason)),
        Event::Failed(violation) => ("failed", violation.code, 0),
    }
}

fn feed(conn: &mut Conn, piece: &[u8], events: &mut Vec<(&'static str, u16, u64)>) {
    let mut buffer = piece.to_vec();
    let mut position = 0;
    while let Some(event) = conn.next(&mut buffer, &mut position, &LIMITS, 0) {
        events.push(seen(&event, &buffer));
    }
    assert_eq!(position, buffer.len(), "every byte is used");
}

/// The first byte decides how the rest is cut.
pub fn check(role: Role, input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let (mut whole, mut cut_up) = (Vec::new(), Vec::new());
    feed(&mut Conn::new(role), bytes, &mut whole);
    let mut conn = Conn::new(role);
    for piece in bytes.chunks(usize::from(cut).max(1)) {
        feed(&mut conn, piece, &mut cut_up);
    }
    assert_eq!(whole, cut_up);
}
