//! The loop that this thread runs.
//!
//! While a thread runs a loop, the loop's [`Core`] lies here and is borrowed for one step at a time: read some
//! bytes, find the next message, queue a frame. The borrow has always ended when a user callback runs, so a
//! callback may make any call; nothing that it does can meet a half-changed loop.

use std::cell::{Cell, RefCell};

use super::core::Core;

thread_local! {
    static CORE: RefCell<Option<Box<Core>>> = const { RefCell::new(None) };
    static LOOP_ID: Cell<u64> = const { Cell::new(0) };
}

/// The id of the loop that this thread runs, or 0.
#[inline]
pub fn loop_id() -> u64 {
    LOOP_ID.get()
}

/// Borrows the loop of this thread for one step.
///
/// # Panics
/// If this thread runs no loop, or inside another `with`: both are bugs of this crate.
#[inline]
pub fn with<R>(step: impl FnOnce(&mut Core) -> R) -> R {
    CORE.with_borrow_mut(|core| step(core.as_mut().expect("this thread runs a loop")))
}

/// Makes `core` the loop of this thread.
pub fn enter(core: Box<Core>) {
    LOOP_ID.set(core.shared.id);
    CORE.set(Some(core));
}

/// Ends what [`enter`] began.
pub fn leave() -> Option<Box<Core>> {
    LOOP_ID.set(0);
    CORE.take()
}
