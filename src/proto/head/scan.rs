//! The state machine that sees every byte of a head once.

use super::{HeadLimits, Refusal};

/// Where in a head the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a request line; one empty line may come first (RFC 9112 section 2.2).
    Start,
    /// The LF of that empty line.
    EmptyLineEnd,
    /// The first byte of a method.
    MethodStart,
    Method,
    Target,
    /// The given byte of a request's `HTTP/1.x`.
    Version(u8),
    /// The CR behind it.
    RequestLineEnd,
    /// The given byte of a response's `HTTP/1.x`.
    StatusVersion(u8),
    /// The space behind it.
    StatusGap,
    /// The given digit of a status code.
    Status(u8),
    /// The space behind it, or the end of the line, since servers without a reason phrase tend to leave it out.
    StatusEnd,
    Reason,
    /// The LF that ends a start line or a header line.
    LineEnd,
    /// A header name begins, or the CR of the last, empty line.
    LineStart,
    Name,
    Value,
    /// The LF of the last line.
    LastLineEnd,
    Done,
}

/// Length of `HTTP/1.x`.
const VERSION_LEN: u8 = 8;

/// Checks the bytes of one head.
#[derive(Debug)]
pub struct Scanner {
    state: State,
    headers: usize,
    target: usize,
    #[cfg(test)]
    pub steps: usize,
}

impl Scanner {
    /// Before the first byte.
    pub fn new(request: bool) -> Scanner {
        Scanner {
            state: if request { State::Start } else { State::StatusVersion(0) },
            headers: 0,
            target: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub fn is_at_start(&self) -> bool {
        matches!(
            self.state,
            State::Start | State::EmptyLineEnd | State::MethodStart | State::StatusVersion(0)
        )
    }

    /// How many header lines have begun.
    pub fn headers(&self) -> usize {
        self.headers
    }

    /// Goes through `bytes` up to the end of the head; returns how many belong to it.
    pub fn scan(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<usize, Refusal> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.is_done() {
                break;
            }
            // Most bytes lie in the middle of a name or a value, and change nothing. Only the one that ends a run is looked at
            // again, by the state machine.
            let run = match self.state {
                State::Name => run_of(rest, TCHAR),
                State::Value => run_of(rest, TEXT),
                _ => 0,
            };
            #[cfg(test)]
            {
                self.steps += run + usize::from(run < rest.len());
            }
            at += run;
            if let Some(&byte) = rest.get(run) {
                at += 1;
                self.state = self.step(byte, limits)?;
            }
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8, limits: &HeadLimits) -> Result<State, Refusal> {
        match self.state {
            State::Start if byte == b'\r' => Ok(State::EmptyLineEnd),
            State::EmptyLineEnd => line_feed(byte, State::MethodStart),
            State::Start | State::MethodStart if is_tchar(byte) => Ok(State::Method),
            State::Start | State::MethodStart => Err(Refusal::bad("this is not an HTTP request")),
            State::Method => method(byte),
            State::Target => self.target(byte, limits),
            State::Version(at) => version(at, byte, State::Version, State::RequestLineEnd),
            State::RequestLineEnd if byte == b'\r' => Ok(State::LineEnd),
            State::RequestLineEnd => Err(Refusal::bad("the request line does not end behind the version")),
            State::StatusVersion(at) => version(at, byte, State::StatusVersion, State::StatusGap),
            State::StatusGap if byte == b' ' => Ok(State::Status(0)),
            State::StatusGap => Err(Refusal::bad("no space before the status code")),
            State::Status(at) => status(at, byte),
            State::StatusEnd | State::Reason => reason(self.state, byte),
            State::LineEnd => line_feed(byte, State::LineStart),
            State::LineStart => self.line_start(byte, limits),
            State::Name => name(byte),
            State::Value => value(byte),
            State::LastLineEnd => line_feed(byte, State::Done),
            State::Done => Ok(State::Done),
        }
    }

    fn target(&mut self, byte: u8, limits: &HeadLimits) -> Result<State, Refusal> {
        match byte {
            b' ' if self.target > 0 => return Ok(State::Version(0)),
            b'\r' if self.target > 0 => {
                return Err(Refusal { status: 505, what: "HTTP/0.9 is not supported" });
            }
            0x21..=0x7E => {}
            _ => return Err(Refusal::bad("bad byte in the request target")),
        }
        self.target += 1;
        if self.target > limits.target {
            return Err(Refusal { status: 414, what: "the request target is too long" });
        }
        Ok(State::Target)
    }

    fn line_start(&mut self, byte: u8, limits: &HeadLimits) -> Result<State, Refusal> {
        match byte {
            b'\r' => Ok(State::LastLineEnd),
            b' ' | b'\t' => Err(Refusal::bad("folded header lines are not supported")),
            _ if !is_tchar(byte) => Err(Refusal::bad("bad byte in a header name")),
            _ if self.headers >= limits.headers => {
                Err(Refusal { status: 431, what: "there are too many headers" })
            }
            _ => {
                self.headers += 1;
                Ok(State::Name)
            }
        }
    }
}

fn line_feed(byte: u8, next: State) -> Result<State, Refusal> {
    if byte == b'\n' { Ok(next) } else { Err(Refusal::bad("a CR without LF")) }
}

fn method(byte: u8) -> Result<State, Refusal> {
    match byte {
        b' ' => Ok(State::Target),
        _ if is_tchar(byte) => Ok(State::Method),
        _ => Err(Refusal::bad("bad byte in the method")),
    }
}

fn version(at: u8, byte: u8, next: fn(u8) -> State, end: State) -> Result<State, Refusal> {
    let expected = match at {
        5 => matches!(byte, b'1'),
        7 => matches!(byte, b'0' | b'1'),
        _ => b"HTTP/1.1".get(usize::from(at)) == Some(&byte),
    };
    match expected {
        true if at + 1 == VERSION_LEN => Ok(end),
        true => Ok(next(at + 1)),
        false if matches!(at, 5 | 7) && byte.is_ascii_digit() => {
            Err(Refusal { status: 505, what: "the version of HTTP is not supported" })
        }
        false => Err(Refusal::bad("the version of HTTP is malformed")),
    }
}

fn status(at: u8, byte: u8) -> Result<State, Refusal> {
    match (at, byte) {
        (0, b'1'..=b'9') | (1, b'0'..=b'9') => Ok(State::Status(at + 1)),
        (2, b'0'..=b'9') => Ok(State::StatusEnd),
        _ => Err(Refusal::bad("the status code is malformed")),
    }
}

fn reason(state: State, byte: u8) -> Result<State, Refusal> {
    match byte {
        b'\r' => Ok(State::LineEnd),
        b' ' if state == State::StatusEnd => Ok(State::Reason),
        _ if state == State::Reason && is_text(byte) => Ok(State::Reason),
        _ => Err(Refusal::bad("the status line is malformed")),
    }
}

fn name(byte: u8) -> Result<State, Refusal> {
    match byte {
        b':' => Ok(State::Value),
        _ if is_tchar(byte) => Ok(State::Name),
        _ => Err(Refusal::bad("bad byte in a header name")),
    }
}

fn value(byte: u8) -> Result<State, Refusal> {
    match byte {
        b'\r' => Ok(State::LineEnd),
        _ if is_text(byte) => Ok(State::Value),
        _ => Err(Refusal::bad("bad byte in a header value")),
    }
}

/// How many bytes at the front of `bytes` are of `class`.
fn run_of(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|&byte| !is_of(byte, class)).unwrap_or(bytes.len())
}

/// A byte of a token (RFC 9110 section 5.6.2).
pub fn is_tchar(byte: u8) -> bool {
    is_of(byte, TCHAR)
}

/// A byte of a field value, obs-text included (RFC 9110 section 5.5).
pub fn is_text(byte: u8) -> bool {
    is_of(byte, TEXT)
}

fn is_of(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

const TCHAR: u8 = 1;
const TEXT: u8 = 2;

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if matches!(byte as u8, b'\t' | 0x20..=0x7E | 0x80..) {
            classes[byte] |= TEXT;
        }
        if (byte as u8).is_ascii_alphanumeric() {
            classes[byte] |= TCHAR;
        }
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        classes[others[at] as usize] |= TCHAR;
        at += 1;
    }
    classes
};
