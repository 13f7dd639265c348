//! Places in the text that move with it, as awareness carries them.

use serde_json::{Map, Value, json};
use yrs::block::ClientID;
use yrs::branch::{Branch, BranchPtr};
use yrs::{Assoc, Doc, ID, IndexScope, IndexedSequence, ReadTxn, StickyIndex, TextRef, Transact};

use super::TEXT;
use super::message::MAX_CLIENT;

/// A place in the text: before a character, after one, or at an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(StickyIndex);

/// A selection: where it began and where the caret is; the same place without a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where the selection began.
    pub anchor: Position,
    /// Where the caret is.
    pub head: Position,
}

impl Position {
    /// Before the character at this index, which must be a boundary; at the end of the text: the end, wherever it will
    /// be.
    pub fn new(doc: &Doc, text: &TextRef, index: u32) -> Position {
        let txn = doc.transact();
        let sticky = text.sticky_index(&txn, index, Assoc::After);
        Position(sticky.unwrap_or_else(|| StickyIndex::from_type(&txn, text, Assoc::After)))
    }

    /// The index in the document's unit, None when the place is unknown (yet) or in another text.
    pub fn offset<T: ReadTxn>(&self, txn: &T, text: &TextRef) -> Option<usize> {
        if let IndexScope::Root(name) = self.0.scope()
            && name.as_ref() != TEXT
        {
            return None;
        }
        let offset = self.0.get_offset(txn)?;
        let branch: &Branch = text.as_ref();
        (offset.branch == BranchPtr::from(branch)).then_some(offset.index as usize)
    }

    /// As Yjs writes it, with all four keys: its editors read the absent ones too.
    pub fn to_json(&self) -> Value {
        let id = |id: &ID| json!({"client": id.client.get(), "clock": id.clock});
        let (kind, name, item) = match self.0.scope() {
            IndexScope::Relative(item) => (Value::Null, Value::Null, id(item)),
            IndexScope::Nested(item) => (id(item), Value::Null, Value::Null),
            IndexScope::Root(name) => (Value::Null, Value::from(name.as_ref()), Value::Null),
        };
        json!({"type": kind, "tname": name, "item": item, "assoc": self.0.assoc as i8})
    }

    /// As Yjs and yrs write it: keys may be absent or null; an item wins over a name.
    pub fn from_json(value: &Value) -> Option<Position> {
        let object = value.as_object()?;
        let scope = if let Some(id) = read_id(object, "item") {
            IndexScope::Relative(id)
        } else if let Some(id) = read_id(object, "type") {
            IndexScope::Nested(id)
        } else {
            IndexScope::Root(object.get("tname")?.as_str()?.into())
        };
        let before = object.get("assoc").and_then(Value::as_i64).unwrap_or(0) < 0;
        Some(Position(StickyIndex::new(scope, if before { Assoc::Before } else { Assoc::After })))
    }
}

fn read_id(object: &Map<String, Value>, key: &str) -> Option<ID> {
    let id = object.get(key)?.as_object()?;
    let client = id.get("client")?.as_u64().filter(|&client| client <= MAX_CLIENT)?;
    let clock = u32::try_from(id.get("clock")?.as_u64()?).ok()?;
    Some(ID::new(ClientID::new(client), clock))
}

impl Cursor {
    /// `{"anchor":…,"head":…}`.
    pub fn to_json(&self) -> Value {
        json!({"anchor": self.anchor.to_json(), "head": self.head.to_json()})
    }

    /// None when either end is absent.
    pub fn from_json(value: &Value) -> Option<Cursor> {
        let object = value.as_object()?;
        let end = |key| Position::from_json(object.get(key)?);
        Some(Cursor { anchor: end("anchor")?, head: end("head")? })
    }
}
