//! The receiving side of one connection: bytes in, events out, pulled one at a time.
//!
//! Payloads are unmasked and checked in place. A whole unfragmented frame is reported as a range of the caller's
//! buffer; only what spans reads or frames is collected, in a box that exists just as long.

pub use super::close::Violation;
pub use super::deflate::inflate::{Inflater, Receiver};
pub use super::event::{Data, Event};

use super::assembly::{Assembly, report};
use super::close::{POLICY, TOO_BIG};
use super::frame::{self, Head, MASKED, MAX_HEADER, Opcode, Parsed};
use super::message::{FIRST_STEP, Message, NOT_UTF8};
use super::whole::{Found, WholeReader};
use super::{Role, mask};

/// Bytes of a frame that must still be to come for [`Conn::direct`] to be worth a read of its own.
pub const DIRECT_MIN: usize = FIRST_STEP;

/// How much a peer may send in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of payload in a message, all its frames together, after inflating; more is refused with 1009.
    pub max_message: u64,
    /// Frames in a fragmented message, empty ones included; more are refused with 1008.
    pub max_parts: u32,
}

/// Something begun and not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// When it began, on the clock of the caller, in milliseconds.
    pub since_ms: u64,
    /// Bytes of payload that have arrived of it.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages, nothing held: the next byte is the first of a header.
    Idle,
    /// Part of a header or of a message is held.
    Busy,
    /// A Close frame or a violation was reported.
    Ended,
}

/// The receiving state of one connection. It owns no heap while it is idle.
#[derive(Debug)]
pub struct Conn {
    assembly: Option<Box<Assembly>>,
    /// Set when permessage-deflate was agreed.
    receiver: Option<Box<Receiver>>,
    /// The beginning of a header that was cut by a read.
    header: [u8; MAX_HEADER],
    header_len: u8,
    /// The mask bit that every frame of the peer must show: set for a server, clear for a client (section 5.1).
    mask_bit: u8,
    state: State,
}

impl Conn {
    /// A connection on which nothing has been received.
    pub fn new(role: Role) -> Conn {
        let mask_bit = match role {
            Role::Server => MASKED,
            Role::Client => 0,
        };
        let header = [0; MAX_HEADER];
        Conn { assembly: None, receiver: None, header, header_len: 0, mask_bit, state: State::Idle }
    }

    /// permessage-deflate was agreed in the handshake: messages may be compressed (RFC 7692 section 6.2).
    pub fn set_receiver(&mut self, receiver: Receiver) {
        self.receiver = Some(Box::new(receiver));
    }

    /// The receiving side of permessage-deflate, if it was agreed: for lending it an inflater, and for giving back the
    /// memory of an inflated message.
    #[inline]
    pub fn receiver(&mut self) -> Option<&mut Receiver> {
        self.receiver.as_deref_mut()
    }

    /// Which side we are.
    #[inline]
    pub fn role(&self) -> Role {
        if self.mask_bit == 0 { Role::Client } else { Role::Server }
    }

    /// Pulls the next event out of `buf[*pos..]` and advances `*pos` past what it used.
    ///
    /// `None` means that all was used and more is needed; what is incomplete is held inside. After [`Event::Close`]
    /// and [`Event::Failed`] all input is swallowed. `now_ms` is remembered for [`Conn::unfinished`] only.
    pub fn next(&mut self, buf: &mut [u8], pos: &mut usize, limits: &Limits, now_ms: u64) -> Option<Event> {
        if let Some(reader) = self.whole_reader(limits) {
            let end = buf.len();
            let mut rest = buf.get_mut(*pos..).unwrap_or_default();
            match reader.next(&mut rest) {
                Found::Message(kind, payload) => {
                    let len = payload.len();
                    *pos = end - rest.len();
                    return Some(Event::Message { kind, data: Data::InPlace(*pos - len..*pos) });
                }
                Found::NotUtf8 => return Some(self.refuse_text()),
                Found::Other => {}
            }
        }
        self.next_general(buf, pos, limits, now_ms)
    }

    /// A reader for messages of the common kind. `None` when something is held or the input has ended.
    #[inline(always)]
    pub fn whole_reader(&self, limits: &Limits) -> Option<WholeReader> {
        let reader = WholeReader { mask_bit: self.mask_bit, max_message: limits.max_message };
        (self.state == State::Idle).then_some(reader)
    }

    /// The reader met a text that is not UTF-8; what that means for the connection.
    #[cold]
    pub fn refuse_text(&mut self) -> Event {
        self.fail(NOT_UTF8)
    }

    /// The buffer that collects a long frame, with room made in it, and how many bytes of that frame may be appended
    /// to it straight from the socket; [`Conn::direct_filled`] must follow if any were.
    ///
    /// `None` unless some of the message has arrived and at least [`DIRECT_MIN`] bytes of the frame are still to come,
    /// and when memory is short: [`Conn::next`] will then report that.
    #[inline]
    pub fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        let assembly = self.assembly.as_deref_mut()?;
        let (message, frame) = assembly.long_frame(DIRECT_MIN as u64)?;
        let room = message.room(frame).ok()?;
        Some((&mut message.bytes, room))
    }

    /// Unmasks and checks the `n` bytes that were appended to the buffer of [`Conn::direct`], and reports the message
    /// when they complete it. `n` is at most the number that `direct` returned.
    pub fn direct_filled(&mut self, n: usize) -> Option<Event> {
        let result = self.assembly.as_deref_mut()?.filled(n);
        self.settle(result)
    }

    /// The message or frame that is begun and not complete, if its first header has arrived.
    pub fn unfinished(&self) -> Option<Unfinished> {
        let assembly = self.assembly.as_deref()?;
        Some(Unfinished { since_ms: assembly.since_ms, bytes: assembly.arrived() })
    }

    /// Nothing is held, not even part of a header, and no message is open.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.assembly.is_none() && self.header_len == 0
    }

    /// Everything but the common case.
    #[inline(never)]
    fn next_general(
        &mut self,
        buf: &mut [u8],
        pos: &mut usize,
        limits: &Limits,
        now_ms: u64,
    ) -> Option<Event> {
        match self.state {
            State::Idle | State::Busy => {}
            State::Ended => {
                *pos = buf.len();
                return None;
            }
        }
        let result = self.pull(buf, pos, limits, now_ms);
        self.settle(result)
    }

    fn pull(
        &mut self,
        buf: &mut [u8],
        pos: &mut usize,
        limits: &Limits,
        now_ms: u64,
    ) -> Result<Option<Event>, Violation> {
        let most = usize::try_from(limits.max_message).unwrap_or(usize::MAX);
        if self.assembly.as_ref().is_none_or(|assembly| assembly.frame.is_none()) {
            let Some(head) = self.read_header(buf, pos)? else { return Ok(None) };
            self.check_limits(&head, limits)?;
            if let Some(event) = whole_frame(&head, buf, pos, self.receiver.as_deref_mut(), most)? {
                return Ok(Some(event));
            }
            self.assembly.get_or_insert_with(|| Box::new(Assembly::new(now_ms))).begin(&head);
        }
        let Some(assembly) = self.assembly.as_deref_mut() else { return Ok(None) };
        let rest = buf.get_mut(*pos..).unwrap_or_default();
        let (used, event) = assembly.receive(rest, self.receiver.as_deref_mut(), most)?;
        *pos += used;
        Ok(event)
    }

    /// Reads a header, of which the beginning may have come with an earlier read.
    fn read_header(&mut self, buf: &[u8], pos: &mut usize) -> Result<Option<Head>, Violation> {
        let rest = buf.get(*pos..).unwrap_or_default();
        let held = usize::from(self.header_len);
        let mut have = held;
        for (slot, &byte) in self.header.iter_mut().skip(held).zip(rest) {
            *slot = byte;
            have += 1;
        }
        match self.judge(self.header.get(..have).unwrap_or_default()) {
            Parsed::Incomplete => {
                *pos += have - held;
                self.header_len = have as u8;
                Ok(None)
            }
            Parsed::Header(head) => {
                *pos += head.size.saturating_sub(held);
                self.header_len = 0;
                Ok(Some(head))
            }
            Parsed::Violation(violation) => Err(violation),
        }
    }

    /// Parses a header and judges what only the connection can, byte by byte in the order of arrival, so that the
    /// same fault is found however the bytes are cut.
    fn judge(&self, bytes: &[u8]) -> Parsed {
        let order = |&byte| {
            frame::check_first(byte, self.receiver.is_some())
                .and_then(|opcode| self.check_order(opcode).map(|()| opcode))
        };
        let opcode = match bytes.first().map(order) {
            None => return Parsed::Incomplete,
            Some(Err(violation)) => return Parsed::Violation(violation),
            Some(Ok(opcode)) => opcode,
        };
        if let Some(&second) = bytes.get(1) {
            let checked = self.check_mask(second).and_then(|()| frame::check_second(opcode, second));
            if let Err(violation) = checked {
                return Parsed::Violation(violation);
            }
        }
        frame::parse(bytes, self.receiver.is_some())
    }

    /// Fragments of a message follow each other (section 5.4).
    fn check_order(&self, opcode: Opcode) -> Result<(), Violation> {
        match (opcode, self.message()) {
            (Opcode::Continuation, None) => Err(Violation::protocol("a continuation without a message")),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                Err(Violation::protocol("a new message inside a fragmented one"))
            }
            _ => Ok(()),
        }
    }

    /// A client masks, a server does not (section 5.1).
    fn check_mask(&self, second: u8) -> Result<(), Violation> {
        match (second & MASKED, self.mask_bit) {
            (0, MASKED) => Err(Violation::protocol("an unmasked frame from a client")),
            (MASKED, 0) => Err(Violation::protocol("a masked frame from a server")),
            _ => Ok(()),
        }
    }

    /// Holds the message that a header announces against the limits, before any of its payload is looked at.
    fn check_limits(&self, head: &Head, limits: &Limits) -> Result<(), Violation> {
        if head.opcode.is_control() {
            return Ok(());
        }
        let (parts, bytes) = self.message().map_or((0, 0), |message| (message.parts, message.arrived()));
        if parts > 0 && parts >= limits.max_parts {
            return Err(Violation { code: POLICY, what: "a message of too many frames" });
        }
        let compressed = head.rsv1 || self.message().is_some_and(Message::is_compressed);
        let most = if compressed { most_compressed(limits.max_message) } else { limits.max_message };
        match bytes.checked_add(head.len) {
            Some(total) if total <= most => Ok(()),
            _ => Err(Violation { code: TOO_BIG, what: "a message longer than the limit" }),
        }
    }

    fn message(&self) -> Option<&Message> {
        self.assembly.as_ref()?.message.as_ref()
    }

    /// Brings the state in line with the outcome of a step.
    fn settle(&mut self, result: Result<Option<Event>, Violation>) -> Option<Event> {
        let event = match result {
            Ok(event) => event,
            Err(violation) => return Some(self.fail(violation)),
        };
        if matches!(event, Some(Event::Close { .. })) {
            self.end();
            return event;
        }
        if self.assembly.as_ref().is_some_and(|assembly| assembly.is_empty()) {
            self.assembly = None;
        }
        self.state = if self.is_idle() { State::Idle } else { State::Busy };
        event
    }

    #[cold]
    fn fail(&mut self, violation: Violation) -> Event {
        self.end();
        Event::Failed(violation)
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.assembly = None;
        self.header_len = 0;
    }
}

/// Bytes of payload in a compressed message that may inflate to `most`: deflate makes what it cannot shrink a little
/// longer. What inflates to less is not worth so many bytes.
fn most_compressed(most: u64) -> u64 {
    most.saturating_add(most / 8).saturating_add(1024)
}

/// Reports a frame whose payload lies whole at `buf[*pos..]`, if it makes an event by itself.
fn whole_frame(
    head: &Head,
    buf: &mut [u8],
    pos: &mut usize,
    receiver: Option<&mut Receiver>,
    most: usize,
) -> Result<Option<Event>, Violation> {
    if !head.fin || head.opcode == Opcode::Continuation {
        return Ok(None);
    }
    let Some(end) = usize::try_from(head.len).ok().and_then(|len| pos.checked_add(len)) else {
        return Ok(None);
    };
    let Some(payload) = buf.get_mut(*pos..end) else { return Ok(None) };
    if let Some(key) = head.mask {
        mask::apply(payload, key, 0);
    }
    let data = match receiver {
        Some(receiver) if head.rsv1 => Data::Inflated(receiver.whole(payload, most)?),
        _ => Data::InPlace(*pos..end),
    };
    *pos = end;
    report(head.opcode, buf, data).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small() {
        assert!(size_of::<Conn>() <= 48, "{}", size_of::<Conn>());
    }
}
