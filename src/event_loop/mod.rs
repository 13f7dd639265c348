//! Layer 3: one thread, one poll: ids, timers, mailbox, outbox.
