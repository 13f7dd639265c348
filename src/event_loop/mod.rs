//! Layer 3: what one loop is made of: a poll, ids, timers, a mailbox, outboxes, randomness.
//!
//! These are mechanisms; what a loop does with its sockets is layer 5, [`crate::roles`].

mod fork;
pub mod ids;
pub mod mailbox;
pub mod outbox;
pub mod poller;
pub mod random;
pub mod slab;
pub mod waker;
pub mod wheel;

/// The atomics of the mailbox, which loom replaces by its own.
mod atomic {
    pub use std::sync::atomic::{AtomicBool, Ordering};
}
