//! Heads from text.

use ws::proto::handshake::origin::{HostRule, OriginRule};
use ws::proto::handshake::server::Rules;
use ws::proto::head::{Head, HeadLimits, HeadReader, Refusal, RequestHead, ResponseHead};

/// The key of the example in RFC 6455 section 1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// Its 16 bytes.
pub const KEY_BYTES: [u8; 16] = *b"the sample nonce";
/// The answer to it.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How many bytes were taken, and the head; None: more bytes are needed.
pub type Read<H> = Result<Option<(usize, H)>, Refusal>;

/// Reads a head that comes in the given pieces.
pub fn read<'a, H: Head>(limits: HeadLimits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read<H> {
    let mut reader = HeadReader::new(limits);
    let mut total = 0;
    for piece in pieces {
        let (used, head) = reader.push(piece)?;
        total += used;
        match head {
            Some(head) => return Ok(Some((total, head))),
            None => assert_eq!(used, piece.len(), "bytes of an incomplete head were left"),
        }
    }
    Ok(None)
}

pub fn request(text: &str) -> RequestHead {
    read(HeadLimits::default(), [text.as_bytes()]).unwrap().unwrap().1
}

pub fn response(text: &str) -> ResponseHead {
    read(HeadLimits::default(), [text.as_bytes()]).unwrap().unwrap().1
}

/// Rules that refuse nothing.
pub fn rules() -> Rules {
    Rules { path: None, protocols: Vec::new(), origins: OriginRule::Any, hosts: HostRule::Any }
}

/// A good request to upgrade, with the lines that begin with one of `without` taken out and `more` added.
pub fn upgrade(without: &[&str], more: &str) -> String {
    let lines = [
        "GET /chat?room=1 HTTP/1.1",
        "Host: server.example.com",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    let kept = lines.iter().filter(|line| !without.iter().any(|start| line.starts_with(start)));
    let mut request: String = kept.map(|line| format!("{line}\r\n")).collect();
    if without.contains(&"GET") {
        // The request line that replaces it comes first.
        let (line, rest) = more.split_once("\r\n").unwrap();
        return format!("{line}\r\n{request}{rest}\r\n");
    }
    request.push_str(more);
    request + "\r\n"
}
