//! Numbers and byte strings of the protocol.

use super::WireError;

/// Reads from the front of a message, never past its end.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        let (&first, rest) = self.rest.split_first().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    /// This many bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number, seven bits a byte, the lowest first; at most 64 bits.
    pub fn uint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(WireError::Number);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Number)
    }

    /// A number that is at most `max`.
    pub fn uint_up_to(&mut self, max: u64) -> Result<u64, WireError> {
        let value = self.uint()?;
        if value > max { Err(WireError::Range) } else { Ok(value) }
    }

    /// A count of things that take at least `least` bytes each.
    pub fn count(&mut self, least: usize) -> Result<usize, WireError> {
        let count = self.uint()?;
        let most = self.left() / least;
        usize::try_from(count).ok().filter(|&count| count <= most).ok_or(WireError::Count)
    }

    /// A length and so many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.uint()?).map_err(|_| WireError::Truncated)?;
        self.take(len)
    }

    /// A length and so many bytes of UTF-8.
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Utf8)
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// Appends a number, seven bits a byte, the lowest first.
pub fn write_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_at_every_width() {
        for bits in 0..64 {
            for value in [1u64 << bits, (1u64 << bits) - 1] {
                let mut out = Vec::new();
                write_uint(&mut out, value);
                let mut reader = Reader::new(&out);
                assert_eq!(reader.uint(), Ok(value));
                assert_eq!(reader.end(), Ok(()));
            }
        }
        let mut out = Vec::new();
        write_uint(&mut out, u64::MAX);
        assert_eq!(Reader::new(&out).uint(), Ok(u64::MAX));
    }

    #[test]
    fn numbers_end_and_have_64_bits_at_most() {
        assert_eq!(Reader::new(&[]).uint(), Err(WireError::Truncated));
        assert_eq!(Reader::new(&[0x80]).uint(), Err(WireError::Truncated));
        assert_eq!(Reader::new(&[0xff; 11]).uint(), Err(WireError::Number));
        let mut over = vec![0xff; 9];
        over.push(2);
        assert_eq!(Reader::new(&over).uint(), Err(WireError::Number));
    }

    #[test]
    fn a_length_is_held_against_what_is_there() {
        assert_eq!(Reader::new(&[3, b'a', b'b']).bytes(), Err(WireError::Truncated));
        assert_eq!(Reader::new(&[2, 0xc3, 0x28]).text(), Err(WireError::Utf8));
        assert_eq!(Reader::new(&[0xff, 0xff, 0x03, 0]).count(2), Err(WireError::Count));
    }
}
