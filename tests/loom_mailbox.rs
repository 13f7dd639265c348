//! The interleavings of the mailbox's wake protocol: `src/event_loop/mailbox.rs` itself, under loom.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --test loom_mailbox --release`.
#![cfg(loom)]

/// What the mailbox takes from its parent.
mod atomic {
    pub use loom::sync::atomic::{AtomicBool, Ordering};
}

#[allow(dead_code, unused_imports)] // The implementations on the system's queue and waker.
#[path = "../src/event_loop/mailbox.rs"]
mod mailbox;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use mailbox::{Mailbox, Queue, Wake};

/// A queue that orders nothing: whether a message is visible depends on the flag of the mailbox alone. Each message
/// has a place of its own, whose number is the message.
struct Places([AtomicUsize; 3]);

impl Queue<usize> for Places {
    fn push(&self, message: usize) {
        self.0[message].store(1, Ordering::Relaxed);
    }

    fn pop(&self) -> Option<usize> {
        let found = self.0.iter().position(|place| place.load(Ordering::Relaxed) == 1)?;
        self.0[found].store(2, Ordering::Relaxed);
        Some(found)
    }
}

/// A wake-up that is kept until somebody waits for it, as an eventfd keeps it.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Arc<Bell> {
    fn wake(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl Bell {
    /// Loom reports a consumer that is never woken as a deadlock.
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// `producers` post their messages; the consumer sleeps until woken and must get all of them. Explores every
/// interleaving, or those with at most so many preemptions.
fn all_arrive(producers: &'static [&'static [usize]], preemptions: Option<usize>) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        let bell = Arc::new(Bell::default());
        let places = Places(std::array::from_fn(|_| AtomicUsize::new(0)));
        let mailbox = Arc::new(Mailbox::new(places, Arc::clone(&bell)));
        for &messages in producers {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || messages.iter().for_each(|&message| mailbox.post(message)));
        }
        let mut missing: usize = producers.iter().map(|messages| messages.len()).sum();
        while missing > 0 {
            bell.wait();
            mailbox.begin();
            while mailbox.take().is_some() {
                missing = missing.checked_sub(1).expect("no message twice");
            }
        }
    });
}

#[test]
fn one_producer() {
    all_arrive(&[&[0, 1, 2]], None);
}

#[test]
fn two_producers() {
    all_arrive(&[&[0], &[1]], None);
}

#[test]
fn two_producers_and_a_second_message() {
    all_arrive(&[&[0, 1], &[2]], Some(3));
}

#[test]
fn a_bare_wake_up_is_not_lost() {
    loom::model(|| {
        let bell = Arc::new(Bell::default());
        let places = Places(std::array::from_fn(|_| AtomicUsize::new(0)));
        let mailbox = Arc::new(Mailbox::new(places, Arc::clone(&bell)));
        let stop = Arc::new(AtomicUsize::new(0));
        let stopper = (Arc::clone(&mailbox), Arc::clone(&stop));
        thread::spawn(move || {
            stopper.0.post(0);
            stopper.1.store(1, Ordering::Release);
            stopper.0.wake();
        });
        while stop.load(Ordering::Acquire) == 0 {
            bell.wait();
            mailbox.begin();
            while mailbox.take().is_some() {}
        }
    });
}
