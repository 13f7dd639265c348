//! The write buffer of a loop: replies of the readable event that is being handled, written once at its end.

use std::ops::Deref;

use crate::event_loop::outbox::CHUNK;
use crate::proto::frame::{self, Opcode};
use crate::proto::mask;

/// The buffer's size in bytes: written early when full. What the kernel refuses of it becomes one chunk of an outbox.
pub const CORK: usize = CHUNK;

/// Dereferences to the bytes that wait in it.
#[derive(Default)]
pub struct Cork {
    /// [`CORK`] bytes, or none in the place of a cork that is taken out.
    bytes: Box<[u8]>,
    len: usize,
}

impl Cork {
    /// An empty one.
    pub fn new() -> Cork {
        Cork { bytes: vec![0; CORK].into_boxed_slice(), len: 0 }
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a frame that is not masked; false, and nothing is done, if it does not fit. Never panics.
    #[inline(always)]
    pub fn append_unmasked(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        let Some(free) = self.bytes.get_mut(self.len..) else { return false };
        let Some(size) = frame::put_unmasked(free, opcode, payload) else { return false };
        self.len += size;
        true
    }

    /// Appends a frame, masking it if there is a key; false, and nothing is done, if it does not fit.
    #[inline]
    pub fn append(&mut self, header: &[u8], payload: &[u8], key: Option<[u8; 4]>) -> bool {
        let Some(free) = self.bytes.get_mut(self.len..) else { return false };
        let Some((place, free)) = free.split_at_mut_checked(header.len()) else { return false };
        let Some(body) = free.get_mut(..payload.len()) else { return false };
        place.copy_from_slice(header);
        body.copy_from_slice(payload);
        if let Some(key) = key {
            mask::apply(body, key, 0);
        }
        self.len += header.len() + payload.len();
        true
    }
}

impl Deref for Cork {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_lie_one_behind_the_other_until_one_does_not_fit() {
        let mut cork = Cork::new();
        assert!(cork.append_unmasked(Opcode::Text, b"one"));
        assert!(cork.append(&[0x82, 0x83, 1, 2, 3, 4], b"two", Some([1, 2, 3, 4])));
        let expected =
            [b"\x81\x03one".as_slice(), &[0x82, 0x83, 1, 2, 3, 4, b't' ^ 1, b'w' ^ 2, b'o' ^ 3]].concat();
        assert_eq!(cork[..], expected);
        let room = CORK - cork.len();
        assert!(!cork.append_unmasked(Opcode::Binary, &vec![0; room - 3]));
        assert!(!cork.append(&[0; 4], &vec![0; room - 3], None));
        assert_eq!(cork[..], expected);
        assert!(cork.append_unmasked(Opcode::Binary, &vec![0; room - 4]));
        assert_eq!(cork.len(), CORK);
        assert!(!cork.append_unmasked(Opcode::Binary, &[]));
        cork.clear();
        assert!(cork.is_empty());
    }

    #[test]
    fn one_that_is_taken_out_takes_nothing() {
        let mut cork = Cork::default();
        assert!(!cork.append_unmasked(Opcode::Binary, &[]));
        assert!(!cork.append(&[0x82, 0], &[], None));
        assert!(cork.is_empty());
    }
}
