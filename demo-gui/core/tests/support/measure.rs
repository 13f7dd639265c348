//! How much heap and how much of this thread's time something takes.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap::Cap;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static HEAP: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// The heap is counted for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Runs it with at most so much more heap: what asks for more than that in one piece is refused it, and the process
/// ends. Returns the thread's time.
pub fn within<T>(heap: usize, run: impl FnOnce() -> T) -> (T, Duration) {
    HEAP.set_limit(HEAP.allocated() + heap).expect("a limit above what is in use");
    let start = cpu_time();
    let result = run();
    let time = cpu_time() - start;
    HEAP.set_limit(usize::MAX).expect("no limit");
    (result, time)
}

pub fn heap() -> usize {
    HEAP.allocated()
}
