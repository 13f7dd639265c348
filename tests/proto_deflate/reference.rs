//! An inflater that is as plain as RFC 1951, for the payload of one message, and knows only a window of a given size.

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<usize> {
        let mut value = 0;
        for place in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(value)
    }
}

/// A Huffman code: how many codes there are of each length, and the symbols in the order of their codes.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let of_it = lengths.iter().enumerate().filter(|&(_, &l)| l == length).map(|(symbol, _)| symbol);
            let before = symbols.len();
            symbols.extend(of_it);
            *count = symbols.len() - before;
        }
        Code { counts, symbols }
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for length in 1..16 {
            code |= bits.take(1)?;
            let count = self.counts[length];
            if code < first + count {
                return self.symbols.get(index + code - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn dynamic(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances, meta) = (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    let mut lengths = [0; 19];
    for &symbol in &ORDER[..meta] {
        lengths[symbol] = bits.take(3)?;
    }
    let code = Code::new(&lengths);
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, repeat) = match code.read(bits)? {
            16 => (*lengths.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(value, repeat));
    }
    Some((Code::new(&lengths[..literals]), Code::new(&lengths[literals..])))
}

fn fixed() -> (Code, Code) {
    let lengths: Vec<usize> = [(8, 144), (9, 112), (7, 24), (8, 8)]
        .into_iter()
        .flat_map(|(length, count)| std::iter::repeat_n(length, count))
        .collect();
    (Code::new(&lengths), Code::new(&[5; 30]))
}

/// How many extra bits a length or distance symbol has, and what it begins with.
fn base(symbol: usize, group: usize, first: usize) -> (u32, usize) {
    let extra = (symbol / group).saturating_sub(1);
    let mut value = first;
    for earlier in 0..symbol {
        value += 1 << (earlier / group).saturating_sub(1);
    }
    (extra as u32, value)
}

fn compressed(bits: &mut Bits<'_>, window: usize, codes: &(Code, Code), out: &mut Vec<u8>) -> Option<()> {
    loop {
        match codes.0.read(bits)? {
            256 => return Some(()),
            literal @ 0..=255 => out.push(literal as u8),
            symbol => {
                let (extra, start) = if symbol == 285 { (0, 258) } else { base(symbol - 257, 4, 3) };
                let length = start + bits.take(extra)?;
                let (extra, start) = base(codes.1.read(bits)?, 2, 1);
                let distance = start + bits.take(extra)?;
                if distance > window || distance > out.len() {
                    return None;
                }
                for _ in 0..length {
                    out.push(out[out.len() - distance]);
                }
            }
        }
    }
}

/// None: the data is no deflate stream without its tail, ends the stream, or refers beyond the window.
pub fn inflate(window: usize, payload: &[u8]) -> Option<Vec<u8>> {
    let bytes = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut bits = Bits { bytes: &bytes, at: 0 };
    let mut out = Vec::new();
    while bits.at.div_ceil(8) < bytes.len() {
        let (last, kind) = (bits.take(1)?, bits.take(2)?);
        match kind {
            _ if last == 1 => return None,
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let (length, check) = (bits.take(16)?, bits.take(16)?);
                if length != !check & 0xffff {
                    return None;
                }
                out.extend_from_slice(bytes.get(bits.at / 8..bits.at / 8 + length)?);
                bits.at += 8 * length;
            }
            1 => compressed(&mut bits, window, &fixed(), &mut out)?,
            2 => {
                let codes = dynamic(&mut bits)?;
                compressed(&mut bits, window, &codes, &mut out)?;
            }
            _ => return None,
        }
    }
    Some(out)
}
