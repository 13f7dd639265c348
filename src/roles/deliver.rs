//! Messages out of received bytes, and to the application, one after the other.

use std::sync::atomic::Ordering::Relaxed;

use super::close::Ending;
use super::core::{Core, Phase, Socket};
use super::current::{self, with};
use super::handler::Peer;
use super::handles::Conn;
use super::notices::{Lent, Notice, call_user, peer_in};
use crate::error::ErrorCode;
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::proto::Kind;
use crate::proto::conn::{Data, Event, Limits};
use crate::proto::whole::{Found, WholeReader};

/// What the application gets next.
enum Next {
    Message(Kind, Data),
    Pong(Data),
    Done,
}

/// Who hears of what the sockets of an owner receive, and which of them speaks. While it exists, the handler is not in its
/// owner.
pub struct Audience {
    owner: u32,
    /// The owner's, whose place may have passed to another one when the handler is given back.
    serial: u64,
    handler: Lent,
    pub limits: Limits,
    id: u64,
    entry: &'static Entry,
    /// There if the fast path may be taken.
    pub fast_path: Option<FastPath>,
    /// Messages that took it and were not counted yet.
    handed_out: u32,
}

/// What the fast path needs to know of a connection that is undisturbed.
pub struct FastPath {
    reader: WholeReader,
    /// How many messages may be handed out.
    most: u32,
}

/// Why the fast path ended.
enum Stop {
    /// Something else happened to the loop: look again.
    Disturbed,
    /// What follows is not of the common kind, or there was enough of it.
    Other,
    /// A text was not UTF-8.
    NotUtf8,
}

impl FastPath {
    /// There if the connection is open, may be read and is between two messages.
    #[inline]
    pub fn of(socket: &Socket, limits: &Limits, most: u32) -> Option<FastPath> {
        if !matches!(socket.phase, Phase::Open) || !socket.may_read() {
            return None;
        }
        Some(FastPath { reader: socket.proto.whole_reader(limits)?, most })
    }
}

impl Audience {
    /// Whose handler it is.
    #[inline]
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// The connection `id` speaks. False: it does not live.
    #[inline]
    pub fn turn_to(&mut self, id: u64) -> bool {
        let Some(entry) = ids::lookup(id, IdKind::Conn) else { return false };
        (self.id, self.entry) = (id, entry);
        true
    }

    /// Parses `bytes` and calls the application for each message.
    pub fn deliver(&mut self, index: u32, bytes: &mut [u8]) {
        let mut rest = bytes;
        loop {
            let stop = match self.fast_path.take() {
                Some(fast_path) => self.hand_out_whole(index, &fast_path, &mut rest),
                None => Stop::Other,
            };
            let done = rest.is_empty() && !matches!(stop, Stop::NotUtf8);
            if done || !self.hand_out_next(index, stop, &mut rest) {
                return;
            }
            self.fast_path = with(|core| core.fast_path(index, &self.limits));
        }
    }

    /// A message that was read straight into its place.
    pub fn deliver_event(&mut self, index: u32, event: Option<Event>) {
        let next = event.and_then(|event| with(|core| core.digest(index, event, &[])));
        if let Some(next) = next {
            self.hand_out(index, next, &[]);
        }
    }

    /// The fast path: whole messages, for as long as the callbacks do no more than reply.
    #[inline]
    fn hand_out_whole(&mut self, index: u32, fast_path: &FastPath, rest: &mut &mut [u8]) -> Stop {
        let stop = call_user(|| self.hand_out_undisturbed(fast_path, rest));
        stop.unwrap_or_else(|| {
            with(|core| core.close_after_panic(index, self.id));
            Stop::Disturbed
        })
    }

    #[inline(always)]
    fn hand_out_undisturbed(&mut self, fast_path: &FastPath, rest: &mut &mut [u8]) -> Stop {
        let born = ids::fork_generation();
        let Audience { id, entry, .. } = *self;
        let handler = &mut self.handler;
        current::undisturbed(id, |undisturbed| {
            while self.handed_out < fast_path.most {
                let (kind, data) = match fast_path.reader.next(rest) {
                    Found::Message(kind, data) => (kind, data),
                    Found::NotUtf8 => return Stop::NotUtf8,
                    Found::Other => break,
                };
                self.handed_out += 1;
                undisturbed.note(kind, data);
                let peer = Peer { conn: Conn::from_raw(id), user: entry.user.load(Relaxed) };
                handler.on_data(peer, data, kind, false);
                if !undisturbed.holds(id) || ids::fork_generation() != born {
                    return Stop::Disturbed;
                }
            }
            Stop::Other
        })
    }

    /// What the fast path left: one message or pong, of any kind. False: there is nothing more, or it may not be looked at now.
    #[inline(never)]
    fn hand_out_next(&mut self, index: u32, stop: Stop, rest: &mut &mut [u8]) -> bool {
        let mut position = 0;
        let next = with(|core| {
            core.count_handed_out(index, self);
            match stop {
                Stop::Disturbed => return None,
                Stop::NotUtf8 => core.refuse_text(index),
                Stop::Other => {}
            }
            Some(core.next(index, rest, &mut position, &self.limits))
        });
        match next {
            None => true,
            Some(Next::Done) => false,
            Some(next) => {
                self.hand_out(index, next, rest);
                *rest = std::mem::take(rest).get_mut(position..).unwrap_or_default();
                true
            }
        }
    }

    /// One callback.
    fn hand_out(&mut self, index: u32, next: Next, bytes: &[u8]) {
        let peer = peer_in(self.entry, self.id);
        let handler = &mut self.handler;
        let done = match next {
            Next::Message(kind, data) => {
                let compressed = matches!(data, Data::Inflated(_));
                let payload = data.as_slice(bytes);
                let done = call_user(|| handler.on_data(peer, payload, kind, compressed));
                if let Data::Inflated(out) = data {
                    with(|core| core.recycle(index, out));
                }
                done
            }
            Next::Pong(data) => call_user(|| handler.on_pong(peer, data.as_slice(bytes))),
            Next::Done => Some(()),
        };
        if done.is_none() {
            with(|core| core.close_after_panic(index, self.id));
        }
    }
}

impl Core {
    /// Takes an owner's handler out for the calls, to be given back with [`Core::dismiss`].
    pub fn audience(&mut self, owner: u32) -> Option<Audience> {
        let served = self.owners.get_mut(owner)?;
        let (serial, limits, handler) = (served.serial, served.limits, Lent::new(served.handler.take()?));
        Some(Audience {
            owner,
            serial,
            handler,
            limits,
            id: 0,
            entry: &ids::NOBODY,
            fast_path: None,
            handed_out: 0,
        })
    }

    /// Gives the handler back to its owner. If that has gone, the handler goes as well, outside this borrow.
    pub fn dismiss(&mut self, audience: Audience) {
        let Audience { owner, serial, handler, .. } = audience;
        let handler = Lent::into_inner(handler);
        match self.owners.get_mut(owner).filter(|owner| owner.serial == serial) {
            Some(owner) => owner.handler = Some(handler),
            None => self.notices.push_back(Notice::Run(Box::new(move || drop(handler)))),
        }
    }

    /// The fast path, if it may be taken now.
    pub fn fast_path(&mut self, index: u32, limits: &Limits) -> Option<FastPath> {
        let socket = self.sockets.get(index).filter(|_| !self.deflating.had_enough())?;
        self.corks_replies = socket.may_cork();
        FastPath::of(socket, limits, self.frames_left)
    }

    /// Counts messages of the fast path.
    #[inline]
    pub fn count_handed_out(&mut self, index: u32, audience: &mut Audience) {
        let count = std::mem::take(&mut audience.handed_out);
        if count == 0 {
            return;
        }
        self.frames_left -= count;
        let now_ms = self.now_ms();
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.heard_ms = now_ms;
        }
    }

    /// At once, also when there was enough for this event: the text is cut off already.
    fn refuse_text(&mut self, index: u32) {
        if let Some(socket) = self.sockets.get_mut(index) {
            let refused = socket.proto.refuse_text();
            self.digest(index, refused, &[]);
        }
    }

    /// Pulls events until one is for the application, or the bytes are used up or may not be looked at now.
    #[inline(never)]
    fn next(&mut self, index: u32, bytes: &mut [u8], position: &mut usize, limits: &Limits) -> Next {
        let now_ms = self.now_ms();
        loop {
            let Some(socket) = self.sockets.get_mut(index) else { return Next::Done };
            match socket.phase {
                Phase::Open if !socket.may_read() => {
                    self.keep_unread(index, &bytes[*position..]);
                    return Next::Done;
                }
                Phase::Open | Phase::Closing(_) if self.deflating.had_enough() || self.frames_left == 0 => {
                    self.keep_unread(index, &bytes[*position..]);
                    return Next::Done;
                }
                Phase::Open | Phase::Closing(_) => {}
                _ => return Next::Done,
            }
            let Some(event) = socket.proto.next(bytes, position, limits, now_ms) else { return Next::Done };
            self.brought.uncommon += 1;
            self.frames_left -= u32::from(!matches!(event, Event::Fragment));
            if let Some(next) = self.digest(index, event, bytes) {
                return next;
            }
        }
    }

    /// Answers what the protocol answers by itself; the rest is for the application.
    #[inline(never)]
    fn digest(&mut self, index: u32, event: Event, bytes: &[u8]) -> Option<Next> {
        let now_ms = self.now_ms();
        let socket = self.sockets.get_mut(index)?;
        let open = matches!(socket.phase, Phase::Open);
        match event {
            Event::Message { kind, data } => {
                socket.heard_ms = now_ms;
                if let Data::Inflated(out) = &data {
                    self.deflating.count(out);
                }
                let len = data.as_slice(bytes).len();
                self.brought.longest = self.brought.longest.max(len);
                let data = self.show(data);
                // After our own Close, messages are dropped, as in browsers.
                open.then_some(Next::Message(kind, data))
            }
            Event::Fragment => None,
            Event::Ping(data) => {
                if open && self.send_pong(index, data.as_slice(bytes)).is_err() {
                    self.fail(index, Ending::broken(ErrorCode::NoMem, "out of memory"));
                }
                None
            }
            Event::Pong(data) => {
                if self.is_heartbeat_answer(index, data.as_slice(bytes)) || !open {
                    return None;
                }
                Some(Next::Pong(data))
            }
            Event::Close { code, reason } => {
                let reason = String::from_utf8_lossy(reason.as_slice(bytes)).into_owned();
                self.closed_by_peer(index, code, reason);
                None
            }
            Event::Failed(violation) => {
                self.violated(index, violation);
                None
            }
        }
    }

    /// Bytes after the point where reading stopped; they are looked at first when it goes on.
    fn keep_unread(&mut self, index: u32, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let rest = &mut socket.extra().rest;
        if rest.try_reserve_exact(bytes.len()).is_err() {
            return self.fail(index, Ending::broken(ErrorCode::NoMem, "out of memory"));
        }
        rest.extend_from_slice(bytes);
    }
}
