//! Header lines of the application, and the grammar that header values share (RFC 9110 section 5.6).

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::proto::head::{is_tchar, is_text};

/// Headers that the handshake or the framing of a message owns, besides those that begin with [`OWNED_PREFIX`].
const OWNED: [&str; 5] = ["connection", "upgrade", "content-length", "transfer-encoding", "host"];

/// How the names of the handshake's own headers begin.
const OWNED_PREFIX: &str = "sec-websocket-";

/// Parses the application's `Name: value\r\nName: value\r\n`; the last CR LF may be left out.
///
/// # Errors
/// A sentence that names the line or the header: no colon, a bad name or value, a CR or LF of its own, or a header that
/// belongs to the library.
pub fn parse(block: &str) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let block = block.strip_suffix("\r\n").unwrap_or(block);
    if block.is_empty() {
        return Ok(Vec::new());
    }
    block.split("\r\n").map(line).collect()
}

fn line(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    if line.contains(['\r', '\n']) {
        return Err(format!("{line:?}: header lines are separated by CR LF only"));
    }
    let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?}: a header line has a colon"))?;
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?}: bad header name"))?;
    if OWNED.contains(&parsed.as_str()) || parsed.as_str().starts_with(OWNED_PREFIX) {
        return Err(format!("{name}: this header is set by the library"));
    }
    let value = value.trim_matches([' ', '\t']);
    if !value.bytes().all(is_text) {
        return Err(format!("{name}: bad byte in the value"));
    }
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("{name}: bad value"))?;
    Ok((parsed, value))
}

/// Whether `text` is a token (RFC 9110 section 5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// The elements of a comma-separated list, without the white space around them and without empty ones (RFC 9110
/// section 5.6.1). Whether each is a token is for the caller to ask. Linear in the length of `value`.
pub fn token_list(value: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || {
        loop {
            cursor.peek()?;
            let element = cursor.element();
            if !element.is_empty() {
                return Some(element);
            }
        }
    })
}

/// Whether a header that is a list has `token`, in any case, in any of its lines.
pub fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let is_token = |element: &str| element.eq_ignore_ascii_case(token);
    // Mostly the token is the whole value.
    let holds = |text: &str| is_token(text) || token_list(text).any(is_token);
    headers.get_all(name).into_iter().any(|value| value.to_str().is_ok_and(holds))
}

/// The value of a header that stands exactly once. None: missing, twice, or not ASCII.
pub fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// Appends one header line.
pub fn put_line(message: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        message.extend_from_slice(part);
    }
}

/// Appends header lines.
pub fn put_headers(message: &mut Vec<u8>, headers: &[(HeaderName, HeaderValue)]) {
    for (name, value) in headers {
        put_line(message, name.as_str(), value.as_bytes());
    }
}

/// Reads a header value from left to right, and never goes back.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bump(&mut self) {
        #[cfg(test)]
        tests::STEPS.with(|steps| steps.set(steps.get() + 1));
        self.at += 1;
    }

    /// Takes `byte` if it is next.
    pub fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.bump();
        }
        is_next
    }

    /// Passes over spaces and tabs.
    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.bump();
        }
    }

    /// Takes a token, which is empty if none is next.
    pub fn token(&mut self) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(is_tchar) {
            self.bump();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Takes everything up to the next comma, and the comma.
    fn element(&mut self) -> &'a str {
        self.skip_space();
        let (start, mut end) = (self.at, self.at);
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b',' => break,
                b' ' | b'\t' => {}
                _ => end = self.at,
            }
        }
        self.text.get(start..end).unwrap_or_default()
    }

    /// Takes a quoted string, whose opening quote has been taken, and undoes its escapes. None: it does not end.
    pub fn quoted(&mut self) -> Option<String> {
        let mut value = Vec::new();
        loop {
            let mut byte = self.peek()?;
            self.bump();
            match byte {
                b'"' => return String::from_utf8(value).ok(),
                b'\\' => {
                    byte = self.peek()?;
                    self.bump();
                }
                _ => {}
            }
            value.push(byte);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// Bytes that cursors of this thread have passed.
        pub static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    /// Bytes passed while `work` runs.
    pub fn steps(work: impl FnOnce()) -> usize {
        let before = STEPS.get();
        work();
        STEPS.get() - before
    }

    #[test]
    fn a_list_costs_one_step_a_byte() {
        for fill in [" ", ",", "\t ,", "x ", "a,"] {
            for n in [8_000, 32_000] {
                let value = format!("b{}x", fill.repeat(n));
                assert_eq!(steps(|| assert!(token_list(&value).count() > 0)), value.len(), "{fill:?}");
            }
        }
    }
}
