//! Frame headers, written and read (RFC 6455 section 5.2).

use super::close::{TOO_BIG, Violation};
use super::mask;
use std::ops::Deref;

/// Longest frame header in bytes: two fixed, eight of length, four of key.
pub const MAX_HEADER: usize = 14;
/// Longest payload of a control frame in bytes (section 5.5).
pub const MAX_CONTROL: usize = 125;

pub(super) const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
/// The first reserved bit: on the first frame of a message that permessage-deflate compressed (RFC 7692 section 6).
const RSV1: u8 = 0x40;
const OPCODE: u8 = 0x0f;
pub(super) const MASKED: u8 = 0x80;
const LEN: u8 = 0x7f;

/// What a frame is (section 11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message begun before.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The end of the connection.
    Close = 8,
    /// A question whether the peer lives.
    Ping = 9,
    /// The answer to a Ping.
    Pong = 10,
}

impl Opcode {
    /// The opcode of this number; `None` for the reserved ones.
    #[inline]
    pub fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    /// Close, Ping and Pong: short, never fragmented, and allowed between the fragments of a message.
    #[inline]
    pub fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// A header ready to be sent, held inline; dereferences to its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; MAX_HEADER],
    len: u8,
}

impl Deref for Header {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(MAX_HEADER)]
    }
}

/// Writes the header of a frame with `len` bytes of payload, in the shortest form of the length.
#[inline]
pub fn header(fin: bool, rsv1: bool, opcode: Opcode, len: u64, mask: Option<[u8; 4]>) -> Header {
    let mut bytes = [0; MAX_HEADER];
    bytes[0] = if fin { FIN } else { 0 } | if rsv1 { RSV1 } else { 0 } | opcode as u8;
    let masked = if mask.is_some() { MASKED } else { 0 };
    let mut end = match len {
        0..=125 => {
            bytes[1] = masked | len as u8;
            2
        }
        126..=0xffff => {
            bytes[1] = masked | 126;
            bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            4
        }
        _ => {
            bytes[1] = masked | 127;
            bytes[2..10].copy_from_slice(&len.to_be_bytes());
            10
        }
    };
    if let Some(key) = mask {
        bytes[end..end + 4].copy_from_slice(&key);
        end += 4;
    }
    Header { bytes, len: end as u8 }
}

/// Appends an unfragmented frame to `out`, masking the copy when a key is given.
#[inline]
pub fn write(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    let header = header(true, false, opcode, payload.len() as u64, mask);
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        mask::apply(&mut out[start..], key, 0);
    }
}

/// What [`write()`] does without a key, for the path of every reply: at the front of `free`, returning how many bytes the
/// frame has. `None`, and nothing of use is written, if it does not fit or the payload is longer than 65,535 bytes.
#[inline(always)]
pub fn put_unmasked(free: &mut [u8], opcode: Opcode, payload: &[u8]) -> Option<usize> {
    let first = FIN | opcode as u8;
    let (header, body) = match payload.len() {
        len @ 0..=125 => {
            let (header, body) = free.split_first_chunk_mut()?;
            *header = [first, len as u8];
            (header.len(), body)
        }
        len @ 126..=0xffff => {
            let (header, body) = free.split_first_chunk_mut()?;
            let [high, low] = (len as u16).to_be_bytes();
            *header = [first, 126, high, low];
            (header.len(), body)
        }
        _ => return None,
    };
    body.get_mut(..payload.len())?.copy_from_slice(payload);
    Some(header + payload.len())
}

/// A header that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last frame of its message.
    pub fin: bool,
    /// The first frame of a compressed message.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// Bytes of payload that the peer says will follow; below 2^63.
    pub len: u64,
    /// The key, if the frame is masked.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the header itself.
    pub size: usize,
}

/// What [`parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A valid beginning; more bytes are needed.
    Incomplete,
    /// A whole header.
    Header(Head),
    /// No byte that may follow can make this a valid header.
    Violation(Violation),
}

/// Reads a header from the start of `bytes`, of which it needs at most [`MAX_HEADER`].
///
/// Each byte is judged as soon as it is there: a bad first or second byte is refused before a third arrives. Whether
/// the mask fits the role and the opcode fits the message is for the connection to say. `rsv1`: permessage-deflate was
/// agreed, so the bit is allowed where a message begins.
#[inline]
pub fn parse(bytes: &[u8], rsv1: bool) -> Parsed {
    match read(bytes, rsv1) {
        Ok(Some(head)) => Parsed::Header(head),
        Ok(None) => Parsed::Incomplete,
        Err(violation) => Parsed::Violation(violation),
    }
}

/// Judges the first byte: reserved bits, opcode, and that a control frame is not fragmented (section 5.5).
#[inline]
pub(super) fn check_first(byte: u8, rsv1: bool) -> Result<Opcode, Violation> {
    let Some(opcode) = Opcode::from_bits(byte & OPCODE) else {
        return Err(Violation::protocol("a reserved opcode"));
    };
    let begins = matches!(opcode, Opcode::Text | Opcode::Binary);
    let allowed = if rsv1 && begins { RSV1 } else { 0 };
    if byte & RSV & !allowed != 0 {
        return Err(Violation::protocol("a reserved bit without an extension that defines it"));
    }
    if opcode.is_control() && byte & FIN == 0 {
        return Err(Violation::protocol("a fragmented control frame"));
    }
    Ok(opcode)
}

/// Judges the second byte of a frame of this opcode.
#[inline]
pub(super) fn check_second(opcode: Opcode, byte: u8) -> Result<(), Violation> {
    if opcode.is_control() && usize::from(byte & LEN) > MAX_CONTROL {
        return Err(Violation::protocol("a control frame of more than 125 bytes"));
    }
    Ok(())
}

fn read(bytes: &[u8], rsv1: bool) -> Result<Option<Head>, Violation> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let opcode = check_first(first, rsv1)?;
    let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
    check_second(opcode, second)?;
    let Some((len, rest)) = length(second & LEN, rest)? else { return Ok(None) };
    let (mask, rest) = if second & MASKED == 0 {
        (None, rest)
    } else {
        let Some((key, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        (Some(*key), rest)
    };
    let size = bytes.len() - rest.len();
    Ok(Some(Head { fin: first & FIN != 0, rsv1: first & RSV1 != 0, opcode, len, mask, size }))
}

/// Reads the extended length, if the seven bits call for one. Only the shortest form is a length (section 5.2).
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (len, least, rest) = match short {
        126 => {
            let Some((len, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*len)), 126, rest)
        }
        127 => {
            if rest.first().is_some_and(|byte| byte & 0x80 != 0) {
                return Err(Violation { code: TOO_BIG, what: "a frame length of 2^63 or more" });
            }
            let Some((len, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
            (u64::from_be_bytes(*len), 0x1_0000, rest)
        }
        _ => (u64::from(short), 0, rest),
    };
    if len < least {
        return Err(Violation::protocol("a frame length that is not in its shortest form"));
    }
    Ok(Some((len, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::close::PROTOCOL;

    const OPCODES: [Opcode; 6] =
        [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong];
    const LENGTHS: [u64; 11] =
        [0, 1, 20, 125, 126, 127, 0xffff, 0x1_0000, 1 << 32, (1 << 62) + 5, (1 << 63) - 1];

    fn code(parsed: Parsed) -> u16 {
        match parsed {
            Parsed::Violation(violation) => violation.code,
            other => panic!("{other:?} instead of a violation"),
        }
    }

    #[test]
    fn what_is_written_is_read_and_every_prefix_is_incomplete() {
        for opcode in OPCODES {
            for len in LENGTHS {
                if opcode.is_control() && len > 125 {
                    continue;
                }
                for mask in [None, Some([1, 2, 3, 0x80])] {
                    for fin in [true, opcode.is_control()] {
                        let bytes = header(fin, false, opcode, len, mask);
                        let head = Head { fin, rsv1: false, opcode, len, mask, size: bytes.len() };
                        let followed = [&bytes[..], b"payload"].concat();
                        assert_eq!(parse(&followed, false), Parsed::Header(head));
                        for end in 0..bytes.len() {
                            assert_eq!(parse(&bytes[..end], false), Parsed::Incomplete);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn both_ways_of_writing_agree() {
        for opcode in [Opcode::Text, Opcode::Binary, Opcode::Pong] {
            for len in [0, 1, 125, 126, 127, 0xffff] {
                let payload = vec![7; len];
                let mut one = Vec::new();
                write(&mut one, opcode, &payload, None);
                let mut other = vec![9; one.len() + 1];
                assert_eq!(put_unmasked(&mut other, opcode, &payload), Some(one.len()), "{opcode:?} {len}");
                assert_eq!(other.split_last(), Some((&9, &one[..])));
                for room in [0, 1, 2, 3, one.len() - 1] {
                    let room = room.min(one.len() - 1);
                    assert_eq!(put_unmasked(&mut other[..room], opcode, &payload), None, "{len} in {room}");
                }
            }
        }
        assert_eq!(put_unmasked(&mut vec![0; 0x1_0100], Opcode::Text, &vec![0; 0x1_0000]), None);
    }

    #[test]
    fn every_first_byte_alone() {
        for byte in 0..=u8::MAX {
            let data = matches!(byte, 0x00..=0x02 | 0x80..=0x82);
            let control = matches!(byte, 0x88..=0x8a);
            let compressed = matches!(byte, 0x41..=0x42 | 0xc1..=0xc2);
            for (rsv1, good) in [(false, data || control), (true, data || control || compressed)] {
                let parsed = parse(&[byte], rsv1);
                if good {
                    assert_eq!(parsed, Parsed::Incomplete, "{byte:x}");
                } else {
                    assert_eq!(code(parsed), PROTOCOL, "{byte:x}");
                }
            }
        }
    }

    #[test]
    fn a_long_control_frame_is_refused_at_its_second_byte() {
        for first in [0x88, 0x89, 0x8a] {
            for second in [126, 127, 0x80 | 126, 0x80 | 127] {
                assert_eq!(code(parse(&[first, second], false)), PROTOCOL);
            }
        }
    }

    #[test]
    fn lengths_that_are_none() {
        assert_eq!(code(parse(&[0x82, 126, 0, 0], false)), PROTOCOL);
        assert_eq!(code(parse(&[0x82, 126, 0, 125], false)), PROTOCOL);
        assert_eq!(code(parse(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 5], false)), PROTOCOL);
        assert_eq!(code(parse(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], false)), PROTOCOL);
        assert_eq!(code(parse(&[0x82, 0xff, 0x80], false)), TOO_BIG);
        assert_eq!(code(parse(&[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], false)), TOO_BIG);
    }

    #[test]
    fn the_examples_of_section_5_7() {
        let mut out = Vec::new();
        write(&mut out, Opcode::Text, b"Hello", None);
        assert_eq!(out, b"\x81\x05Hello");
        out.clear();
        write(&mut out, Opcode::Text, b"Hello", Some([0x37, 0xfa, 0x21, 0x3d]));
        assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert_eq!(header(true, false, Opcode::Binary, 256, None)[..], [0x82, 0x7e, 1, 0]);
        assert_eq!(
            header(true, false, Opcode::Binary, 65536, None)[..],
            [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]
        );
        assert_eq!(header(false, true, Opcode::Text, 3, None)[..], [0x41, 3]);
    }
}
