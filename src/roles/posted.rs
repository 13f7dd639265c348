//! Messages of other threads, sent by the loop.

use std::sync::atomic::Ordering::Relaxed;

use super::close::Ending;
use super::core::{Core, Phase};
use super::send_batches::{Batch, Head};
use super::shared::mail_cost;
use crate::error::ErrorCode;

impl Core {
    /// Messages from other threads: they were taken there, so they are sent whatever is queued.
    pub fn send_batch(&mut self, batch: &Batch) {
        let mut known = KnownIndices::default();
        for (head, data) in batch.messages() {
            let index = known.index_of(self, head.id);
            self.send_posted(head, index, data);
        }
        let mut posted = std::mem::take(&mut self.posted);
        for index in posted.drain(..) {
            if let Some(socket) = self.sockets.get_mut(index) {
                socket.flags.posted = false;
            }
            self.after_send(index);
            if self.sockets.get(index).is_some_and(|socket| socket.outbox.is_empty()) {
                self.check_low_water(index);
            }
        }
        self.posted = posted;
    }

    fn send_posted(&mut self, head: &Head, index: Option<u32>, data: &[u8]) {
        let cost = mail_cost(data.len());
        let socket = index.and_then(|index| Some((index, self.sockets.get_mut(index)?)));
        let Some((index, socket)) = socket else {
            // The connection ended on the way.
            head.entry.queued.fetch_sub(cost, Relaxed);
            return;
        };
        if !matches!(socket.phase, Phase::Open) {
            head.entry.queued.fetch_sub(cost, Relaxed);
            // Taken for the offline queue, or the connection ended on the way.
            let _ = self.send_offline(index, head.form, data);
            return;
        }
        if !std::mem::replace(&mut socket.flags.posted, true) {
            self.posted.push(index);
        }
        self.prepaid = cost;
        if self.send_data(index, head.form, data).is_err() {
            self.fail(index, Ending::broken(ErrorCode::NoMem, "out of memory"));
        }
        let unused = std::mem::take(&mut self.prepaid);
        if unused != 0 {
            head.entry.queued.fetch_sub(unused, Relaxed);
        }
    }
}

/// Where the connections of a batch are: a look-up in the table would take the entry away from the sender's core.
#[derive(Default)]
struct KnownIndices([(u64, u32); 16]);

impl KnownIndices {
    fn index_of(&mut self, core: &Core, id: u64) -> Option<u32> {
        let known = &mut self.0[id as usize % 16];
        if known.0 != id || core.sockets.get(known.1).is_none_or(|socket| socket.id != id) {
            *known = (id, core.index_of(id).ok()?);
        }
        Some(known.1)
    }
}
