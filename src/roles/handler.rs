//! What the application is told, and in which words.

use std::ops::Deref;

use super::handles::{Conn, Listener, Request};
use crate::error::ErrorCode;
use crate::proto::Kind;
use crate::proto::head::RequestHead;

/// A connection inside a callback: its id and the application's own word for it.
///
/// Dereferences to [`Conn`], so that `peer.send_text("hi")` works.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The id; copy it to use the connection later.
    pub conn: Conn,
    /// What [`Conn::set_user`] or the listen or connect call set.
    pub user: usize,
}

impl Deref for Peer {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

/// A whole message; the bytes live until the callback returns.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Text (checked UTF-8) or binary.
    pub kind: Kind,
    /// The payload.
    pub data: &'a [u8],
    /// It came compressed (RFC 7692).
    pub compressed: bool,
}

impl<'a> Message<'a> {
    /// The payload as text; None for a binary message.
    pub fn text(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Text => std::str::from_utf8(self.data).ok(),
            Kind::Binary => None,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug)]
pub struct CloseInfo {
    /// The peer's close code; 1005: its Close had none, 1006: it sent no Close (RFC 6455 section 7.1.5).
    pub code: u16,
    /// The code that we sent; 1005: an empty Close, 0: no Close frame sent.
    pub sent_code: u16,
    /// Why it broke; None if it ended cleanly.
    pub error: Option<ErrorCode>,
    /// Whether `on_open` was called.
    pub was_open: bool,
    /// Whether both Close frames were exchanged.
    pub was_clean: bool,
    /// The peer's reason; may be empty.
    pub reason: String,
    /// A sentence for logs: "HTTP 403", "no pong for 20000 ms".
    pub detail: String,
    /// Bytes that were queued and never left.
    pub unsent: u64,
}

/// What to do with an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Switch protocols.
    Accept,
    /// The answer comes later, by the request's id.
    Defer,
    /// Refuse with this HTTP status (300-599; anything else is 500).
    Refuse(u16),
}

/// An HTTP request as a callback sees it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The id to answer with, now or later.
    pub request: Request,
    /// Method, target and headers.
    pub head: &'a RequestHead,
    /// The body; empty for an upgrade.
    pub body: &'a [u8],
    /// What the listen call or [`Request::set_user`] set.
    pub user: usize,
}

/// The application's side of listeners and connections. Called on the loop's thread, one at a time, never inside
/// another call of this library; any call is legal inside.
#[allow(unused_variables)]
pub trait Handler: Send {
    /// A peer asks for a WebSocket; the listener's own rules (path, origin, host) have already agreed.
    fn on_upgrade(&mut self, incoming: Incoming<'_>) -> Decision {
        Decision::Accept
    }

    /// Whether [`on_request`](Handler::on_request) wants plain requests; otherwise they get 404 or 426. Asked once, when the
    /// handler is given to the library.
    fn takes_requests(&self) -> bool {
        false
    }

    /// A plain HTTP request on the same port: answer with [`Request::respond`], now or later.
    fn on_request(&mut self, incoming: Incoming<'_>) {}

    /// The opening handshake is done.
    fn on_open(&mut self, peer: Peer) {}

    /// A whole message arrived.
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {}

    /// The same, with arguments that fit into registers. The loop calls this one: do as the C API does and implement it
    /// in place of [`on_message`](Handler::on_message) where nanoseconds count.
    fn on_data(&mut self, peer: Peer, data: &[u8], kind: Kind, compressed: bool) {
        self.on_message(peer, Message { kind, data, compressed });
    }

    /// A pong arrived that is not the heartbeat's.
    fn on_pong(&mut self, peer: Peer, data: &[u8]) {}

    /// After a send was pending or refused: the queue is down to `low_water`.
    fn on_drain(&mut self, peer: Peer) {}

    /// A client connection was lost, or an attempt failed; the next one comes after `after_ms`.
    fn on_retry(&mut self, peer: Peer, info: &CloseInfo, after_ms: u64) {}

    /// The connection ended: exactly once for each, and the last call.
    fn on_close(&mut self, peer: Peer, info: &CloseInfo) {}

    /// The listener is closed and its last `on_close` has returned.
    fn on_listener_close(&mut self, listener: Listener, user: usize) {}
}
