//! Bytes in: one read per readable event into the loop's buffer, parsed, unmasked and checked there, and handed to
//! the application from there.

use std::io;

use super::core::{Core, NONE, Phase, RECEIVE_BUFFER};
use super::current::with;
use super::deliver::{Audience, FastPath};
use super::share::{Brought, FRAMES, LONG_SHARE, share};
use crate::event_loop::poller::{Ready, Target};
use crate::proto::conn::Event;

/// How much is read of a connection that was allowed one read although it is throttled.
const GRACE: usize = 16 * 1024;

/// What is to be looked at.
#[derive(Clone, Copy, Default)]
enum Fill {
    /// Nothing: reading ends for this turn.
    #[default]
    Nothing,
    /// `n` bytes at the front of the buffer.
    Bytes(usize),
    /// What was received earlier and could not be looked at: it is in `rest`.
    Rest,
    /// Bytes that went straight into a long message, which may be complete now: then it is in `event`.
    Direct,
}

/// A readable event that is being handled, and what it leaves for the next one of the same turn if nobody else needs it.
#[derive(Default)]
pub struct Reader {
    /// The loop's, with the audience.
    buffer: Vec<u8>,
    audience: Option<Audience>,
    /// Read until the kernel has nothing: a short read proves nothing here.
    exhaust: bool,
    /// Bytes read in this event.
    taken: usize,
    /// The kernel has nothing more.
    drained: bool,
    /// What the newest read brought.
    filled: Fill,
    rest: Vec<u8>,
    event: Option<Event>,
}

impl Reader {
    /// Handles a readable event that has begun, of an open or closing connection. True: callbacks may be due.
    #[inline]
    pub fn read(&mut self, index: u32) -> bool {
        loop {
            let Some(audience) = &mut self.audience else { return true };
            match self.filled {
                Fill::Nothing => break,
                Fill::Bytes(n) => audience.deliver(index, self.buffer.get_mut(..n).unwrap_or_default()),
                Fill::Rest => audience.deliver(index, &mut std::mem::take(&mut self.rest)),
                Fill::Direct => audience.deliver_event(index, self.event.take()),
            }
            if self.drained {
                break;
            }
            with(|core| core.read_more(index, self));
        }
        with(|core| core.end_reading(index, self))
    }
}

impl Core {
    /// The loop's receive buffer, for the time of one event.
    #[inline]
    pub fn borrow_buffer(&mut self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.receive_buffer);
        if buffer.is_empty() {
            buffer = vec![0; RECEIVE_BUFFER];
        }
        buffer
    }

    /// Gives it back.
    #[inline]
    pub fn return_buffer(&mut self, buffer: Vec<u8>) {
        self.receive_buffer = buffer;
    }

    /// Takes back what the reader holds: before a callback that it does not make, or for other work with the buffer.
    pub fn park(&mut self, reader: &mut Reader) {
        if let Some(audience) = reader.audience.take() {
            self.dismiss(audience);
        }
        if !reader.buffer.is_empty() {
            self.return_buffer(std::mem::take(&mut reader.buffer));
        }
    }

    /// Begins a readable event, with its first read unless something is left from before. False: nobody is to hear of it.
    #[inline]
    pub fn begin_reading(&mut self, index: u32, exhaust: bool, reader: &mut Reader) -> bool {
        let Some(socket) = self.sockets.get(index) else { return false };
        let (owner, id) = (socket.owner, socket.id);
        let (deflate, may_have_rest) = (socket.flags.deflate, socket.extra.is_some());
        if reader.audience.as_ref().is_none_or(|audience| audience.owner() != owner) {
            self.park(reader);
            reader.audience = self.audience(owner);
            reader.buffer = self.borrow_buffer();
        }
        let Some(audience) = &mut reader.audience else { return false };
        if !audience.turn_to(id) {
            return false;
        }
        self.corked = index;
        self.frames_left = FRAMES;
        self.brought = Brought::default();
        self.deflating.begin_event();
        if deflate {
            self.lend_inflater(index);
        }
        (reader.exhaust, reader.taken, reader.drained) = (exhaust, 0, false);
        let rest = if may_have_rest { self.take_rest(index) } else { None };
        if let Some(rest) = rest {
            audience.fast_path = self.fast_path(index, &audience.limits);
            reader.rest = rest;
            reader.filled = Fill::Rest;
        } else {
            reader.filled = self.fill(index, reader).unwrap_or_default();
        }
        true
    }

    /// The next read of the event.
    fn read_more(&mut self, index: u32, reader: &mut Reader) {
        if let Some(audience) = &mut reader.audience {
            self.count_handed_out(index, audience);
        }
        reader.filled = self.fill(index, reader).unwrap_or_default();
    }

    fn take_rest(&mut self, index: u32) -> Option<Vec<u8>> {
        let socket = self.sockets.get_mut(index)?;
        let readable = socket.may_read();
        let rest = &mut socket.extra.as_mut()?.rest;
        (readable && !rest.is_empty()).then(|| std::mem::take(rest))
    }

    /// One read. None: reading ends for this turn.
    fn fill(&mut self, index: u32, reader: &mut Reader) -> Option<Fill> {
        let audience = reader.audience.as_mut()?;
        let socket = self.sockets.get_mut(index)?;
        let alive = matches!(socket.phase, Phase::Open | Phase::Closing(_));
        if !alive || !socket.may_read() || socket.flags.broken {
            return None;
        }
        if self.deflating.had_enough() || self.frames_left == 0 {
            return None;
        }
        let graced = socket.flags.throttled;
        if graced && reader.taken > 0 {
            return None;
        }
        let share = socket.share as usize;
        let stream = socket.stream.as_ref()?;
        let exhaust = reader.exhaust || stream.is_unix();
        if reader.taken >= share {
            // One long message was read to its last byte. What comes later makes an edge, and is left to the kernel until
            // then: to read a part of the next message as soon as it comes would mean to collect it.
            let done = share > LONG_SHARE as usize && !exhaust && !stream.has_unread();
            if !done {
                self.read_soon(index);
            }
            return None;
        }
        let most = if graced { GRACE } else { share - reader.taken };
        let buffer = reader.buffer.get_mut(..most)?;
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
                reader.taken += n;
                reader.drained = n < asked && !exhaust;
                if !direct {
                    audience.fast_path = FastPath::of(socket, &audience.limits, self.frames_left);
                    self.corks_replies = socket.may_cork();
                    return Some(Fill::Bytes(n));
                }
                socket.heard_ms = self.now_us / 1000;
                reader.event = socket.proto.direct_filled(n);
                Some(Fill::Direct)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => {
                self.stream_failed(index, &error);
                None
            }
        }
    }

    /// Everything has been delivered: what the callbacks sent is written, and the clocks are looked at. True: callbacks are
    /// due.
    #[inline]
    fn end_reading(&mut self, index: u32, reader: &mut Reader) -> bool {
        if let Some(audience) = &mut reader.audience {
            self.count_handed_out(index, audience);
        }
        self.shown = None;
        if !self.end_event_fast(index) {
            self.reclaim_inflater(index);
            self.uncork(index);
            self.after_read(index, reader);
        }
        !self.notices.is_empty()
    }

    /// The fast path: an open connection that holds no part of a message, waits for no answer and has an empty queue.
    /// False: the rest is still to be done.
    #[inline]
    fn end_event_fast(&mut self, index: u32) -> bool {
        let Some(socket) = self.sockets.get_mut(index) else { return false };
        let Some(stream) = &socket.stream else { return false };
        let busy = !matches!(socket.phase, Phase::Open)
            || !socket.outbox.is_empty()
            || !socket.proto.is_idle()
            || socket.ping_us != 0
            || self.frames_left == 0
            || socket.flags.deflate
            || socket.flags.broken;
        if busy {
            return false;
        }
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

    fn after_read(&mut self, index: u32, reader: &Reader) {
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
            if reader.taken > 0 {
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
