//! Messages that other threads send, on their way to the loop.
//!
//! They are appended to one buffer, which the loop takes as a whole: no allocation for a message, no letter for each, and
//! the memory that passes from core to core is read in the order in which it was written. A batch has its place among the
//! other letters of the mailbox by a marker that is posted when it is begun; any other letter ends the batch, so that
//! what one thread does stays in order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::write::Form;
use crate::error::{Error, Result};
use crate::event_loop::ids::Entry;

/// A batch that holds so many bytes or messages takes no more: the loop looks at its sockets in between.
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_MESSAGES: usize = 2048;

/// From this size on a payload is not copied under the lock.
const LARGE: usize = 16 * 1024;

/// One message for one connection.
pub struct Head {
    pub entry: &'static Entry,
    pub id: u64,
    pub form: Form,
    len: usize,
    large: Option<Box<[u8]>>,
}

/// Messages in the order in which they were sent.
#[derive(Default)]
pub struct Batch {
    heads: Vec<Head>,
    bytes: Vec<u8>,
}

/// The batches of one loop.
#[derive(Default)]
pub struct SendBatches(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    /// The newest batch takes no more.
    sealed: bool,
    /// An empty batch, kept for its memory.
    spare: Batch,
}

impl Batch {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Each message with its payload.
    pub fn messages(&self) -> impl Iterator<Item = (&Head, &[u8])> {
        let mut start = 0;
        self.heads.iter().map(move |head| match &head.large {
            Some(payload) => (head, &payload[..]),
            None => {
                let payload = self.bytes.get(start..start + head.len).unwrap_or_default();
                start += head.len;
                (head, payload)
            }
        })
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.heads.len() >= BATCH_MESSAGES
    }

    fn push(&mut self, mut head: Head, data: &[u8]) -> Result<()> {
        self.heads.try_reserve(1).map_err(|_| Error::no_memory())?;
        head.len = data.len();
        if head.large.is_none() {
            self.bytes.try_reserve(data.len()).map_err(|_| Error::no_memory())?;
            self.bytes.extend_from_slice(data);
        }
        self.heads.push(head);
        Ok(())
    }
}

impl Head {
    /// A message of which the payload is copied here if it is large, and when it is pushed if not.
    pub fn new(entry: &'static Entry, id: u64, form: Form, data: &[u8]) -> Result<Head> {
        let mut large = None;
        if data.len() >= LARGE {
            let mut copy = Vec::new();
            copy.try_reserve_exact(data.len()).map_err(|_| Error::no_memory())?;
            copy.extend_from_slice(data);
            large = Some(copy.into_boxed_slice());
        }
        Ok(Head { entry, id, form, len: 0, large })
    }
}

impl SendBatches {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a message, unless the loop is no longer `alive`. A batch that begins with it is announced by `post`.
    pub fn push(
        &self,
        head: Head,
        data: &[u8],
        alive: impl FnOnce() -> bool,
        post: impl FnOnce(),
    ) -> Result<()> {
        let mut waiting = self.lock();
        if !alive() {
            return Err(Error::gone());
        }
        let open = !waiting.sealed && waiting.batches.back().is_some_and(|batch| !batch.is_full());
        if open {
            return waiting.batches.back_mut().ok_or(Error::gone())?.push(head, data);
        }
        let mut batch = std::mem::take(&mut waiting.spare);
        batch.push(head, data)?;
        waiting.batches.push_back(batch);
        waiting.sealed = false;
        // Under the lock: a letter of whoever comes next must not overtake the marker.
        post();
        Ok(())
    }

    /// What is sent from now on comes behind a letter that is about to be posted.
    pub fn seal(&self) {
        self.lock().sealed = true;
    }

    /// Every push that found the loop alive has ended when this returns.
    pub fn wait_for_pushes(&self) {
        drop(self.lock());
    }

    /// Takes the batch of the oldest marker.
    pub fn take(&self) -> Batch {
        self.lock().batches.pop_front().unwrap_or_default()
    }

    /// Gives a batch back when its messages have left.
    pub fn recycle(&self, mut batch: Batch) {
        batch.heads.clear();
        batch.bytes.clear();
        if batch.bytes.capacity() <= 2 * BATCH_BYTES {
            self.lock().spare = batch;
        }
    }
}
