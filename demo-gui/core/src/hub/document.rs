//! A note's document, as the hub holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use yrs::block::ClientID;
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Any, Doc, GetString, OffsetKind, Options, Out, ReadTxn, StateVector, Text, TextRef, Transact, Update,
};

use crate::store::db::Loaded;
use crate::store::merge::Edit;
use crate::wire::{ApplyError, Guard, TEXT, WireError, validate_step2};

/// The origin of everything that comes from others.
const REMOTE: &str = "remote";

/// The document.
pub struct Document {
    doc: Doc,
    text: TextRef,
    /// Stands before it.
    guard: Guard,
    /// What the last edit of our own has changed.
    seen: Arc<Mutex<Option<Vec<u8>>>>,
    /// About how long the whole of it is, encoded.
    bytes: usize,
}

impl Document {
    /// An empty one.
    pub fn new() -> Document {
        let document = Document::unobserved();
        document.observe();
        document
    }

    fn unobserved() -> Document {
        let mut options = Options::with_client_id(ClientID::new(random_client()));
        options.offset_kind = OffsetKind::Bytes;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(TEXT);
        Document { doc, text, guard: Guard::new(), seen: Arc::default(), bytes: 0 }
    }

    fn observe(&self) {
        let sink = Arc::clone(&self.seen);
        let observed = self.doc.observe_update_v1("hub", move |txn, event| {
            // What comes from others is told by the guard.
            if txn.origin().is_none() {
                *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.update.clone());
            }
        });
        // It fails only while a transaction is open, and nobody else has the document yet.
        observed.unwrap_or_else(|error| unreachable!("{error}"));
    }

    /// What the store has, and what it will get. Errors say what is wrong with it.
    pub fn load<'a>(loaded: &'a Loaded, more: impl Iterator<Item = &'a [u8]>) -> Result<Document, String> {
        let mut document = Document::unobserved();
        let stored = loaded.snapshot.iter().chain(&loaded.updates).map(Vec::as_slice);
        for update in stored.chain(more) {
            document.apply_own(update)?;
        }
        // Not before: what was read would be encoded once more.
        document.observe();
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

    /// What one update may take of the hub's time from now on; see [`Guard::take_at_most`].
    pub fn take_at_most(&mut self, most: Option<Duration>) {
        self.guard.take_at_most(most);
    }

    /// Applies an update from others. Returns what it has changed, as it is passed on and stored, also where it was
    /// refused in the middle.
    pub fn apply(&mut self, update: &[u8]) -> (Vec<Vec<u8>>, Result<(), ApplyError>) {
        let mut changes = Vec::new();
        let result = self.guard.apply(&self.doc, update, REMOTE, |change| changes.push(change));
        self.bytes += changes.iter().map(Vec::len).sum::<usize>();
        (changes, result)
    }

    fn take_seen(&self) -> Option<Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether an update holds anything that is not here: what a reader sends must not.
    pub fn would_change(&self, update: &[u8]) -> Result<bool, WireError> {
        validate_step2(update)?;
        let decoded = catch_unwind(|| Update::decode_v1(update));
        let Ok(Ok(update)) = decoded else { return Err(WireError::Refused) };
        let here = self.doc.transact().snapshot();
        let inserted = update
            .insertions(true)
            .iter()
            .any(|(client, ranges)| ranges.iter().any(|range| range.end > here.state_map.get(client)));
        Ok(inserted || !update.delete_set().diff(&here.delete_set).is_empty())
    }

    /// Edits of the text, in an order in which none moves the next. Returns the update.
    pub fn edit(&mut self, edits: &[Edit]) -> Option<Vec<u8>> {
        self.take_seen();
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
        let change = self.take_seen()?;
        self.guard.learn(&change);
        self.bytes += change.len();
        Some(change)
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

    fn apply(document: &mut Document, update: &[u8]) -> usize {
        let (changes, result) = document.apply(update);
        result.unwrap();
        changes.len()
    }

    #[test]
    fn what_is_known_changes_nothing() {
        let (mut one, mut two) = (Document::new(), Document::new());
        let update = typed(&mut one, 0, "你好");
        assert!(two.would_change(&update).unwrap());
        assert_eq!(apply(&mut two, &update), 1);
        assert_eq!(two.text(), "你好");
        assert!(!two.would_change(&update).unwrap());
        assert_eq!(apply(&mut two, &update), 0);
        // A step 2 always tells of all deletions.
        let deletion = one.edit(&[Edit { range: 0..3, text: String::new() }]).unwrap();
        assert!(two.would_change(&deletion).unwrap());
        apply(&mut two, &deletion);
        assert!(!two.would_change(&one.snapshot()).unwrap());
        assert_eq!(two.text(), "好");
    }

    #[test]
    fn what_comes_too_early_waits() {
        let (mut one, mut two) = (Document::new(), Document::new());
        let first = typed(&mut one, 0, "a");
        let second = typed(&mut one, 1, "b");
        assert_eq!(apply(&mut two, &second), 0);
        assert_eq!(two.text(), "");
        assert_eq!(apply(&mut two, &first), 2);
        assert_eq!(two.text(), "ab");
    }

    #[test]
    fn edits_of_ones_own_are_known_to_the_guard() {
        let (mut one, mut two) = (Document::new(), Document::new());
        apply(&mut two, &typed(&mut one, 0, "a"));
        apply(&mut one, &typed(&mut two, 1, "b"));
        apply(&mut two, &typed(&mut one, 2, "c"));
        assert_eq!((one.text().as_str(), two.text().as_str()), ("abc", "abc"));
    }

    #[test]
    fn damage_is_an_error() {
        let loaded = Loaded { snapshot: None, updates: vec![vec![1, 2, 3]] };
        assert!(Document::load(&loaded, [].into_iter()).is_err());
    }
}
