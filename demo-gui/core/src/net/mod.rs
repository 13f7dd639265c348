//! The network side of the hub: handlers on the library's loop thread. They copy and post, and never block.

pub mod guest;
pub mod host;
pub mod listening;
pub mod page;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use ws::{Conn, Peer};

/// Above so many bytes that the hub has not yet looked at, a connection is not read from.
const PAUSE_ABOVE: usize = 256 << 10;

/// At so many it is read from again.
const RESUME_BELOW: usize = 64 << 10;

/// What a message costs besides its bytes: many small ones are no less work.
const MESSAGE: usize = 64;

/// What a handler tells the hub.
#[derive(Debug)]
pub enum Net {
    /// Somebody has connected to us. Whether they may is for the hub to say.
    GuestOpened(guest::Opened),
    /// The host of a joined note has taken us in.
    HostOpened(Conn, Arc<Inflow>),
    /// A message, of either.
    Message(Conn, Vec<u8>),
    /// The answer to a ping of ours.
    Pong(Conn),
    /// A host that was too slow takes frames again.
    Drained(Conn),
    /// The connection to a host was lost, or could not be made; the next attempt comes after so many milliseconds.
    HostLost {
        /// Which, still the same at the next attempt.
        conn: Conn,
        /// Why.
        cause: String,
        /// The wait.
        after_ms: u64,
    },
    /// A connection has ended for good.
    Closed {
        /// Which.
        conn: Conn,
        /// The peer's close code.
        code: u16,
        /// The HTTP status that refused us.
        status: Option<u16>,
        /// A sentence.
        detail: String,
    },
}

/// The bytes of one connection that the hub has not yet looked at.
#[derive(Debug, Default)]
pub struct Inflow {
    bytes: AtomicUsize,
    paused: AtomicBool,
}

impl Inflow {
    /// Loop thread: a message is on its way to the hub.
    fn arrived(&self, peer: Peer, len: usize) {
        let cost = len + MESSAGE;
        let waiting = self.bytes.fetch_add(cost, SeqCst) + cost;
        if waiting > PAUSE_ABOVE && !self.paused.swap(true, SeqCst) {
            // A connection that has just ended cannot be paused, and need not.
            let _ = peer.pause(true);
            // The hub may have come here between the two: then nobody else would wake it.
            if self.bytes.load(SeqCst) < RESUME_BELOW {
                self.resume(peer.conn);
            }
        }
    }

    /// Hub thread: it has been looked at.
    pub fn taken(&self, conn: Conn, len: usize) {
        let cost = len + MESSAGE;
        let waiting = self.bytes.fetch_sub(cost, SeqCst) - cost;
        if waiting < RESUME_BELOW {
            self.resume(conn);
        }
    }

    fn resume(&self, conn: Conn) {
        if self.paused.swap(false, SeqCst) {
            let _ = conn.pause(false);
        }
    }
}
