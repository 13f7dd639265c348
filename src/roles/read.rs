//! Bytes in: one read per readable event into the loop's buffer, parsed, unmasked and checked there, and handed to
//! the application from there.

use std::io;
use std::ops::Range;

use super::close::Ending;
use super::core::{Core, NONE, Phase, RECEIVE_BUFFER};
use super::current::with;
use super::handler::{Handler, Message};
use super::notices::{call_user, peer_in, restore_handler};
use super::share::{Brought, FRAMES, LONG, LONG_SHARE, share};
use crate::error::ErrorCode;
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::event_loop::poller::{Ready, Target};
use crate::proto::Kind;
use crate::proto::conn::{Data, Event, Limits};

/// How much is read of a connection that was allowed one read although it is throttled.
const GRACE: usize = 16 * 1024;

/// What one read brought.
enum Fill {
    /// `n` bytes at the front of the buffer.
    Bytes(usize),
    /// Bytes that went straight into a long message, which may be complete now.
    Direct(Option<Event>),
    /// Nothing now.
    Nothing,
}

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
}

/// How far a readable event has come.
struct Progress {
    /// Read until the kernel has nothing: a short read proves nothing here.
    exhaust: bool,
    /// Bytes read in this turn.
    taken: usize,
    /// The kernel has nothing more.
    drained: bool,
}

/// Handles a readable event of an open or closing connection.
pub fn read(index: u32, exhaust: bool) {
    let (mut buffer, rest) = with(|core| {
        core.corked = index;
        core.frames_left = FRAMES;
        core.long_seen = false;
        core.brought = Brought::default();
        core.lend_inflater(index);
        (core.borrow_buffer(), core.take_rest(index))
    });
    // What was received earlier and could not be looked at comes first.
    if let Some(mut rest) = rest {
        deliver(index, &mut rest);
    }
    let mut progress = Progress { exhaust, taken: 0, drained: false };
    while let Some(fill) = with(|core| core.fill(index, &mut buffer, &mut progress)) {
        match fill {
            Fill::Bytes(n) => deliver(index, &mut buffer[..n]),
            Fill::Direct(event) => deliver_event(index, event),
            Fill::Nothing => break,
        }
        if progress.drained {
            break;
        }
    }
    with(|core| {
        core.return_buffer(buffer);
        core.shown = None;
        core.end_event(index, &progress);
    });
}

/// Parses `bytes` and calls the application for each message.
fn deliver(index: u32, bytes: &mut [u8]) {
    let Some((audience, mut handler)) = with(|core| core.audience(index)) else { return };
    let Audience { owner, id, entry, limits } = audience;
    let mut position = 0;
    while position < bytes.len() {
        let whole = with(|core| core.next_whole(index, bytes, &mut position, &limits));
        if let Some((kind, data)) = whole {
            let message = Message { kind, data: bytes.get(data).unwrap_or_default(), compressed: false };
            if call_user(|| handler.on_message(peer_in(entry, id), message)).is_none() {
                with(|core| core.close_after_panic(index, id));
            }
            continue;
        }
        let next = with(|core| core.next(index, bytes, &mut position, &limits));
        let done = match next {
            Next::Message(kind, data) => {
                if data.as_slice(bytes).len() > LONG {
                    with(|core| core.long_seen = true);
                }
                let compressed = matches!(data, Data::Inflated(_));
                let message = Message { kind, data: data.as_slice(bytes), compressed };
                let done = call_user(|| handler.on_message(peer_in(entry, id), message));
                if let Data::Inflated(out) = data {
                    with(|core| core.recycle(index, out));
                }
                done
            }
            Next::Pong(data) => call_user(|| handler.on_pong(peer_in(entry, id), data.as_slice(bytes))),
            Next::Done => break,
        };
        if done.is_none() {
            with(|core| core.close_after_panic(index, id));
        }
    }
    restore_handler(owner, handler);
}

fn deliver_event(index: u32, event: Option<Event>) {
    let Some(event) = event else { return };
    let Some(Next::Message(kind, data)) = with(|core| core.digest(index, event, &[])) else { return };
    let Some((audience, mut handler)) = with(|core| core.audience(index)) else { return };
    let Audience { owner, id, entry, .. } = audience;
    // A compressed message is never read straight into its place.
    let message = Message { kind, data: data.as_slice(&[]), compressed: false };
    let done = call_user(|| handler.on_message(peer_in(entry, id), message));
    restore_handler(owner, handler);
    if done.is_none() {
        with(|core| core.close_after_panic(index, id));
    }
}

impl Core {
    /// The loop's receive buffer, for the time of one event.
    pub fn borrow_buffer(&mut self) -> Vec<u8> {
        self.receive_buffer.take().unwrap_or_else(|| vec![0; RECEIVE_BUFFER])
    }

    /// Gives it back.
    pub fn return_buffer(&mut self, buffer: Vec<u8>) {
        self.receive_buffer = Some(buffer);
    }

    /// Takes the handler out for the calls, to be put back with [`restore_handler`].
    fn audience(&mut self, index: u32) -> Option<(Audience, Box<dyn Handler>)> {
        let socket = self.sockets.get(index)?;
        let (owner, id) = (socket.owner, socket.id);
        let entry = ids::lookup(id, IdKind::Conn)?;
        let served = self.owners.get_mut(owner)?;
        let handler = served.handler.take()?;
        Some((Audience { owner, id, entry, limits: served.limits }, handler))
    }

    fn take_rest(&mut self, index: u32) -> Option<Vec<u8>> {
        let socket = self.sockets.get_mut(index)?;
        if !socket.may_read() {
            return None;
        }
        let extra = socket.extra.as_mut()?;
        if extra.rest.is_empty() { None } else { Some(std::mem::take(&mut extra.rest)) }
    }

    /// One read. None: reading ends for this turn.
    fn fill(&mut self, index: u32, buffer: &mut [u8], progress: &mut Progress) -> Option<Fill> {
        let now_ms = self.now_ms();
        let socket = self.sockets.get_mut(index)?;
        let alive = matches!(socket.phase, Phase::Open | Phase::Closing(_));
        if !alive || !socket.may_read() || socket.flags.broken {
            return None;
        }
        if progress.drained || self.deflating.had_enough() || self.frames_left == 0 {
            return None;
        }
        let graced = socket.flags.throttled;
        if graced && progress.taken > 0 {
            return None;
        }
        let share = socket.share as usize;
        let stream = socket.stream.as_ref()?;
        let exhaust = progress.exhaust || stream.is_unix();
        if progress.taken >= share {
            // One long message was read to its last byte. What comes later makes an edge, and is left to the kernel until
            // then: to read a part of the next message as soon as it comes would mean to collect it.
            let done = share > LONG_SHARE as usize && !exhaust && !stream.has_unread();
            if !done {
                self.read_soon(index);
            }
            return None;
        }
        let most = if graced { GRACE } else { share - progress.taken };
        let buffer = &mut buffer[..most];
        let (result, asked, direct) = match socket.proto.direct() {
            Some((message, max)) => {
                let asked = max.min(buffer.len());
                (stream.recv_into(message, asked), asked, true)
            }
            None => (stream.recv(buffer), buffer.len(), false),
        };
        match result {
            Ok(0) => {
                self.stream_ended(index);
                None
            }
            Ok(n) => {
                progress.taken += n;
                progress.drained = n < asked && !exhaust;
                if !direct {
                    return Some(Fill::Bytes(n));
                }
                socket.heard_ms = now_ms;
                Some(Fill::Direct(socket.proto.direct_filled(n)))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(Fill::Nothing),
            Err(error) => {
                self.stream_failed(index, &error);
                None
            }
        }
    }

    /// The hot way of [`Core::next`]: a message that lies whole in `bytes`, on an open connection that may be read.
    #[inline]
    fn next_whole(
        &mut self,
        index: u32,
        bytes: &mut [u8],
        position: &mut usize,
        limits: &Limits,
    ) -> Option<(Kind, Range<usize>)> {
        let now_ms = self.now_ms();
        let socket = self.sockets.get_mut(index)?;
        if !matches!(socket.phase, Phase::Open) || !socket.may_read() || self.frames_left == 0 {
            return None;
        }
        let whole = socket.proto.next_whole(bytes, position, limits)?;
        socket.heard_ms = now_ms;
        self.frames_left -= 1;
        Some(whole)
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
                self.long_seen |= len > LONG;
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

    /// Everything has been delivered: what the callbacks sent is written, and the clocks are looked at.
    fn end_event(&mut self, index: u32, progress: &Progress) {
        if self.end_quiet_event(index) {
            return;
        }
        self.reclaim_inflater(index);
        self.uncork(index);
        self.after_read(index, progress);
    }

    /// The hot way: an open connection that holds no part of a message, waits for no answer and has an empty queue.
    /// False: the rest is still to be done.
    #[inline]
    fn end_quiet_event(&mut self, index: u32) -> bool {
        let Some(socket) = self.sockets.get_mut(index) else { return false };
        let quiet = matches!(socket.phase, Phase::Open)
            && socket.outbox.is_empty()
            && socket.proto.is_idle()
            && socket.ping_us == 0
            && self.frames_left != 0
            && !socket.flags.deflate
            && !socket.flags.broken;
        let Some(stream) = socket.stream.as_ref().filter(|_| quiet) else { return false };
        socket.flags.grace = false;
        socket.share = share(socket.share, self.brought, socket.long_header());
        if !self.cork.is_empty() {
            let sent = stream.send(&self.cork);
            if !matches!(sent, Ok(n) if n == self.cork.len()) {
                self.cork_sent(index, sent);
                return false;
            }
            self.cork.clear();
        }
        self.corked = NONE;
        true
    }

    fn after_read(&mut self, index: u32, progress: &Progress) {
        let now_ms = self.now_ms();
        if self.deflating.had_enough() || self.frames_left == 0 {
            // What came is kept, or still in the kernel: it is looked at in the next turn.
            self.read_soon(index);
        }
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.flags.grace = false;
        socket.share = share(socket.share, self.brought, socket.long_header());
        if let Some(unfinished) = socket.proto.unfinished() {
            // Bytes of a long message show that the peer lives; their deadline starts with the first.
            if progress.taken > 0 {
                socket.heard_ms = now_ms;
            }
            if unfinished.since_ms == now_ms {
                self.arm(index);
            }
        }
        self.after_sign_of_life(index);
    }

    /// Puts a socket on the ready list: it is read in a later turn whether or not an edge comes.
    pub fn read_soon(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if std::mem::replace(&mut socket.flags.waiting, true) {
            return;
        }
        self.ready.push_back(Ready {
            target: Target::Socket(index),
            readable: true,
            writable: false,
            exhaust: true,
            broken: false,
        });
    }

    /// The application pauses reading, or goes on.
    pub fn pause(&mut self, index: u32, paused: bool) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if !matches!(socket.phase, Phase::Open | Phase::Dial(_) | Phase::Waiting { .. }) {
            return;
        }
        let before = std::mem::replace(&mut socket.flags.paused, paused);
        if before && socket.may_read() && matches!(socket.phase, Phase::Open) {
            self.read_on(index);
        }
    }

    /// Reading goes on after a rest of our own choice: the peer's clocks go on from now.
    pub fn read_on(&mut self, index: u32) {
        let now_ms = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.heard_ms = now_ms;
        socket.extra().resumed_ms = now_ms;
        self.arm(index);
        self.read_soon(index);
    }
}
