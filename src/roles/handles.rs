//! The ids that the application holds. All are plain numbers, `Copy`, safe to keep for ever and to use from any
//! thread: a call with one that is dead returns [`ErrorCode::Gone`](crate::ErrorCode::Gone).

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::close::{READY_STATE, ReadyState};
use super::core::{Core, NONE};
use super::reconnect::OFFLINE_QUEUE;
use super::requests::Headers;
use super::send_batches::Head;
use super::shared::{self, Post};
use super::write::{DRAIN_WANTED, Form, Sent};
use super::{current, topics};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::proto::handshake::headers;
use crate::proto::{Kind, Role, close, utf8};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            /// From the number of the C API; any number is safe.
            pub const fn from_raw(id: u64) -> Self {
                Self(id)
            }

            /// The number of the C API.
            pub const fn raw(self) -> u64 {
                self.0
            }
        }
    };
}

id! {
    /// A WebSocket connection, either role.
    Conn
}
id! {
    /// A listening socket.
    Listener
}
id! {
    /// An HTTP request that waits for its answer.
    Request
}
id! {
    /// A timer.
    Timer
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub struct Info {
    /// Which side we are.
    pub role: Role,
    /// Where it is in its life.
    pub ready_state: ReadyState,
    /// Of the newest answered heartbeat, in microseconds.
    pub round_trip_us: Option<u32>,
    /// Bytes queued and not yet taken by the kernel.
    pub buffered_amount: u64,
    /// The listener it came from; None for a client.
    pub listener: Option<Listener>,
    /// "127.0.0.1:40312", `[::1]:80`, "unix".
    pub peer: String,
    /// The subprotocol; may be empty.
    pub protocol: String,
    /// permessage-deflate was agreed (RFC 7692).
    pub deflate: bool,
}

impl Conn {
    fn entry(self) -> Result<&'static Entry> {
        ids::lookup(self.0, IdKind::Conn).ok_or(Error::gone())
    }

    /// Sends a whole message (RFC 6455 section 5.6); text must be UTF-8. From any thread, with the same results.
    #[inline]
    pub fn send(self, kind: Kind, data: &[u8]) -> Result<Sent> {
        self.send_as(Form { kind, compress: true }, data)
    }

    /// The same, but never compressed: for a message that mixes a secret with what a peer may choose, whose length would
    /// tell of the secret (RFC 7692 section 8).
    pub fn send_uncompressed(self, kind: Kind, data: &[u8]) -> Result<Sent> {
        self.send_as(Form { kind, compress: false }, data)
    }

    #[inline]
    pub(crate) fn send_as(self, form: Form, data: &[u8]) -> Result<Sent> {
        current::reply_or(self.0, form.kind, data, Ok(Sent::Ok), || self.send_general(form, data))
    }

    /// The rest of [`Conn::send`].
    #[inline(never)]
    pub(crate) fn send_general(self, form: Form, data: &[u8]) -> Result<Sent> {
        let entry = self.entry()?;
        if form.kind == Kind::Text && !utf8::is_valid(data) {
            return Err(Error::new(ErrorCode::Utf8, "the text is not UTF-8"));
        }
        if entry.owner.load(Relaxed) == current::loop_id() {
            return current::with(|core| {
                let index = core.index_of(self.0)?;
                core.send_message(index, form, data)
            });
        }
        self.send_from_elsewhere(entry, form, data)
    }

    /// Sends text.
    pub fn send_text(self, text: &str) -> Result<Sent> {
        self.send(Kind::Text, text.as_bytes())
    }

    /// Sends bytes.
    pub fn send_binary(self, data: &[u8]) -> Result<Sent> {
        self.send(Kind::Binary, data)
    }

    /// The loop is told by mail; what the caller hears is decided here, from the connection's table entry.
    fn send_from_elsewhere(self, entry: &'static Entry, form: Form, data: &[u8]) -> Result<Sent> {
        let state = entry.state.load(Acquire);
        let offline = state & READY_STATE == ReadyState::Connecting as u32 && state & OFFLINE_QUEUE != 0;
        if state & READY_STATE != ReadyState::Open as u32 && !offline {
            return Err(Error::state("the connection is not open"));
        }
        let head = Head::new(entry, self.0, form, data)?;
        let (len, cost) = (data.len() as u64, shared::mail_cost(data.len()));
        let before = entry.queued.fetch_add(cost, Relaxed);
        let refuse = |error| {
            entry.queued.fetch_sub(cost, Relaxed);
            Err(error)
        };
        if entry.id.load(Acquire) != self.0 {
            return refuse(Error::gone());
        }
        // An open connection takes a message whole while it is below its limit; the offline queue never goes above it.
        let limit = u64::from(entry.max_buffered.load(Relaxed));
        if if offline { before + len > limit } else { before >= limit } {
            let refused = refuse(Error::new(ErrorCode::Full, "max_buffered is reached: wait for on_drain"));
            entry.state.fetch_or(DRAIN_WANTED, Relaxed);
            // The queue may have emptied before the wish was noted: the loop looks once more.
            self.act(|core, index| {
                core.check_low_water(index);
                Ok(())
            })?;
            return refused;
        }
        let pending = before + len > u64::from(entry.high_water.load(Relaxed));
        if pending {
            // Before the letter is posted, so that the loop sees it when it has sent the message.
            entry.state.fetch_or(DRAIN_WANTED, Relaxed);
        }
        if let Err(error) = shared::post_send(entry.owner.load(Relaxed), head, data) {
            return refuse(error);
        }
        Ok(if pending || offline { Sent::Pending } else { Sent::Ok })
    }

    /// Sends a ping with at most 125 bytes (RFC 6455 section 5.5.2); `on_pong` brings the answer.
    pub fn ping(self, data: &[u8]) -> Result<()> {
        if data.len() > 125 {
            return Err(Error::invalid(format!("a ping has at most 125 bytes, this one {}", data.len())));
        }
        self.must_be_open()?;
        let data = data.to_vec();
        self.act(move |core, index| core.send_ping(index, &data))
    }

    fn must_be_open(self) -> Result<()> {
        match self.ready_state() {
            ReadyState::Open => Ok(()),
            _ => {
                self.entry()?;
                Err(Error::state("the connection is not open"))
            }
        }
    }

    /// Begins the close handshake (RFC 6455 section 7.1.2). Code 0 sends an empty Close; the codes that may be sent
    /// are 1000-1003, 1007-1014 and 3000-4999; the reason has at most 123 bytes. While connecting it aborts.
    pub fn close(self, code: u16, reason: &str) -> Result<()> {
        close::payload(code, reason).map_err(|bad| Error::invalid(bad.to_string()))?;
        let entry = self.entry()?;
        let state = entry.state.load(Acquire) & READY_STATE;
        if state >= ReadyState::Closing as u32 {
            return Err(Error::state("the connection is closing already"));
        }
        let reason = reason.to_owned();
        if entry.owner.load(Relaxed) != current::loop_id() {
            // Of several closes the first wins, also before the loop hears of it.
            self.claim(entry, ReadyState::Closing)?;
        }
        self.act(move |core, index| core.close_by_us(index, code, &reason))
    }

    /// Moves the readyState on to `new`, so that no call that follows this one finds the connection open.
    fn claim(self, entry: &Entry, new: ReadyState) -> Result<()> {
        let new = new as u32;
        let move_on = |state| (state & READY_STATE < new).then_some(state & !READY_STATE | new);
        let claimed = entry.state.fetch_update(Relaxed, Relaxed, move_on);
        if entry.id.load(Acquire) != self.0 {
            // The slot has passed to another connection, whose state it was.
            if let Ok(old) = claimed {
                let undo =
                    |state| (state & READY_STATE == new).then_some(state & !READY_STATE | old & READY_STATE);
                let _ = entry.state.fetch_update(Relaxed, Relaxed, undo);
            }
            return Err(Error::gone());
        }
        let what = if new == ReadyState::Closed as u32 { "closed" } else { "closing already" };
        claimed.map(drop).map_err(|_| Error::state(format!("the connection is {what}")))
    }

    /// Ends the connection without a Close frame; `on_close` comes with 1006.
    pub fn terminate(self) -> Result<()> {
        let entry = self.entry()?;
        if entry.owner.load(Relaxed) != current::loop_id() {
            // What is sent after this would be lost, so it is refused from here on.
            self.claim(entry, ReadyState::Closed)?;
        }
        self.act(Core::terminate)
    }

    /// Stops reading, so that TCP pushes back, or goes on.
    pub fn pause(self, paused: bool) -> Result<()> {
        self.act(move |core, index| {
            core.pause(index, paused);
            Ok(())
        })
    }

    /// Where the connection is in its life; Closed if it is gone.
    pub fn ready_state(self) -> ReadyState {
        let Ok(entry) = self.entry() else { return ReadyState::Closed };
        match entry.state.load(Acquire) & READY_STATE {
            0 => ReadyState::Connecting,
            1 => ReadyState::Open,
            2 => ReadyState::Closing,
            _ => ReadyState::Closed,
        }
    }

    /// Bytes queued and not yet taken by the kernel.
    pub fn buffered_amount(self) -> Result<u64> {
        let entry = self.entry()?;
        let mut queued = entry.queued.load(Relaxed);
        if entry.owner.load(Relaxed) == current::loop_id() {
            queued += current::with(|core| core.corked_bytes(self.0));
        }
        Ok(queued)
    }

    /// Peer, subprotocol, round trip and more. From another thread it waits for the loop.
    pub fn info(self) -> Result<Info> {
        let owner = self.entry()?.owner.load(Relaxed);
        let mut info = shared::call(owner, move |core| core.info(self.0))??;
        info.ready_state = self.ready_state();
        Ok(info)
    }

    /// The application's word for the connection.
    pub fn user(self) -> Result<usize> {
        Ok(self.entry()?.user.load(Relaxed))
    }

    /// Sets that word. From another thread it waits for the loop.
    pub fn set_user(self, user: usize) -> Result<()> {
        set_user(self.0, IdKind::Conn, user)
    }

    /// Subscribes to a topic of the connection's loop; the name has 1 to 1,024 bytes.
    pub fn subscribe(self, topic: &str) -> Result<()> {
        topics::check_name(topic)?;
        self.must_be_open()?;
        let topic = topic.to_owned();
        self.act(move |core, index| core.subscribe(index, &topic))
    }

    /// Ends a subscription.
    pub fn unsubscribe(self, topic: &str) -> Result<()> {
        topics::check_name(topic)?;
        let topic = topic.to_owned();
        self.act(move |core, index| core.unsubscribe(index, &topic))
    }

    /// On the loop's thread: at once, with the result. Elsewhere: by mail; what can be known has been checked.
    fn act(self, step: impl FnOnce(&mut Core, u32) -> Result<()> + Send + 'static) -> Result<()> {
        let entry = self.entry()?;
        let owner = entry.owner.load(Relaxed);
        // A connect call of another thread may still be on its way to the loop: then this goes behind it.
        if owner == current::loop_id() && entry.local.load(Relaxed) != NONE {
            return current::with(|core| {
                let index = core.index_of(self.0)?;
                step(core, index)
            });
        }
        let step = move |core: &mut Core| {
            if let Ok(index) = core.index_of(self.0) {
                // The connection ended while the letter was on its way: `on_close` tells.
                let _ = step(core, index);
            }
        };
        shared::post(owner, Post::Step(Box::new(step)))
    }
}

impl Listener {
    fn ask<R: Send + 'static>(
        self,
        question: impl FnOnce(&mut Core) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let entry = ids::lookup(self.0, IdKind::Listener).ok_or(Error::gone())?;
        shared::call(entry.owner.load(Relaxed), question)?
    }

    /// The port it listens on; 0 for a Unix socket.
    pub fn port(self) -> Result<u16> {
        self.ask(move |core| core.server(self.0).map(|server| server.port))
    }

    /// Its address as a URL, with the real port.
    pub fn url(self) -> Result<String> {
        self.ask(move |core| core.server(self.0).map(|server| server.url.clone()))
    }

    /// Stops listening; open connections live on.
    pub fn close(self) -> Result<()> {
        self.ask(move |core| core.close_listener(self.0))
    }
}

impl Request {
    fn owner(self) -> Result<u64> {
        let entry = ids::lookup(self.0, IdKind::Request).ok_or(Error::gone())?;
        Ok(entry.owner.load(Relaxed))
    }

    /// Accepts an upgrade. `protocol`: None takes the first of the listener's that was offered, "" none; `headers`
    /// are added to the 101. From another thread it waits for the loop.
    pub fn accept(self, protocol: Option<&str>, extra: &str) -> Result<()> {
        let extra = headers::parse(extra).map_err(Error::invalid)?;
        let protocol = protocol.map(str::to_owned);
        shared::call(self.owner()?, move |core| core.accept_request(self.0, protocol.as_deref(), &extra))?
    }

    /// Answers with a response; an upgrade is refused by it (300 to 599). From another thread it waits for the loop.
    pub fn respond(self, status: u16, extra: &str, body: &[u8]) -> Result<()> {
        if !(200..=599).contains(&status) {
            return Err(Error::invalid(format!("status {status} is not a final HTTP status (200 to 599)")));
        }
        let extra: Headers = headers::parse(extra).map_err(Error::invalid)?;
        let body = body.to_vec();
        shared::call(self.owner()?, move |core| core.respond_request(self.0, status, &extra, &body))?
    }

    /// Where it comes from.
    pub fn peer(self) -> Result<String> {
        shared::call(self.owner()?, move |core| core.request_peer(self.0))?
    }

    /// Sets the word that the accepted connection will have. From another thread it waits for the loop.
    pub fn set_user(self, user: usize) -> Result<()> {
        set_user(self.0, IdKind::Request, user)
    }
}

/// Sets an id's word on its loop's thread, where the id cannot die meanwhile.
fn set_user(id: u64, kind: IdKind, user: usize) -> Result<()> {
    let owner = ids::lookup(id, kind).ok_or(Error::gone())?.owner.load(Relaxed);
    let set = move |_: &mut Core| {
        ids::lookup(id, kind).ok_or(Error::gone())?.user.store(user, Relaxed);
        Ok(())
    };
    shared::call(owner, set)?
}

impl Timer {
    /// Stops it. When this returns, its function is not running and will not run (unless called inside it, or in a
    /// callback of another loop that its function waits for).
    pub fn stop(self) -> Result<()> {
        let entry = ids::lookup(self.0, IdKind::Timer).ok_or(Error::gone())?;
        let call = shared::call(entry.owner.load(Relaxed), move |core| core.stop_timer(self.0))??;
        drop(call);
        Ok(())
    }
}

impl Core {
    fn info(&self, id: u64) -> Result<Info> {
        let index = self.index_of(id)?;
        let socket = self.sockets.get(index).ok_or(Error::gone())?;
        let server = self.owners.get(socket.owner).and_then(|owner| owner.server.as_ref());
        let protocol = socket.extra.as_ref().and_then(|extra| extra.protocol.as_deref());
        Ok(Info {
            role: socket.role(),
            ready_state: ReadyState::Closed,
            round_trip_us: Some(socket.round_trip_us).filter(|&us| us != u32::MAX),
            buffered_amount: self.queued(index) as u64 + self.corked_bytes(id),
            listener: server.map(|server| Listener(server.id)),
            peer: self.peer_name(index),
            protocol: protocol.unwrap_or_default().to_owned(),
            deflate: socket.flags.deflate,
        })
    }

    /// What this connection has in the write buffer.
    fn corked_bytes(&self, id: u64) -> u64 {
        let corked = self.sockets.get(self.corked).is_some_and(|socket| socket.id == id);
        if corked && self.corked != NONE { self.cork.len() as u64 } else { 0 }
    }
}
