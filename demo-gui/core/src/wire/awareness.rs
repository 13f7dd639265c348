//! Who is there, as the messages of a room tell it.

use std::collections::HashMap;

use super::message::{AwarenessEntry, awareness};
use super::state::clean_state;
use super::{MAX_CLIENTS, WireError};

/// A client repeats its state when it has said nothing for so long.
pub const RENEWAL_MS: u64 = 15_000;
/// A client of whom nothing has been heard for so long has gone.
pub const EXPIRY_MS: u64 = 30_000;

/// The most clients in a room, those included who have gone within the last half minute.
const MAX_ROOM: usize = 4096;
const NULL: &str = "null";

/// What one message has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwarenessChange {
    /// Clients with a new state, or only renewed, in the order of the message.
    pub updated: Vec<u64>,
    /// Clients that have gone.
    pub removed: Vec<u64>,
}

impl AwarenessChange {
    /// Nothing new: an echo, or older than what is known.
    pub fn is_empty(&self) -> bool {
        self.updated.is_empty() && self.removed.is_empty()
    }
}

#[derive(Clone, Debug)]
struct Entry {
    clock: u32,
    /// Cleaned JSON; None once gone, when the clock is kept so that late messages do not bring it back.
    state: Option<String>,
    heard_ms: u64,
}

/// The states of a room's clients. The same rules as in y-protocols: a newer clock wins; at the same clock only `null`.
#[derive(Clone, Debug, Default)]
pub struct AwarenessTable {
    entries: HashMap<u64, Entry>,
}

impl AwarenessTable {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one message. It is taken whole or not at all.
    pub fn apply(
        &mut self,
        entries: &[AwarenessEntry<'_>],
        now_ms: u64,
    ) -> Result<AwarenessChange, WireError> {
        if entries.len() > MAX_CLIENTS {
            return Err(WireError::TooManyClients);
        }
        let news: Vec<_> = entries.iter().filter(|entry| self.is_news(entry)).collect();
        let strangers = news.iter().filter(|entry| !self.entries.contains_key(&entry.client)).count();
        if self.entries.len() + strangers > MAX_ROOM {
            self.forget(now_ms);
            if self.entries.len() + strangers > MAX_ROOM {
                return Err(WireError::TooManyClients);
            }
        }
        let mut cleaned = Vec::with_capacity(news.len());
        for entry in news {
            cleaned.push((entry, clean_state(entry.state)?));
        }
        let mut change = AwarenessChange::default();
        for (entry, state) in cleaned {
            self.put(entry.client, entry.clock, state, now_ms, &mut change);
        }
        Ok(change)
    }

    fn is_news(&self, entry: &AwarenessEntry<'_>) -> bool {
        match self.entries.get(&entry.client) {
            None => true,
            Some(known) if entry.clock == known.clock => entry.state == NULL && known.state.is_some(),
            Some(known) => entry.clock > known.clock,
        }
    }

    fn put(&mut self, client: u64, clock: u32, state: String, now_ms: u64, change: &mut AwarenessChange) {
        let state = (state != NULL).then_some(state);
        let gone = state.is_none();
        let was = self.entries.insert(client, Entry { clock, state, heard_ms: now_ms });
        if !gone {
            change.updated.push(client);
        } else if was.is_some_and(|was| was.state.is_some()) {
            change.removed.push(client);
        }
    }

    /// The frame that tells the present state of these clients; None when none of them is known.
    pub fn frame(&self, clients: impl IntoIterator<Item = u64>) -> Option<Vec<u8>> {
        let entries: Vec<_> = clients.into_iter().filter_map(|client| self.entry(client)).collect();
        (!entries.is_empty()).then(|| awareness(&entries))
    }

    /// The frames that tell of everybody who is here; in several when there are many.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut here: Vec<u64> = self.clients().collect();
        here.sort_unstable();
        here.chunks(MAX_CLIENTS).filter_map(|part| self.frame(part.iter().copied())).collect()
    }

    fn entry(&self, client: u64) -> Option<AwarenessEntry<'_>> {
        let known = self.entries.get(&client)?;
        Some(AwarenessEntry { client, clock: known.clock, state: known.state.as_deref().unwrap_or(NULL) })
    }

    /// Those who are here.
    pub fn clients(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().filter(|(_, entry)| entry.state.is_some()).map(|(&client, _)| client)
    }

    /// A client's state, cleaned JSON.
    pub fn state(&self, client: u64) -> Option<&str> {
        self.entries.get(&client)?.state.as_deref()
    }

    /// A client's clock, gone or not.
    pub fn clock(&self, client: u64) -> Option<u32> {
        self.entries.get(&client).map(|entry| entry.clock)
    }

    /// When a client was last heard of.
    pub fn heard_ms(&self, client: u64) -> Option<u64> {
        self.entries.get(&client).map(|entry| entry.heard_ms)
    }

    /// These have gone (their connection has closed). The frame for the others says so: `null`, at the same clock, as
    /// y-protocols does it: one that comes back with the next clock is seen again.
    pub fn remove(&mut self, clients: impl IntoIterator<Item = u64>, now_ms: u64) -> Option<Vec<u8>> {
        let mut gone = Vec::new();
        for client in clients {
            if let Some(entry) = self.entries.get_mut(&client).filter(|entry| entry.state.is_some()) {
                *entry = Entry { clock: entry.clock, state: None, heard_ms: now_ms };
                gone.push(client);
            }
        }
        self.frame(gone)
    }

    /// Those of whom nothing was heard for [`EXPIRY_MS`] go; returns who.
    pub fn expire(&mut self, now_ms: u64) -> Vec<u64> {
        let silent = |entry: &Entry| entry.state.is_some() && now_ms >= entry.heard_ms + EXPIRY_MS;
        let mut gone: Vec<u64> =
            self.entries.iter().filter(|(_, entry)| silent(entry)).map(|(&client, _)| client).collect();
        gone.sort_unstable();
        for client in &gone {
            if let Some(entry) = self.entries.get_mut(client) {
                *entry = Entry { clock: entry.clock, state: None, heard_ms: now_ms };
            }
        }
        self.forget(now_ms);
        gone
    }

    /// The clocks of those who went long ago are of no use: nothing of theirs is under way any more.
    fn forget(&mut self, now_ms: u64) {
        self.entries.retain(|_, entry| entry.state.is_some() || now_ms < entry.heard_ms + EXPIRY_MS);
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.entries
            .values()
            .filter(|entry| entry.state.is_some())
            .map(|entry| entry.heard_ms + EXPIRY_MS)
            .min()
    }
}
