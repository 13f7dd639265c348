//! permessage-deflate (RFC 7692): what is agreed in the handshake, and messages deflated and inflated.
//!
//! Deflate itself is zlib-rs. What is here is the extension: [`params`] is the negotiation, [`compress`] makes the payload
//! of one message, [`inflate`] undoes it under a limit.
//!
//! A receiver keeps no inflater of its own: between messages all that RFC 7692 asks it to remember is the window, at most
//! 32 KiB of what was inflated last, and only if the peer may refer to it. The inflater is lent for a message, so one
//! serves all connections of a loop.

pub mod compress;
pub mod inflate;
mod output;
pub mod params;

pub use output::Output;
pub use params::{Agreed, Rules};

/// The name of the extension.
pub const NAME: &str = "permessage-deflate";

/// What a message's compressed data ends with on the wire of deflate, and not on ours: section 7.2.1.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Memory could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// zlib-rs panics where it gets no memory for a state: asked before, it can be answered.
fn probe(bytes: usize) -> Result<(), NoMemory> {
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| NoMemory)
}
