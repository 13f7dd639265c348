//! Responses (RFC 9112 section 4), and whether the connection outlives them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, DATE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::proto::handshake::headers::{has_token, put_headers, put_line};
use crate::proto::head::RequestHead;

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides those that [`head`] sets.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The bytes to send; the answer to HEAD tells the length of the body and leaves it out.
    pub fn to_bytes(&self, keep_alive: bool, head_only: bool, now: SystemTime) -> Vec<u8> {
        let mut bytes = head(self.status, &self.headers, Some(self.body.len() as u64), keep_alive, now);
        if !head_only && has_content(self.status) {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Whether a response with this status has a body (RFC 9112 section 6.3).
pub fn has_content(status: u16) -> bool {
    !matches!(status, 100..=199 | 204 | 304)
}

/// The head of a response, with Date, Connection, and Content-Length where the status allows a body. `content_length`:
/// bytes of the body, None if the end of the connection is its end, which `keep_alive` must not contradict.
pub fn head(
    status: u16,
    headers: &[(HeaderName, HeaderValue)],
    content_length: Option<u64>,
    keep_alive: bool,
    now: SystemTime,
) -> Vec<u8> {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status:03} {}\r\n", reason.unwrap_or_default()).into_bytes();
    if let Some(date) = http_date(now).filter(|_| headers.iter().all(|(name, _)| name != DATE)) {
        put_line(&mut head, "Date", date.as_bytes());
    }
    if let Some(length) = content_length.filter(|_| has_content(status)) {
        put_line(&mut head, "Content-Length", length.to_string().as_bytes());
    }
    // HTTP/1.0 needs the word for keep-alive, HTTP/1.1 the one for its end.
    let connection = match (keep_alive, headers.iter().any(|(name, _)| name == UPGRADE)) {
        (true, false) => "keep-alive",
        (false, false) => "close",
        (true, true) => "keep-alive, Upgrade",
        (false, true) => "close, Upgrade",
    };
    put_line(&mut head, "Connection", connection.as_bytes());
    put_headers(&mut head, headers);
    head.extend_from_slice(b"\r\n");
    head
}

/// A short answer in plain text, with what its status asks for: 405 has Allow, 426 Upgrade and the version.
pub fn refusal(status: u16, what: &str, keep_alive: bool, head_only: bool) -> Vec<u8> {
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    match status {
        405 => headers.push((ALLOW, HeaderValue::from_static("GET"))),
        426 => headers.extend([
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        ]),
        _ => {}
    }
    let body = format!("{what}\n").into_bytes();
    Response { status, headers, body }.to_bytes(keep_alive, head_only, SystemTime::now())
}

/// Whether another request may follow on the connection (RFC 9112 section 9.3).
pub fn keep_alive(head: &RequestHead) -> bool {
    let says = |word| has_token(&head.headers, CONNECTION, word);
    !says("close") && (head.http11 || says("keep-alive"))
}

/// A time as HTTP writes it (RFC 9110 section 5.6.7). None: before 1970 or after 9999.
pub fn http_date(time: SystemTime) -> Option<String> {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    if since < YEAR_10000 { Some(httpdate::fmt_http_date(time)) } else { None }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
