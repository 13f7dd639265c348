//! What the connections send, framed in advance, and what is due in reply.

use crate::Result;
use crate::frame::{RSV1, append_masked, reply_len};
use crate::options::{Deflate, Kind, Options};
use crate::payload;

/// Different messages of a compressed load, so that no server finds the last reply in its window.
const VARIANTS: usize = 32;

/// How replies are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Their length is known: bytes are counted, this many for each batch, and thrown away by the kernel.
    Bytes(u64),
    /// Their length is the server's choice: headers are read, this many messages for each batch.
    Messages(u64),
}

/// A load.
pub struct Load {
    /// Each holds `depth` messages, ready to be sent.
    pub batches: Vec<Vec<u8>>,
    pub depth: usize,
    pub count: Count,
    /// Sec-WebSocket-Extensions of the opening handshake.
    pub offer: Option<&'static str>,
    /// The plain payload of the first message, to hold a reply against.
    pub sample: Vec<u8>,
    /// The first message alone.
    pub sample_frame: Vec<u8>,
}

impl Load {
    pub fn of(options: &Options) -> Result<Load> {
        let compressed = options.deflate != Deflate::Off;
        let opcode = if options.kind == Kind::Binary { 2 } else { 1 };
        let bits = opcode | if compressed { RSV1 } else { 0 };
        let mut keys = payload::Random::new(7);
        let mut frames = Vec::new();
        for variant in 0..if compressed { VARIANTS } else { 1 } {
            let plain = payload::plain(options.kind, options.size, variant);
            let body = if compressed { payload::deflate(&plain)? } else { plain };
            let mut frame = Vec::new();
            append_masked(&mut frame, bits, &body, (keys.next() as u32 | 0x0101_0101).to_be_bytes());
            frames.push(frame);
        }
        let batch = |first: usize| {
            (0..options.depth).flat_map(|i| frames[(first + i) % frames.len()].iter().copied()).collect()
        };
        Ok(Load {
            batches: (0..frames.len()).map(batch).collect(),
            depth: options.depth,
            count: if compressed {
                Count::Messages(options.depth as u64)
            } else {
                Count::Bytes(reply_len(options.size) * options.depth as u64)
            },
            offer: match options.deflate {
                Deflate::Off => None,
                Deflate::Takeover => Some("permessage-deflate"),
                Deflate::NoTakeover => {
                    Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
                }
            },
            sample: payload::plain(options.kind, options.size, 0),
            sample_frame: frames.swap_remove(0),
        })
    }

    /// What is to come for one batch, in the unit of `count`.
    pub fn due(&self) -> u64 {
        match self.count {
            Count::Bytes(due) | Count::Messages(due) => due,
        }
    }
}
