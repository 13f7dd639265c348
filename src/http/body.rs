//! The body of a request (RFC 9112 sections 6 and 7), read as it arrives.

use http::header::EXPECT;

use crate::proto::head::{Refusal, RequestHead, content_length, is_chunked, is_text};

/// Hexadecimal digits of a chunk size: as many as 64 bits have.
const MAX_SIZE_DIGITS: u32 = 16;

/// Bytes of chunk extensions and trailers of one body, all of which are ignored.
const MAX_IGNORED: u32 = 8 * 1024;

const TOO_LARGE: Refusal = Refusal { status: 413, what: "the body is too large" };

/// Where in a body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes of a body whose length is known are missing.
    Length(u64),
    /// A chunk's size so far, and its digits.
    Size(u64, u32),
    /// The extensions of a chunk of the given size.
    Extension(u64),
    /// The LF behind a chunk's size.
    SizeEnd(u64),
    /// So many bytes of a chunk are missing.
    Data(u64),
    /// The CR behind a chunk.
    DataEnd,
    /// The LF behind it.
    DataLineEnd,
    /// A trailer line begins, or the CR of the last, empty line.
    TrailerStart,
    Trailer,
    TrailerEnd,
    /// The LF of the last line.
    LastLineEnd,
    Done,
}

/// Collects one body; what has not arrived is not allocated.
#[derive(Debug)]
pub struct BodyReader {
    state: State,
    body: Vec<u8>,
    max_body: u64,
    ignored: u32,
}

impl BodyReader {
    /// A reader for the body that `head` announces, of at most `max_body` bytes.
    ///
    /// # Errors
    /// 413 if the length that is announced is larger; 400 if it is malformed.
    pub fn new(head: &RequestHead, max_body: u64) -> Result<BodyReader, Refusal> {
        let state = match content_length(&head.headers)? {
            _ if is_chunked(&head.headers) => State::Size(0, 0),
            Some(len) if len > max_body => return Err(TOO_LARGE),
            None | Some(0) => State::Done,
            Some(len) => State::Length(len),
        };
        Ok(BodyReader { state, body: Vec::new(), max_body, ignored: 0 })
    }

    /// Takes the next bytes; returns how many belong to the body. Until it is done these are all.
    ///
    /// # Errors
    /// 400 for chunks that are malformed, 413 beyond the limit, 431 for too many trailers or extensions, 503 without
    /// memory. The reader is of no further use then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut rest = bytes;
        while let (false, Some((&byte, behind))) = (self.is_done(), rest.split_first()) {
            match self.state {
                State::Length(left) => {
                    rest = self.take(rest, left)?;
                }
                State::Data(left) => {
                    rest = self.take(rest, left)?;
                }
                _ => {
                    self.state = self.step(byte)?;
                    rest = behind;
                }
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Whether the whole body has arrived.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The body as far as it has arrived.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Collects up to `left` bytes; returns what is behind them.
    fn take<'a>(&mut self, bytes: &'a [u8], left: u64) -> Result<&'a [u8], Refusal> {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (now, rest) = bytes.split_at(n);
        if self.body.try_reserve(n).is_err() {
            return Err(Refusal { status: 503, what: "there is no memory for the body" });
        }
        self.body.extend_from_slice(now);
        let left = left.saturating_sub(n as u64);
        self.state = match self.state {
            State::Length(_) if left > 0 => State::Length(left),
            State::Length(_) => State::Done,
            _ if left > 0 => State::Data(left),
            _ => State::DataEnd,
        };
        Ok(rest)
    }

    fn step(&mut self, byte: u8) -> Result<State, Refusal> {
        match self.state {
            State::Size(size, digits) => self.size(size, digits, byte),
            State::Extension(size) if byte == b'\r' => Ok(State::SizeEnd(size)),
            State::Extension(_) => self.ignore(byte, self.state),
            State::SizeEnd(0) => line_feed(byte, State::TrailerStart),
            State::SizeEnd(size) => line_feed(byte, State::Data(size)),
            State::DataEnd if byte == b'\r' => Ok(State::DataLineEnd),
            State::DataEnd => Err(Refusal::bad("a chunk is longer than its size")),
            State::DataLineEnd => line_feed(byte, State::Size(0, 0)),
            State::TrailerStart if byte == b'\r' => Ok(State::LastLineEnd),
            State::Trailer if byte == b'\r' => Ok(State::TrailerEnd),
            State::TrailerStart | State::Trailer => self.ignore(byte, State::Trailer),
            State::TrailerEnd => line_feed(byte, State::TrailerStart),
            State::LastLineEnd => line_feed(byte, State::Done),
            State::Length(_) | State::Data(_) | State::Done => Ok(self.state),
        }
    }

    fn size(&self, size: u64, digits: u32, byte: u8) -> Result<State, Refusal> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            return match digits < MAX_SIZE_DIGITS {
                true => Ok(State::Size(size << 4 | u64::from(digit), digits + 1)),
                false => Err(Refusal::bad("a chunk size is too long")),
            };
        }
        let next = match byte {
            b'\r' if digits > 0 => State::SizeEnd(size),
            b';' if digits > 0 => State::Extension(size),
            _ => return Err(Refusal::bad("a chunk size is malformed")),
        };
        let room = self.max_body.saturating_sub(self.body.len() as u64);
        if size > room { Err(TOO_LARGE) } else { Ok(next) }
    }

    /// A byte of an extension or a trailer.
    fn ignore(&mut self, byte: u8, next: State) -> Result<State, Refusal> {
        if !is_text(byte) {
            return Err(Refusal::bad("bad byte in a chunk extension or a trailer"));
        }
        self.ignored += 1;
        if self.ignored > MAX_IGNORED {
            return Err(Refusal { status: 431, what: "the chunk extensions and trailers are too long" });
        }
        Ok(next)
    }
}

fn line_feed(byte: u8, next: State) -> Result<State, Refusal> {
    if byte == b'\n' { Ok(next) } else { Err(Refusal::bad("a CR without LF in a chunked body")) }
}

/// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1).
pub fn expects_continue(head: &RequestHead) -> bool {
    let expects = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    head.http11 && head.headers.get(EXPECT).is_some_and(expects)
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
