//! One answer from one thread to another that sleeps until it comes.
//!
//! A mutex and a condition variable, and no channel: a channel makes the standard library keep a handle of the waiting
//! thread, by a pointer into its middle that leak checkers of the host program wonder about.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

enum State<R> {
    Awaited,
    Here(R),
    /// The answering side was dropped.
    Gone,
}

struct Slot<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
}

impl<R> Slot<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the answer is put.
pub struct Answer<R>(Arc<Slot<R>>);

/// Where it is waited for.
pub struct Reply<R>(Arc<Slot<R>>);

/// Both ends of one answer.
pub fn reply<R>() -> (Answer<R>, Reply<R>) {
    let slot = Arc::new(Slot { state: Mutex::new(State::Awaited), changed: Condvar::new() });
    (Answer(slot.clone()), Reply(slot))
}

impl<R> Answer<R> {
    /// Gives the answer.
    pub fn give(self, value: R) {
        *self.0.lock() = State::Here(value);
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Awaited) {
            *state = State::Gone;
        }
        drop(state);
        self.0.changed.notify_one();
    }
}

impl<R> Reply<R> {
    /// Sleeps until the answer comes; GONE if it never will.
    pub fn wait(self) -> Result<R> {
        let mut state = self.0.lock();
        loop {
            match std::mem::replace(&mut *state, State::Awaited) {
                State::Here(value) => return Ok(value),
                State::Gone => return Err(Error::gone()),
                State::Awaited => {
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_whoever_is_first() {
        let (answer, waiting) = reply();
        answer.give(1);
        assert_eq!(waiting.wait().unwrap(), 1);
        let (answer, waiting) = reply();
        let waiter = std::thread::spawn(move || waiting.wait());
        std::thread::sleep(std::time::Duration::from_millis(20));
        answer.give(2);
        assert_eq!(waiter.join().unwrap().unwrap(), 2);
    }

    #[test]
    fn an_answer_that_never_comes_is_told() {
        let (answer, waiting) = reply::<()>();
        let waiter = std::thread::spawn(move || waiting.wait());
        drop(answer);
        assert_eq!(waiter.join().unwrap().unwrap_err().code, crate::ErrorCode::Gone);
    }
}
