//! Sharing a note: who may come in (tokens), how a link is written and read, and under which addresses we are reached.

pub mod address;
pub mod link;
pub mod token;

pub use link::{Target, parse};
pub use token::{Access, Tokens};

use crate::link::NoteId;

/// The subprotocol of our own page and app; the token follows it in a second name, [`AUTH_PREFIX`].
pub const SUBPROTOCOL: &str = "libws-notes.v1";

/// `auth.<token>` among the offered subprotocols.
pub const AUTH_PREFIX: &str = "auth.";

/// Longest name of a note in a URL.
const MAX_NAME: usize = 64;

/// A fresh name for a note: 130 random bits.
pub fn new_note_id() -> NoteId {
    NoteId(token::random_name())
}

/// Whether a name may be a note's: it stands in URLs and in file names, so only letters, digits, `-` and `_`.
pub fn is_note_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(allowed)
}
