//! An update, read without decoding it.
//!
//! yrs' decoder reserves memory for what a count claims: thirteen bytes make it ask for 515 MB. So every count is held
//! against the bytes that are left, every identifier and clock against its range, and only kinds of content that a note
//! can hold are let through: text, and what rich-text editors put between (formats, embedded values).

use std::collections::HashSet;

use yrs::StateVector;
use yrs::block::ClientID;

use super::json::skip_json;
use crate::wire::message::MAX_CLIENT;
use crate::wire::{MAX_BLOCKS, MAX_STEP2, MAX_UPDATE, Reader, WireError};

/// Clocks count UTF-16 units of one client in one note. yrs counts them in signed 32 bits; half of that leaves room for
/// what is typed here after a stranger has claimed the rest.
const MAX_CLOCK: u64 = 1 << 30;
/// The longest name of a shared text.
const MAX_ROOT_NAME: usize = 256;

const GC: u8 = 0;
const SKIP: u8 = 10;
pub(super) const DELETED: u8 = 1;
pub(super) const STRING: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT: u8 = 0x40;

/// One unit of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) client: u64,
    pub(super) clock: u32,
}

/// One block of an update.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub(super) clock: u32,
    pub(super) len: u32,
    /// As it came.
    pub(super) raw: &'a [u8],
    pub(super) kind: Kind<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind<'a> {
    Gc,
    Skip,
    Item(Item<'a>),
}

#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub(super) origin: Option<Id>,
    pub(super) right: Option<Id>,
    /// The name of the shared text; None: that of the origins.
    pub(super) root: Option<&'a str>,
    /// [`DELETED`], [`STRING`] or one of those that have length 1.
    pub(super) content: u8,
    /// Of a string.
    pub(super) text: &'a str,
}

impl Block<'_> {
    pub(super) fn end(&self) -> u32 {
        self.clock + self.len
    }
}

/// The blocks of one client, without a gap between them.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) client: u64,
    pub(super) blocks: Vec<Block<'a>>,
}

/// Units of one client that were deleted: clocks and lengths.
#[derive(Debug)]
pub(super) struct Deletions {
    pub(super) client: u64,
    pub(super) ranges: Vec<(u32, u32)>,
}

#[derive(Debug, Default)]
pub(super) struct Parsed<'a> {
    pub(super) sections: Vec<Section<'a>>,
    pub(super) deletions: Vec<Deletions>,
}

/// The form of an update of at most [`MAX_UPDATE`] bytes. The bytes of a whole note have a larger limit:
/// [`validate_step2`]. What it says about the document, only a [`Guard`](super::Guard) can tell.
pub fn validate_update(update: &[u8]) -> Result<(), WireError> {
    if update.len() > MAX_UPDATE {
        return Err(WireError::TooBig(MAX_UPDATE));
    }
    parse(update, MAX_BLOCKS).map(drop)
}

/// The form of a whole note: at most [`MAX_STEP2`] bytes.
pub fn validate_step2(update: &[u8]) -> Result<(), WireError> {
    if update.len() > MAX_STEP2 {
        return Err(WireError::TooBig(MAX_STEP2));
    }
    parse(update, MAX_BLOCKS).map(drop)
}

/// `most` bounds blocks and ranges of deletions.
pub(super) fn parse(update: &[u8], most: usize) -> Result<Parsed<'_>, WireError> {
    let mut reader = Reader::new(update);
    let sections = read_sections(&mut reader, most)?;
    let deletions = read_deletions(&mut reader, most)?;
    reader.end()?;
    Ok(Parsed { sections, deletions })
}

fn read_sections<'a>(reader: &mut Reader<'a>, most: usize) -> Result<Vec<Section<'a>>, WireError> {
    // A client takes five bytes at least: count, identifier, clock, and one block of two bytes.
    let clients = reader.count(5)?;
    let mut sections = Vec::with_capacity(clients.min(1024));
    let mut seen = HashSet::new();
    let mut total = 0;
    for _ in 0..clients {
        let count = reader.count(2)?;
        total += count;
        if count == 0 || total > most {
            return Err(WireError::Count);
        }
        let client = reader.uint_up_to(MAX_CLIENT)?;
        if !seen.insert(client) {
            return Err(WireError::Repeated);
        }
        let mut clock = reader.uint_up_to(MAX_CLOCK)?;
        let mut blocks = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            let block = read_block(reader, clock as u32)?;
            clock += u64::from(block.len);
            if clock > MAX_CLOCK {
                return Err(WireError::Range);
            }
            // Old versions of Yjs wrote empty strings; they say nothing.
            if block.len > 0 {
                blocks.push(block);
            }
        }
        sections.push(Section { client, blocks });
    }
    Ok(sections)
}

fn read_block<'a>(reader: &mut Reader<'a>, clock: u32) -> Result<Block<'a>, WireError> {
    let from = reader.clone();
    let info = reader.u8()?;
    let (len, kind) = match info {
        GC => (length(reader)?, Kind::Gc),
        SKIP => (length(reader)?, Kind::Skip),
        _ => read_item(reader, info)?,
    };
    let raw = from.clone().take(from.left() - reader.left())?;
    Ok(Block { clock, len, raw, kind })
}

fn read_item<'a>(reader: &mut Reader<'a>, info: u8) -> Result<(u32, Kind<'a>), WireError> {
    let origin = if info & HAS_ORIGIN != 0 { Some(read_id(reader)?) } else { None };
    let right = if info & HAS_RIGHT != 0 { Some(read_id(reader)?) } else { None };
    let root = if origin.is_none() && right.is_none() { Some(read_root(reader)?) } else { None };
    let content = info & !(HAS_ORIGIN | HAS_RIGHT);
    let (len, text) = match content {
        DELETED => (length(reader)?, ""),
        STRING => {
            let text = reader.text()?;
            (text.chars().map(|c| c.len_utf16() as u32).sum(), text)
        }
        // An object, as editors embed: a string of its own would look like text to everybody who reads the document.
        EMBED if skip_json(reader)?.starts_with('{') => (1, ""),
        FORMAT => {
            reader.text()?;
            skip_json(reader)?;
            (1, "")
        }
        // Binary, nested types, entries of maps, documents within documents: not in a note.
        other => return Err(WireError::Unknown(u64::from(other))),
    };
    Ok((len, Kind::Item(Item { origin, right, root, content, text })))
}

fn read_root<'a>(reader: &mut Reader<'a>) -> Result<&'a str, WireError> {
    match reader.uint()? {
        1 => {
            let name = reader.text()?;
            if name.len() > MAX_ROOT_NAME { Err(WireError::TooBig(MAX_ROOT_NAME)) } else { Ok(name) }
        }
        // 0: the parent is a nested type.
        other => Err(WireError::Unknown(other)),
    }
}

fn read_deletions(reader: &mut Reader<'_>, most: usize) -> Result<Vec<Deletions>, WireError> {
    let clients = reader.count(2)?;
    let mut deletions = Vec::with_capacity(clients.min(1024));
    let mut seen = HashSet::new();
    let mut total = 0;
    for _ in 0..clients {
        let client = reader.uint_up_to(MAX_CLIENT)?;
        if !seen.insert(client) {
            return Err(WireError::Repeated);
        }
        let count = reader.count(2)?;
        total += count;
        if total > most {
            return Err(WireError::Count);
        }
        let mut ranges = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            let clock = reader.uint_up_to(MAX_CLOCK)?;
            let len = length(reader)?;
            if clock + u64::from(len) > MAX_CLOCK {
                return Err(WireError::Range);
            }
            ranges.push((clock as u32, len));
        }
        deletions.push(Deletions { client, ranges });
    }
    Ok(deletions)
}

fn length(reader: &mut Reader<'_>) -> Result<u32, WireError> {
    match reader.uint_up_to(MAX_CLOCK)? {
        0 => Err(WireError::Range),
        len => Ok(len as u32),
    }
}

fn read_id(reader: &mut Reader<'_>) -> Result<Id, WireError> {
    let client = reader.uint_up_to(MAX_CLIENT)?;
    Ok(Id { client, clock: reader.uint_up_to(MAX_CLOCK)? as u32 })
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
