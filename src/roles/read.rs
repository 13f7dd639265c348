//! Bytes in: one read per readable event into the loop's buffer, parsed, unmasked and checked there, and handed to
//! the application from there.

use std::io;

use super::close::Ending;
use super::core::{Core, Phase, RECEIVE_BUFFER, Share};
use super::current::with;
use super::handler::Message;
use super::notices::{call_user, peer_of, restore_handler, take_handler};
use crate::error::ErrorCode;
use crate::event_loop::poller::{Ready, Target};
use crate::proto::Kind;
use crate::proto::conn::{Data, Event};

/// How much is read of a connection that was allowed one read although it is throttled.
const GRACE: usize = 16 * 1024;

/// Messages longer than this are worth [`Share::Large`].
const LONG: usize = 64 * 1024;

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

/// The messages of one read.
struct Delivered {
    bytes: usize,
    /// One of them was [`LONG`].
    long: bool,
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
    let mut buffer = with(Core::borrow_buffer);
    with(|core| core.corked = index);
    deliver_rest(index);
    let mut progress = Progress { exhaust, taken: 0, drained: false };
    while let Some(fill) = with(|core| core.fill(index, &mut buffer, &mut progress)) {
        match fill {
            Fill::Bytes(n) if n < Share::Small.bytes() => {
                deliver(index, &mut buffer[..n]);
            }
            Fill::Bytes(n) => {
                let held = with(|core| core.held(index));
                let seen = deliver(index, &mut buffer[..n]);
                with(|core| core.judge_read(index, n, held, &seen));
            }
            Fill::Direct(event) => deliver_event(index, event),
            Fill::Nothing => break,
        }
    }
    with(|core| {
        core.return_buffer(buffer);
        core.uncork(index);
        core.after_read(index, &progress);
    });
}

/// What was received earlier and could not be looked at comes first.
fn deliver_rest(index: u32) {
    if let Some(mut rest) = with(|core| core.take_rest(index)) {
        deliver(index, &mut rest);
    }
}

/// Parses `bytes` and calls the application for each message; returns what there was for it.
fn deliver(index: u32, bytes: &mut [u8]) -> Delivered {
    let mut seen = Delivered { bytes: 0, long: false };
    let Some((owner, id)) = with(|core| core.audience(index)) else { return seen };
    let Some(mut handler) = take_handler(owner) else { return seen };
    let mut position = 0;
    loop {
        let next = with(|core| core.next(index, bytes, &mut position));
        let done = match next {
            Next::Message(kind, data) => {
                let message = Message { kind, data: data.as_slice(bytes) };
                seen.bytes += message.data.len();
                seen.long |= message.data.len() > LONG;
                call_user(|| handler.on_message(peer_of(id), message))
            }
            Next::Pong(data) => call_user(|| handler.on_pong(peer_of(id), data.as_slice(bytes))),
            Next::Done => break,
        };
        if done.is_none() {
            with(|core| core.close_after_panic(index, id));
        }
    }
    restore_handler(owner, handler);
    seen
}

fn deliver_event(index: u32, event: Option<Event>) {
    let Some(event) = event else { return };
    let Some((owner, id)) = with(|core| core.audience(index)) else { return };
    let Some(Next::Message(kind, data)) = with(|core| core.digest(index, event, &[])) else { return };
    let Some(mut handler) = take_handler(owner) else { return };
    let message = Message { kind, data: data.as_slice(&[]) };
    let done = call_user(|| handler.on_message(peer_of(id), message));
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

    fn audience(&self, index: u32) -> Option<(u32, u64)> {
        let socket = self.sockets.get(index)?;
        Some((socket.owner, socket.id))
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
        let limits = self.owners.get(self.sockets.get(index)?.owner)?.limits;
        let now_ms = self.now_ms();
        let socket = self.sockets.get_mut(index)?;
        let alive = matches!(socket.phase, Phase::Open | Phase::Closing(_));
        if progress.drained || !alive || !socket.may_read() || socket.flags.broken {
            return None;
        }
        let graced = socket.flags.throttled;
        if graced && progress.taken > 0 {
            return None;
        }
        let share = socket.flags.share.bytes();
        let buffer = if graced { &mut buffer[..GRACE] } else { &mut buffer[..share] };
        if progress.taken >= share {
            self.read_soon(index);
            return None;
        }
        let stream = socket.stream.as_ref()?;
        let exhaust = progress.exhaust || stream.is_unix();
        let (result, asked, direct) = match socket.proto.direct(&limits) {
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
                socket.flags.share = Share::Large;
                Some(Fill::Direct(socket.proto.direct_filled(n, &limits, now_ms)))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(Fill::Nothing),
            Err(error) => {
                self.stream_failed(index, &error);
                None
            }
        }
    }

    /// Bytes of an unfinished message.
    fn held(&self, index: u32) -> u64 {
        let unfinished = self.sockets.get(index).and_then(|socket| socket.proto.unfinished());
        unfinished.map_or(0, |unfinished| unfinished.bytes)
    }

    /// After a read of `n` bytes, `held` having been there before: how large the next ones may be. A read that is not full
    /// proves nothing: it was all that there was.
    fn judge_read(&mut self, index: u32, n: usize, held: u64, seen: &Delivered) {
        let collected = self.held(index).saturating_sub(held) as usize;
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let Some(owner) = self.owners.get(socket.owner) else { return };
        let full = n >= socket.flags.share.bytes();
        if seen.long || socket.proto.direct(&owner.limits).is_some() {
            socket.flags.share = Share::Large;
        } else if seen.bytes + collected < n / 2 {
            socket.flags.share = Share::Small;
        } else if full {
            socket.flags.share = Share::Medium;
        }
    }

    /// Pulls events until one is for the application, or the bytes are used up or may not be looked at now.
    #[inline]
    fn next(&mut self, index: u32, bytes: &mut [u8], position: &mut usize) -> Next {
        let now_ms = self.now_ms();
        loop {
            let Some(socket) = self.sockets.get_mut(index) else { return Next::Done };
            match socket.phase {
                Phase::Open if !socket.may_read() => {
                    self.keep_unread(index, &bytes[*position..]);
                    return Next::Done;
                }
                Phase::Open | Phase::Closing(_) => {}
                _ => return Next::Done,
            }
            let Some(owner) = self.owners.get(socket.owner) else { return Next::Done };
            let Some(event) = socket.proto.next(bytes, position, &owner.limits, now_ms) else {
                return Next::Done;
            };
            if let Some(next) = self.digest(index, event, bytes) {
                return next;
            }
        }
    }

    /// Answers what the protocol answers by itself; the rest is for the application.
    #[inline]
    fn digest(&mut self, index: u32, event: Event, bytes: &[u8]) -> Option<Next> {
        let now_ms = self.now_ms();
        let socket = self.sockets.get_mut(index)?;
        let open = matches!(socket.phase, Phase::Open);
        match event {
            Event::Message { kind, data } => {
                socket.heard_ms = now_ms;
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

    fn after_read(&mut self, index: u32, progress: &Progress) {
        let now_ms = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.flags.grace = false;
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

    /// Puts a socket on the ready list: it is read in the next turn whether or not an edge comes.
    pub fn read_soon(&mut self, index: u32) {
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
