//! Layer 3: one thread, one poll: ids, timers, mailbox, outbox.

mod fork;
pub mod ids;
pub mod mailbox;
pub mod slab;
pub mod wheel;

/// The atomics of the mailbox, which loom replaces by its own.
mod atomic {
    pub use std::sync::atomic::{AtomicBool, Ordering};
}
