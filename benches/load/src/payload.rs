//! What is sent: random bytes, English, Chinese, JSON; raw or deflated.

use crate::Result;
use crate::options::Kind;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// A small generator (xorshift): the same payloads in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// `size` bytes; another `variant` gives others.
pub fn plain(kind: Kind, size: usize, variant: usize) -> Vec<u8> {
    let mut random = Random::new(variant as u64 + 1);
    match kind {
        Kind::Binary => (0..size).map(|_| random.next() as u8).collect(),
        Kind::Ascii => text(size, &mut random, |random| {
            const WORDS: [&str; 8] =
                ["when ", "the ", "market ", "opens, ", "prices ", "move ", "fast", ". "];
            random.pick(&WORDS).to_string()
        }),
        Kind::Chinese => text(size, &mut random, |random| match random.below(12) {
            0 => "，".into(),
            // The common characters lie from U+4E00 on.
            _ => char::from_u32(0x4e00 + random.below(0x5000) as u32).unwrap_or('中').to_string(),
        }),
        Kind::Json => text(size, &mut random, record),
    }
}

/// Pieces up to exactly `size` bytes; what a piece has too much is spaces.
fn text(size: usize, random: &mut Random, piece: impl Fn(&mut Random) -> String) -> Vec<u8> {
    let mut out = String::with_capacity(size + 4);
    while out.len() < size {
        out.push_str(&piece(random));
    }
    let mut end = size;
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out.extend(std::iter::repeat_n(' ', size - end));
    out.into_bytes()
}

fn record(random: &mut Random) -> String {
    let id = random.below(1_000_000);
    let name = random.pick(&["Wireless Mouse", "Mechanical Keyboard", "USB-C Hub", "Webcam", "Desk Lamp"]);
    let action = random.pick(&["purchase", "refund", "view", "cart"]);
    let (units, cents) = (random.below(900), random.below(100));
    let (quantity, hour, minute) = (random.below(9) + 1, random.below(24), random.below(60));
    format!(
        "{{\"userId\":{id},\"action\":\"{action}\",\"item\":{{\"name\":\"{name}\",\"price\":{units}.{cents:02},\
         \"quantity\":{quantity}}},\"timestamp\":\"2025-02-20T{hour:02}:{minute:02}:00Z\"}},"
    )
}

/// Deflates one message by itself (RFC 7692 section 7.2.1) at level 6.
pub fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::new(6), false);
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 64);
    let status = compress.compress_vec(bytes, &mut out, FlushCompress::Sync);
    if !matches!(status, Ok(Status::Ok)) || compress.total_in() != bytes.len() as u64 {
        return Err(format!("deflating the payload: {status:?}"));
    }
    match out.strip_suffix(&[0, 0, 0xff, 0xff]) {
        Some(message) => Ok(message.to_vec()),
        None => Err("deflating the payload: no sync marker at the end".into()),
    }
}

/// Inflates one message that refers to nothing before it and holds at most `max` bytes.
pub fn inflate(message: &[u8], max: usize) -> Result<Vec<u8>> {
    let input = [message, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::with_capacity(max + 1);
    let status = Decompress::new(false).decompress_vec(&input, &mut out, FlushDecompress::Sync);
    match status {
        Ok(Status::Ok | Status::BufError | Status::StreamEnd) => Ok(out),
        Err(error) => Err(format!("inflating a reply: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_size_and_is_what_it_says() {
        for size in [0, 1, 2, 3, 20, 1024, 16384] {
            for kind in [Kind::Binary, Kind::Ascii, Kind::Chinese, Kind::Json] {
                let bytes = plain(kind, size, 3);
                assert_eq!(bytes.len(), size);
                assert_eq!(bytes, plain(kind, size, 3));
                if kind != Kind::Binary {
                    let text = std::str::from_utf8(&bytes).unwrap();
                    assert_eq!(text.is_ascii(), kind != Kind::Chinese || size < 3, "{kind:?} {size}");
                }
                if size >= 20 {
                    assert_ne!(bytes, plain(kind, size, 4));
                }
            }
        }
    }

    #[test]
    fn deflated_messages_come_back_and_are_smaller() {
        for size in [0, 1, 100, 1024, 16384] {
            let bytes = plain(Kind::Json, size, 0);
            let deflated = deflate(&bytes).unwrap();
            assert_eq!(inflate(&deflated, size).unwrap(), bytes);
            if size >= 1024 {
                assert!(deflated.len() * 2 < size, "{} of {size}", deflated.len());
            }
        }
    }
}
