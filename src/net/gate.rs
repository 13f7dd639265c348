//! The one lock of all process-wide state, and the number of forks this process has seen.
//!
//! A mutex that another thread holds while this thread forks stays locked in the child for ever. So every
//! registry of the process is touched under this single gate, and the fork handlers of the event loop take it
//! before the fork and open it on both sides: no registry is ever half written in a child.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

/// Tries before a waiting thread gives its processor away: the gate is held for tens of nanoseconds.
const SPINS: u32 = 64;

static TAKEN: AtomicBool = AtomicBool::new(false);
static FORKS: AtomicU32 = AtomicU32::new(0);
static FORKED: AtomicBool = AtomicBool::new(false);

/// Runs `f` while no other thread runs anything under the gate. `f` must be short, and must not enter the gate
/// again, block or fork. The gate opens even when `f` panics.
pub fn with_global_lock<R>(f: impl FnOnce() -> R) -> R {
    struct Opens;
    impl Drop for Opens {
        fn drop(&mut self) {
            open();
        }
    }
    close();
    let _opens = Opens;
    f()
}

/// Takes the gate; for fork handlers, where the two halves are separate functions. Everyone else uses
/// [`with_global_lock`].
pub fn close() {
    let mut spins = 0;
    while TAKEN.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
        if spins < SPINS {
            spins += 1;
            hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

/// Opens the gate that [`close`] took.
pub fn open() {
    TAKEN.store(false, Ordering::Release);
}

/// How often the line of processes that led here has forked since the handlers are installed: it differs
/// between a parent and its child.
pub fn fork_generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Whether this process or one that it was forked from has ever forked: there may be copies of our descriptors.
pub fn has_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Notes that a fork is about to happen; called by the fork handler.
pub fn note_fork() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Counts one more fork; called in the child only, by its fork handler.
pub fn count_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Tells one process from another, to recognise what was inherited through a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    // Two processes in different pid namespaces may have the same pid.
    forks: u32,
}

impl Process {
    /// The process that calls.
    pub fn current() -> Process {
        Process { pid: std::process::id(), forks: fork_generation() }
    }

    /// A process that is not this one.
    #[cfg(test)]
    pub fn other() -> Process {
        Process { forks: u32::MAX, ..Process::current() }
    }
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn one_thread_at_a_time() {
        // Separate loads and stores lose counts unless the gate keeps the threads apart.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        with_global_lock(|| {
                            let seen = COUNT.load(Ordering::Relaxed);
                            hint::spin_loop();
                            COUNT.store(seen + 1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(COUNT.load(Ordering::Relaxed), 20_000);
    }

    #[test]
    fn opens_after_a_panic() {
        let result = panic::catch_unwind(|| with_global_lock(|| panic!("inside the gate")));
        assert!(result.is_err());
        assert_eq!(with_global_lock(|| 7), 7);
    }

    #[test]
    fn a_process_knows_itself() {
        assert_eq!(Process::current(), Process::current());
    }
}
