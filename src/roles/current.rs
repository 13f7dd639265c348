//! The loop that this thread runs.
//!
//! While a thread runs a loop, the loop's [`Core`] lies here and is borrowed for one step at a time: read some
//! bytes, find the next message, queue a frame. The borrow has always ended when a user callback runs, so a
//! callback may make any call; nothing that it does can meet a half-changed loop.
//!
//! Most messages are answered by one reply and nothing else. What was found out about the connection before the first
//! of them still holds at the next one if no step was made on the loop in between: that is what *undisturbed* says, and
//! the two steps of the fast path, finding the next message and corking its reply, ask nothing else.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use super::core::Core;
use crate::proto::Kind;

/// What may be known of a connection while nothing but its own messages and replies happens; see the head of this file.
pub struct Undisturbed {
    /// The connection; 0 after any other step.
    id: Cell<u64>,
    /// The message that is being handed out, if it is a text: known to be UTF-8.
    text: Cell<*const [u8]>,
}

impl Undisturbed {
    const NO_TEXT: *const [u8] = std::ptr::slice_from_raw_parts(std::ptr::null(), 0);

    const fn new() -> Undisturbed {
        Undisturbed { id: Cell::new(0), text: Cell::new(Undisturbed::NO_TEXT) }
    }

    /// Notes what is handed out next.
    #[inline(always)]
    pub fn note(&self, kind: Kind, data: &[u8]) {
        self.text.set(if kind == Kind::Text { data } else { Undisturbed::NO_TEXT });
    }

    /// Whether this still holds of `id`.
    #[inline(always)]
    pub fn holds(&self, id: u64) -> bool {
        self.id.get() == id
    }
}

/// Without a destructor, which would have to be asked for at every access: whoever enters a loop leaves it.
struct Current {
    id: Cell<u64>,
    undisturbed: Undisturbed,
    core: RefCell<ManuallyDrop<Option<Box<Core>>>>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            id: Cell::new(0),
            undisturbed: Undisturbed::new(),
            core: RefCell::new(ManuallyDrop::new(None)),
        }
    };
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
    CURRENT.with(|current| {
        current.undisturbed.id.set(0);
        step(current.core.borrow_mut().as_mut().expect("this thread runs a loop"))
    })
}

/// Hands out messages of `id`, which counts as undisturbed until the next [`with`].
#[inline]
pub fn undisturbed<R>(id: u64, hand_out: impl FnOnce(&Undisturbed) -> R) -> R {
    CURRENT.with(|current| {
        current.undisturbed.id.set(id);
        hand_out(&current.undisturbed)
    })
}

/// Corks the reply to a message that is being handed out, a step that leaves the connection undisturbed, and is `done`.
/// `otherwise`, with nothing done, if `id` is not the undisturbed connection or the reply is out of the ordinary; all
/// before that never panics.
#[inline(always)]
pub fn reply_or<R>(id: u64, kind: Kind, data: &[u8], done: R, otherwise: impl FnOnce() -> R) -> R {
    let replied = CURRENT.with(|current| {
        let undisturbed = &current.undisturbed;
        if id == 0 || !undisturbed.holds(id) {
            return false;
        }
        let Ok(mut core) = current.core.try_borrow_mut() else { return false };
        let Some(core) = core.as_mut() else { return false };
        core.cork_reply(kind, data, || std::ptr::eq(undisturbed.text.get(), data))
    });
    if replied { done } else { otherwise() }
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
