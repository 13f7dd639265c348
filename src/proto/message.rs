//! Collecting a message that spans reads or frames: memory follows what has arrived, never what a header claims.

use super::close::{INTERNAL, INVALID_DATA, Violation};
use super::deflate::inflate::{Inflating, Receiver};
use super::event::Data;
use super::frame::{Head, Opcode};
use super::utf8::{self, Validator};
use super::{Kind, mask};

/// The smallest step of a buffer for a frame that is not all there, in bytes: less would cost more system calls than
/// the memory is worth.
pub const FIRST_STEP: usize = 64 * 1024;

/// A compressed message is collected up to this size, and inflated as it arrives beyond it: many small unfinished
/// messages hold no inflaters, and a large one never lies there both compressed and inflated.
const INFLATE_FROM: usize = 64 * 1024;

pub(super) const NOT_UTF8: Violation =
    Violation { code: INVALID_DATA, what: "a text message that is not UTF-8" };
const NO_MEMORY: Violation = Violation { code: INTERNAL, what: "out of memory for a message" };

/// A frame whose payload is arriving.
#[derive(Debug)]
pub(super) struct Frame {
    pub opcode: Opcode,
    pub fin: bool,
    key: Option<[u8; 4]>,
    /// Position in the payload of the next byte, modulo four: what unmasking needs to know.
    phase: u8,
    pub to_come: u64,
}

impl Frame {
    pub fn new(head: &Head) -> Frame {
        Frame { opcode: head.opcode, fin: head.fin, key: head.mask, phase: 0, to_come: head.len }
    }

    /// Unmasks the next bytes of the payload in place and counts them as arrived.
    pub fn take(&mut self, piece: &mut [u8]) {
        if let Some(key) = self.key {
            mask::apply(piece, key, usize::from(self.phase));
        }
        self.phase = (usize::from(self.phase).wrapping_add(piece.len()) & 3) as u8;
        self.to_come = self.to_come.saturating_sub(piece.len() as u64);
    }
}

/// A data message of which some has arrived.
#[derive(Debug)]
pub(super) struct Message {
    pub kind: Kind,
    /// Frames begun so far, empty ones included.
    pub parts: u32,
    /// The payload; of a compressed message what is not inflated yet.
    pub bytes: Vec<u8>,
    utf8: Validator,
    compressed: Option<Box<Compressed>>,
}

/// What a compressed message needs besides.
#[derive(Debug, Default)]
struct Compressed {
    /// Bytes of payload that have arrived.
    arrived: u64,
    /// The part of a long message that is inflated already.
    inflating: Option<Inflating>,
}

impl Message {
    pub fn new(kind: Kind, compressed: bool) -> Message {
        let compressed = compressed.then(Box::default);
        Message { kind, parts: 1, bytes: Vec::new(), utf8: Validator::default(), compressed }
    }

    pub fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    /// Bytes of payload that have arrived.
    pub fn arrived(&self) -> u64 {
        self.compressed.as_ref().map_or(self.bytes.len() as u64, |compressed| compressed.arrived)
    }

    /// Appends an unmasked piece of `frame` that was already counted as arrived there. `most`: bytes that the message
    /// may inflate to.
    pub fn append(
        &mut self,
        piece: &[u8],
        frame: &Frame,
        receiver: Option<&mut Receiver>,
        most: usize,
    ) -> Result<(), Violation> {
        let (Some(compressed), Some(receiver)) = (&mut self.compressed, receiver) else {
            check_text(self.kind, &mut self.utf8, piece)?;
            return self.collect(piece, frame);
        };
        compressed.arrived += piece.len() as u64;
        if compressed.inflating.is_none() && self.bytes.len() + piece.len() > INFLATE_FROM {
            let mut inflating = receiver.begin()?;
            receiver.push(&mut inflating, &std::mem::take(&mut self.bytes), most)?;
            compressed.inflating = Some(inflating);
        }
        match &mut compressed.inflating {
            Some(inflating) => receiver.push(inflating, piece, most),
            None => self.collect(piece, frame),
        }
    }

    fn collect(&mut self, piece: &[u8], frame: &Frame) -> Result<(), Violation> {
        let len = self.bytes.len() + piece.len();
        if len > self.bytes.capacity() {
            let target = if frame.fin {
                capacity(len, frame.to_come)
            } else {
                // More frames will follow. Doubling keeps many small ones from moving the bytes each time.
                capacity(len, frame.to_come.max(len as u64))
            };
            self.grow(target)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Makes room for bytes to be read straight into the buffer and returns how many of `frame` may be.
    pub fn room(&mut self, frame: &Frame) -> Result<usize, Violation> {
        // Growing only when three quarters are used, and then in proportion, keeps the cost of moving linear however
        // few bytes each read brings.
        if self.spare() <= self.bytes.capacity() / 4 {
            self.grow(capacity(self.bytes.len(), frame.to_come))?;
        }
        Ok(self.spare().min(usize::try_from(frame.to_come).unwrap_or(usize::MAX)))
    }

    /// Unmasks and checks the last `n` bytes, which were read straight into the buffer.
    pub fn filled(&mut self, n: usize, frame: &mut Frame) -> Result<(), Violation> {
        let start = self.bytes.len().saturating_sub(n);
        frame.take(&mut self.bytes[start..]);
        check_text(self.kind, &mut self.utf8, &self.bytes[start..])
    }

    /// Ends the message: a text may not stop inside a character, nor compressed data inside a block.
    pub fn finish(self, receiver: Option<&mut Receiver>, most: usize) -> Result<(Kind, Data), Violation> {
        let (Some(compressed), Some(receiver)) = (self.compressed, receiver) else {
            self.utf8.finish().map_err(|_| NOT_UTF8)?;
            return Ok((self.kind, Data::Collected(self.bytes)));
        };
        let output = match compressed.inflating {
            Some(inflating) => receiver.finish(inflating)?,
            None => receiver.whole(&self.bytes, most)?,
        };
        if self.kind == Kind::Text && !utf8::is_valid(output.as_slice()) {
            return Err(NOT_UTF8);
        }
        Ok((self.kind, Data::Inflated(output)))
    }

    fn spare(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    fn grow(&mut self, target: usize) -> Result<(), Violation> {
        let more = target.saturating_sub(self.bytes.len());
        self.bytes.try_reserve_exact(more).map_err(|_| NO_MEMORY)
    }
}

/// The payload of a control frame that is cut by a read; it is at most 125 bytes.
pub(super) fn append_control(control: &mut Vec<u8>, piece: &[u8], frame: &Frame) -> Result<(), Violation> {
    let more = piece.len().saturating_add(usize::try_from(frame.to_come).unwrap_or(usize::MAX));
    control.try_reserve_exact(more).map_err(|_| NO_MEMORY)?;
    control.extend_from_slice(piece);
    Ok(())
}

fn check_text(kind: Kind, utf8: &mut Validator, piece: &[u8]) -> Result<(), Violation> {
    match kind {
        Kind::Text => utf8.push(piece).map_err(|_| NOT_UTF8),
        Kind::Binary => Ok(()),
    }
}

/// The capacity for a buffer in which `arrived` bytes stand and `to_come` more are claimed: enough for all of them,
/// but at most the first step or twice what has arrived.
fn capacity(arrived: usize, to_come: u64) -> usize {
    let claimed = usize::try_from(to_come).unwrap_or(usize::MAX).saturating_add(arrived);
    claimed.min(FIRST_STEP.max(arrived.saturating_mul(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_what_has_arrived() {
        assert_eq!(capacity(0, 16 << 20), FIRST_STEP);
        assert_eq!(capacity(1, 100), 101);
        assert_eq!(capacity(40_000, 16 << 20), 80_000);
        assert_eq!(capacity(40_000, 5), 40_005);
        assert_eq!(capacity(usize::MAX - 1, u64::MAX), usize::MAX);
    }

    #[test]
    fn reading_straight_in_byte_by_byte_moves_the_bytes_rarely() {
        let len = 400_000;
        let head = Head { fin: true, rsv1: false, opcode: Opcode::Binary, len, mask: None, size: 10 };
        let mut frame = Frame::new(&head);
        let mut message = Message::new(Kind::Binary, false);
        let mut moves = 0;
        let mut before = 0;
        while frame.to_come > 0 {
            let room = message.room(&frame).unwrap() as u64;
            assert!(
                room >= frame.to_come.min(FIRST_STEP as u64 / 4),
                "{room} bytes of room make small reads"
            );
            assert!(message.bytes.capacity() <= FIRST_STEP.max(2 * message.bytes.len()));
            moves += usize::from(message.bytes.capacity() != before);
            before = message.bytes.capacity();
            message.bytes.push(7);
            message.filled(1, &mut frame).unwrap();
        }
        assert!(moves < 12, "{moves} moves");
        assert_eq!(message.bytes.capacity(), 400_000);
    }
}
