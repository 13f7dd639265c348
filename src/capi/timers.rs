use std::ffi::c_void;

use super::loops::{Job, required};
use super::types::{libws_loop, libws_timer};
use super::{guard, input};
use crate::roles::handle::Handle;
use crate::roles::handles::Timer;

/// Calls fn(loop, timer, arg) on the loop's thread after after_ms and then, unless it is 0, every every_ms; beats that
/// were missed are left out. *out (may be NULL) gets the timer's id. A one-shot timer is gone when its call returns.
/// From another thread it waits for the loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_timer_start(
    event_loop: libws_loop,
    after_ms: u32,
    every_ms: u32,
    r#fn: Option<unsafe extern "C" fn(event_loop: libws_loop, timer: libws_timer, arg: *mut c_void)>,
    arg: *mut c_void,
    out: *mut libws_timer,
) -> i32 {
    guard::result(|| {
        let job = Job { call: required(r#fn)?, arg };
        let timer = Handle::from_raw(event_loop).start_timer(after_ms, every_ms, move |timer| {
            let job = &job;
            // SAFETY: the application gave a function of this type.
            unsafe { (job.call)(event_loop, timer.raw(), job.arg) }
        })?;
        if out.is_null() {
            return Ok(());
        }
        // SAFETY: the caller's contract.
        unsafe { input::store(out, timer.raw(), "out") }
    })
}

/// Stops a timer. When this returns its fn is not running and will not run (unless called inside it, or in a callback
/// of another loop that its fn waits for), so arg may be freed. From another thread it waits for the loop.
#[unsafe(no_mangle)]
pub extern "C" fn libws_timer_stop(timer: libws_timer) -> i32 {
    guard::result(|| Timer::from_raw(timer).stop())
}
