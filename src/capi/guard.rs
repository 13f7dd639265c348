//! The border: results become numbers, the last failure is kept for the thread, panics stop here.

use std::cell::RefCell;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, ErrorCode, Result};

/// The newest failure of a thread.
struct Last {
    os: i32,
    message: CString,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Keeps `error` for `libws_last_error` and returns its number.
pub fn fail(error: &Error) -> i32 {
    let text = error.message.replace('\0', "\\0");
    let last = Last { os: error.os, message: CString::new(text).unwrap_or_default() };
    // While a thread ends its storage may be gone: then there is nobody to ask either.
    let _ = LAST.try_with(|slot| slot.replace(Some(last)));
    error.code as i32
}

/// The thread's last error as a C string that lives until its next failure.
pub fn last_message() -> *const std::ffi::c_char {
    LAST.try_with(|slot| slot.borrow().as_ref().map_or(c"".as_ptr(), |last| last.message.as_ptr()))
        .unwrap_or(c"".as_ptr())
}

/// `errno` of the thread's last error.
pub fn last_os() -> i32 {
    LAST.try_with(|slot| slot.borrow().as_ref().map_or(0, |last| last.os)).unwrap_or(0)
}

/// Runs the body of a C function whose success is a number.
pub fn number(body: impl FnOnce() -> Result<i32>) -> i32 {
    contained(body).unwrap_or_else(|error| fail(&error))
}

/// Runs the body of a C function whose success is LIBWS_OK.
pub fn result(body: impl FnOnce() -> Result<()>) -> i32 {
    number(|| body().map(|()| 0))
}

/// Runs the body of a C function that returns something else; `fallback` when it fails.
pub fn value<R>(fallback: R, body: impl FnOnce() -> Result<R>) -> R {
    contained(body).unwrap_or_else(|error| {
        fail(&error);
        fallback
    })
}

fn contained<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(ErrorCode::Internal, format!("a bug in libws: {text}")))
    })
}
