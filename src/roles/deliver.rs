//! Messages out of received bytes, and to the application, one after the other.

use std::sync::atomic::Ordering::Relaxed;

use super::close::Ending;
use super::core::{Core, Phase};
use super::current::{self, with};
use super::handler::{Handler, Peer};
use super::handles::Conn;
use super::notices::{call_user, peer_in};
use crate::error::ErrorCode;
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::proto::Kind;
use crate::proto::conn::{Data, Event, Limits};
use crate::proto::whole::{Found, WholeReader};

/// Messages of more bytes are long.
const LONG: usize = 0xffff;

/// What the application gets next.
enum Next {
    Message(Kind, Data),
    Pong(Data),
    Done,
}

/// Who hears of what a socket receives; looked up once per piece of input.
struct Audience {
    owner: u32,
    id: u64,
    entry: &'static Entry,
    limits: Limits,
    handler: Box<dyn Handler>,
}

/// What the hot way needs to know of a connection that is undisturbed.
struct Quiet {
    reader: WholeReader,
    /// How many messages may be handed out.
    most: u32,
}

/// Why the hot way ended.
enum Stop {
    /// Something else happened to the loop: look again.
    Disturbed,
    /// What follows is not of the common kind, or there was enough of it.
    Other,
    /// A text was not UTF-8.
    NotUtf8,
}

/// Received bytes on their way to the application.
struct Input<'a> {
    /// What is not handled yet.
    rest: &'a mut [u8],
    /// Messages of the hot way that were not yet counted.
    handed_out: u32,
}

/// Parses `bytes` and calls the application for each message.
pub fn deliver(index: u32, bytes: &mut [u8]) {
    let Some((mut audience, mut quiet)) = with(|core| core.audience(index)) else { return };
    let mut input = Input { rest: bytes, handed_out: 0 };
    loop {
        let stop = match quiet {
            Some(quiet) => audience.hand_out_whole(index, &quiet, &mut input),
            None => Stop::Other,
        };
        if input.rest.is_empty() || !audience.hand_out_next(index, stop, &mut input) {
            break;
        }
        quiet = with(|core| core.quiet(index, &audience.limits));
    }
    let orphan = with(|core| core.end_delivery(index, audience, input.handed_out));
    // The owner went away: its handler goes as well, outside any borrow.
    drop(orphan);
}

/// A message that was read straight into its place.
pub fn deliver_event(index: u32, event: Option<Event>) {
    let Some(event) = event else { return };
    let Some(Next::Message(kind, data)) = with(|core| core.digest(index, event, &[])) else { return };
    let Some((mut audience, _)) = with(|core| core.audience(index)) else { return };
    // A compressed message is never read straight into its place.
    audience.hand_out(index, Next::Message(kind, data), &[]);
    let orphan = with(|core| core.end_delivery(index, audience, 0));
    drop(orphan);
}

impl Audience {
    /// The hot way: whole messages, for as long as the callbacks do no more than reply.
    #[inline]
    fn hand_out_whole(&mut self, index: u32, quiet: &Quiet, input: &mut Input<'_>) -> Stop {
        let stop = call_user(|| self.hand_out_undisturbed(quiet, input));
        stop.unwrap_or_else(|| {
            with(|core| core.close_after_panic(index, self.id));
            Stop::Disturbed
        })
    }

    #[inline(never)]
    fn hand_out_undisturbed(&mut self, quiet: &Quiet, input: &mut Input<'_>) -> Stop {
        let born = ids::fork_generation();
        let Audience { id, entry, ref mut handler, .. } = *self;
        current::undisturbed(id, |undisturbed| {
            while input.handed_out < quiet.most {
                let (kind, data) = match quiet.reader.next(&mut input.rest) {
                    Found::Message(kind, data) => (kind, data),
                    Found::NotUtf8 => return Stop::NotUtf8,
                    Found::Other => break,
                };
                input.handed_out += 1;
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

    /// What the hot way left: one message or pong, of any kind. False: there is nothing more, or it may not be looked at now.
    fn hand_out_next(&mut self, index: u32, stop: Stop, input: &mut Input<'_>) -> bool {
        let handed_out = std::mem::take(&mut input.handed_out);
        let mut position = 0;
        let next = with(|core| {
            core.count_handed_out(index, handed_out);
            match stop {
                Stop::Disturbed => return None,
                Stop::NotUtf8 => core.refuse_text(index),
                Stop::Other => {}
            }
            Some(core.next(index, input.rest, &mut position, &self.limits))
        });
        match next {
            None => true,
            Some(Next::Done) => false,
            Some(next) => {
                self.hand_out(index, next, input.rest);
                input.rest = std::mem::take(&mut input.rest).get_mut(position..).unwrap_or_default();
                true
            }
        }
    }

    /// One callback.
    fn hand_out(&mut self, index: u32, next: Next, bytes: &[u8]) {
        let peer = peer_in(self.entry, self.id);
        let done = match next {
            Next::Message(kind, data) => {
                if data.as_slice(bytes).len() > LONG {
                    with(|core| core.long_seen = true);
                }
                let compressed = matches!(data, Data::Inflated(_));
                let payload = data.as_slice(bytes);
                let done = call_user(|| self.handler.on_data(peer, payload, kind, compressed));
                if let Data::Inflated(out) = data {
                    with(|core| core.recycle(index, out));
                }
                done
            }
            Next::Pong(data) => call_user(|| self.handler.on_pong(peer, data.as_slice(bytes))),
            Next::Done => Some(()),
        };
        if done.is_none() {
            with(|core| core.close_after_panic(index, self.id));
        }
    }
}

impl Core {
    /// Takes the handler out for the calls, to be put back with [`Core::end_delivery`].
    fn audience(&mut self, index: u32) -> Option<(Audience, Option<Quiet>)> {
        let socket = self.sockets.get(index)?;
        let (owner, id) = (socket.owner, socket.id);
        let entry = ids::lookup(id, IdKind::Conn)?;
        let served = self.owners.get_mut(owner)?;
        let (handler, limits) = (served.handler.take()?, served.limits);
        let quiet = self.quiet(index, &limits);
        Some((Audience { owner, id, entry, limits, handler }, quiet))
    }

    /// Whether the hot way may be gone: the connection is open, may be read and is between two messages.
    #[inline]
    fn quiet(&mut self, index: u32, limits: &Limits) -> Option<Quiet> {
        let socket = self.sockets.get(index)?;
        if !matches!(socket.phase, Phase::Open) || !socket.may_read() {
            return None;
        }
        let reader = socket.proto.whole_reader(limits)?;
        self.corks_replies = self.corked == index && self.may_cork(socket);
        Some(Quiet { reader, most: self.frames_left })
    }

    /// Counts messages of the hot way.
    fn count_handed_out(&mut self, index: u32, count: u32) {
        if count == 0 {
            return;
        }
        self.frames_left -= count;
        let now_ms = self.now_ms();
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.heard_ms = now_ms;
        }
    }

    /// Gives the handler back to its owner; returns it if that is gone.
    fn end_delivery(&mut self, index: u32, audience: Audience, handed_out: u32) -> Option<Box<dyn Handler>> {
        self.count_handed_out(index, handed_out);
        match self.owners.get_mut(audience.owner) {
            Some(owner) => owner.handler.replace(audience.handler),
            None => Some(audience.handler),
        }
    }

    fn refuse_text(&mut self, index: u32) {
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.proto.refuse_text();
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
            self.frames_left -= 1;
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
                // After our own Close, messages are dropped, as in browsers.
                open.then_some(Next::Message(kind, data))
            }
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
