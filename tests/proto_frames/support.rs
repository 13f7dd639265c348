//! Frames as a peer sends them, and a loop that pulls events as a socket's owner would.

use ws::proto::conn::{Conn, Event, Limits, Violation};
use ws::proto::frame::{self, Opcode};
use ws::proto::{Kind, Role, mask};

pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
pub const DEFAULTS: Limits = Limits { max_message: 16 << 20, max_parts: 100_000 };

/// An event with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
    Failed(Violation),
}

impl Seen {
    /// None: nothing that an application hears of.
    pub fn new(event: &Event, buf: &[u8]) -> Option<Seen> {
        Some(match event {
            Event::Message { kind: Kind::Text, data } => Seen::Text(data.as_slice(buf).to_vec()),
            Event::Message { kind: Kind::Binary, data } => Seen::Binary(data.as_slice(buf).to_vec()),
            Event::Ping(data) => Seen::Ping(data.as_slice(buf).to_vec()),
            Event::Pong(data) => Seen::Pong(data.as_slice(buf).to_vec()),
            Event::Close { code, reason } => Seen::Close(*code, reason.as_slice(buf).to_vec()),
            Event::Failed(violation) => Seen::Failed(*violation),
            Event::Fragment => return None,
        })
    }

    /// The close code of a refusal.
    pub fn refusal(&self) -> Option<u16> {
        match self {
            Seen::Failed(violation) => Some(violation.code),
            _ => None,
        }
    }
}

/// The key that the peer of this role uses.
pub fn key_toward(role: Role) -> Option<[u8; 4]> {
    match role {
        Role::Server => Some(KEY),
        Role::Client => None,
    }
}

/// Appends a frame as the peer of `role` sends it.
pub fn put(out: &mut Vec<u8>, role: Role, fin: bool, opcode: Opcode, payload: &[u8]) {
    let key = key_toward(role);
    out.extend_from_slice(&frame::header(fin, false, opcode, payload.len() as u64, key));
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(&mut out[start..], key, 0);
    }
}

/// One frame as the peer of `role` sends it.
pub fn frame(role: Role, fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, role, fin, opcode, payload);
    out
}

/// A connection and what it has reported.
pub struct Receiver {
    pub conn: Conn,
    pub seen: Vec<Seen>,
    pub limits: Limits,
    /// Whether long frames are read straight into the collecting buffer.
    pub direct: bool,
    /// Bytes that came that way.
    pub read_directly: usize,
}

impl Receiver {
    pub fn new(role: Role, limits: Limits) -> Receiver {
        Receiver { conn: Conn::new(role), seen: Vec::new(), limits, direct: false, read_directly: 0 }
    }

    /// Feeds what one read brought.
    pub fn read(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while self.direct && !rest.is_empty() {
            let Some((bytes, room)) = self.conn.direct() else { break };
            let n = room.min(rest.len());
            assert!(n > 0, "no room");
            bytes.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
            self.read_directly += n;
            if let Some(event) = self.conn.direct_filled(n) {
                self.seen.extend(Seen::new(&event, &[]));
            }
        }
        let mut buf = rest.to_vec();
        let mut pos = 0;
        while let Some(event) = self.conn.next(&mut buf, &mut pos, &self.limits, 0) {
            self.seen.extend(Seen::new(&event, &buf));
        }
        assert_eq!(pos, buf.len(), "input left over");
    }
}

/// What a connection reports when the stream comes in these chunks.
pub fn receive<'a>(role: Role, limits: Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut receiver = Receiver::new(role, limits);
    for chunk in chunks {
        receiver.read(chunk);
    }
    receiver.seen
}
