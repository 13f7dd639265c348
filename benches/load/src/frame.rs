//! Frames (RFC 6455 section 5.2): written whole for a client, read by their headers only.

/// The bit that permessage-deflate sets in the first byte of a compressed message.
pub const RSV1: u8 = 0x40;
/// The opcode of a Pong.
pub const PONG: u8 = 10;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// Bytes of the frame that a server sends for a payload.
pub fn reply_len(payload: usize) -> u64 {
    let header = match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    header + payload as u64
}

/// Appends a masked frame; `bits` is the opcode with RSV1 where it belongs.
pub fn append_masked(out: &mut Vec<u8>, bits: u8, payload: &[u8], key: [u8; 4]) {
    out.push(FIN | bits);
    match payload.len() {
        len @ 0..=125 => out.push(MASKED | len as u8),
        len @ 126..=0xffff => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Finds the ends of a server's messages in a stream without looking at payloads.
#[derive(Debug, Default)]
pub struct Skimmer {
    header: [u8; 10],
    have: usize,
    fin: bool,
    skip: u64,
}

/// What a piece of the stream held.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Skimmed {
    /// Messages that ended.
    pub messages: usize,
    /// Bytes of payload.
    pub payload: u64,
}

impl Skimmer {
    /// Takes the next bytes. An error says that this is no data frame of a server.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<Skimmed, String> {
        let mut skimmed = Skimmed::default();
        while !bytes.is_empty() {
            if self.skip > 0 {
                let step = self.skip.min(bytes.len() as u64);
                bytes = &bytes[step as usize..];
                self.skip -= step;
                skimmed.payload += step;
                skimmed.messages += usize::from(self.skip == 0 && self.fin);
                continue;
            }
            self.header[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if let Some(len) = self.payload_len()? {
                self.fin = self.header[0] & FIN != 0;
                self.have = 0;
                self.skip = len;
                skimmed.messages += usize::from(len == 0 && self.fin);
            }
        }
        Ok(skimmed)
    }

    fn payload_len(&self) -> Result<Option<u64>, String> {
        let [first, second, rest @ ..] = &self.header;
        if self.have == 1 && first & 0x0f > 2 {
            return Err(format!("a frame of type {} instead of a message", first & 0x0f));
        }
        Ok(match (self.have, second) {
            (2, 0..=125) => Some(u64::from(*second)),
            (4, 126) => Some(u64::from(u16::from_be_bytes([rest[0], rest[1]]))),
            (10, 127) => Some(u64::from_be_bytes(*rest)),
            (2.., MASKED..) => return Err("a masked frame from a server".into()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(first: u8, payload: usize) -> Vec<u8> {
        let mut out = vec![first];
        match payload {
            0..=125 => out.push(payload as u8),
            126..=0xffff => {
                out.push(126);
                out.extend((payload as u16).to_be_bytes());
            }
            _ => {
                out.push(127);
                out.extend((payload as u64).to_be_bytes());
            }
        }
        out.resize(out.len() + payload, 0xff);
        out
    }

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let sizes = [0, 1, 125, 126, 65535, 65536];
        let stream: Vec<u8> = sizes.iter().flat_map(|&size| server_frame(0x82, size)).collect();
        assert_eq!(stream.len() as u64, sizes.iter().map(|&size| reply_len(size)).sum::<u64>());
        for step in [1, 2, 3, 7, 1000, stream.len()] {
            let mut skimmer = Skimmer::default();
            let mut total = Skimmed::default();
            for piece in stream.chunks(step) {
                let part = skimmer.take(piece).unwrap();
                total.messages += part.messages;
                total.payload += part.payload;
            }
            let payload = sizes.iter().sum::<usize>() as u64;
            assert_eq!(total, Skimmed { messages: sizes.len(), payload }, "in steps of {step}");
        }
    }

    #[test]
    fn fragments_are_one_message() {
        let mut skimmer = Skimmer::default();
        let stream = [server_frame(0x02, 5), server_frame(0x00, 0), server_frame(0x80, 3)].concat();
        assert_eq!(skimmer.take(&stream).unwrap(), Skimmed { messages: 1, payload: 8 });
    }

    #[test]
    fn what_is_not_a_message_is_refused() {
        assert!(Skimmer::default().take(&[0x88, 0]).is_err());
        assert!(Skimmer::default().take(&[0x82, 0x81, 1, 2, 3, 4, 5]).is_err());
    }

    #[test]
    fn a_masked_frame() {
        let mut out = Vec::new();
        append_masked(&mut out, 1, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }
}
