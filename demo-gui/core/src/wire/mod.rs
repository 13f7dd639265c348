//! The y-websocket protocol: what is said on a connection, and what of it is believed.
//!
//! A frame holds one protocol message ([`Message`]). Updates from outside go through a [`Guard`] into a document, and
//! in no other way. Awareness is kept in an [`AwarenessTable`], with names and
//! colours made harmless. No clock here: `now_ms` is passed in, any monotonic count of milliseconds.

mod awareness;
mod bytes;
mod guard;
mod message;
mod position;
mod state;

use std::fmt;

pub use awareness::{AwarenessChange, AwarenessTable, EXPIRY_MS, RENEWAL_MS};
pub use bytes::{Reader, write_bytes, write_uint};
pub use guard::{ApplyError, Guard, apply_hostile, decode_state_vector, validate_step2, validate_update};
pub use message::{AwarenessEntry, Message, awareness, change, decode, decode_all, encode};
pub use message::{query_awareness, step1, step2, update};
pub use position::{Cursor, Position};
pub use state::{Color, Presence, Reaction, User, clean_name, clean_reaction, clean_state};

/// The shared text's name in the document. Stock examples choose their own; the app, the page and the tests use this.
pub const TEXT: &str = "content";

/// The largest update in one message.
pub const MAX_UPDATE: usize = 1 << 20;
/// The largest answer to step 1: a whole note.
pub const MAX_STEP2: usize = 16 << 20;
/// The most blocks in one update: each takes some 200 bytes in memory, whatever it takes on the wire.
pub const MAX_BLOCKS: usize = 400_000;
/// The largest awareness state of one client, in bytes of JSON.
pub const MAX_STATE: usize = 4 << 10;
/// The most clients in one awareness message, and over one connection.
pub const MAX_CLIENTS: usize = 64;
/// The longest text of a note, in bytes.
pub const MAX_TEXT: usize = 8 << 20;
/// The longest name, in characters.
pub const MAX_NAME: usize = 32;
/// The longest reaction, in characters.
pub const MAX_REACTION: usize = 32;

/// What is wrong with bytes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The message ends too early.
    Truncated,
    /// A number takes more bytes or bits than it may.
    Number,
    /// A text is not UTF-8.
    Utf8,
    /// More bytes than allowed, with the limit.
    TooBig(usize),
    /// More parts than the bytes can hold or than allowed.
    Count,
    /// Values within values, too deep.
    Nesting,
    /// An identifier, clock or length out of range.
    Range,
    /// The same client twice in one update.
    Repeated,
    /// A kind of message, block or value that we do not know or take, with its number.
    Unknown(u64),
    /// Something follows the end.
    Trailing,
    /// A state is not a JSON object or `null`.
    State,
    /// More clients than allowed.
    TooManyClients,
    /// It would take too long to apply.
    TooCostly,
    /// It was well-formed, but the document refused it.
    Refused,
}

impl fmt::Display for WireError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Truncated => out.write_str("the message ends too early"),
            WireError::Number => out.write_str("a number is too long"),
            WireError::Utf8 => out.write_str("a text is not UTF-8"),
            WireError::TooBig(limit) => write!(out, "more than {limit} bytes"),
            WireError::Count => out.write_str("a count is larger than what follows, or than allowed"),
            WireError::Nesting => out.write_str("values are nested too deep"),
            WireError::Range => out.write_str("an identifier, clock or length is out of range"),
            WireError::Repeated => out.write_str("a client occurs twice"),
            WireError::Unknown(kind) => write!(out, "kind {kind} is not known here"),
            WireError::Trailing => out.write_str("something follows the end of the message"),
            WireError::State => out.write_str("an awareness state is no JSON object"),
            WireError::TooManyClients => write!(out, "more than {MAX_CLIENTS} clients"),
            WireError::TooCostly => out.write_str("the update would take too long to apply"),
            WireError::Refused => out.write_str("the update contradicts the document"),
        }
    }
}

impl std::error::Error for WireError {}
