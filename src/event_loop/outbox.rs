//! What a connection still has to send: the bytes that the kernel refused, in order.

use std::collections::{TryReserveError, VecDeque};
use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;

/// Small writes are collected into chunks of this many bytes, so that one vectored write carries many. With the queue
/// around it, a chunk stays below 64 KiB: that is what a peer may cost that asks and never reads.
pub const CHUNK: usize = 60 * 1024;

/// How many chunks one vectored write names.
pub const MAX_SLICES: usize = 16;

enum Chunk {
    Owned(Vec<u8>),
    /// One message of a topic, framed once for all its subscribers.
    Shared(Arc<[u8]>),
    /// Part of a received message that goes back as it is.
    Part(Arc<Vec<u8>>, Range<usize>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Owned(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
            Chunk::Part(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

#[derive(Default)]
struct Queue {
    chunks: VecDeque<Chunk>,
    /// How much of the front chunk the kernel has taken.
    sent: usize,
    bytes: usize,
    /// When the kernel last took bytes, or the first ones were queued.
    progress_ms: u64,
    /// Bytes from the front up to the end of the pong that is queued; 0: none is.
    pong_end: usize,
    /// The newest of the pongs that came after that one: a peer that asks faster than it reads gets only some answers,
    /// which RFC 6455 section 5.5.3 allows.
    pong: Option<Vec<u8>>,
}

/// A queue of bytes that costs one pointer while it is empty.
#[derive(Default)]
pub struct Outbox(Option<Box<Queue>>);

impl Outbox {
    /// Bytes queued, the waiting pong included.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |q| q.bytes + q.pong.as_ref().map_or(0, Vec::len))
    }

    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// When the kernel last took bytes, or the first ones were queued; 0 if nothing waits.
    pub fn progress_ms(&self) -> u64 {
        self.0.as_ref().map_or(0, |queue| queue.progress_ms)
    }

    /// Notes that the kernel took bytes, or that the first ones were queued.
    pub fn note_progress(&mut self, now_ms: u64) {
        if let Some(queue) = &mut self.0 {
            queue.progress_ms = now_ms;
        }
    }

    /// Appends a copy of `parts`, one after the other; on failure nothing was appended.
    pub fn push(&mut self, parts: &[&[u8]]) -> Result<(), TryReserveError> {
        let len = parts.iter().map(|part| part.len()).sum();
        if len == 0 {
            return Ok(());
        }
        let queue = self.0.get_or_insert_default();
        match queue.chunks.back_mut() {
            Some(Chunk::Owned(tail)) if tail.len() + len <= CHUNK => {
                if tail.capacity() - tail.len() < len {
                    // Doubled, but never beyond a chunk: a peer that does not read must not be paid twice.
                    let capacity = (2 * tail.capacity()).clamp(tail.len() + len, CHUNK);
                    tail.try_reserve_exact(capacity - tail.len())?;
                }
                parts.iter().for_each(|part| tail.extend_from_slice(part));
            }
            _ => {
                let mut chunk = Vec::new();
                if let Err(error) = chunk.try_reserve(len) {
                    self.shrink();
                    return Err(error);
                }
                parts.iter().for_each(|part| chunk.extend_from_slice(part));
                queue.chunks.push_back(Chunk::Owned(chunk));
            }
        }
        queue.bytes += len;
        self.shrink();
        Ok(())
    }

    /// Appends a frame that several connections share.
    pub fn push_shared(&mut self, frame: Arc<[u8]>) {
        let queue = self.0.get_or_insert_default();
        queue.bytes += frame.len();
        queue.chunks.push_back(Chunk::Shared(frame));
    }

    /// Appends part of a received message without copying it.
    pub fn push_part(&mut self, message: Arc<Vec<u8>>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let queue = self.0.get_or_insert_default();
        queue.bytes += range.len();
        queue.chunks.push_back(Chunk::Part(message, range));
    }

    /// Queues a pong. While one is queued already, only the newest of the others is kept.
    pub fn push_pong(&mut self, frame: Vec<u8>) {
        let queue = self.0.get_or_insert_default();
        queue.pong = Some(frame);
        queue.promote_pong();
    }

    /// Fills `slices` with the front of the queue, `most` bytes of it; returns how many are filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES], mut most: usize) -> usize {
        let Some(queue) = &self.0 else { return 0 };
        let mut skip = queue.sent;
        let mut filled = 0;
        for (slice, chunk) in slices.iter_mut().zip(&queue.chunks) {
            let bytes = &chunk.bytes()[skip..];
            let bytes = &bytes[..bytes.len().min(most)];
            *slice = IoSlice::new(bytes);
            most -= bytes.len();
            skip = 0;
            filled += 1;
            if most == 0 {
                break;
            }
        }
        filled
    }

    /// Takes away `n` bytes that the kernel has accepted.
    pub fn consume(&mut self, mut n: usize) {
        let Some(queue) = &mut self.0 else { return };
        queue.bytes -= n;
        queue.pong_end = queue.pong_end.saturating_sub(n);
        while let Some(front) = queue.chunks.front() {
            let left = front.bytes().len() - queue.sent;
            if n < left {
                queue.sent += n;
                break;
            }
            n -= left;
            queue.sent = 0;
            queue.chunks.pop_front();
        }
        queue.promote_pong();
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.0.as_ref().is_some_and(|queue| queue.chunks.is_empty()) {
            self.0 = None;
        }
    }
}

impl Queue {
    /// The kept pong takes its place at the end of the queue when the one before it has left.
    fn promote_pong(&mut self) {
        if self.pong_end == 0 {
            if let Some(frame) = self.pong.take() {
                self.bytes += frame.len();
                self.pong_end = self.bytes;
                self.chunks.push_back(Chunk::Owned(frame));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let filled = outbox.slices(&mut slices, step);
            let front: Vec<u8> = slices[..filled].iter().flat_map(|s| s.iter().copied()).take(step).collect();
            outbox.consume(front.len());
            all.extend(front);
        }
        all
    }

    #[test]
    fn order_is_kept_whatever_the_kernel_takes() {
        for step in 1..40 {
            let mut outbox = Outbox::default();
            outbox.push(&[b"one ", b"two "]).unwrap();
            outbox.push_shared(Arc::from(&b"three "[..]));
            outbox.push_part(Arc::new(b"not this; part, not this".to_vec()), 10..16);
            outbox.push_pong(b"pong 1 ".to_vec());
            outbox.push_pong(b"pong 2 ".to_vec());
            outbox.push_pong(b"pong 3".to_vec());
            outbox.push(&[b"four "]).unwrap();
            assert_eq!(outbox.len(), 38);
            assert_eq!(drain(&mut outbox, step), b"one two three part, pong 1 four pong 3");
            assert_eq!(outbox.len(), 0);
        }
    }

    #[test]
    fn an_empty_outbox_is_one_null_pointer() {
        assert_eq!(size_of::<Outbox>(), size_of::<usize>());
        let mut outbox = Outbox::default();
        outbox.push(&[b""]).unwrap();
        assert!(outbox.0.as_ref().is_none_or(|q| !q.chunks.is_empty()));
    }

    #[test]
    fn small_writes_share_a_chunk() {
        let mut outbox = Outbox::default();
        for _ in 0..1000 {
            outbox.push(&[&[7; 20]]).unwrap();
        }
        assert_eq!(outbox.0.as_ref().unwrap().chunks.len(), 1);
        assert_eq!(outbox.len(), 20_000);
    }
}
