//! A long message that goes back to where it came from, or on to others, is not copied while it has to wait: the outboxes
//! hold the message itself.

use std::ops::Range;
use std::sync::Arc;

use super::core::Core;
use crate::proto::conn::Data;

/// Shorter messages are copied.
const SHOWN_MIN: usize = 64 * 1024;

/// Where in a received message the payload of a send lies.
pub type Part = (Arc<Vec<u8>>, Range<usize>);

impl Core {
    /// Remembers a long message that was collected, for as long as the application is shown it.
    pub fn show(&mut self, data: Data) -> Data {
        self.shown = None;
        match data {
            Data::Collected(bytes) if bytes.len() >= SHOWN_MIN => {
                let bytes = Arc::new(bytes);
                self.shown = Some(bytes.clone());
                Data::Shared(bytes)
            }
            other => other,
        }
    }

    /// Where `payload` lies in the message that the application is shown, if it is most of it: a small part must not keep
    /// a large message.
    pub fn part_shown(&self, payload: &[u8]) -> Option<Part> {
        let message = self.shown.as_ref()?;
        let start = payload.as_ptr().addr().checked_sub(message.as_ptr().addr())?;
        let end = start.checked_add(payload.len())?;
        let most = end <= message.len() && payload.len() >= message.capacity() / 2;
        most.then(|| (message.clone(), start..end))
    }
}
