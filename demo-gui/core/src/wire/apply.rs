//! Updates from outside, into a document, without dying of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::updates::decoder::Decode;
use yrs::{Doc, Origin, Transact, Update};

use super::{WireError, validate_step2};

/// Why an update was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// It is malformed or too big; the document is as it was.
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

/// Checks, decodes and applies an update in one transaction of this origin. The one way of bytes from outside into a
/// document. The limits are those of a step 2; for single updates, [`decode`](super::decode) has held the smaller one.
pub fn apply_hostile(doc: &Doc, update: &[u8], origin: impl Into<Origin>) -> Result<(), ApplyError> {
    validate_step2(update).map_err(ApplyError::Invalid)?;
    let decoded = catch_unwind(|| Update::decode_v1(update));
    let update = match decoded {
        Ok(Ok(update)) => update,
        _ => return Err(ApplyError::Invalid(WireError::Refused)),
    };
    let mut txn = doc.transact_mut_with(origin.into());
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
