//! What a connection reports: messages, control frames, and the end.

use super::Kind;
use super::close::Violation;
use super::deflate::Output;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of an event, already unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A range of the buffer that was given to `next`.
    InPlace(Range<usize>),
    /// Bytes that came in several reads or frames; they are given away.
    Collected(Vec<u8>),
    /// The same, where somebody else may hold them as well.
    Shared(Arc<Vec<u8>>),
    /// An inflated message; [`Receiver::recycle`](super::conn::Receiver::recycle) takes its memory back.
    Inflated(Output),
}

impl Data {
    /// The bytes, where `buf` is the buffer that was given to `next`.
    #[inline]
    pub fn as_slice<'a>(&'a self, buf: &'a [u8]) -> &'a [u8] {
        match self {
            Data::InPlace(range) => buf.get(range.clone()).unwrap_or_default(),
            Data::Collected(bytes) => bytes,
            Data::Shared(bytes) => bytes,
            Data::Inflated(output) => output.as_slice(),
        }
    }

    /// The same bytes without the first `n`, or what there is if there are fewer.
    pub(super) fn skip(self, n: usize) -> Data {
        match self {
            Data::InPlace(range) => Data::InPlace(range.end.min(range.start + n)..range.end),
            Data::Collected(mut bytes) => {
                bytes.drain(..n.min(bytes.len()));
                Data::Collected(bytes)
            }
            other => Data::Collected(other.as_slice(&[]).iter().skip(n).copied().collect()),
        }
    }
}

/// One thing that a peer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message; a text is UTF-8.
    Message {
        /// Text or binary.
        kind: Kind,
        /// The payload.
        data: Data,
    },
    /// A fragment of a message that is not complete yet: nothing to deliver, but work that was done.
    Fragment,
    /// A question whether we live, with at most 125 bytes to be sent back.
    Ping(Data),
    /// The answer to a Ping, or a sign of life without one.
    Pong(Data),
    /// A Close frame; everything after it is swallowed.
    Close {
        /// The peer's code, 1005 when it gave none.
        code: u16,
        /// The peer's reason, UTF-8.
        reason: Data,
    },
    /// The peer broke a rule; everything after it is swallowed.
    Failed(Violation),
}
