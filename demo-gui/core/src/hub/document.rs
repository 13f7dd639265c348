//! A note's document, as the hub holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use yrs::block::ClientID;
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Any, Doc, GetString, OffsetKind, Options, Out, ReadTxn, StateVector, Text, TextRef, Transact, Update,
};

use crate::store::db::Loaded;
use crate::store::merge::Edit;
use crate::wire::{ApplyError, TEXT, WireError, apply_hostile, validate_step2};

/// The origin of everything that comes from others.
const REMOTE: &str = "remote";

/// The document.
pub struct Document {
    doc: Doc,
    text: TextRef,
    /// What the last transaction has changed, as an update.
    seen: Arc<Mutex<Option<Vec<u8>>>>,
    /// About how long the whole of it is, encoded.
    bytes: usize,
}

impl Document {
    /// An empty one.
    pub fn new() -> Document {
        let mut options = Options::with_client_id(ClientID::new(random_client()));
        options.offset_kind = OffsetKind::Bytes;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(TEXT);
        let seen = Arc::new(Mutex::new(None));
        let sink = Arc::clone(&seen);
        let observed = doc.observe_update_v1("hub", move |_, event| {
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.update.clone());
        });
        // It fails only while a transaction is open, and nobody else has the document yet.
        observed.unwrap_or_else(|error| unreachable!("{error}"));
        Document { doc, text, seen, bytes: 0 }
    }

    /// What the store has, and what it will get. Errors say what is wrong with it.
    pub fn load<'a>(loaded: &'a Loaded, more: impl Iterator<Item = &'a [u8]>) -> Result<Document, String> {
        let mut document = Document::new();
        let stored = loaded.snapshot.iter().chain(&loaded.updates).map(Vec::as_slice);
        for update in stored.chain(more) {
            document.apply_own(update)?;
        }
        Ok(document)
    }

    /// What we wrote ourselves was checked before, but not what the disk has made of it.
    fn apply_own(&mut self, update: &[u8]) -> Result<(), String> {
        self.bytes += update.len();
        let applied = catch_unwind(AssertUnwindSafe(|| {
            let update = Update::decode_v1(update).map_err(|error| error.to_string())?;
            self.doc.transact_mut().apply_update(update).map_err(|error| error.to_string())
        }));
        applied.unwrap_or_else(|_| Err("a stored update does not apply".into()))
    }

    /// Applies an update from others. Returns what it has changed, None where it was known.
    pub fn apply(&mut self, update: &[u8]) -> Result<Option<Vec<u8>>, ApplyError> {
        *self.seen() = None;
        let missing_before = self.doc.transact().has_missing_updates();
        apply_hostile(&self.doc, update, REMOTE)?;
        let missing = self.doc.transact().has_missing_updates();
        let change = match self.seen().take() {
            // What waits for an update that has not come is passed on as it is: others may have that.
            _ if missing || missing_before => Some(update.to_vec()),
            seen => seen,
        };
        self.bytes += change.as_ref().map_or(0, Vec::len);
        Ok(change)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<Vec<u8>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an update holds anything that is not here: what a reader sends must not.
    pub fn would_change(&self, update: &[u8]) -> Result<bool, WireError> {
        validate_step2(update)?;
        let decoded = catch_unwind(|| Update::decode_v1(update));
        let Ok(Ok(update)) = decoded else { return Err(WireError::Refused) };
        let here = self.doc.transact().snapshot();
        let inserted = update.insertions(true).iter().any(|(client, ranges)| {
            ranges.iter().any(|range| range.end > here.state_map.get(client))
        });
        Ok(inserted || !update.delete_set().diff(&here.delete_set).is_empty())
    }

    /// Edits of the text, in an order in which none moves the next. Returns the update.
    pub fn edit(&mut self, edits: &[Edit]) -> Option<Vec<u8>> {
        *self.seen() = None;
        let places: Vec<(u32, u32)> =
            edits.iter().map(|edit| (self.index(edit.range.start), self.index(edit.range.end))).collect();
        let mut txn = self.doc.transact_mut();
        for (edit, (start, end)) in edits.iter().zip(places) {
            if end > start {
                self.text.remove_range(&mut txn, start, end - start);
            }
            if !edit.text.is_empty() {
                self.text.insert(&mut txn, start, &edit.text);
            }
        }
        drop(txn);
        let change = self.seen().take();
        self.bytes += change.as_ref().map_or(0, Vec::len);
        change
    }

    /// The document's index of an offset in the text: they differ where a client has put into it what is no text.
    fn index(&self, offset: usize) -> u32 {
        let txn = self.doc.transact();
        if self.text.len(&txn) as usize == self.text.get_string(&txn).len() {
            return offset as u32;
        }
        let (mut index, mut left) = (offset as u32, offset);
        for part in self.text.diff(&txn, YChange::identity) {
            match part.insert {
                Out::Any(Any::String(text)) if left < text.len() => break,
                Out::Any(Any::String(text)) => left -= text.len(),
                _ => index += 1,
            }
        }
        index
    }

    /// The text.
    pub fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// What we have, for a sync step 1.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// All that one with this state vector lacks.
    pub fn difference(&self, has: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(has)
    }

    /// All of it in one update.
    pub fn snapshot(&mut self) -> Vec<u8> {
        let snapshot = self.difference(&StateVector::default());
        self.bytes = snapshot.len();
        snapshot
    }

    /// About how long the whole of it is, encoded.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Yjs' own range.
fn random_client() -> u64 {
    loop {
        let id = getrandom::u32().unwrap_or_else(|error| panic!("no random source: {error}"));
        if id != 0 {
            return u64::from(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(document: &mut Document, at: usize, text: &str) -> Vec<u8> {
        document.edit(&[Edit { range: at..at, text: text.into() }]).unwrap()
    }

    #[test]
    fn what_is_known_changes_nothing() {
        let (mut one, mut two) = (Document::new(), Document::new());
        let update = typed(&mut one, 0, "你好");
        assert!(two.would_change(&update).unwrap());
        assert!(two.apply(&update).unwrap().is_some());
        assert_eq!(two.text(), "你好");
        assert!(!two.would_change(&update).unwrap());
        assert_eq!(two.apply(&update).unwrap(), None);
        // A step 2 always tells of all deletions.
        let deletion = one.edit(&[Edit { range: 0..3, text: String::new() }]).unwrap();
        assert!(two.would_change(&deletion).unwrap());
        two.apply(&deletion).unwrap();
        assert!(!two.would_change(&one.snapshot()).unwrap());
        assert_eq!(two.apply(&one.snapshot()).unwrap(), None);
        assert_eq!(two.text(), "好");
    }

    #[test]
    fn what_comes_too_early_is_passed_on_and_kept() {
        let (mut one, mut two) = (Document::new(), Document::new());
        let first = typed(&mut one, 0, "a");
        let second = typed(&mut one, 1, "b");
        assert_eq!(two.apply(&second).unwrap(), Some(second.clone()));
        assert_eq!(two.text(), "");
        let mut three = Document::load(&Loaded { snapshot: Some(two.snapshot()), updates: vec![] }, [].into_iter()).unwrap();
        assert!(three.apply(&first).unwrap().is_some());
        assert_eq!(three.text(), "ab");
    }

    #[test]
    fn damage_is_an_error() {
        let loaded = Loaded { snapshot: None, updates: vec![vec![1, 2, 3]] };
        assert!(Document::load(&loaded, [].into_iter()).is_err());
    }
}
