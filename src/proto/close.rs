//! Close frames and their codes (RFC 6455 sections 5.5.1 and 7.4).

use super::utf8;
use std::ops::Deref;

/// The purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;
/// The endpoint goes away: a server stops, a page is left.
pub const GOING_AWAY: u16 = 1001;
/// The peer broke the protocol.
pub const PROTOCOL: u16 = 1002;
/// The peer sent a kind of data that is not accepted here.
pub const UNSUPPORTED: u16 = 1003;
/// No code was in the Close frame; never sent.
pub const NO_STATUS: u16 = 1005;
/// The connection ended without a Close frame; never sent.
pub const ABNORMAL: u16 = 1006;
/// The data does not fit its type, as text that is not UTF-8.
pub const INVALID_DATA: u16 = 1007;
/// A message violates a policy of this endpoint.
pub const POLICY: u16 = 1008;
/// A message is too big.
pub const TOO_BIG: u16 = 1009;
/// The client misses an extension in the server's handshake.
pub const MISSING_EXTENSION: u16 = 1010;
/// Something unexpected kept the endpoint from going on.
pub const INTERNAL: u16 = 1011;
/// The service restarts.
pub const RESTART: u16 = 1012;
/// The service is overloaded.
pub const TRY_AGAIN: u16 = 1013;
/// A gateway got an invalid answer from upstream.
pub const BAD_GATEWAY: u16 = 1014;
/// The TLS handshake failed; never sent.
pub const TLS_HANDSHAKE: u16 = 1015;

/// Longest reason in bytes: a control frame's 125 without the code.
pub const MAX_REASON: usize = 123;

/// What the peer did wrong: the close code to send and a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The code for our Close frame.
    pub code: u16,
    /// The sentence, in English, without a full stop.
    pub what: &'static str,
}

impl Violation {
    /// A protocol error (1002).
    pub const fn protocol(what: &'static str) -> Violation {
        Violation { code: PROTOCOL, what }
    }
}

/// Why a Close frame cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadClose {
    /// The code may not appear in a Close frame.
    Code,
    /// The reason is longer than [`MAX_REASON`] bytes.
    ReasonTooLong,
    /// A reason was given without a code.
    ReasonWithoutCode,
}

impl std::fmt::Display for BadClose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            BadClose::Code => "this close code may not be sent: 0, 1000-1003, 1007-1014 or 3000-4999",
            BadClose::ReasonTooLong => "the close reason has more than 123 bytes",
            BadClose::ReasonWithoutCode => "a close reason needs a close code",
        })
    }
}

/// Whether an endpoint may put `code` into a Close frame (section 7.4, and the codes registered with IANA since).
#[inline]
pub fn may_send(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Whether a Close frame of the peer may carry `code`.
#[inline]
pub fn may_receive(code: u16) -> bool {
    may_send(code)
}

/// The payload of a Close frame, held inline; dereferences to its bytes.
#[derive(Clone, Copy, Debug)]
pub struct ClosePayload {
    bytes: [u8; 2 + MAX_REASON],
    len: u8,
}

impl Deref for ClosePayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Builds the payload of a Close frame. Code 0 with an empty reason gives the empty payload.
pub fn payload(code: u16, reason: &str) -> Result<ClosePayload, BadClose> {
    let mut bytes = [0; 2 + MAX_REASON];
    if code == 0 {
        let empty = ClosePayload { bytes, len: 0 };
        return if reason.is_empty() { Ok(empty) } else { Err(BadClose::ReasonWithoutCode) };
    }
    if !may_send(code) {
        return Err(BadClose::Code);
    }
    let end = 2 + reason.len();
    bytes.get_mut(2..end).ok_or(BadClose::ReasonTooLong)?.copy_from_slice(reason.as_bytes());
    bytes[..2].copy_from_slice(&code.to_be_bytes());
    Ok(ClosePayload { bytes, len: end as u8 })
}

/// Reads the payload of the peer's Close frame: its code ([`NO_STATUS`] when empty) and its reason.
///
/// A lone byte and a code that may not be sent are protocol errors; a reason that is not UTF-8 is invalid data.
pub fn parse(payload: &[u8]) -> Result<(u16, &str), Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok((NO_STATUS, "")),
            _ => Err(Violation::protocol("a Close frame with one byte of payload")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_receive(code) {
        return Err(Violation::protocol("a close code that may not be sent"));
    }
    if !utf8::is_valid(reason) {
        return Err(Violation { code: INVALID_DATA, what: "a close reason that is not UTF-8" });
    }
    Ok((code, std::str::from_utf8(reason).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_may_travel() {
        for code in 0..=u16::MAX {
            let allowed = (1000..=1003).contains(&code)
                || (1007..=1014).contains(&code)
                || (3000..5000).contains(&code);
            assert_eq!(may_send(code), allowed, "{code}");
            assert_eq!(may_receive(code), allowed, "{code}");
            assert_eq!(payload(code, "bye").is_ok(), allowed, "{code}");
            let bytes = code.to_be_bytes();
            let parsed = parse(&bytes).map_err(|violation| violation.code);
            assert_eq!(parsed, if allowed { Ok((code, "")) } else { Err(PROTOCOL) });
        }
    }

    #[test]
    fn payloads_round_trip() {
        let longest = "é".repeat(61) + "x";
        for reason in ["", "bye", "再见", &longest] {
            let payload = payload(4321, reason).unwrap();
            assert_eq!(parse(&payload), Ok((4321, reason)));
        }
    }

    #[test]
    fn nothing_wrong_is_built() {
        assert!(payload(0, "").unwrap().is_empty());
        assert_eq!(payload(0, "x").unwrap_err(), BadClose::ReasonWithoutCode);
        assert_eq!(payload(1005, "").unwrap_err(), BadClose::Code);
        assert_eq!(payload(1000, &"x".repeat(123)).unwrap().len(), 125);
        assert_eq!(payload(1000, &"x".repeat(124)).unwrap_err(), BadClose::ReasonTooLong);
    }

    #[test]
    fn what_a_peer_may_not_send() {
        assert_eq!(parse(b""), Ok((NO_STATUS, "")));
        assert_eq!(parse(b"\x03").unwrap_err().code, PROTOCOL);
        assert_eq!(parse(b"\x03\xe8\xff").unwrap_err().code, INVALID_DATA);
        assert_eq!(parse(b"\x03\xe8\xe4\xb8").unwrap_err().code, INVALID_DATA);
    }
}
