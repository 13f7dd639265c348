//! What can go wrong, with the numbers of the C ABI.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// The kind of a failure; the numbers are those of `enum libws_result` and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ErrorCode {
    /// An argument is out of its range; the message names it.
    Invalid = -1,
    /// No such loop, listener, connection, request or timer (any more).
    Gone = -2,
    /// Not possible in this state, for example a send after close.
    State = -3,
    /// A call of the loop's own thread while another thread runs the loop.
    Thread = -4,
    /// `max_buffered` is reached, nothing was queued.
    Full = -5,
    /// A message or a head over its limit.
    TooBig = -6,
    /// Text that is not UTF-8.
    Utf8 = -7,
    /// A bad URL or address, or a name that did not resolve.
    Address = -8,
    /// The operating system said no: see [`Error::os`].
    Io = -9,
    /// The peer's HTTP answer was not an upgrade.
    Handshake = -11,
    /// The peer broke RFC 6455.
    Protocol = -12,
    /// A deadline passed.
    Timeout = -13,
    /// Not on this system.
    Unsupported = -14,
    /// Memory could not be had.
    NoMem = -15,
    /// A bug in libws, contained.
    Internal = -99,
}

/// A failure: its kind, a sentence for people and the operating system's error number (0: none).
#[derive(Clone, Debug)]
pub struct Error {
    /// The kind.
    pub code: ErrorCode,
    /// `errno`, or 0.
    pub os: i32,
    /// A sentence that names what was wrong.
    pub message: Cow<'static, str>,
}

/// The result of every fallible call.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure with a sentence.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Error {
        Error { code, os: 0, message: message.into() }
    }

    /// An argument out of its range.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorCode::Invalid, message)
    }

    /// The id is dead, foreign or made up.
    pub const fn gone() -> Error {
        Error {
            code: ErrorCode::Gone,
            os: 0,
            message: Cow::Borrowed("no such loop, listener, connection, request or timer (any more)"),
        }
    }

    /// The call does not fit the state.
    pub fn state(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorCode::State, message)
    }

    /// Memory for a payload could not be had.
    pub const fn no_memory() -> Error {
        Error { code: ErrorCode::NoMem, os: 0, message: Cow::Borrowed("out of memory") }
    }

    /// The operating system refused `what` ("bind 127.0.0.1:80").
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Error {
        let os = error.raw_os_error().unwrap_or(0);
        Error { code: ErrorCode::Io, os, message: format!("{what}: {error}").into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
