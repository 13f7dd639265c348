//! The loop that this thread runs.
//!
//! While a thread runs a loop, the loop's [`Core`] lies here and is borrowed for one step at a time: read some
//! bytes, find the next message, queue a frame. The borrow has always ended when a user callback runs, so a
//! callback may make any call; nothing that it does can meet a half-changed loop.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use super::core::Core;

/// Without a destructor, which would have to be asked for at every access: whoever enters a loop leaves it.
struct Current {
    id: Cell<u64>,
    core: RefCell<ManuallyDrop<Option<Box<Core>>>>,
}

thread_local! {
    static CURRENT: Current =
        const { Current { id: Cell::new(0), core: RefCell::new(ManuallyDrop::new(None)) } };
}

/// The id of the loop that this thread runs, or 0.
#[inline]
pub fn loop_id() -> u64 {
    CURRENT.with(|current| current.id.get())
}

/// Borrows the loop of this thread for one step.
///
/// # Panics
/// If this thread runs no loop, or inside another `with`: both are bugs of this crate.
#[inline]
pub fn with<R>(step: impl FnOnce(&mut Core) -> R) -> R {
    CURRENT.with(|current| step(current.core.borrow_mut().as_mut().expect("this thread runs a loop")))
}

/// The same for a thread that may run no loop: then nothing is done and it is false.
#[inline(always)]
pub fn if_any(step: impl FnOnce(&mut Core) -> bool) -> bool {
    CURRENT.with(|current| current.core.borrow_mut().as_mut().is_some_and(|core| step(core)))
}

/// Makes `core` the loop of this thread.
pub fn enter(core: Box<Core>) {
    CURRENT.with(|current| {
        current.id.set(core.shared.id);
        **current.core.borrow_mut() = Some(core);
    });
}

/// Ends what [`enter`] began.
pub fn leave() -> Option<Box<Core>> {
    CURRENT.with(|current| {
        current.id.set(0);
        current.core.borrow_mut().take()
    })
}
