//! Bytes out: cork, kernel, outbox.
//!
//! Replies of the readable event that is being handled go into the loop's [cork](super::cork), which is written once
//! when the event's last callback has returned. What belongs to another connection goes to that connection's outbox
//! and is written once at the end of the turn. Only what the kernel refuses stays in an outbox.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::close::Ending;
use super::core::{Core, NONE, Phase};
use super::cork::Cork;
use super::share::WRITE_SHARE;
use super::shown::Part;
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids;
use crate::event_loop::outbox::Outbox;
use crate::proto::frame::{self, Opcode};
use crate::proto::{Kind, Role, mask, utf8};

/// From this size on a payload goes to the kernel from where it lies, without a copy.
const VECTORED: usize = 32 * 1024;

/// What became of a message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken, and the queue is not above `high_water`.
    Ok,
    /// Taken, but the queue is above `high_water`: wait for `on_drain`.
    Pending,
}

/// How a message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub kind: Kind,
    /// It may be compressed, if that was agreed.
    pub compress: bool,
}

/// A bit of a connection's `Entry::state` beside its readyState: somebody was told Pending or Full.
pub const DRAIN_WANTED: u32 = 4;

impl Core {
    /// The fast path of a send: a reply that fits into the cork, inside a callback of an undisturbed connection. `checked`:
    /// whether a text is known to be UTF-8. False: nothing was done, [`Core::send_message`] decides.
    #[inline(always)]
    pub fn cork_reply(&mut self, kind: Kind, data: &[u8], checked: impl FnOnce() -> bool) -> bool {
        // A child made by fork in this callback has a copy of everything, but not the connection.
        if !self.corks_replies || self.forks != ids::fork_generation() || data.len() >= VECTORED {
            return false;
        }
        if kind == Kind::Text && !checked() && !utf8::is_valid(data) {
            return false;
        }
        self.cork.append_unmasked(opcode(kind), data)
    }

    /// Sends one message on an open connection; the payload is already checked.
    #[inline]
    pub fn send_message(&mut self, index: u32, form: Form, data: &[u8]) -> Result<Sent> {
        let Some(socket) = self.sockets.get(index) else { return Err(Error::gone()) };
        if !matches!(socket.phase, Phase::Open) {
            return self.send_offline(index, form, data);
        }
        let deflate = socket.flags.deflate && form.compress;
        let full = !socket.outbox.is_empty() && self.is_full(index);
        if full {
            return Err(self.refuse_full(index));
        }
        if deflate {
            self.send_deflated(index, form.kind, data)?;
        } else {
            self.send_frame(index, opcode(form.kind), data)?;
        }
        Ok(self.after_send(index))
    }

    /// Sends a message on an open connection, compressed if that was agreed and `form` allows it.
    pub fn send_data(&mut self, index: u32, form: Form, data: &[u8]) -> Result<()> {
        match self.sockets.get(index) {
            Some(socket) if socket.flags.deflate && form.compress => {
                self.send_deflated(index, form.kind, data)
            }
            _ => self.send_frame(index, opcode(form.kind), data),
        }
    }

    fn send_deflated(&mut self, index: u32, kind: Kind, data: &[u8]) -> Result<()> {
        let Some(out) = self.deflate(index, data) else { return self.send_frame(index, opcode(kind), data) };
        let sent = self.send_frame_as(index, true, opcode(kind), out.as_slice());
        self.return_output(out);
        if sent.is_err() {
            self.forget_context(index);
        }
        sent
    }

    /// Whether `max_buffered` is reached.
    pub fn is_full(&self, index: u32) -> bool {
        let queued = self.queued(index);
        self.settings_of(index).is_some_and(|settings| queued >= settings.max_buffered as usize)
    }

    /// Bytes of an outbox, and of the mailbox as counted in the table.
    pub fn queued(&self, index: u32) -> usize {
        self.entry_of(index).map_or(0, |entry| entry.queued.load(Relaxed) as usize)
    }

    /// A ping of the application.
    pub fn send_ping(&mut self, index: u32, data: &[u8]) -> Result<()> {
        match self.sockets.get(index).map(|socket| &socket.phase) {
            Some(Phase::Open) if self.is_full(index) => Err(self.refuse_full(index)),
            Some(Phase::Open) => self.send_frame(index, Opcode::Ping, data),
            Some(other) => Err(not_open(other)),
            None => Err(Error::gone()),
        }
    }

    fn refuse_full(&mut self, index: u32) -> Error {
        if let Some(entry) = self.entry_of(index) {
            entry.state.fetch_or(DRAIN_WANTED, Relaxed);
        }
        Error::new(ErrorCode::Full, "max_buffered is reached: wait for on_drain")
    }

    /// Decides between Ok and Pending, and throttles reading above the high-water mark.
    #[inline]
    pub fn after_send(&mut self, index: u32) -> Sent {
        match self.sockets.get(index) {
            Some(socket) if !socket.outbox.is_empty() => self.mark_high_water(index),
            _ => Sent::Ok,
        }
    }

    fn mark_high_water(&mut self, index: u32) -> Sent {
        let queued = self.queued(index);
        let Some(settings) = self.settings_of(index) else { return Sent::Ok };
        if queued <= settings.high_water as usize {
            return Sent::Ok;
        }
        let throttle = !settings.keep_reading;
        if let Some(entry) = self.entry_of(index) {
            entry.state.fetch_or(DRAIN_WANTED, Relaxed);
        }
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.flags.throttled |= throttle;
        }
        Sent::Pending
    }

    /// Frames `payload` into the cork, the kernel or the outbox.
    #[inline]
    pub fn send_frame(&mut self, index: u32, opcode: Opcode, payload: &[u8]) -> Result<()> {
        self.send_frame_as(index, false, opcode, payload)
    }

    /// The same, where `rsv1` marks a compressed message.
    #[inline]
    fn send_frame_as(&mut self, index: u32, rsv1: bool, opcode: Opcode, payload: &[u8]) -> Result<()> {
        let Some(socket) = self.sockets.get(index) else { return Err(Error::gone()) };
        let key = match socket.role() {
            Role::Server => None,
            Role::Client => Some(self.random.take()),
        };
        let header = frame::header(true, rsv1, opcode, payload.len() as u64, key);
        if socket.outbox.is_empty() {
            if key.is_none() && payload.len() >= VECTORED {
                self.write_cork(index, &header, payload);
                return Ok(());
            }
            if self.corked == index {
                return self.cork_frame(index, &header, payload, key);
            }
        }
        self.queue_frame(index, &header, payload, key)
    }

    #[inline]
    fn cork_frame(&mut self, index: u32, header: &[u8], payload: &[u8], key: Option<[u8; 4]>) -> Result<()> {
        if self.cork.append(header, payload, key) {
            return Ok(());
        }
        self.write_cork(index, &[], &[]);
        let stuck = self.sockets.get(index).is_some_and(|socket| !socket.outbox.is_empty());
        if !stuck && self.cork.append(header, payload, key) {
            return Ok(());
        }
        self.queue_frame(index, header, payload, key)
    }

    fn queue_frame(&mut self, index: u32, header: &[u8], payload: &[u8], key: Option<[u8; 4]>) -> Result<()> {
        match key {
            None => match self.part_shown(payload) {
                None => self.queue(index, &[header, payload]),
                Some((message, range)) => {
                    self.queue(index, &[header])?;
                    self.queue_with(index, |outbox| outbox.push_part(message, range));
                    Ok(())
                }
            },
            Some(key) => {
                let mut masked = Vec::new();
                masked.try_reserve_exact(payload.len()).map_err(|_| Error::no_memory())?;
                masked.extend_from_slice(payload);
                mask::apply(&mut masked, key, 0);
                self.queue(index, &[header, &masked])
            }
        }
    }

    /// Appends bytes to the outbox; they are written at the end of the turn, or when the kernel has room.
    pub fn queue(&mut self, index: u32, parts: &[&[u8]]) -> Result<()> {
        if self.corked == index && !self.cork.is_empty() {
            self.write_cork(index, &[], &[]);
        }
        let Some(socket) = self.sockets.get_mut(index) else { return Err(Error::gone()) };
        let before = socket.outbox.len();
        socket.outbox.push(parts).map_err(|_| Error::no_memory())?;
        self.after_queueing(index, before);
        Ok(())
    }

    /// Appends a frame that is shared with other connections.
    pub fn queue_shared(&mut self, index: u32, frame: &Arc<[u8]>) {
        self.queue_with(index, |outbox| outbox.push_shared(frame.clone()));
    }

    fn queue_with(&mut self, index: u32, push: impl FnOnce(&mut Outbox)) {
        if self.corked == index && !self.cork.is_empty() {
            self.write_cork(index, &[], &[]);
        }
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let before = socket.outbox.len();
        push(&mut socket.outbox);
        self.after_queueing(index, before);
    }

    /// Queues a pong; if the peer does not read, only the newest one is kept.
    pub fn send_pong(&mut self, index: u32, payload: &[u8]) -> Result<()> {
        let Some(socket) = self.sockets.get(index) else { return Err(Error::gone()) };
        if socket.outbox.is_empty() || !socket.flags.write_interest {
            return self.send_frame(index, Opcode::Pong, payload);
        }
        let key = match socket.role() {
            Role::Server => None,
            Role::Client => Some(self.random.take()),
        };
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame::write(&mut bytes, Opcode::Pong, payload, key);
        let Some(socket) = self.sockets.get_mut(index) else { return Err(Error::gone()) };
        let before = socket.outbox.len();
        socket.outbox.push_pong(bytes);
        self.after_queueing(index, before);
        Ok(())
    }

    fn after_queueing(&mut self, index: u32, before: usize) {
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let after = socket.outbox.len();
        if before == 0 {
            socket.outbox.note_progress(now);
        }
        if !socket.flags.dirty && !socket.flags.is_writing() {
            socket.flags.dirty = true;
            self.dirty.push(index);
        }
        self.count_queued(index, before, after);
    }

    /// Keeps the table's count, which other threads read, in step with the outbox. What a message from another thread
    /// adds was counted when it was mailed: then nothing has to be written, and the sender's core keeps the entry.
    pub fn count_queued(&mut self, index: u32, before: usize, after: usize) {
        let counted = before as u64 + std::mem::take(&mut self.prepaid);
        let after = after as u64;
        if counted == after {
            return;
        }
        let Some(entry) = self.entry_of(index) else { return };
        entry.queued.fetch_add(after.wrapping_sub(counted), Relaxed);
    }

    /// Writes the cork if it is this socket's, then `header` and `payload`; the rest goes to the outbox.
    pub fn write_cork(&mut self, index: u32, header: &[u8], payload: &[u8]) {
        let shown = self.part_shown(payload);
        // A rest that need not be copied can wait for its turn.
        let most = if shown.is_some() { WRITE_SHARE } else { usize::MAX };
        let now = &payload[..payload.len().min(most)];
        self.with_cork(index, |core, cork| {
            let result = core.write_parts(index, &[cork, header, now]);
            core.written(index, &[cork, header, payload], shown, result);
        });
    }

    /// The kernel has answered to a write of the cork alone.
    #[cold]
    pub fn cork_sent(&mut self, index: u32, result: io::Result<usize>) {
        self.with_cork(index, |core, cork| {
            let result = or_nothing(result);
            core.written(index, &[cork, &[], &[]], None, result);
        });
    }

    /// Takes the cork out, if it is this socket's, and empties it.
    fn with_cork(&mut self, index: u32, write: impl FnOnce(&mut Core, &[u8])) {
        let mut cork = Cork::default();
        if self.corked == index {
            std::mem::swap(&mut cork, &mut self.cork);
        }
        write(self, &cork);
        if self.corked == index {
            cork.clear();
            self.cork = cork;
        }
    }

    fn written(&mut self, index: u32, parts: &[&[u8]; 3], shown: Option<Part>, result: io::Result<usize>) {
        let taken = match result {
            Ok(taken) => taken,
            Err(error) => {
                self.stream_failed(index, &error);
                usize::MAX
            }
        };
        self.keep_rest(index, parts, shown, taken);
    }

    fn write_parts(&mut self, index: u32, parts: &[&[u8]; 3]) -> io::Result<usize> {
        let Some(socket) = self.sockets.get(index) else { return Ok(usize::MAX) };
        let Some(stream) = &socket.stream else { return Ok(usize::MAX) };
        if socket.flags.broken {
            return Ok(usize::MAX);
        }
        let result = match parts {
            [[], [], []] => return Ok(usize::MAX),
            [bytes, [], []] => stream.send(bytes),
            parts => stream.send_vectored(&parts.map(IoSlice::new)),
        };
        or_nothing(result)
    }

    fn keep_rest(&mut self, index: u32, parts: &[&[u8]; 3], shown: Option<Part>, taken: usize) {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if taken >= total {
            return;
        }
        let mut skip = taken;
        let mut rest = parts.map(|part| {
            let cut = skip.min(part.len());
            skip -= cut;
            &part[cut..]
        });
        let deferred = shown.as_ref().map_or(0, |(_, range)| range.len().saturating_sub(WRITE_SHARE));
        let offered = total - deferred;
        let shared = shown.map(|(message, range)| (message, range.end - rest[2].len()..range.end));
        if shared.is_some() {
            rest[2] = &[];
        }
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if socket.outbox.push(&rest).is_err() {
            // Part of a frame has left: the stream can only be ended.
            self.fail(index, Ending::broken(ErrorCode::NoMem, "out of memory"));
            return;
        }
        if let Some((message, range)) = shared {
            socket.outbox.push_part(message, range);
        }
        socket.outbox.note_progress(now);
        self.count_queued(index, 0, total - taken);
        self.arm(index);
        if taken == offered {
            self.write_soon(index);
        } else {
            self.want_write(index, true);
        }
    }

    /// Ends a readable event: one write for everything that its callbacks sent.
    pub fn uncork(&mut self, index: u32) {
        if !self.cork.is_empty() {
            self.write_cork(index, &[], &[]);
        }
        self.corked = NONE;
        // A close handshake that was answered in this event is done when the answer has left.
        if self.sockets.get(index).is_some_and(|socket| socket.outbox.is_empty()) {
            self.finish_if_exchanged(index);
        }
    }
}

/// A full socket has taken nothing.
fn or_nothing(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

/// Why a connection that is not open takes no message.
pub fn not_open(phase: &Phase) -> Error {
    Error::state(match phase {
        Phase::Dial(_) => "the connection is not open yet",
        Phase::Waiting { .. } => "the connection is lost and waits for the next attempt",
        Phase::Closing(_) => "the connection is closing",
        _ => "the connection is closed",
    })
}

/// The opcode of a message kind.
pub fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}
