//! UTF-8 checking of text messages (RFC 6455 section 8.1), whole and in pieces.

/// The bytes seen so far cannot be the beginning of any UTF-8 text, or the text ended inside a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Whether `bytes` are UTF-8: the check for a text that lies whole in memory.
#[inline]
pub fn is_valid(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Checks a text that arrives in pieces, cut anywhere, also inside a character.
///
/// It fails at the first byte that rules the text out, even when the character is not complete: after `ED` the byte
/// `A0` could only spell a surrogate, so no third byte is waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validator {
    /// The first bytes of a character whose end has not arrived.
    begun: [u8; 3],
    /// How many of `begun` are in use.
    len: u8,
}

impl Validator {
    /// Checks the next piece. After an error the validator must not be used any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        let rest = self.complete(bytes)?;
        match simdutf8::compat::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Invalid),
            Err(error) => self.keep(rest.get(error.valid_up_to()..).unwrap_or_default()),
        }
    }

    /// Ends the text: refused when a character is incomplete.
    pub fn finish(&self) -> Result<(), Invalid> {
        if self.len == 0 { Ok(()) } else { Err(Invalid) }
    }

    /// Feeds the begun character, if there is one, byte by byte, and returns what follows it.
    fn complete<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Invalid> {
        let mut rest = bytes;
        while self.len > 0 {
            let Some((&next, tail)) = rest.split_first() else { break };
            rest = tail;
            let [a, b, c] = self.begun;
            let character = match self.len {
                1 => [a, next, 0, 0],
                2 => [a, b, next, 0],
                _ => [a, b, c, next],
            };
            let len = usize::from(self.len) + 1;
            match std::str::from_utf8(&character[..len]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(Invalid),
                Err(_) => self.keep(&character[..len])?,
            }
        }
        Ok(rest)
    }

    /// Remembers the beginning of a character; a beginning is never longer than three bytes.
    fn keep(&mut self, begun: &[u8]) -> Result<(), Invalid> {
        self.begun.get_mut(..begun.len()).ok_or(Invalid)?.copy_from_slice(begun);
        self.len = begun.len() as u8;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds the pieces; the answer is how many bytes were taken before the refusal, or whether the end was accepted.
    fn bytewise(bytes: &[u8]) -> Result<bool, usize> {
        let mut validator = Validator::default();
        for (i, byte) in bytes.iter().enumerate() {
            validator.push(std::slice::from_ref(byte)).map_err(|Invalid| i)?;
        }
        Ok(validator.finish().is_ok())
    }

    /// The same answer from the standard library: the shortest prefix that it calls wrong rather than incomplete.
    fn by_std(bytes: &[u8]) -> Result<bool, usize> {
        for end in 1..=bytes.len() {
            if let Err(error) = std::str::from_utf8(&bytes[..end]) {
                if error.error_len().is_some() {
                    return Err(end - 1);
                }
            }
        }
        Ok(std::str::from_utf8(bytes).is_ok())
    }

    fn in_pieces(bytes: &[u8], cuts: &[usize]) -> Result<(), Invalid> {
        let mut validator = Validator::default();
        let mut from = 0;
        for &cut in cuts {
            let cut = cut.clamp(from, bytes.len());
            validator.push(&bytes[from..cut])?;
            from = cut;
        }
        validator.push(&bytes[from..])?;
        validator.finish()
    }

    const EDGES: &[&[u8]] = &[
        b"",
        b"plain",
        "κόσμε".as_bytes(),
        "中文笔记 and 😀".as_bytes(),
        b"\x00\x7f",
        b"\xc2\x80\xdf\xbf",
        b"\xe0\xa0\x80\xef\xbf\xbf",
        b"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
        b"\xed\x9f\xbf\xee\x80\x80",
        b"\x80",
        b"a\xbfb",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc2",
        b"\xc2\x41",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xe1\x80",
        b"\xe1\x80\x41",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x90\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xfe\xff",
        b"\xf8\x88\x80\x80\x80",
    ];

    #[test]
    fn it_is_small() {
        assert!(size_of::<Validator>() <= 8);
    }

    #[test]
    fn refused_at_the_second_byte_of_an_impossible_character() {
        for (bytes, at) in [
            (&b"ab\xe0\x80"[..], 3),
            (b"ab\xf4\x90", 3),
            (b"ab\xed\xa0", 3),
            (b"ab\xf0\x8f", 3),
            (b"ab\xc0", 2),
            (b"ab\xf5", 2),
            (b"ab\xf1\x80\x80\x41", 5),
        ] {
            assert_eq!(bytewise(bytes), Err(at), "{bytes:x?}");
            assert_eq!(in_pieces(bytes, &[]), Err(Invalid));
        }
    }

    #[test]
    fn edges_cut_at_every_pair_of_bytes() {
        for before in ["", "x", "é", "0123456789012345678901234567890123456789012345678901234567890123456789"]
        {
            for edge in EDGES {
                let text = [before.as_bytes(), edge, b"tail"].concat();
                for text in [&text[..], &text[..text.len() - 4]] {
                    assert_eq!(bytewise(text), by_std(text), "{text:x?}");
                    assert_eq!(is_valid(text), std::str::from_utf8(text).is_ok(), "{text:x?}");
                    for first in 0..=text.len() {
                        for second in first..=text.len() {
                            let ours = in_pieces(text, &[first, second]);
                            assert_eq!(ours.is_ok(), is_valid(text), "{text:x?} cut at {first} and {second}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn all_sequences_of_three_bytes_over_the_classes_of_bytes() {
        let classes = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
            0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        for a in classes {
            for b in classes {
                for c in classes {
                    assert_eq!(bytewise(&[a, b, c]), by_std(&[a, b, c]));
                    for d in [0x41, 0x80, 0xbf, 0xc2] {
                        assert_eq!(bytewise(&[a, b, c, d]), by_std(&[a, b, c, d]));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_and_cuts(
            text in ".{0,200}",
            wrong in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
            mut cuts in proptest::collection::vec(0usize..800, 0..8),
        ) {
            let mut bytes = text.into_bytes();
            if let (Some((at, byte)), false) = (wrong, bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            cuts.sort_unstable();
            let valid = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(is_valid(&bytes), valid);
            prop_assert_eq!(in_pieces(&bytes, &cuts).is_ok(), valid);
            prop_assert_eq!(bytewise(&bytes), by_std(&bytes));
        }
    }
}
