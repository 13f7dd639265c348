//! What a fuzzer decides in place of the system: how much a write takes, and what time it is. Compiled for fuzzing only.

use std::cell::{Cell, RefCell};
use std::io;

thread_local! {
    /// How many bytes the next writes take, last first; 0: the system is full; when none is left, all.
    static WRITES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static CLOCK_US: Cell<u64> = const { Cell::new(0) };
}

/// Decides the next writes of this thread.
pub fn script_writes(sizes: &[u8]) {
    WRITES.with_borrow_mut(|writes| {
        writes.clear();
        writes.extend(sizes.iter().rev());
    });
}

/// How many of `len` bytes the next write may take.
pub fn write_size(len: usize) -> io::Result<usize> {
    match WRITES.with_borrow_mut(Vec::pop) {
        None => Ok(len),
        Some(0) => Err(io::ErrorKind::WouldBlock.into()),
        Some(size) => Ok(len.min(usize::from(size))),
    }
}

/// Lets time pass for the loops of this thread.
pub fn advance_clock(us: u64) {
    CLOCK_US.set(CLOCK_US.get().saturating_add(us));
}

/// The time that passed by decree.
pub fn clock_us() -> u64 {
    CLOCK_US.get()
}
