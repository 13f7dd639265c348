//! Messages inflated (RFC 7692 section 7.2.2), stopping at the limit while it runs.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::output::Output;
use super::{NoMemory, TAIL, probe};
use crate::proto::close::{INTERNAL, INVALID_DATA, POLICY, TOO_BIG, Violation};

/// Bytes of an inflater's state with its window, roughly.
const STATE: usize = 80 << 10;

/// Deflate streams in one message: a sender that ends them needs one or two, and each costs more than its bytes.
const MOST_STREAMS: u32 = 64;

/// An output buffer of more bytes is not kept for the next message.
const KEPT: usize = 256 << 10;

const CORRUPT: Violation = Violation { code: INVALID_DATA, what: "compressed data that is corrupt" };
const CUT_SHORT: Violation = Violation { code: INVALID_DATA, what: "a compressed message that is cut short" };
const TOO_MANY: Violation =
    Violation { code: POLICY, what: "a compressed message of too many deflate streams" };
const TOO_LONG: Violation = Violation { code: TOO_BIG, what: "a message that inflates beyond the limit" };

impl From<NoMemory> for Violation {
    fn from(_: NoMemory) -> Violation {
        Violation { code: INTERNAL, what: "out of memory for inflating" }
    }
}

/// The tool that inflates messages of any connection, one after the other.
#[derive(Default)]
pub struct Inflater {
    engine: Option<Box<Engine>>,
    /// The output of the last message, kept for its room.
    out: Output,
}

/// One deflate stream after the other.
struct Engine {
    inflate: Inflate,
    /// The stream ended, with a block that has BFINAL set: what follows is another stream (section 7.2.3.4).
    ended: bool,
    /// Streams of this message after the first.
    restarts: u32,
    /// The newest byte of the message.
    last: u8,
}

/// The receiving side of the extension on one connection.
pub struct Receiver {
    /// The peer's window in bytes if it may refer to earlier messages; 0 if not.
    window: usize,
    /// The newest bytes of earlier messages, at most a window of them.
    history: Vec<u8>,
    /// Lent for the time of a readable event, or made when there is none.
    inflater: Option<Inflater>,
}

/// A message of which a part is inflated.
pub struct Inflating {
    engine: Box<Engine>,
    out: Output,
}

impl Receiver {
    /// `bits` is the size of the peer's window as a power of two, `takeover` whether it may refer to earlier messages.
    pub fn new(bits: u8, takeover: bool) -> Receiver {
        Receiver {
            window: if takeover { 1 << bits.clamp(8, 15) } else { 0 },
            history: Vec::new(),
            inflater: None,
        }
    }

    /// Bytes of earlier messages that are remembered.
    pub fn remembered(&self) -> usize {
        self.history.len()
    }

    /// Lends the tool; [`Receiver::reclaim`] takes it back.
    #[inline]
    pub fn lend(&mut self, inflater: Option<Inflater>) {
        self.inflater = inflater;
    }

    /// The tool that was lent, or another one; `None` if a message keeps it.
    #[inline]
    pub fn reclaim(&mut self) -> Option<Inflater> {
        self.inflater.take()
    }

    /// Gives back the output of a message that the application has seen.
    #[inline]
    pub fn recycle(&mut self, out: Output) {
        if out.capacity() <= KEPT {
            self.inflater.get_or_insert_default().out = out;
        }
    }

    /// Inflates a message of which the whole payload is there.
    pub fn whole(&mut self, payload: &[u8], most: usize) -> Result<Output, Violation> {
        let mut inflating = self.begin()?;
        inflating.push(payload, &self.history, most)?;
        self.finish(inflating)
    }

    /// Begins a message that is inflated as it arrives.
    pub fn begin(&mut self) -> Result<Inflating, Violation> {
        let tool = self.inflater.get_or_insert_default();
        let mut out = std::mem::take(&mut tool.out);
        out.clear();
        let engine = match tool.engine.take() {
            Some(engine) => engine,
            None => Engine::new()?,
        };
        let mut inflating = Inflating { engine, out };
        inflating.engine.begin(&self.history)?;
        Ok(inflating)
    }

    /// Inflates the next piece.
    pub fn push(&self, inflating: &mut Inflating, piece: &[u8], most: usize) -> Result<(), Violation> {
        inflating.push(piece, &self.history, most)
    }

    /// Ends a message: what was pushed must be all of it.
    pub fn finish(&mut self, mut inflating: Inflating) -> Result<Output, Violation> {
        inflating.engine.finish()?;
        let Inflating { engine, out } = inflating;
        self.inflater.get_or_insert_default().engine = Some(engine);
        self.remember(out.as_slice())?;
        Ok(out)
    }

    fn remember(&mut self, message: &[u8]) -> Result<(), NoMemory> {
        let newest = newest(message, self.window);
        let keep = self.window - newest.len();
        let drop = self.history.len().saturating_sub(keep);
        self.history.drain(..drop);
        let len = self.history.len() + newest.len();
        if len > self.history.capacity() {
            // In proportion, so that many short messages seldom move the bytes; never more than the window.
            let target = len.saturating_mul(2).min(self.window);
            self.history.try_reserve_exact(target - self.history.len()).map_err(|_| NoMemory)?;
        }
        self.history.extend_from_slice(newest);
        Ok(())
    }
}

impl Inflating {
    fn push(&mut self, mut piece: &[u8], history: &[u8], most: usize) -> Result<(), Violation> {
        // One byte beyond the limit shows that there is more, and is all that is made of it.
        let most_room = most.saturating_add(1);
        loop {
            if self.engine.ended && !piece.is_empty() {
                self.engine.restart(history, self.out.as_slice())?;
            }
            let room = self.out.room(most_room)?;
            let available = room.len();
            let (used, written) = self.engine.run(piece, room)?;
            self.out.filled(written);
            if self.out.len() > most {
                return Err(TOO_LONG);
            }
            piece = piece.get(used..).unwrap_or_default();
            if written < available && piece.is_empty() {
                return Ok(());
            }
            if used == 0 && written == 0 && !self.engine.ended {
                // Room and input, and nothing happens: this cannot be, and must not go on for ever.
                return Err(CORRUPT);
            }
        }
    }
}

impl Engine {
    fn new() -> Result<Box<Engine>, NoMemory> {
        probe(STATE)?;
        Ok(Box::new(Engine { inflate: Inflate::new(false, 15), ended: false, restarts: 0, last: 0 }))
    }

    /// The next byte begins a message that may refer to `history`.
    fn begin(&mut self, history: &[u8]) -> Result<(), Violation> {
        self.restarts = 0;
        self.last = 0;
        self.stream(&[history])
    }

    /// The next byte begins a stream whose window is `before`.
    fn stream(&mut self, before: &[&[u8]]) -> Result<(), Violation> {
        self.inflate.reset(false);
        self.ended = false;
        for piece in before.iter().filter(|piece| !piece.is_empty()) {
            self.inflate.set_dictionary(piece).map_err(|_| CORRUPT)?;
        }
        Ok(())
    }

    /// A further stream in one message: its window is what came before, in this message or an earlier one.
    #[cold]
    fn restart(&mut self, history: &[u8], message: &[u8]) -> Result<(), Violation> {
        const WINDOW: usize = 1 << 15;
        self.restarts += 1;
        if self.restarts >= MOST_STREAMS {
            return Err(TOO_MANY);
        }
        let message = newest(message, WINDOW);
        self.stream(&[newest(history, WINDOW - message.len()), message])
    }

    /// Returns how much was used and how much was written.
    fn run(&mut self, input: &[u8], room: &mut [u8]) -> Result<(usize, usize), Violation> {
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, room, InflateFlush::SyncFlush).map_err(|_| CORRUPT)?;
        self.ended = status == Status::StreamEnd;
        let used = self.inflate.total_in() - before_in;
        self.last = input.last().copied().unwrap_or(self.last);
        Ok((used as usize, (self.inflate.total_out() - before_out) as usize))
    }

    /// The tail that the sender left out must end a block, and so must the message have done: an empty final block
    /// behind it is recognised only there.
    fn finish(&mut self) -> Result<(), Violation> {
        const END: [u8; 9] = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 1, TAIL[0], TAIL[1], TAIL[2], TAIL[3]];
        // A message of no bytes at all is taken for an empty one, though it should have been one zero byte.
        if self.ended || self.inflate.total_in() == 0 {
            return Ok(());
        }
        // What ends in 0xff cannot end in the three zero bits that stay when the tail is taken off: it is still there.
        let end = if self.last == 0xff { &END[TAIL.len()..] } else { &END[..] };
        match self.run(end, &mut [0]) {
            Ok((used, 0)) if used == end.len() && self.ended => Ok(()),
            _ => Err(CUT_SHORT),
        }
    }
}

fn newest(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(most)..]
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let remembered = self.history.len();
        out.debug_struct("Receiver").field("window", &self.window).field("remembered", &remembered).finish()
    }
}

impl std::fmt::Debug for Inflating {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Inflating").field("len", &self.out.len()).finish()
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Inflater").field("room", &self.out.capacity()).finish()
    }
}
