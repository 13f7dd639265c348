//! In which order blocks can be taken in, and which have to wait for what is not there.

use std::collections::{HashMap, HashSet};

use super::known::Known;
use super::parse::{Block, Id, Kind, Section};
use crate::wire::WireError;

/// When an update waits for more than that, it is tried again when one of the first has come.
pub(super) const MAX_NEEDS: usize = 64;

/// A block that can be taken in.
pub(super) struct Ready<'a> {
    pub(super) client: u64,
    pub(super) block: Block<'a>,
    /// Its units before this clock were known already.
    pub(super) from: u32,
}

/// What of an update can be taken in, in this order.
pub(super) struct Ordered<'a> {
    pub(super) ready: Vec<Ready<'a>>,
    /// What waits for something that is not there.
    pub(super) waiting: Vec<Section<'a>>,
    /// For what: when none of it has come, there is no use in trying again.
    pub(super) needs: Vec<Id>,
}

/// Takes the blocks into `known` as far as all that they refer to is there.
pub(super) fn order<'a>(sections: Vec<Section<'a>>, known: &mut Known) -> Result<Ordered<'a>, WireError> {
    let place: HashMap<u64, usize> =
        sections.iter().enumerate().map(|(n, section)| (section.client, n)).collect();
    let count = sections.len();
    let (next, blocked) = (vec![0; count], vec![false; count]);
    let mut walk = Walk { next, sections, place, known, ready: Vec::new(), blocked, needs: Vec::new() };
    for n in 0..walk.sections.len() {
        walk.run(n)?;
    }
    let Walk { sections, next, ready, needs, .. } = walk;
    let rest = |(section, next): (Section<'a>, usize)| {
        let blocks: Vec<_> = section.blocks.into_iter().skip(next).collect();
        let only_skips = blocks.iter().all(|block| matches!(block.kind, Kind::Skip));
        (!only_skips).then_some(Section { client: section.client, blocks })
    };
    let waiting = sections.into_iter().zip(next).filter_map(rest).collect();
    Ok(Ordered { ready, waiting, needs })
}

struct Walk<'a, 'k> {
    sections: Vec<Section<'a>>,
    /// How many blocks of each section are done.
    next: Vec<usize>,
    place: HashMap<u64, usize>,
    known: &'k mut Known,
    ready: Vec<Ready<'a>>,
    /// Sections that wait for something that this update does not bring.
    blocked: Vec<bool>,
    needs: Vec<Id>,
}

impl Walk<'_, '_> {
    /// All of one section; what it needs of others is done before. A stack of sections, each to be done up to a clock.
    fn run(&mut self, n: usize) -> Result<(), WireError> {
        let mut stack = vec![(n, u32::MAX)];
        let mut on_stack = HashSet::from([n]);
        while let Some(&(n, until)) = stack.last() {
            let exhausted = self.next[n] == self.sections[n].blocks.len();
            if self.known.clock(self.sections[n].client) >= until || exhausted && until == u32::MAX {
                on_stack.remove(&n);
                stack.pop();
                continue;
            }
            // One that is exhausted has not brought what it was to bring.
            let missing = if exhausted {
                Id { client: self.sections[n].client, clock: until - 1 }
            } else {
                match self.step(n)? {
                    None => continue,
                    Some(missing) => missing,
                }
            };
            let other =
                self.place.get(&missing.client).copied().filter(|&other| !exhausted && !self.blocked[other]);
            match other {
                Some(other) if on_stack.insert(other) => stack.push((other, missing.clock + 1)),
                // Not in this update, or the two wait for one another: all on the stack wait.
                _ => {
                    stack.iter().for_each(|&(n, _)| self.blocked[n] = true);
                    if self.needs.len() < MAX_NEEDS {
                        self.needs.push(missing);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One block; or what it needs.
    fn step(&mut self, n: usize) -> Result<Option<Id>, WireError> {
        let section = &self.sections[n];
        let (client, block) = (section.client, &section.blocks[self.next[n]]);
        let have = self.known.clock(client);
        if block.end() <= have {
            self.next[n] += 1;
            return Ok(None);
        }
        if block.clock > have || matches!(block.kind, Kind::Skip) {
            return Ok(Some(Id { client, clock: block.clock.saturating_sub(1).max(have) }));
        }
        if let Some(missing) = self.known.missing(client, block) {
            return Ok(Some(missing));
        }
        let block = block.clone();
        self.known.take_in(client, &block)?;
        self.ready.push(Ready { client, block, from: have });
        self.next[n] += 1;
        Ok(None)
    }
}
