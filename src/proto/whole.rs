//! The common kind of message, found in a few instructions: unfragmented, not compressed, less than 64 KiB, and whole
//! in the buffer.

use super::frame::{FIN, Opcode};
use super::{Kind, mask, utf8};

const TEXT: u8 = FIN | Opcode::Text as u8;
const BINARY: u8 = FIN | Opcode::Binary as u8;

/// Reads such messages of one connection between two messages; everything else, right or wrong, is for
/// [`Conn::next`](super::conn::Conn::next). Stays valid until that is called.
#[derive(Clone, Copy, Debug)]
pub struct WholeReader {
    /// See [`Conn`](super::conn::Conn): what every frame of the peer must show.
    pub(super) mask_bit: u8,
    /// The connection's limit.
    pub(super) max_message: u64,
}

/// What [`WholeReader::next`] met.
#[must_use = "a text that is not UTF-8 must be refused"]
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A message, unmasked and checked.
    Message(Kind, &'a [u8]),
    /// A text that is not UTF-8, cut off; [`Conn::refuse_text`](super::conn::Conn::refuse_text) must be told.
    NotUtf8,
    /// Anything else; nothing was touched.
    Other,
}

/// How a message lies.
struct Frame {
    kind: Kind,
    /// Bytes before the key, or the payload if there is none.
    header: usize,
    /// Bytes of all.
    size: usize,
}

impl WholeReader {
    /// Unmasks and checks the message at the front of `rest`, if it is of the common kind, and cuts it off.
    #[inline(always)]
    pub fn next<'a>(&self, rest: &mut &'a mut [u8]) -> Found<'a> {
        let Some(Frame { kind, header, size }) = self.recognise(rest) else { return Found::Other };
        let (frame, after) = std::mem::take(rest).split_at_mut(size);
        *rest = after;
        let body = frame.get_mut(header..).unwrap_or_default();
        let payload = if self.mask_bit != 0 {
            let Some((key, payload)) = body.split_first_chunk_mut() else { return Found::Other };
            mask::apply(payload, *key, 0);
            payload
        } else {
            body
        };
        if kind == Kind::Text && !is_text(payload) {
            return Found::NotUtf8;
        }
        Found::Message(kind, payload)
    }

    /// Reads the header of a message that is whole and of the common kind.
    #[inline(always)]
    fn recognise(&self, rest: &[u8]) -> Option<Frame> {
        let &[first, second, ref tail @ ..] = rest else { return None };
        let kind = match first {
            BINARY => Kind::Binary,
            TEXT => Kind::Text,
            _ => return None,
        };
        // With the expected mask bit flipped away what remains is the length; a wrong one makes it 128 or more.
        let (header, len) = match second ^ self.mask_bit {
            len @ 0..=125 => (2, usize::from(len)),
            126 => {
                let len = usize::from(u16::from_be_bytes(*tail.first_chunk()?));
                (4, if len < 126 { return None } else { len })
            }
            _ => return None,
        };
        let size = header + len + if self.mask_bit != 0 { 4 } else { 0 };
        let whole = size <= rest.len() && len as u64 <= self.max_message;
        whole.then_some(Frame { kind, header, size })
    }
}

/// Out of line: what the check needs would otherwise be kept in reach for binary messages too.
#[inline(never)]
fn is_text(payload: &[u8]) -> bool {
    utf8::is_valid(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::frame;

    const SERVER: WholeReader = WholeReader { mask_bit: 0x80, max_message: 70_000 };
    const CLIENT: WholeReader = WholeReader { mask_bit: 0, max_message: 70_000 };
    const KEY: [u8; 4] = [1, 2, 3, 4];

    fn one(opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
        let mut out = Vec::new();
        frame::write(&mut out, opcode, payload, key);
        out
    }

    #[test]
    fn messages_of_both_roles_one_behind_the_other() {
        for (reader, key) in [(SERVER, Some(KEY)), (CLIENT, None)] {
            for len in [0, 1, 125, 126, 127, 0xffff] {
                let payload = vec![b'x'; len];
                let mut bytes = one(Opcode::Text, &payload, key);
                bytes.extend(one(Opcode::Binary, &payload, key));
                bytes.push(0x82);
                let mut rest = &mut bytes[..];
                assert_eq!(reader.next(&mut rest), Found::Message(Kind::Text, &payload), "{len}");
                assert_eq!(reader.next(&mut rest), Found::Message(Kind::Binary, &payload), "{len}");
                assert_eq!(reader.next(&mut rest), Found::Other);
                assert_eq!(rest, [0x82]);
            }
        }
    }

    #[test]
    fn everything_else_is_left_as_it_is() {
        let short = WholeReader { max_message: 9, ..SERVER };
        let mut fragment = one(Opcode::Binary, b"x", Some(KEY));
        fragment[0] &= 0x7f;
        let mut long_form = vec![0x82, 0x80 | 126, 0, 125, 1, 2, 3, 4];
        long_form.resize(8 + 125, 0);
        let cases = [
            (short, one(Opcode::Binary, b"0123456789", Some(KEY))),
            (SERVER, one(Opcode::Ping, b"x", Some(KEY))),
            (SERVER, one(Opcode::Close, b"", Some(KEY))),
            (SERVER, one(Opcode::Binary, b"x", None)),
            (CLIENT, one(Opcode::Binary, b"x", Some(KEY))),
            (SERVER, one(Opcode::Binary, &[0; 0x1_0000], Some(KEY))),
            (SERVER, [&[0xc2], &one(Opcode::Binary, b"x", Some(KEY))[1..]].concat()),
            (SERVER, fragment),
            (SERVER, long_form),
        ];
        for (reader, bytes) in cases {
            let mut copy = bytes.clone();
            let mut rest = &mut copy[..];
            assert_eq!(reader.next(&mut rest), Found::Other, "{:x?}", &bytes[..2]);
            assert_eq!(rest, bytes);
        }
        for payload in [&b""[..], b"hello", &[b'x'; 130]] {
            let whole = one(Opcode::Text, payload, Some(KEY));
            for end in 0..whole.len() {
                let mut cut = whole[..end].to_vec();
                let mut rest = &mut cut[..];
                assert_eq!(SERVER.next(&mut rest), Found::Other);
                assert_eq!(rest, &whole[..end]);
            }
        }
    }

    #[test]
    fn a_text_that_is_none_is_told() {
        let mut bytes = one(Opcode::Text, b"\xff", Some(KEY));
        assert_eq!(SERVER.next(&mut &mut bytes[..]), Found::NotUtf8);
    }
}
