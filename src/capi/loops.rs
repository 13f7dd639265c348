use std::ffi::c_void;
use std::time::Duration;

use super::options::{self, libws_loop_options};
use super::types::libws_loop;
use super::{guard, input};
use crate::error::{Error, Result};
use crate::roles::loops;

/// Makes a loop and stores its id in *out. Nobody runs it yet. NULL options: the defaults.
/// Errors: LIBWS_ERR_INVALID, LIBWS_ERR_IO (no descriptor left), LIBWS_ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_loop_new(options: *const libws_loop_options, out: *mut libws_loop) -> i32 {
    guard::result(|| {
        input::must_have(out, "out")?;
        // SAFETY: the caller's contract.
        let options = unsafe { options::event_loop(options) }?;
        let id = loops::new(options)?;
        // SAFETY: the caller's contract.
        unsafe { input::store(out, id, "out") }
    })
}

/// Ends a loop: closes everything, runs every on_close and every post (on the background thread if there is one,
/// otherwise inside this call), joins, and makes all its ids dead. [outside]
/// Errors: LIBWS_ERR_GONE (the second call), LIBWS_ERR_STATE (in a callback, or another thread is in libws_loop_run).
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_free(event_loop: libws_loop) -> i32 {
    guard::result(|| loops::free(event_loop))
}

/// Runs the loop on this thread until libws_loop_stop(), or until no listener, connection, timer or post is left.
/// [outside] Errors: LIBWS_ERR_STATE (in a callback), LIBWS_ERR_THREAD (another thread runs it), LIBWS_ERR_IO.
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_run(event_loop: libws_loop) -> i32 {
    guard::result(|| loops::run(event_loop))
}

/// Runs the loop on a thread of its own until libws_loop_stop() or libws_loop_free().
/// Errors: LIBWS_ERR_STATE (it runs already, or in a callback of this loop), LIBWS_ERR_IO (no thread could be made).
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_start(event_loop: libws_loop) -> i32 {
    guard::result(|| loops::start(event_loop))
}

/// Runs one turn: waits up to timeout_ms (-1: for ever, 0: not at all) and handles what happened. [loop] [outside]
/// Errors: as libws_loop_run(), and LIBWS_ERR_INVALID for a timeout below -1.
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_run_once(event_loop: libws_loop, timeout_ms: i32) -> i32 {
    guard::result(|| {
        let timeout = match timeout_ms {
            -1 => None,
            ms => Some(Duration::from_millis(u64::try_from(ms).map_err(|_| bad_timeout(ms))?)),
        };
        loops::run_once(event_loop, timeout)
    })
}

fn bad_timeout(ms: i32) -> Error {
    Error::invalid(format!("timeout_ms is {ms}: -1, 0 or more"))
}

/// The descriptor that is readable when the loop has something to do: poll it in a loop of your own, together with
/// libws_loop_timeout(), and then call libws_loop_run_once(loop, 0). It belongs to the loop. [loop]
/// Errors: LIBWS_ERR_THREAD (another thread runs it), LIBWS_ERR_UNSUPPORTED (no such descriptor on this system).
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_fd(event_loop: libws_loop) -> i32 {
    guard::number(|| loops::fd(event_loop))
}

/// Stores in *out_ms how long the loop may be left alone, in ms; -1: until its descriptor is readable. [loop]
/// Errors: LIBWS_ERR_THREAD (another thread runs it).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_loop_timeout(event_loop: libws_loop, out_ms: *mut i32) -> i32 {
    guard::result(|| {
        input::must_have(out_ms, "out_ms")?;
        let ms = match loops::timeout(event_loop)? {
            None => -1,
            // Rounded up: a poll that ends too early would spin.
            Some(wait) => i32::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(i32::MAX),
        };
        // SAFETY: the caller's contract.
        unsafe { input::store(out_ms, ms, "out_ms") }
    })
}

/// Asks the loop to stop soon: libws_loop_run() returns LIBWS_OK, a background thread ends. A loop that does not run
/// stops as soon as it runs. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_stop(event_loop: libws_loop) -> i32 {
    match loops::stop(event_loop) {
        Ok(()) => 0,
        // Not through the guard: it allocates, which a signal handler must not.
        Err(error) => error.code as i32,
    }
}

/// A C function with its argument, on its way to another thread.
pub(super) struct Job<F> {
    pub call: F,
    pub arg: *mut c_void,
}

// SAFETY: the pointer is the application's and is only handed back to it; that is what it asked for.
unsafe impl<F> Send for Job<F> {}

/// Calls fn(loop, arg) on the loop's thread, exactly once, in libws_loop_free() at the latest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_loop_post(
    event_loop: libws_loop,
    r#fn: Option<unsafe extern "C" fn(event_loop: libws_loop, arg: *mut c_void)>,
    arg: *mut c_void,
) -> i32 {
    guard::result(|| {
        let job = Job { call: required(r#fn)?, arg };
        loops::post(
            event_loop,
            Box::new(move || {
                let job = job;
                // SAFETY: the application gave a function of this type.
                unsafe { (job.call)(event_loop, job.arg) }
            }),
        )
    })
}

/// A function that must be there.
pub(super) fn required<F>(function: Option<F>) -> Result<F> {
    function.ok_or_else(|| Error::invalid("fn is NULL"))
}
