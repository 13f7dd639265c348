//! A buffer that grows while a message is inflated or deflated into it.

use super::NoMemory;

/// The first size, in bytes.
const FIRST: usize = 16 * 1024;

/// Bytes written so far, with initialised room behind them: zlib-rs writes into slices, and room that is kept from one
/// message to the next costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    len: usize,
}

impl Output {
    /// What was written.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// How many bytes were written.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory held.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what was written; the room stays.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Makes sure that the buffer has `size` bytes in all.
    pub fn reserve(&mut self, size: usize) -> Result<(), NoMemory> {
        if self.bytes.len() < size {
            self.bytes.try_reserve_exact(size - self.bytes.len()).map_err(|_| NoMemory)?;
            self.bytes.resize(size, 0);
        }
        Ok(())
    }

    /// The room behind what was written, never beyond `most` bytes in all; empty if those are there. Grows in proportion
    /// to what was written.
    pub fn room(&mut self, most: usize) -> Result<&mut [u8], NoMemory> {
        if self.len == self.bytes.len() {
            self.reserve(self.len.saturating_mul(2).max(FIRST).min(most))?;
        }
        let end = self.bytes.len().min(most).max(self.len);
        Ok(self.bytes.get_mut(self.len..end).unwrap_or_default())
    }

    /// Counts `n` bytes of the room as written.
    pub fn filled(&mut self, n: usize) {
        self.len = self.len.saturating_add(n).min(self.bytes.len());
    }

    /// Takes `n` bytes off the end.
    pub fn shorten(&mut self, n: usize) {
        self.len = self.len.saturating_sub(n);
    }
}

impl PartialEq for Output {
    fn eq(&self, other: &Output) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Output {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_in_proportion_and_never_beyond_the_most() {
        let mut output = Output::default();
        let mut total = 0;
        while let room @ 1.. = output.room(100_000).unwrap().len() {
            assert!(room <= total.max(FIRST));
            output.filled(room);
            total += room;
        }
        assert_eq!((total, output.len(), output.capacity()), (100_000, 100_000, 100_000));
        output.clear();
        assert_eq!(output.room(7).unwrap().len(), 7);
    }
}
