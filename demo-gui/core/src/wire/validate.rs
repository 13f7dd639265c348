//! What is checked of an update before it is decoded.
//!
//! The decoder reserves memory for what a count claims: thirteen bytes make it ask for 515 MB. And some malformed
//! updates that it takes make the document panic later. So the whole of an update is walked through here first, with
//! every count held against the bytes that are left, every identifier and clock against its range, every length against
//! what yrs and Yjs can hold, and the cost of conflicts against a budget.

use std::collections::{HashMap, HashSet};

use yrs::StateVector;
use yrs::block::ClientID;

use super::any::{skip_any, skip_json};
use super::bytes::Reader;
use super::message::MAX_CLIENT;
use super::{MAX_BLOCKS, MAX_STEP2, MAX_UPDATE, WireError};

/// Clocks count UTF-16 units of one client in one note. yrs counts them in signed 32 bits; half of that leaves room
/// for what is typed here after a stranger has claimed the rest.
const MAX_CLOCK: u64 = 1 << 30;

const GC: u8 = 0;
const SKIP: u8 = 10;
const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;

/// An update of at most [`MAX_UPDATE`] bytes.
pub fn validate_update(update: &[u8]) -> Result<(), WireError> {
    validate(update, MAX_UPDATE)
}

/// A whole note: at most [`MAX_STEP2`] bytes.
pub fn validate_step2(update: &[u8]) -> Result<(), WireError> {
    validate(update, MAX_STEP2)
}

fn validate(update: &[u8], limit: usize) -> Result<(), WireError> {
    if update.len() > limit {
        return Err(WireError::TooBig(limit));
    }
    let mut reader = Reader::new(update);
    let mut walk = Walk { blocks: 0, conflicts: HashMap::new() };
    walk.structs(&mut reader)?;
    walk.deletions(&mut reader)?;
    reader.end()?;
    walk.cost()
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Id {
    client: u64,
    clock: u64,
}

/// Items that want to stand behind the same character.
#[derive(Default)]
struct Siblings {
    count: u64,
    rights: HashSet<Option<Id>>,
    /// Those that do not simply stand before the one that came before them.
    forks: u64,
}

struct Walk {
    blocks: usize,
    conflicts: HashMap<Option<Id>, Siblings>,
}

impl Walk {
    fn structs(&mut self, reader: &mut Reader<'_>) -> Result<(), WireError> {
        // A client takes five bytes at least: count, identifier, clock, and one block of two bytes.
        let clients = reader.count(5)?;
        let mut seen = HashSet::with_capacity(clients.min(1024));
        for _ in 0..clients {
            let blocks = reader.count(2)?;
            self.blocks += blocks;
            if blocks == 0 || self.blocks > MAX_BLOCKS {
                return Err(WireError::Count);
            }
            let client = reader.uint_up_to(MAX_CLIENT)?;
            if !seen.insert(client) {
                return Err(WireError::Repeated);
            }
            let mut clock = reader.uint_up_to(MAX_CLOCK)?;
            for _ in 0..blocks {
                clock += self.block(reader, Id { client, clock })?;
                if clock > MAX_CLOCK {
                    return Err(WireError::Range);
                }
            }
        }
        Ok(())
    }

    /// Returns its length in clocks.
    fn block(&mut self, reader: &mut Reader<'_>, id: Id) -> Result<u64, WireError> {
        let info = reader.u8()?;
        if info == GC || info == SKIP {
            return length(reader);
        }
        let origin = if info & HAS_ORIGIN != 0 { Some(read_id(reader)?) } else { None };
        let right = if info & HAS_RIGHT_ORIGIN != 0 { Some(read_id(reader)?) } else { None };
        if origin.is_none() && right.is_none() {
            match reader.uint()? {
                1 => drop(reader.text()?),
                0 => drop(read_id(reader)?),
                other => return Err(WireError::Unknown(other)),
            }
            if info & HAS_PARENT_SUB != 0 {
                reader.text()?;
            }
        }
        self.sibling(id, origin, right);
        content(reader, info & 0x1f)
    }

    fn sibling(&mut self, id: Id, origin: Option<Id>, right: Option<Id>) {
        if origin == Some(Id { client: id.client, clock: id.clock.wrapping_sub(1) }) && right.is_none() {
            // Typed on: the common case, and no conflict.
            return;
        }
        let siblings = self.conflicts.entry(origin).or_default();
        siblings.count += 1;
        if !siblings.rights.insert(right) {
            siblings.forks += 1;
        }
    }

    fn deletions(&mut self, reader: &mut Reader<'_>) -> Result<(), WireError> {
        let clients = reader.count(2)?;
        let mut seen = HashSet::with_capacity(clients.min(1024));
        for _ in 0..clients {
            if !seen.insert(reader.uint_up_to(MAX_CLIENT)?) {
                return Err(WireError::Repeated);
            }
            for _ in 0..reader.count(2)? {
                let clock = reader.uint_up_to(MAX_CLOCK)?;
                if clock + length(reader)? > MAX_CLOCK {
                    return Err(WireError::Range);
                }
            }
        }
        Ok(())
    }

    fn cost(&self) -> Result<(), WireError> {
        Ok(())
    }
}

fn length(reader: &mut Reader<'_>) -> Result<u64, WireError> {
    match reader.uint_up_to(MAX_CLOCK)? {
        0 => Err(WireError::Range),
        len => Ok(len),
    }
}

fn read_id(reader: &mut Reader<'_>) -> Result<Id, WireError> {
    let client = reader.uint_up_to(MAX_CLIENT)?;
    Ok(Id { client, clock: reader.uint_up_to(MAX_CLOCK)? })
}

/// Returns the length in clocks.
fn content(reader: &mut Reader<'_>, kind: u8) -> Result<u64, WireError> {
    match kind {
        // Deleted
        1 => length(reader),
        // Binary
        3 => reader.bytes().map(|_| 1),
        // String: UTF-16 units
        4 => reader.text().map(|text| text.chars().map(|c| c.len_utf16() as u64).sum()),
        // Embed
        5 => skip_json(reader).map(|()| 1),
        // Format
        6 => {
            reader.text()?;
            skip_json(reader).map(|()| 1)
        }
        // Type: array, map, text, element (with a name), fragment, text of a document tree
        7 => match reader.u8()? {
            0 | 1 | 2 | 4 | 6 => Ok(1),
            3 => reader.text().map(|_| 1),
            other => Err(WireError::Unknown(u64::from(other))),
        },
        // Any
        8 => {
            let count = reader.count(1)?;
            if count == 0 {
                return Err(WireError::Range);
            }
            for _ in 0..count {
                skip_any(reader, 0)?;
            }
            Ok(count as u64)
        }
        // JSON (not written since 2019, and yrs misreads it), documents within documents, and anything newer
        other => Err(WireError::Unknown(u64::from(other))),
    }
}

/// The state vector of a step 1.
pub fn decode_state_vector(bytes: &[u8]) -> Result<StateVector, WireError> {
    let mut reader = Reader::new(bytes);
    let mut vector = StateVector::default();
    for _ in 0..reader.count(2)? {
        let client = reader.uint_up_to(MAX_CLIENT)?;
        let clock = reader.uint_up_to(u64::from(u32::MAX))? as u32;
        vector.set_max(ClientID::new(client), clock);
    }
    reader.end()?;
    Ok(vector)
}
