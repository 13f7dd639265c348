//! The last step: a clean update into the document, with a net under it and a limit of time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Origin, Transact, Update};

use crate::wire::WireError;

/// Why an update was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// It is malformed, too big, or contradicts the document, which is as sound as before.
    Invalid(WireError),
    /// The document came apart over it and must not be used any more: make a new one from the store.
    Broken,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplyError::Invalid(error) => error.fmt(out),
            ApplyError::Broken => out.write_str("the document broke over an update"),
        }
    }
}

impl std::error::Error for ApplyError {}

/// A build for tests takes some times as long.
const SLOW: u32 = if cfg!(debug_assertions) { 3 } else { 1 };
const BASE: Duration = Duration::from_millis(50);
/// For each byte besides: some times what a very fragmented note takes.
const PER_BYTE: Duration = Duration::from_nanos(250);
/// Blocks in the first slice: more than most updates have.
const FIRST_SLICE: usize = 512;
const LARGEST_SLICE: usize = 8192;
const SMALLEST_SLICE: usize = 16;
/// What a slice should take.
const SLICE_TIME: Duration = Duration::from_millis(4);

/// How much of this thread's time one update may take: many items that all want to stand at the same place make yrs
/// compare each with each. So a large update is applied in slices, the smaller the slower they are, until the time is
/// up.
pub(super) struct Budget {
    end: Duration,
    /// Not later than this, however long the update is.
    latest: Duration,
    slice: usize,
}

impl Budget {
    pub(super) fn new(most: Option<Duration>) -> Self {
        let now = cpu_time();
        let latest = most.map_or(Duration::MAX, |most| now + most * SLOW);
        Budget { end: (now + BASE * SLOW).min(latest), latest, slice: FIRST_SLICE }
    }

    pub(super) fn grant(&mut self, bytes: usize) {
        self.end += PER_BYTE * SLOW * u32::try_from(bytes).unwrap_or(u32::MAX);
        self.end = self.end.min(self.latest);
    }

    /// How many blocks and ranges to apply at once.
    pub(super) fn slice(&self) -> usize {
        self.slice
    }

    pub(super) fn start_slice(&self) -> Duration {
        cpu_time()
    }

    pub(super) fn end_slice(&mut self, started: Duration, last: bool) -> Result<(), ApplyError> {
        let now = cpu_time();
        let took = (now - started).as_secs_f64() / (SLICE_TIME * SLOW).as_secs_f64();
        // Twice as large at most, and a quarter at least.
        let slice = self.slice as f64 / took.clamp(0.5, 4.0);
        self.slice = (slice as usize).clamp(SMALLEST_SLICE, LARGEST_SLICE);
        if now > self.end && !last { Err(ApplyError::Invalid(WireError::TooCostly)) } else { Ok(()) }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

pub(super) fn apply_clean(doc: &Doc, update: &[u8], origin: Origin) -> Result<(), ApplyError> {
    let Ok(Ok(update)) = catch_unwind(|| Update::decode_v1(update)) else {
        return Err(ApplyError::Invalid(WireError::Refused));
    };
    let mut txn = doc.transact_mut_with(origin);
    let applied = catch_unwind(AssertUnwindSafe(|| {
        let result = txn.apply_update(update);
        txn.commit();
        result
    }));
    match applied {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(ApplyError::Invalid(WireError::Refused)),
        Err(_) => {
            // Dropping it would commit what is left, and a second panic while unwinding ends the process. So the
            // document stays locked, which is right for a broken one.
            std::mem::forget(txn);
            Err(ApplyError::Broken)
        }
    }
}
