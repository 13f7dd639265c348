//! The messages, one in a frame.

use super::bytes::{Reader, write_bytes, write_uint};
use super::{MAX_CLIENTS, MAX_STATE, MAX_STEP2, MAX_UPDATE, WireError};

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY_AWARENESS: u64 = 3;

const STEP1: u64 = 0;
const STEP2: u64 = 1;
const UPDATE: u64 = 2;

/// The most messages in one frame; some servers put two into it.
const MAX_MESSAGES: usize = 16;
/// A client's identifier fits a JavaScript number.
pub(super) const MAX_CLIENT: u64 = (1 << 53) - 1;

/// One message, its parts still in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// "This is what I have": a state vector. The answer is step 2.
    SyncStep1(&'a [u8]),
    /// What the other lacks: an update.
    SyncStep2(&'a [u8]),
    /// A change.
    Update(&'a [u8]),
    /// Who is there.
    Awareness(Vec<AwarenessEntry<'a>>),
    /// Permission denied, with the reason.
    Auth(&'a str),
    /// "Who is there?"
    QueryAwareness,
}

/// One client of an awareness message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwarenessEntry<'a> {
    /// Its identifier, the one of its document.
    pub client: u64,
    /// The higher one wins.
    pub clock: u32,
    /// JSON; `null` for one who has gone.
    pub state: &'a str,
}

/// A frame with exactly one message. Sizes and counts are checked, updates are not yet: see
/// [`validate_update`](super::validate_update).
pub fn decode(frame: &[u8]) -> Result<Message<'_>, WireError> {
    let mut reader = Reader::new(frame);
    let message = read(&mut reader)?;
    reader.end()?;
    Ok(message)
}

/// A frame with one or more messages, as some servers send them.
pub fn decode_all(frame: &[u8]) -> Result<Vec<Message<'_>>, WireError> {
    let mut reader = Reader::new(frame);
    let mut messages = vec![read(&mut reader)?];
    while reader.left() > 0 {
        if messages.len() == MAX_MESSAGES {
            return Err(WireError::Count);
        }
        messages.push(read(&mut reader)?);
    }
    Ok(messages)
}

fn read<'a>(reader: &mut Reader<'a>) -> Result<Message<'a>, WireError> {
    match reader.uint()? {
        SYNC => read_sync(reader),
        AWARENESS => read_awareness(reader.bytes()?).map(Message::Awareness),
        AUTH => match reader.uint()? {
            0 => Ok(Message::Auth(reader.text()?)),
            other => Err(WireError::Unknown(other)),
        },
        QUERY_AWARENESS => Ok(Message::QueryAwareness),
        other => Err(WireError::Unknown(other)),
    }
}

fn read_sync<'a>(reader: &mut Reader<'a>) -> Result<Message<'a>, WireError> {
    let kind = reader.uint()?;
    let (limit, message): (usize, fn(&'a [u8]) -> Message<'a>) = match kind {
        STEP1 => (MAX_UPDATE, Message::SyncStep1),
        STEP2 => (MAX_STEP2, Message::SyncStep2),
        UPDATE => (MAX_UPDATE, Message::Update),
        other => return Err(WireError::Unknown(other)),
    };
    let bytes = reader.bytes()?;
    if bytes.len() > limit { Err(WireError::TooBig(limit)) } else { Ok(message(bytes)) }
}

fn read_awareness(bytes: &[u8]) -> Result<Vec<AwarenessEntry<'_>>, WireError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(3)?;
    if count > MAX_CLIENTS {
        return Err(WireError::TooManyClients);
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let client = reader.uint_up_to(MAX_CLIENT)?;
        let clock = reader.uint_up_to(u64::from(u32::MAX - 1))? as u32;
        let state = reader.text()?;
        if state.len() > MAX_STATE {
            return Err(WireError::TooBig(MAX_STATE));
        }
        entries.push(AwarenessEntry { client, clock, state });
    }
    reader.end()?;
    Ok(entries)
}

/// The frame of a message.
pub fn encode(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match message {
        Message::SyncStep1(state_vector) => write_sync(&mut out, STEP1, state_vector),
        Message::SyncStep2(update) => write_sync(&mut out, STEP2, update),
        Message::Update(update) => write_sync(&mut out, UPDATE, update),
        Message::Awareness(entries) => write_awareness(&mut out, entries),
        Message::Auth(reason) => {
            write_uint(&mut out, AUTH);
            write_uint(&mut out, 0);
            write_bytes(&mut out, reason.as_bytes());
        }
        Message::QueryAwareness => write_uint(&mut out, QUERY_AWARENESS),
    }
    out
}

fn write_sync(out: &mut Vec<u8>, kind: u64, bytes: &[u8]) {
    out.reserve(bytes.len() + 7);
    write_uint(out, SYNC);
    write_uint(out, kind);
    write_bytes(out, bytes);
}

fn write_awareness(out: &mut Vec<u8>, entries: &[AwarenessEntry<'_>]) {
    let mut body = Vec::new();
    write_uint(&mut body, entries.len() as u64);
    for entry in entries {
        write_uint(&mut body, entry.client);
        write_uint(&mut body, u64::from(entry.clock));
        write_bytes(&mut body, entry.state.as_bytes());
    }
    write_uint(out, AWARENESS);
    write_bytes(out, &body);
}

/// The frame of a sync step 1.
pub fn step1(state_vector: &[u8]) -> Vec<u8> {
    encode(&Message::SyncStep1(state_vector))
}

/// The frame of a sync step 2.
pub fn step2(update: &[u8]) -> Vec<u8> {
    encode(&Message::SyncStep2(update))
}

/// The frame of an update.
pub fn update(update: &[u8]) -> Vec<u8> {
    encode(&Message::Update(update))
}

/// The frame of a change of any size: one too big for an update goes as a step 2, which means the same to everybody.
pub fn change(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() > MAX_UPDATE { step2(bytes) } else { update(bytes) }
}

/// The frame of an awareness message.
pub fn awareness(entries: &[AwarenessEntry<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_awareness(&mut out, entries);
    out
}

/// The frame that asks who is there.
pub fn query_awareness() -> Vec<u8> {
    encode(&Message::QueryAwareness)
}
