//! Updates from outside, into a document, without dying of them.
//!
//! yrs trusts an update: one that is malformed makes it reserve memory without end, panic, or, since it links its items
//! by raw pointers, read where nothing is. So no update gets to it as it came. The guard reads it ([`parse`]), compares
//! it with what the document holds ([`known`]), finds out what can be taken in now ([`order`]), and writes that anew
//! ([`clean`]): blocks that the document does not have, each after all that it refers to, in one text with its
//! neighbours, cutting no character in two. What refers to something that is not there waits here, not in the document.

mod apply;
mod clean;
mod json;
mod known;
mod order;
mod parse;

use std::time::Duration;

use yrs::{Doc, Origin, ReadTxn, StateVector, Transact};

pub use apply::ApplyError;
use apply::{Budget, apply_clean};
use clean::{Slices, write_waiting};
use known::Known;
use order::MAX_NEEDS;
use parse::{Deletions, Id, Parsed, parse};
pub use parse::{decode_state_vector, validate_step2, validate_update};

use super::{MAX_BLOCKS, MAX_STEP2, WireError};

/// The most bytes of updates that wait for others; beyond it they are dropped. The next sync brings them again.
const MAX_WAITING: usize = 4 << 20;
/// What one that waits takes besides its bytes.
const WAITING_BYTES: usize = 2 << 10;

/// Stands before one document. All that is changed in it by others goes through [`apply`](Self::apply); what is changed
/// here is told by [`learn`](Self::learn), or found when it is missed.
#[derive(Debug, Default)]
pub struct Guard {
    known: Known,
    /// What is known was not, or is no longer, what the document holds: it must be read.
    stale: bool,
    waiting: Vec<Waiting>,
    /// See [`take_at_most`](Guard::take_at_most).
    most: Option<Duration>,
}

/// An update, or what is left of it.
#[derive(Debug)]
struct Waiting {
    update: Vec<u8>,
    needs: Vec<Id>,
}

impl Guard {
    /// Before any document: it is read when the first update comes.
    pub fn new() -> Self {
        Guard { stale: true, ..Guard::default() }
    }

    /// What one call of [`apply`](Self::apply) may take of this thread's time from now on, about; an update that takes
    /// more is too costly. None: the longer the update, the more.
    pub fn take_at_most(&mut self, most: Option<Duration>) {
        self.most = most;
    }

    /// Applies an update, or the part of it for which all is there; the rest waits. `tell` is given each update that it
    /// came to, as it can be passed on to others and stored: nothing when there was nothing new, several when it was
    /// very large or others had waited for it. What was told is in the document, also when an error follows.
    ///
    /// The limits are those of a whole note; for single updates, [`decode`](super::decode) has held the smaller one.
    pub fn apply(
        &mut self,
        doc: &Doc,
        update: &[u8],
        origin: impl Into<Origin>,
        mut tell: impl FnMut(Vec<u8>),
    ) -> Result<(), ApplyError> {
        if update.len() > MAX_STEP2 {
            return Err(ApplyError::Invalid(WireError::TooBig(MAX_STEP2)));
        }
        let mut work =
            Work { doc, origin: origin.into(), budget: Budget::new(self.most), tell: &mut tell, told: 0 };
        self.refresh(doc)?;
        self.take(&mut work, update)?;
        if self.is_waiting() && self.lags(doc) {
            // The document has got more in another way.
            self.stale = true;
            self.refresh(doc)?;
        }
        // What has waited may have waited for this.
        while let Some(n) = self.waiting.iter().position(|waiting| self.known.has_any(&waiting.needs)) {
            let waiting = self.waiting.swap_remove(n);
            match self.take(&mut work, &waiting.update) {
                // It came from somebody else, perhaps; it is dropped.
                Err(ApplyError::Invalid(_)) => self.refresh(doc)?,
                result => result?,
            }
        }
        Ok(())
    }

    /// Something was changed here, by this update of the document's own.
    pub fn learn(&mut self, update: &[u8]) {
        self.stale = self.stale || !matches!(self.read(update), Ok((0, 0)));
    }

    /// Takes in what a document of ours holds; how many blocks and deletions refer to what is not there.
    fn read(&mut self, update: &[u8]) -> Result<(usize, usize), WireError> {
        let parsed = parse(update, usize::MAX)?;
        let ordered = order::order(parsed.sections, &mut self.known)?;
        let (_, later) = self.split_deletions(parsed.deletions)?;
        Ok((ordered.waiting.len(), later.len()))
    }

    /// Updates wait for others that have not come.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn lags(&self, doc: &Doc) -> bool {
        doc.transact().state_vector().iter().any(|(client, &clock)| clock > self.known.clock(client.get()))
    }

    fn refresh(&mut self, doc: &Doc) -> Result<(), ApplyError> {
        if !self.stale {
            return Ok(());
        }
        let all = doc.transact().encode_state_as_update_v1(&StateVector::default());
        self.known = Known::default();
        self.read(&all).map_err(ApplyError::Invalid)?;
        self.stale = false;
        Ok(())
    }

    fn take(&mut self, work: &mut Work<'_>, update: &[u8]) -> Result<(), ApplyError> {
        let parsed = parse(update, MAX_BLOCKS).map_err(ApplyError::Invalid)?;
        let slices = self.clean(parsed).map_err(ApplyError::Invalid);
        let taken = slices.and_then(|slices| work.apply(slices, update.len()));
        // What is known is ahead of the document then.
        self.stale |= taken.is_err();
        taken
    }

    fn clean<'a>(&mut self, parsed: Parsed<'a>) -> Result<Slices<'a>, WireError> {
        let mut ordered = order::order(parsed.sections, &mut self.known)?;
        let (deletions, later) = self.split_deletions(parsed.deletions)?;
        if !ordered.waiting.is_empty() || !later.is_empty() {
            let later_needs = later.iter().map(|one| Id { client: one.client, clock: one.ranges[0].0 });
            ordered.needs.extend(later_needs.take(MAX_NEEDS));
            self.wait(Waiting { update: write_waiting(&ordered.waiting, &later), needs: ordered.needs });
        }
        Ok(Slices::new(ordered.ready, deletions))
    }

    fn wait(&mut self, mut one: Waiting) {
        // Each try needs something that has come since the one before: so they end.
        one.needs.retain(|id| !self.known.has_any(&[*id]));
        let bytes: usize = self.waiting.iter().map(|waiting| waiting.update.len() + WAITING_BYTES).sum();
        if bytes + one.update.len() > MAX_WAITING {
            self.waiting.clear();
        } else {
            self.waiting.push(one);
        }
    }

    /// Deletions of what is there, and of what is not.
    fn split_deletions(
        &mut self,
        all: Vec<Deletions>,
    ) -> Result<(Vec<Deletions>, Vec<Deletions>), WireError> {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        for Deletions { client, ranges } in all {
            let have = self.known.clock(client);
            let (mut here, mut there) = (Vec::new(), Vec::new());
            for (clock, len) in ranges {
                let end = clock + len;
                if clock < have {
                    self.known.delete(client, clock, end.min(have))?;
                    here.push((clock, end.min(have) - clock));
                }
                if end > have {
                    there.push((clock.max(have), end - clock.max(have)));
                }
            }
            let add = |to: &mut Vec<Deletions>, ranges: Vec<(u32, u32)>| {
                if !ranges.is_empty() {
                    to.push(Deletions { client, ranges });
                }
            };
            add(&mut now, here);
            add(&mut later, there);
        }
        Ok((now, later))
    }
}

/// One call of [`Guard::apply`].
struct Work<'a> {
    doc: &'a Doc,
    origin: Origin,
    budget: Budget,
    tell: &'a mut dyn FnMut(Vec<u8>),
    told: usize,
}

impl Work<'_> {
    fn apply(&mut self, mut slices: Slices<'_>, bytes: usize) -> Result<(), ApplyError> {
        self.budget.grant(bytes);
        while let Some(update) = slices.next(self.budget.slice()) {
            let started = self.budget.start_slice();
            apply_clean(self.doc, &update, self.origin.clone())?;
            self.told += 1;
            (self.tell)(update);
            self.budget.end_slice(started, slices.left() == 0)?;
        }
        Ok(())
    }
}

/// One update into a document that has no [`Guard`] of its own: the document is read for it, which takes the longer the
/// larger it is, and what refers to something that is not there is dropped.
pub fn apply_hostile(doc: &Doc, update: &[u8], origin: impl Into<Origin>) -> Result<(), ApplyError> {
    Guard::new().apply(doc, update, origin, drop)
}
