//! What a document holds, as far as it matters for what may be put into it.

use std::collections::HashMap;

use super::parse::{Block, Id, Kind};
use crate::wire::WireError;

/// The most shared texts in one document; a note needs one.
const MAX_ROOTS: usize = 64;
/// In the place of a root: units that were taken out for good, to which nothing can be put.
const GONE: u16 = u16::MAX;

/// A run of units in the same shared text.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    root: u16,
}

#[derive(Clone, Debug, Default)]
struct Client {
    clock: u32,
    runs: Vec<Run>,
    /// Units that are the second half of a character that is not deleted: nothing may be put, or cut, before them. (Of
    /// one that is deleted the document may have forgotten the content, and another that holds the same note not.)
    seconds: Vec<u32>,
}

/// Per client how far it goes, to which shared text its units belong, and where characters must not be cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    clients: HashMap<u64, Client>,
    roots: Vec<String>,
}

impl Known {
    /// How many units of a client are known.
    pub(super) fn clock(&self, client: u64) -> u32 {
        self.clients.get(&client).map_or(0, |client| client.clock)
    }

    /// One of these is known.
    pub(super) fn has_any(&self, ids: &[Id]) -> bool {
        ids.iter().any(|id| id.clock < self.clock(id.client))
    }

    /// What a block refers to and is not known.
    pub(super) fn missing(&self, client: u64, block: &Block<'_>) -> Option<Id> {
        let Kind::Item(item) = &block.kind else { return None };
        let absent = |id: &Id| id.clock >= self.clock(id.client);
        // A block cannot stand beside itself, or beside what comes after it: that is not there before it is.
        let missing = [item.origin, item.right].into_iter().flatten().find(absent);
        missing.map(|id| {
            if id.client == client { Id { client, clock: block.clock.max(self.clock(client)) } } else { id }
        })
    }

    /// Takes in a block of which all that it refers to is known, and whose units before the present clock are known.
    pub(super) fn take_in(&mut self, client: u64, block: &Block<'_>) -> Result<(), WireError> {
        let have = self.clock(client);
        let root = match &block.kind {
            Kind::Gc | Kind::Skip => GONE,
            Kind::Item(item) => match item.root {
                Some(name) => self.root(name)?,
                None => self.common_root(item.origin, item.right)?,
            },
        };
        if block.clock < have && self.root_of(Id { client, clock: have - 1 }) != Some(root) {
            return Err(WireError::Refused);
        }
        let entry = self.clients.entry(client).or_default();
        if entry.runs.last().is_none_or(|run| run.root != root) {
            entry.runs.push(Run { start: have, root });
        }
        if let Kind::Item(item) = &block.kind {
            let mut at = block.clock;
            for c in item.text.chars() {
                at += c.len_utf16() as u32;
                if c.len_utf16() == 2 && at > have {
                    entry.seconds.push(at - 1);
                }
            }
        }
        entry.clock = block.end();
        // What is known of it ends within a character.
        if self.is_second(client, have) { Err(WireError::Refused) } else { Ok(()) }
    }

    /// The root of both neighbours, which must be one.
    fn common_root(&self, origin: Option<Id>, right: Option<Id>) -> Result<u16, WireError> {
        if origin.is_some_and(|id| self.is_second(id.client, id.clock + 1))
            || right.is_some_and(|id| self.is_second(id.client, id.clock))
        {
            return Err(WireError::Refused);
        }
        let mut roots = [origin, right].into_iter().flatten().map(|id| self.root_of(id));
        let first = roots.next().flatten().ok_or(WireError::Refused)?;
        if first == GONE || roots.any(|root| root != Some(first)) {
            return Err(WireError::Refused);
        }
        Ok(first)
    }

    fn root_of(&self, id: Id) -> Option<u16> {
        let runs = &self.clients.get(&id.client)?.runs;
        let after = runs.partition_point(|run| run.start <= id.clock);
        runs.get(after.checked_sub(1)?).map(|run| run.root)
    }

    fn is_second(&self, client: u64, clock: u32) -> bool {
        self.clients.get(&client).is_some_and(|client| client.seconds.binary_search(&clock).is_ok())
    }

    fn root(&mut self, name: &str) -> Result<u16, WireError> {
        if let Some(at) = self.roots.iter().position(|root| root == name) {
            return Ok(at as u16);
        }
        if self.roots.len() == MAX_ROOTS {
            return Err(WireError::Count);
        }
        self.roots.push(name.to_owned());
        Ok(self.roots.len() as u16 - 1)
    }

    /// These known units are deleted, which must begin and end between characters.
    pub(super) fn delete(&mut self, client: u64, clock: u32, end: u32) -> Result<(), WireError> {
        if self.is_second(client, clock) || self.is_second(client, end) {
            return Err(WireError::Refused);
        }
        if let Some(client) = self.clients.get_mut(&client) {
            let place = |clock| client.seconds.partition_point(|second| *second < clock);
            let range = place(clock)..place(end);
            client.seconds.drain(range);
        }
        Ok(())
    }
}
