//! The head of an HTTP/1 request or response (RFC 9112), read as it arrives.
//!
//! Every byte is looked at once, by the state machine of `scan`, and the first impossible one is refused: a peer
//! that speaks TLS or rubbish is answered after its first bytes, and a head that comes byte by byte costs no more than
//! one that comes whole. Only a complete and well-formed head is handed to the parser.

mod request;
mod scan;

use std::marker::PhantomData;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use scan::Scanner;

pub use request::{content_length, is_chunked};
pub(crate) use scan::{is_tchar, is_text};

/// How large a head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes from the first of the start line to the last of the empty line.
    pub bytes: usize,
    /// Header lines.
    pub headers: usize,
    /// Bytes of a request's target.
    pub target: usize,
}

impl Default for HeadLimits {
    fn default() -> HeadLimits {
        HeadLimits { bytes: 16 * 1024, headers: 100, target: 8 * 1024 }
    }
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status to answer with. Without meaning where a response is read.
    pub status: u16,
    /// The sentence, in English, without a full stop.
    pub what: &'static str,
}

impl Refusal {
    /// A malformed message (400).
    pub const fn bad(what: &'static str) -> Refusal {
        Refusal { status: 400, what }
    }
}

/// The head of a request, checked (RFC 9112 sections 3 and 6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, any token but CONNECT.
    pub method: Method,
    /// `/path?query`, or `*` of an OPTIONS request. The absolute form is reduced to this; its authority is in Host.
    pub target: String,
    /// False: HTTP/1.0.
    pub http11: bool,
    /// The header lines; at most one well-formed Host, exactly one in HTTP/1.1.
    pub headers: HeaderMap,
}

impl RequestHead {
    /// The value of Host; empty where HTTP/1.0 has none.
    pub fn host(&self) -> &str {
        self.headers.get(http::header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// The head of a response (RFC 9112 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code, three digits.
    pub status: u16,
    /// False: HTTP/1.0.
    pub http11: bool,
    /// The header lines.
    pub headers: HeaderMap,
}

/// What a [`HeadReader`] can read: a [`RequestHead`] or a [`ResponseHead`].
pub trait Head: Sized {
    /// Whether the start line is a request line.
    const IS_REQUEST: bool;

    /// Parses a complete head that the state machine has let through, with `count` header lines.
    ///
    /// # Errors
    /// A [`Refusal`] for what only the whole head shows.
    fn parse(raw: &[u8], count: usize) -> Result<Self, Refusal>;
}

/// Reads one head from the pieces in which it arrives.
#[derive(Debug)]
pub struct HeadReader<H> {
    limits: HeadLimits,
    scanner: Scanner,
    raw: Vec<u8>,
    kind: PhantomData<fn() -> H>,
}

impl<H: Head> HeadReader<H> {
    /// A reader at the beginning of a head; it owns no memory yet.
    pub fn new(limits: HeadLimits) -> HeadReader<H> {
        HeadReader { limits, scanner: Scanner::new(H::IS_REQUEST), raw: Vec::new(), kind: PhantomData }
    }

    /// Takes the next bytes; returns how many belong to the head, and the head once it is complete. Without a head all
    /// of them are taken. A reader that has returned a head or a refusal is of no further use.
    ///
    /// # Errors
    /// The first byte that cannot be part of a head, or the first beyond a limit: 400, 414, 431, 501 or 505, and 405
    /// for CONNECT.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(usize, Option<H>), Refusal> {
        let room = self.limits.bytes.saturating_sub(self.raw.len());
        let window = bytes.get(..room).unwrap_or(bytes);
        let used = self.scanner.scan(window, &self.limits)?;
        let piece = window.get(..used).unwrap_or(window);
        if self.scanner.is_done() && self.raw.is_empty() {
            return Ok((used, Some(H::parse(piece, self.scanner.headers())?)));
        }
        self.raw.extend_from_slice(piece);
        if self.scanner.is_done() {
            let raw = std::mem::take(&mut self.raw);
            return Ok((used, Some(H::parse(&raw, self.scanner.headers())?)));
        }
        if bytes.len() > room {
            return Err(Refusal { status: 431, what: "the head is too long" });
        }
        Ok((used, None))
    }

    /// Whether nothing of a head has arrived; the empty line that may precede a request does not count.
    pub fn is_empty(&self) -> bool {
        self.scanner.is_at_start()
    }

    #[cfg(test)]
    fn steps(&self) -> usize {
        self.scanner.steps
    }
}

impl Head for RequestHead {
    const IS_REQUEST: bool = true;

    fn parse(raw: &[u8], count: usize) -> Result<RequestHead, Refusal> {
        let mut lines = vec![httparse::EMPTY_HEADER; count];
        let mut parsed = httparse::Request::new(&mut lines);
        let complete = parsed.parse(raw).is_ok_and(|status| status.is_complete());
        let (Some(method), Some(target), Some(minor), true) =
            (parsed.method, parsed.path, parsed.version, complete)
        else {
            return Err(Refusal::bad("the request head is malformed"));
        };
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::bad("bad method"))?;
        let headers = header_map(parsed.headers)?;
        request::check(RequestHead { method, target: target.to_owned(), http11: minor == 1, headers })
    }
}

impl Head for ResponseHead {
    const IS_REQUEST: bool = false;

    fn parse(raw: &[u8], count: usize) -> Result<ResponseHead, Refusal> {
        let mut lines = vec![httparse::EMPTY_HEADER; count];
        let mut parsed = httparse::Response::new(&mut lines);
        let complete = parsed.parse(raw).is_ok_and(|status| status.is_complete());
        let (Some(status), Some(minor), true) = (parsed.code, parsed.version, complete) else {
            return Err(Refusal::bad("the response head is malformed"));
        };
        Ok(ResponseHead { status, http11: minor == 1, headers: header_map(parsed.headers)? })
    }
}

fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name =
            HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Refusal::bad("bad header name"))?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| Refusal::bad("bad header value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes looked at while a head with a long value comes in pieces of `piece` bytes.
    fn steps(value: usize, piece: usize) -> usize {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "b".repeat(value));
        let mut reader = HeadReader::<RequestHead>::new(HeadLimits::default());
        let complete = head.as_bytes().chunks(piece).filter(|p| reader.push(p).unwrap().1.is_some()).count();
        assert_eq!(complete, 1);
        reader.steps() - (head.len() - value)
    }

    #[test]
    fn every_byte_is_looked_at_once_whatever_the_pieces() {
        for piece in [1, 2, 7, 1000, 20_000] {
            assert_eq!(steps(3_000, piece), 3_000);
            assert_eq!(steps(12_000, piece), 12_000);
        }
    }

    #[test]
    fn an_endless_head_is_refused_at_the_limit_in_one_byte_writes() {
        let mut reader = HeadReader::<RequestHead>::new(HeadLimits::default());
        reader.push(b"GET / HTTP/1.1\r\nX: ").unwrap();
        let refused = (0..1_000_000).find_map(|i| reader.push(b"x").err().map(|refusal| (i, refusal.status)));
        assert_eq!(refused, Some((16 * 1024 - 19, 431)));
        assert!(reader.raw.capacity() <= 32 * 1024);
    }
}
