//! How other threads hand work to the loop's thread, and wake it.
//!
//! A producer puts its message into the queue, then raises the flag; who raised it (it was down before) wakes the
//! consumer, so that a batch of messages costs one wake-up. The consumer, woken, lowers the flag with
//! [`Mailbox::begin`] *first* and then takes messages until there are none.
//!
//! No message is left behind asleep. Take any message, and the moment its producer raises the flag:
//! - the flag was down: the producer wakes the consumer, which takes the message in the turn that follows;
//! - the flag was up: another producer raised it and has woken the consumer, or is about to, and the consumer has
//!   not lowered it since. When it does, that reads what this producer wrote to the flag, or something later in the
//!   same chain of writes, and so (release, acquire) sees the message that was queued before. It takes messages
//!   after that, and finds it.
//!
//! With taking before lowering, a message could arrive in between: its producer sees the flag up and wakes nobody,
//! the consumer lowers the flag and sleeps.

use std::marker::PhantomData;

// From the parent, because the test under loom includes this file with other atomics.
use super::atomic::{AtomicBool, Ordering};

/// An unbounded queue of many producers and one consumer; first in, first out for each producer.
pub trait Queue<T> {
    /// Appends a message.
    fn push(&self, message: T);
    /// Takes the oldest message.
    fn pop(&self) -> Option<T>;
}

/// Wakes the consumer: it runs a turn after this, even when it was not asleep.
pub trait Wake {
    /// Wakes the consumer. Several calls may have the effect of one.
    fn wake(&self);
}

/// A queue with the flag that saves wake-ups.
#[derive(Debug)]
pub struct Mailbox<T, Q, W> {
    queue: Q,
    waker: W,
    /// Up from the first message of a batch until the consumer begins to take it.
    raised: AtomicBool,
    message: PhantomData<fn(T) -> T>,
}

impl<T, Q: Queue<T>, W: Wake> Mailbox<T, Q, W> {
    /// An empty mailbox.
    pub fn new(queue: Q, waker: W) -> Self {
        Mailbox { queue, waker, raised: AtomicBool::new(false), message: PhantomData }
    }

    /// Producers: queues a message and wakes the consumer unless that has been done for this batch.
    pub fn post(&self, message: T) {
        self.queue.push(message);
        if !self.raised.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Wakes the consumer without a message, always: for a request that is written elsewhere, such as to stop.
    /// No more than the waker's own call, so as safe in a signal handler as that is.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Consumer: begins a batch. Every message that was posted without a wake-up is seen by the calls of
    /// [`Mailbox::take`] that follow; those posted from now on wake anew.
    pub fn begin(&self) {
        // A swap and not a store: it must read the producer's write to see what came before it.
        self.raised.swap(false, Ordering::AcqRel);
    }

    /// Consumer: takes the next message of the batch. A consumer that stops before there are none must come back
    /// on its own account.
    pub fn take(&self) -> Option<T> {
        self.queue.pop()
    }

    /// The queue itself.
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    /// The waker itself.
    pub fn waker(&self) -> &W {
        &self.waker
    }
}

mod system {
    use crossbeam_channel::{Receiver, Sender};

    use super::{Queue, Wake};

    /// Both ends of an unbounded channel.
    #[derive(Debug)]
    pub struct Channel<T> {
        sender: Sender<T>,
        receiver: Receiver<T>,
    }

    impl<T> Default for Channel<T> {
        fn default() -> Self {
            let (sender, receiver) = crossbeam_channel::unbounded();
            Channel { sender, receiver }
        }
    }

    impl<T> Channel<T> {
        /// Where the messages come out, for a consumer that waits for something else as well.
        pub fn receiver(&self) -> &Receiver<T> {
            &self.receiver
        }
    }

    impl<T> Queue<T> for Channel<T> {
        fn push(&self, message: T) {
            // Fails only without a receiver, which lives as long as this sender.
            let _ = self.sender.send(message);
        }

        fn pop(&self) -> Option<T> {
            self.receiver.try_recv().ok()
        }
    }

    impl Wake for mio::Waker {
        fn wake(&self) {
            // A waker's descriptor that is open can always be written to: mio empties a full one itself.
            let _ = mio::Waker::wake(self);
        }
    }
}

pub use system::Channel;

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use mio::{Events, Poll, Token};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for &Count {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn one_wake_up_per_batch() {
        let count = Count::default();
        let mailbox = Mailbox::new(Channel::default(), &count);
        for n in 0..5 {
            mailbox.post(n);
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        mailbox.begin();
        mailbox.post(5);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        let taken: Vec<i32> = std::iter::from_fn(|| mailbox.take()).collect();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
        mailbox.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn many_threads_wake_a_poll() {
        const THREADS: usize = 4;
        const MESSAGES: usize = 5_000;
        let mut poll = Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), Token(0)).unwrap();
        let mailbox = Arc::new(Mailbox::new(Channel::default(), waker));
        for thread in 0..THREADS {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || (0..MESSAGES).for_each(|n| mailbox.post((thread, n))));
        }
        let mut next = [0; THREADS];
        let mut events = Events::with_capacity(8);
        while next != [MESSAGES; THREADS] {
            poll.poll(&mut events, None).unwrap(); // A lost wake-up would hang here.
            mailbox.begin();
            while let Some((thread, n)) = mailbox.take() {
                assert_eq!(n, next[thread], "in the order of posting");
                next[thread] += 1;
            }
        }
        assert_eq!(mailbox.take(), None);
    }
}
