//! The window's document of a note, with the undo of what was done here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yrs::block::ClientID;
use yrs::types::Delta;
use yrs::types::text::YChange;
use yrs::undo::UndoManager;
use yrs::{
    Any, Doc, GetString, Observable, OffsetKind, Options, Origin, Out, ReadTxn, StateVector, Text, TextRef,
    Transact, TransactionMut,
};

use super::edit::{Edit, apply_all, difference};
use crate::wire::{ApplyError, Guard, TEXT};

const LOCAL: &str = "local";
const REMOTE: &str = "remote";
/// What is typed within this time is undone together.
const UNDO_MS: u64 = 500;

/// A change made here, to be sent.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) update: Vec<u8>,
    pub(super) client: ClientID,
    /// Our clock before it: what the others have of us when this one does not reach them.
    pub(super) clock: u32,
}

/// What the document's observers leave for us.
#[derive(Default)]
struct Seen {
    changes: Vec<Change>,
    /// Of each transaction: they ascend within one only.
    edits: Vec<Vec<Edit>>,
    /// There is something in the text that is no text: offsets must be counted.
    foreign: bool,
    /// Somebody else has written under our identifier.
    usurped: bool,
}

pub(super) struct Replica {
    doc: Doc,
    text: TextRef,
    undo: UndoManager<()>,
    guard: Guard,
    seen: Arc<Mutex<Seen>>,
    clock_ms: Arc<AtomicU64>,
    mixed: bool,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Replica {
    pub(super) fn new(client: u64, now_ms: u64) -> Self {
        let mut options = Options::with_client_id(ClientID::new(client));
        // In any other unit than the mirror's, an offset inside of an emoji destroys it.
        options.offset_kind = OffsetKind::Bytes;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(TEXT);
        let seen = Arc::new(Mutex::new(Seen::default()));
        observe(&doc, &text, &seen);
        let clock_ms = Arc::new(AtomicU64::new(now_ms.max(1)));
        let undo = undo_manager(&doc, &text, &clock_ms);
        Replica { doc, text, undo, guard: Guard::new(), seen, clock_ms, mixed: false }
    }

    pub(super) fn client(&self) -> u64 {
        self.doc.client_id().get()
    }

    pub(super) fn set_clock(&self, now_ms: u64) {
        self.clock_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    pub(super) fn doc(&self) -> (&Doc, &TextRef) {
        (&self.doc, &self.text)
    }

    /// One transaction, one update. The range is of the text, not of the document's units.
    pub(super) fn replace(&mut self, at: usize, removed: usize, inserted: &str) {
        let start = self.index(at);
        let end = if removed > 0 { self.index_before(at + removed) } else { start };
        let mut txn = self.doc.transact_mut_with(LOCAL);
        if end > start {
            self.text.remove_range(&mut txn, start, end - start);
        }
        if !inserted.is_empty() {
            self.text.insert(&mut txn, start, inserted);
        }
    }

    /// What follows is undone by itself.
    pub(super) fn end_undo_step(&mut self) {
        self.undo.reset();
    }

    pub(super) fn undo(&mut self) -> bool {
        self.undo.undo_blocking()
    }

    pub(super) fn redo(&mut self) -> bool {
        self.undo.redo_blocking()
    }

    pub(super) fn can_undo(&self) -> bool {
        self.undo.can_undo()
    }

    pub(super) fn can_redo(&self) -> bool {
        self.undo.can_redo()
    }

    pub(super) fn apply(&mut self, update: &[u8]) -> Result<(), ApplyError> {
        self.guard.apply(&self.doc, update, REMOTE, drop)
    }

    /// Changes made here since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let changes = std::mem::take(&mut lock(&self.seen).changes);
        changes.iter().for_each(|change| self.guard.learn(&change.update));
        changes
    }

    /// Somebody else has written under our identifier since the last call.
    pub(super) fn take_usurped(&mut self) -> bool {
        std::mem::take(&mut lock(&self.seen).usurped)
    }

    /// The edits of others and of undo since the last call, which make the mirror equal to the document.
    pub(super) fn take_edits(&mut self, mirror: &mut String) -> Vec<Edit> {
        let (transactions, foreign) = {
            let mut seen = lock(&self.seen);
            (std::mem::take(&mut seen.edits), std::mem::take(&mut seen.foreign))
        };
        self.mixed |= foreign;
        let mut edits = Vec::new();
        if !self.mixed {
            transactions.iter().for_each(|ascending| apply_all(mirror, ascending));
            edits.extend(transactions.into_iter().flatten());
        }
        edits.extend(self.mend(mirror));
        edits
    }

    /// The document's length tells whether the mirror has lost step: a peer has cut an emoji in two, whose halves
    /// became other characters, or has put something into the text that is no text.
    fn mend(&mut self, mirror: &mut String) -> Option<Edit> {
        let txn = self.doc.transact();
        if !self.mixed && self.text.len(&txn) as usize == mirror.len() {
            return None;
        }
        let text = self.text.get_string(&txn);
        self.mixed = self.text.len(&txn) as usize != text.len();
        let edit = difference(mirror, &text);
        *mirror = text;
        edit
    }

    /// The document's index of an offset in the text: behind what is no text there.
    pub(super) fn index(&self, offset: usize) -> u32 {
        self.index_with(offset, |left| left > 0)
    }

    /// In front of what is no text there.
    fn index_before(&self, offset: usize) -> u32 {
        self.index_with(offset, |left| left >= 0)
    }

    fn index_with(&self, offset: usize, ends: fn(isize) -> bool) -> u32 {
        let mut index = offset as u32;
        if self.mixed {
            let txn = self.doc.transact();
            let mut passed = 0isize - offset as isize;
            for part in self.text.diff(&txn, YChange::identity) {
                if ends(passed) {
                    break;
                }
                match part.insert {
                    Out::Any(Any::String(text)) => passed += text.len() as isize,
                    _ => index += 1,
                }
            }
        }
        index
    }

    /// The other way round.
    pub(super) fn offset(&self, index: usize) -> usize {
        if !self.mixed {
            return index;
        }
        let txn = self.doc.transact();
        let (mut offset, mut left) = (0, index);
        for part in self.text.diff(&txn, YChange::identity) {
            match part.insert {
                Out::Any(Any::String(text)) => {
                    offset += left.min(text.len());
                    left -= left.min(text.len());
                }
                _ => left = left.saturating_sub(1),
            }
        }
        offset
    }

    pub(super) fn state_vector(&self) -> StateVector {
        self.doc.transact().state_vector()
    }

    /// All that one with this state vector lacks.
    pub(super) fn difference(&self, from: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(from)
    }
}

fn undo_manager(doc: &Doc, text: &TextRef, clock_ms: &Arc<AtomicU64>) -> UndoManager<()> {
    let clock_ms = Arc::clone(clock_ms);
    let mut undo = UndoManager::with_options(yrs::undo::Options {
        capture_timeout_millis: UNDO_MS,
        tracked_origins: [Origin::from(LOCAL)].into(),
        capture_transaction: None,
        timestamp: Arc::new(move || clock_ms.load(Ordering::Relaxed)),
        init_undo_stack: Vec::new(),
        init_redo_stack: Vec::new(),
    });
    undo.expand_scope(doc, text);
    undo
}

fn has_origin(txn: &TransactionMut<'_>, origin: &str) -> bool {
    txn.origin().is_some_and(|is| is.as_ref() == origin.as_bytes())
}

fn observe(doc: &Doc, text: &TextRef, seen: &Arc<Mutex<Seen>>) {
    let own = doc.client_id();
    let sink = Arc::clone(seen);
    text.observe("mirror", move |txn, event| {
        // The mirror has had the edits made here already; the document's way of computing them walks all of it.
        if !has_origin(txn, LOCAL) {
            let mut seen = lock(&sink);
            let seen = &mut *seen;
            seen.edits.push(read_delta(event.delta(txn), &mut seen.foreign));
        }
    });
    let sink = Arc::clone(seen);
    let observed = doc.observe_update_v1("outbox", move |txn, event| {
        let mut seen = lock(&sink);
        if has_origin(txn, REMOTE) {
            seen.usurped |= txn.insert_set().get(&own).is_some();
        } else {
            let clock = txn.before_state().get(&own);
            seen.changes.push(Change { update: event.update.clone(), client: own, clock });
        }
    });
    // It fails only while a transaction is open, and nobody else has the document yet.
    observed.unwrap_or_else(|error| unreachable!("{error}"));
}

fn read_delta(delta: &[Delta], foreign: &mut bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut at = 0;
    let mut removed = 0;
    for part in delta {
        match part {
            Delta::Retain(len, _) => {
                push(&mut edits, at, &mut removed, "");
                at += *len as usize;
            }
            Delta::Deleted(len) => removed += *len as usize,
            Delta::Inserted(Out::Any(Any::String(text)), _) => {
                push(&mut edits, at, &mut removed, text);
                at += text.len();
            }
            Delta::Inserted(..) => *foreign = true,
        }
    }
    push(&mut edits, at, &mut removed, "");
    edits
}

fn push(edits: &mut Vec<Edit>, at: usize, removed: &mut usize, inserted: &str) {
    if *removed > 0 || !inserted.is_empty() {
        edits.push(Edit { at, removed: std::mem::take(removed), inserted: inserted.to_owned() });
    }
}
