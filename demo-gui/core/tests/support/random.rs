//! Random numbers and random updates, from a seed.
#![allow(dead_code, reason = "each test uses a part of it")]

use notes_core::wire::{write_bytes, write_uint};

/// splitmix64
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

pub const WORDS: [&str; 12] =
    ["a", "b", "\n", "世", "界", "😀", "👩\u{200d}👩\u{200d}👧", "🇨🇳", "é", "e\u{301}", "# x", "\u{fffd}"];

/// Well-formed, and about anything: small identifiers and clocks, so that its parts hit one another and what is there.
pub fn shaped_update(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    // Some also have what a note never holds.
    let wild = random.chance(6);
    let clients = 1 + random.below(3);
    let first = 1 + random.below(3);
    write_uint(&mut out, clients as u64);
    for client in (first..first + clients).rev() {
        let blocks = 1 + random.below(5);
        write_uint(&mut out, blocks as u64);
        write_uint(&mut out, client as u64);
        let clock = if random.chance(3) { random.below(12) } else { 0 };
        write_uint(&mut out, clock as u64);
        (0..blocks).for_each(|_| shaped_block(random, wild, &mut out));
    }
    let deleted = random.below(3);
    write_uint(&mut out, deleted as u64);
    for client in 1..=deleted {
        write_uint(&mut out, client as u64);
        let ranges = random.below(3);
        write_uint(&mut out, ranges as u64);
        for _ in 0..ranges {
            write_uint(&mut out, random.below(14) as u64);
            write_uint(&mut out, 1 + random.below(5) as u64);
        }
    }
    out
}

fn shaped_block(random: &mut Random, wild: bool, out: &mut Vec<u8>) {
    let kind = match random.below(40) {
        0..=15 if wild => [0, 10, 3, 7, 8][random.below(5)],
        0..=4 => 1,
        5 => 5,
        6..=9 => 6,
        _ => 4,
    };
    out.push(kind);
    let at = out.len() - 1;
    if kind == 0 || kind == 10 {
        write_uint(out, 1 + random.below(6) as u64);
        return;
    }
    let origin = !random.chance(3);
    let right = random.chance(2);
    let id = |random: &mut Random, out: &mut Vec<u8>| {
        write_uint(out, 1 + random.below(5) as u64);
        write_uint(out, random.below(14) as u64);
    };
    if origin {
        out[at] |= 0x80;
        id(random, out);
    }
    if right {
        out[at] |= 0x40;
        id(random, out);
    }
    let sub = wild && random.chance(6);
    if sub {
        out[at] |= 0x20;
    }
    if !origin && !right {
        if wild && random.chance(4) {
            out.push(0);
            id(random, out);
        } else {
            out.push(1);
            write_bytes(out, if random.chance(20) { b"other" } else { b"content" });
        }
        if sub {
            write_bytes(out, b"key");
        }
    }
    shaped_content(random, out, kind);
}

fn shaped_content(random: &mut Random, out: &mut Vec<u8>, kind: u8) {
    match kind {
        1 => write_uint(out, 1 + random.below(6) as u64),
        3 => write_bytes(out, b"bin"),
        4 => {
            let text: String = (0..1 + random.below(4)).map(|_| random.pick(&WORDS)).collect();
            write_bytes(out, text.as_bytes());
        }
        5 => write_bytes(out, random.pick(&["{}", "null", "[1,2]", "\"x\"", "{", ""]).as_bytes()),
        6 => {
            write_bytes(out, b"bold");
            write_bytes(out, random.pick(&["true", "null", "1"]).as_bytes());
        }
        7 => {
            let type_ref = random.below(8) as u8;
            out.push(type_ref);
            if type_ref == 3 || type_ref == 5 {
                write_bytes(out, b"p");
            }
        }
        _ => {
            let count = 1 + random.below(3);
            write_uint(out, count as u64);
            for _ in 0..count {
                out.extend_from_slice(random.pick(&[
                    &[127u8][..],
                    &[120],
                    &[125, 5],
                    &[119, 1, b'x'],
                    &[117, 1, 126],
                ]));
            }
        }
    }
}

/// A real or shaped update with some bytes changed, put in, taken out, doubled.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            5 => {
                let end = (at + 1 + random.below(16)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, part);
            }
            _ => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 0x84, 10][random.below(7)],
        }
    }
}
