//! Layer 3: one thread, one poll: ids, timers, mailbox, outbox.

mod fork;
pub mod ids;
pub mod mailbox;
pub mod slab;
pub mod wheel;
