//! Callbacks that are due: everything but messages and pongs, which go out straight from the read path.
//!
//! Steps on the loop's state note here what the application must hear; the loop makes the calls between two steps.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, Phase};
use super::current::with;
use super::handler::{CloseInfo, Decision, Handler, Incoming, Peer};
use super::handles::{Conn, Listener, Request};
use super::log::{Level, Line};
use super::requests::RequestData;
use crate::event_loop::ids::{self, Entry, IdKind};

/// A callback to make.
pub enum Notice {
    /// A request is complete: decide an upgrade, or answer a plain one.
    Request {
        index: u32,
    },
    Open {
        index: u32,
        id: u64,
    },
    Drain {
        index: u32,
        id: u64,
    },
    Retry {
        index: u32,
        id: u64,
        info: Box<CloseInfo>,
        after_ms: u64,
    },
    Close {
        index: u32,
        id: u64,
        info: Box<CloseInfo>,
    },
    ListenerClose {
        owner: u32,
    },
    /// The application's function, from `post` or a timer.
    Run(Box<dyn FnOnce() + Send>),
    Timer {
        index: u32,
        id: u64,
    },
    Log(Line),
}

/// What unwinds out of a loop that finds itself in a forked child: nothing of it may be touched there.
pub struct Forked;

/// Calls user code with no borrow of the loop alive. A panic in a Rust handler ends the callback, not the loop.
#[inline]
pub fn call_user<R>(call: impl FnOnce() -> R) -> Option<R> {
    let born = ids::fork_generation();
    let result = catch_unwind(AssertUnwindSafe(call));
    if ids::fork_generation() != born {
        resume_unwind(Box::new(Forked));
    }
    match result {
        Ok(result) => Some(result),
        Err(panic) => {
            log_panic(panic.as_ref());
            None
        }
    }
}

#[cold]
fn log_panic(panic: &(dyn std::any::Any + Send)) {
    let what = panic_text(panic);
    with(|core| core.log(Level::Error, format_args!("a callback panicked: {what}")));
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into())
}

/// A handler that is taken out for a call. Only who puts it back may drop it: where a child of fork unwinds out of the
/// call, what it owns is the parent's.
pub type Lent = ManuallyDrop<Box<dyn Handler>>;

/// Takes an owner's handler out for a call; None if the owner is gone.
pub fn take_handler(owner: u32) -> Option<Lent> {
    with(|core| core.owners.get_mut(owner)?.handler.take()).map(Lent::new)
}

/// Puts it back; if the owner went away meanwhile, the handler goes as well, outside any borrow.
pub fn restore_handler(owner: u32, handler: Lent) {
    let handler = Lent::into_inner(handler);
    let orphan = with(|core| match core.owners.get_mut(owner) {
        Some(owner) => owner.handler.replace(handler),
        None => Some(handler),
    });
    drop(orphan);
}

/// Makes every callback that is due.
#[inline]
pub fn deliver() {
    // After most events nothing is.
    if with(|core| !core.notices.is_empty()) {
        deliver_all();
    }
}

#[inline(never)]
fn deliver_all() {
    while let Some(notice) = with(|core| core.notices.pop_front()) {
        match notice {
            Notice::Request { index } => decide(index),
            Notice::Open { index, id } => {
                if with(|core| core.opening(index, id)) {
                    tell(index, id, |handler, peer| handler.on_open(peer));
                    with(|core| core.send_kept(index, id));
                }
            }
            Notice::Drain { index, id } => {
                if with(|core| core.is_open(index, id)) {
                    tell(index, id, |handler, peer| handler.on_drain(peer));
                }
            }
            Notice::Retry { index, id, info, after_ms } => {
                tell(index, id, |handler, peer| handler.on_retry(peer, &info, after_ms));
            }
            Notice::Close { index, id, info } => {
                tell(index, id, |handler, peer| handler.on_close(peer, &info));
                with(|core| core.closed(index, id));
            }
            Notice::ListenerClose { owner } => listener_closed(owner),
            Notice::Run(run) => drop(call_user(run)),
            Notice::Timer { index, id } => super::timers::fire(index, id),
            Notice::Log(line) => super::log::write(&line),
        }
    }
}

/// One callback of a connection. A handler that panics loses that connection with 1011.
fn tell(index: u32, id: u64, call: impl FnOnce(&mut dyn Handler, Peer)) {
    let Some(owner) = with(|core| core.sockets.get(index).map(|socket| socket.owner)) else { return };
    let Some(mut handler) = take_handler(owner) else { return };
    let peer = peer_of(id);
    let done = call_user(|| call(handler.as_mut(), peer));
    restore_handler(owner, handler);
    if done.is_none() {
        with(|core| core.close_after_panic(index, id));
    }
}

/// The id with the application's word for it.
pub fn peer_of(id: u64) -> Peer {
    let user = ids::lookup(id, IdKind::Conn).map_or(0, |entry| entry.user.load(Relaxed));
    Peer { conn: Conn::from_raw(id), user }
}

/// The same for a caller that has looked `entry` up when `id` was alive.
#[inline]
pub fn peer_in(entry: &Entry, id: u64) -> Peer {
    let user = if entry.id.load(Relaxed) == id { entry.user.load(Relaxed) } else { 0 };
    Peer { conn: Conn::from_raw(id), user }
}

/// Calls `on_upgrade` or `on_request`, and does what it decided.
fn decide(index: u32) {
    let Some((owner, data)) = with(|core| core.begin_decision(index)) else { return };
    let Some(mut handler) = take_handler(owner) else { return };
    let decision = call_user(|| ask(handler.as_mut(), &data));
    restore_handler(owner, handler);
    with(|core| {
        core.current_request = None;
        core.end_decision(index, data.id, decision.unwrap_or(Some(Decision::Refuse(500))));
    });
}

fn ask(handler: &mut dyn Handler, data: &Arc<RequestData>) -> Option<Decision> {
    let user = ids::lookup(data.id, IdKind::Request).map_or(0, |entry| entry.user.load(Relaxed));
    let incoming = Incoming { request: Request::from_raw(data.id), head: &data.head, body: &data.body, user };
    if data.upgrade.is_some() {
        Some(handler.on_upgrade(incoming))
    } else {
        handler.on_request(incoming);
        None
    }
}

fn listener_closed(owner: u32) {
    let Some((id, user)) = with(|core| {
        let owner = core.owners.get(owner)?;
        Some((owner.server.as_ref()?.id, owner.user))
    }) else {
        return;
    };
    if let Some(mut handler) = take_handler(owner) {
        call_user(|| handler.on_listener_close(Listener::from_raw(id), user));
        restore_handler(owner, handler);
    }
    let retired = with(|core| core.owners.remove(owner));
    drop(retired);
}

impl Core {
    /// Whether the connection is still the one that opened; from here `on_open` counts as called.
    fn opening(&mut self, index: u32, id: u64) -> bool {
        match self.sockets.get_mut(index) {
            Some(socket) if socket.id == id && matches!(socket.phase, Phase::Open) => {
                socket.flags.was_open = true;
                socket.flags.ever_open = true;
                true
            }
            _ => false,
        }
    }

    /// Whether the connection `id` is open.
    pub fn is_open(&self, index: u32, id: u64) -> bool {
        self.sockets.get(index).is_some_and(|socket| socket.id == id && matches!(socket.phase, Phase::Open))
    }
}
