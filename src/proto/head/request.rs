//! What a request must be beyond well-formed lines: a host, a target, and one way only to tell its length.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};

use super::{Refusal, RequestHead};
use crate::proto::url::Authority;

/// Schemes whose absolute form is accepted; a proxy sends it (RFC 9112 section 3.2.2).
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// Checks a request and brings its target to origin form.
pub fn check(mut head: RequestHead) -> Result<RequestHead, Refusal> {
    check_host(&head)?;
    check_length(&head)?;
    if head.method == Method::CONNECT {
        return Err(Refusal { status: 405, what: "this is not a proxy" });
    }
    if head.target.contains('#') {
        return Err(Refusal::bad("a fragment in the request target"));
    }
    if head.target.starts_with('/') || (head.target == "*" && head.method == Method::OPTIONS) {
        return Ok(head);
    }
    let (authority, target) =
        absolute(&head.target).ok_or(Refusal::bad("the request target is malformed"))?;
    // The authority counts, whatever Host says.
    head.headers.insert(HOST, authority);
    head.target = target;
    Ok(head)
}

/// Authority and origin form of an absolute target.
fn absolute(target: &str) -> Option<(HeaderValue, String)> {
    let (scheme, rest) = target.split_once("://")?;
    if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    Authority::parse(authority)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some((HeaderValue::from_str(authority).ok()?, format!("{slash}{path}")))
}

/// RFC 9112 section 3.2: exactly one Host, which HTTP/1.0 may leave out.
fn check_host(head: &RequestHead) -> Result<(), Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.http11 => Err(Refusal::bad("no Host")),
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::bad("more than one Host")),
        (Some(host), None) => match host.to_str().ok().and_then(Authority::parse) {
            Some(_) => Ok(()),
            None => Err(Refusal::bad("the Host is malformed")),
        },
    }
}

/// RFC 9112 section 6.3: what two readers could understand in two ways is refused.
fn check_length(head: &RequestHead) -> Result<(), Refusal> {
    let length = content_length(&head.headers)?;
    if !head.headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    if length.is_some() {
        return Err(Refusal::bad("Transfer-Encoding together with Content-Length"));
    }
    if !head.http11 {
        return Err(Refusal::bad("Transfer-Encoding in HTTP/1.0"));
    }
    if is_chunked(&head.headers) {
        return Ok(());
    }
    let codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let mentions_chunked = |value: &HeaderValue| {
        value.as_bytes().windows(7).any(|window| window.eq_ignore_ascii_case(b"chunked"))
    };
    if codings.into_iter().any(mentions_chunked) {
        return Err(Refusal::bad("Transfer-Encoding other than chunked alone"));
    }
    Err(Refusal { status: 501, what: "the Transfer-Encoding is not supported" })
}

/// The announced length of the body in bytes.
///
/// # Errors
/// 400 for a list, a sign, an overflow, or two values that differ.
pub fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let this: u64 = digits
            .and_then(|digits| digits.parse().ok())
            .ok_or(Refusal::bad("the Content-Length is malformed"))?;
        if length.is_some_and(|other| other != this) {
            return Err(Refusal::bad("two Content-Lengths that differ"));
        }
        length = Some(this);
    }
    Ok(length)
}

/// Whether the body comes in chunks: exactly one Transfer-Encoding, and that is `chunked`.
pub fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
    first && codings.next().is_none()
}
