//! Messages deflated (RFC 7692 section 7.2.1).

use zlib_rs::{Deflate, DeflateFlush};

use super::output::Output;
use super::{NoMemory, TAIL, probe};

/// The state of a deflater for one direction of one connection, or for many connections without context takeover.
pub struct Compressor {
    deflate: Deflate,
    /// Nothing was deflated since the window was empty.
    fresh: bool,
}

impl Compressor {
    /// `level` is 1 to 9; `bits` 8 to 15 is the size of the window, as a power of two.
    ///
    /// The deflater has no window of 2^8 bytes. Its window of 2^9 serves: of that it looks back 250 bytes at most,
    /// because it keeps the last 262 for what lies ahead.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn new(level: u8, bits: u8) -> Result<Compressor, NoMemory> {
        probe(Compressor::cost(bits))?;
        let (level, bits) = (i32::from(level.clamp(1, 9)), bits.clamp(9, 15));
        Ok(Compressor { deflate: Deflate::new(level, false, bits), fresh: true })
    }

    /// Bytes of memory that a compressor with this window holds: two windows and a link for each place in one of them,
    /// the hash table, the pending output, the symbols of a block. tests/proto_heap.rs holds it against the allocator.
    pub fn cost(bits: u8) -> usize {
        const HASH_TABLE: usize = 128 << 10;
        const PENDING: usize = 118 << 10;
        (4 << bits.clamp(9, 15)) + HASH_TABLE + PENDING
    }

    /// Replaces what `out` holds by the deflated `data`, without the tail of section 7.2.1. With `takeover` it may refer
    /// to the messages before.
    ///
    /// # Errors
    /// [`NoMemory`]; then the next message refers to nothing before it.
    pub fn message(&mut self, data: &[u8], takeover: bool, out: &mut Output) -> Result<(), NoMemory> {
        if !(takeover || self.fresh) {
            self.reset();
        }
        self.fresh = false;
        let result = self.run(data, out);
        if result.is_err() {
            self.reset();
        }
        result
    }

    /// The next message refers to nothing before it.
    pub fn reset(&mut self) {
        if !self.fresh {
            self.deflate.reset();
            self.fresh = true;
        }
    }

    fn run(&mut self, mut data: &[u8], out: &mut Output) -> Result<(), NoMemory> {
        out.clear();
        if data.is_empty() {
            // A flush behind a flush makes nothing at all; an empty stored block without its tail is this.
            out.reserve(1)?;
            if let Some(first) = out.room(1)?.first_mut() {
                *first = 0;
            }
            out.filled(1);
            return Ok(());
        }
        // What does not shrink grows by a few bytes for each stored block. With room for that the flush is whole at
        // once; in pieces each could end with a marker of its own.
        out.reserve(data.len().saturating_add(data.len() / 1024 + 64))?;
        loop {
            let room = out.room(usize::MAX)?;
            let available = room.len();
            let (before_in, before_out) = (self.deflate.total_in(), self.deflate.total_out());
            // It cannot fail: raw deflate, a valid flush, and room.
            self.deflate.compress(data, room, DeflateFlush::SyncFlush).map_err(|_| NoMemory)?;
            let written = (self.deflate.total_out() - before_out) as usize;
            out.filled(written);
            data = data.get((self.deflate.total_in() - before_in) as usize..).unwrap_or_default();
            if data.is_empty() && written < available {
                break;
            }
        }
        debug_assert!(out.as_slice().ends_with(&TAIL));
        out.shorten(TAIL.len());
        Ok(())
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Compressor").field("fresh", &self.fresh).finish_non_exhaustive()
    }
}
