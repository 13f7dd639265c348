//! Updates written anew: only what is new, in an order in which nothing has to wait.

use std::collections::HashMap;

use super::order::Ready;
use super::parse::{Block, DELETED, Deletions, HAS_ORIGIN, HAS_RIGHT, Id, Kind, STRING, Section};
use crate::wire::{write_bytes, write_uint};

/// Blocks and then deletions that are taken in, one update after another.
pub(super) struct Slices<'a> {
    ready: Vec<Ready<'a>>,
    deletions: Vec<Deletions>,
    /// How many blocks are done.
    done: usize,
}

impl<'a> Slices<'a> {
    pub(super) fn new(ready: Vec<Ready<'a>>, mut deletions: Vec<Deletions>) -> Self {
        // They are taken from the end.
        deletions.reverse();
        deletions.iter_mut().for_each(|one| one.ranges.reverse());
        Slices { ready, deletions, done: 0 }
    }

    /// How many blocks and ranges are left.
    pub(super) fn left(&self) -> usize {
        self.ready.len() - self.done + self.deletions.iter().map(|one| one.ranges.len()).sum::<usize>()
    }

    /// An update of at most so many blocks and ranges; None when nothing is left. Blocks and deletions that fit one are
    /// in one: a replacement stays one transaction.
    pub(super) fn next(&mut self, most: usize) -> Option<Vec<u8>> {
        let blocks = &self.ready[self.done..];
        let blocks = &blocks[..blocks.len().min(most)];
        let mut room = most - blocks.len();
        let mut out = write_ready(blocks);
        let count = blocks.len();
        self.done += count;
        let mut now = Vec::new();
        while room > 0
            && let Some(Deletions { client, ranges }) = self.deletions.last_mut()
        {
            let ranges_now: Vec<_> = ranges.drain(ranges.len() - room.min(ranges.len())..).rev().collect();
            room -= ranges_now.len();
            now.push(Deletions { client: *client, ranges: ranges_now });
            if ranges.is_empty() {
                self.deletions.pop();
            }
        }
        write_deletions(&mut out, &now);
        (count > 0 || !now.is_empty()).then_some(out)
    }
}

/// What has to wait, as one update.
pub(super) fn write_waiting(sections: &[Section<'_>], deletions: &[Deletions]) -> Vec<u8> {
    let mut out = Vec::new();
    write_uint(&mut out, sections.len() as u64);
    for section in sections {
        write_head(&mut out, section.blocks.len(), section.client, section.blocks[0].clock);
        section.blocks.iter().for_each(|block| out.extend_from_slice(block.raw));
    }
    write_deletions(&mut out, deletions);
    out
}

fn write_head(out: &mut Vec<u8>, blocks: usize, client: u64, clock: u32) {
    write_uint(out, blocks as u64);
    write_uint(out, client);
    write_uint(out, u64::from(clock));
}

/// The blocks of one client are in the order of their clocks, whatever stands between them.
fn write_ready(ready: &[Ready<'_>]) -> Vec<u8> {
    let mut sections: Vec<(u64, Vec<&Ready<'_>>)> = Vec::new();
    let mut place = HashMap::new();
    for one in ready {
        let n = *place.entry(one.client).or_insert_with(|| {
            sections.push((one.client, Vec::new()));
            sections.len() - 1
        });
        sections[n].1.push(one);
    }
    // As Yjs does.
    sections.sort_unstable_by_key(|(client, _)| std::cmp::Reverse(*client));
    let mut out = Vec::new();
    write_uint(&mut out, sections.len() as u64);
    for (client, blocks) in &sections {
        write_head(&mut out, blocks.len(), *client, blocks[0].from);
        for one in blocks {
            if one.from == one.block.clock {
                out.extend_from_slice(one.block.raw);
            } else {
                write_rest(&mut out, *client, &one.block, one.from);
            }
        }
    }
    out
}

/// A block of which the beginning is known: the rest stands behind it.
fn write_rest(out: &mut Vec<u8>, client: u64, block: &Block<'_>, from: u32) {
    let len = u64::from(block.end() - from);
    let Kind::Item(item) = &block.kind else {
        out.push(0);
        return write_uint(out, len);
    };
    out.push(item.content | HAS_ORIGIN | if item.right.is_some() { HAS_RIGHT } else { 0 });
    write_id(out, Id { client, clock: from - 1 });
    if let Some(right) = item.right {
        write_id(out, right);
    }
    match item.content {
        DELETED => write_uint(out, len),
        STRING => write_bytes(out, after(item.text, from - block.clock).as_bytes()),
        // All others have length 1 and no rest.
        _ => {}
    }
}

/// The text after so many UTF-16 units.
fn after(text: &str, units: u32) -> &str {
    let mut passed = 0;
    let cut = text.char_indices().find(|(_, c)| {
        let here = passed;
        passed += c.len_utf16() as u32;
        here >= units
    });
    cut.map_or("", |(at, _)| &text[at..])
}

fn write_id(out: &mut Vec<u8>, id: Id) {
    write_uint(out, id.client);
    write_uint(out, u64::from(id.clock));
}

fn write_deletions(out: &mut Vec<u8>, deletions: &[Deletions]) {
    write_uint(out, deletions.len() as u64);
    for Deletions { client, ranges } in deletions {
        write_uint(out, *client);
        write_uint(out, ranges.len() as u64);
        for (clock, len) in ranges {
            write_uint(out, u64::from(*clock));
            write_uint(out, u64::from(*len));
        }
    }
}
