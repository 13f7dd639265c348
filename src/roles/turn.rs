//! One turn of a loop: sleep, handle what happened, write what was queued.

use std::collections::VecDeque;
use std::time::Duration;

use super::accept;
use super::core::{Core, Phase};
use super::current::with;
use super::notices::{Notice, deliver};
use super::read::Reader;
use super::share::LEFT_OVER_US;
use super::shared::Post;
use crate::error::Result;
use crate::event_loop::poller::{Happened, Ready, Target};

/// Letters looked at in one turn, so that a busy sender does not starve the sockets.
const POSTS_PER_TURN: usize = 4096;

/// What a wheel's key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Socket(u32),
    Timer(u32),
    /// A listener that ran out of descriptors tries again.
    Accept(u32),
    /// Compressors that were idle are given up.
    Deflate,
}

impl Due {
    /// As a wheel's key.
    pub fn key(self) -> u64 {
        match self {
            Due::Socket(index) => u64::from(index),
            Due::Timer(index) => 1 << 32 | u64::from(index),
            Due::Accept(index) => 2 << 32 | u64::from(index),
            Due::Deflate => 3 << 32,
        }
    }

    fn of(key: u64) -> Due {
        match key >> 32 {
            0 => Due::Socket(key as u32),
            1 => Due::Timer(key as u32),
            2 => Due::Accept(key as u32),
            _ => Due::Deflate,
        }
    }
}

/// Runs one turn on this thread's loop. `timeout`: how long it may sleep, None for ever.
pub fn turn(timeout: Option<Duration>) -> Result<()> {
    let happened = with(|core| core.sleep(timeout))?;
    let (left_over, mut mail) = with(|core| (std::mem::take(&mut core.ready), !core.backlog.is_empty()));
    let mut reader = Reader::default();
    for mut ready in happened.iter() {
        mail |= ready.target == Target::Waker;
        if !left_over.is_empty() {
            ready.readable &= with(|core| core.is_news(ready));
        }
        handle(ready, &mut reader);
    }
    go_on(left_over, &mut reader);
    with(|core| {
        core.park(&mut reader);
        core.poller.recycle(happened);
    });
    // Who posts a letter wakes the loop: without that there is none, or the next sleep ends at once.
    if mail {
        letters();
    }
    alarms();
    settle();
    Ok(())
}

/// Callbacks and writes lead to further callbacks and writes. Two rounds do for everything but an application that
/// sends more in every on_drain: that goes on in the next turn, after the other connections.
pub fn settle() {
    if with(|core| core.is_settled()) {
        return;
    }
    for _ in 0..2 {
        deliver();
        with(Core::flush_dirty);
    }
    deliver();
    // Those callbacks may have taken their time, and the next sleep is reckoned from here.
    with(Core::refresh_clock);
}

/// Goes on with what earlier turns left over, for a while.
fn go_on(mut left_over: VecDeque<Ready>, reader: &mut Reader) {
    let Some(mut ready) = left_over.pop_front() else { return };
    let (start_us, end_us) = with(|core| core.left_over_time());
    loop {
        if with(|core| core.unlist(ready)) {
            handle(ready, reader);
        }
        match left_over.pop_front() {
            Some(next) if with(|core| core.poller.now_us()) < end_us => ready = next,
            Some(next) => {
                left_over.push_front(next);
                break;
            }
            None => break,
        }
    }
    with(|core| {
        core.left_over_us = core.poller.now_us().saturating_sub(start_us);
        left_over.append(&mut core.ready);
        core.ready = left_over;
    });
}

/// Handles an event, and makes the callbacks that it leads to.
fn handle(ready: Ready, reader: &mut Reader) {
    match ready.target {
        Target::Waker => with(|core| core.shared.mailbox.waker().acknowledge()),
        Target::Listener(index) => {
            accept::accept(index);
            deliver_beside(reader);
        }
        Target::Socket(index) => handle_socket(index, ready, reader),
    }
}

fn handle_socket(index: u32, ready: Ready, reader: &mut Reader) {
    if ready.writable {
        with(|core| core.writable(index));
        deliver_beside(reader);
    }
    if !ready.readable && !ready.broken {
        return;
    }
    let begun = with(|core| match core.who_reads(index, ready.broken) {
        Who::Messages => core.begin_reading(index, ready.exhaust, reader),
        Who::Step(step) => {
            core.park(reader);
            step(core, index, ready.exhaust);
            false
        }
        Who::Nobody => false,
    });
    if !begun || reader.read(index) {
        deliver_beside(reader);
    }
}

/// Makes the callbacks that are due, for which the reader gives up what it holds.
fn deliver_beside(reader: &mut Reader) {
    let due = with(|core| {
        let due = !core.notices.is_empty();
        if due {
            core.park(reader);
        }
        due
    });
    if due {
        deliver();
    }
}

/// Who reads a socket, by its phase.
enum Who {
    Messages,
    Step(fn(&mut Core, u32, bool)),
    Nobody,
}

fn letters() {
    with(|core| core.shared.mailbox.begin());
    let mut left = POSTS_PER_TURN;
    while left > 0 {
        let Some(post) = with(Core::next_post) else { return };
        left = left.saturating_sub(open_letter(post));
    }
    // More may wait; the flag is down, so nobody would wake us for it.
    with(|core| core.shared.mailbox.wake());
}

/// Does what a letter says; returns for how many letters it counts.
fn open_letter(post: Post) -> usize {
    let mut count = 1;
    match post {
        Post::Sends => count = with(Core::send_oldest_batch),
        Post::Step(step) | Post::Question { step, .. } => with(step),
        Post::Run(run) => with(|core| core.notices.push_back(Notice::Run(run))),
    }
    deliver();
    count
}

/// Looks at every letter, for the last time.
pub fn all_letters() {
    while let Some(post) = with(Core::next_post) {
        open_letter(post);
    }
}

fn alarms() {
    let mut due = with(|core| {
        core.refresh_clock();
        core.pop_due()
    });
    while let Some(key) = due {
        match Due::of(key) {
            Due::Socket(index) => with(|core| core.socket_due(index)),
            Due::Timer(index) => with(|core| core.timer_due(index)),
            Due::Accept(index) => {
                with(|core| core.rested(index));
                accept::accept(index);
            }
            Due::Deflate => with(Core::sweep_deflate),
        }
        deliver();
        due = with(Core::pop_due);
    }
}

impl Core {
    fn pop_due(&mut self) -> Option<u64> {
        self.wheel.pop_due(self.now_ms())
    }

    /// From when to when left-over work may be done in this turn: as long as what else there was to do took, in the turn
    /// before or in this one so far.
    fn left_over_time(&self) -> (u64, u64) {
        let start_us = self.poller.now_us();
        let else_us = self.busy_us.max(start_us.saturating_sub(self.woke_us));
        (start_us, start_us + else_us.max(LEFT_OVER_US))
    }

    /// Whether an event is a reason to read: a socket on the ready list is read when its turn comes.
    fn is_news(&self, ready: Ready) -> bool {
        let Target::Socket(index) = ready.target else { return true };
        let waiting = self.sockets.get(index).is_some_and(|socket| socket.flags.waiting);
        !waiting || ready.exhaust || ready.broken
    }

    /// An entry of the ready list is handled now. False: it is about a socket that has gone.
    fn unlist(&mut self, ready: Ready) -> bool {
        let Target::Socket(index) = ready.target else { return true };
        let Some(socket) = self.sockets.get_mut(index) else { return false };
        let read = ready.readable && std::mem::take(&mut socket.flags.waiting);
        let write = ready.writable && std::mem::take(&mut socket.flags.writing);
        read || write
    }

    /// No callback is due and nothing waits to be written.
    fn is_settled(&self) -> bool {
        self.notices.is_empty() && self.dirty.is_empty()
    }

    fn sleep(&mut self, timeout: Option<Duration>) -> Result<Happened> {
        // The clock was looked at when the turn before ended.
        let timeout = match self.until_wake(self.now_us) {
            Some(wake) => Some(timeout.map_or(wake, |timeout| timeout.min(wake))),
            None => timeout,
        };
        self.busy_us = self.now_us.saturating_sub(self.woke_us + self.left_over_us);
        let result = self.poller.wait(timeout);
        self.refresh_clock();
        (self.woke_us, self.left_over_us) = (self.now_us, 0);
        self.polled_ms = self.now_ms();
        result.map_err(|error| crate::error::Error::io("waiting for events", &error))
    }

    /// How long the loop may sleep from `now_us` on; None: until something happens.
    pub fn until_wake(&self, now_us: u64) -> Option<Duration> {
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        let wake_us = self.wheel.next_wake()?.saturating_mul(1000);
        // Rounded up to whole milliseconds, which is what the poll can sleep: no spin in the last one.
        Some(Duration::from_millis(wake_us.saturating_sub(now_us).div_ceil(1000)))
    }

    /// Sends the oldest batch of other threads' messages; returns how many they are.
    fn send_oldest_batch(&mut self) -> usize {
        let batch = self.shared.batches.take();
        self.send_batch(&batch);
        let count = batch.len();
        self.shared.batches.recycle(batch);
        count
    }

    /// The oldest letter that was not looked at.
    pub fn next_post(&mut self) -> Option<Post> {
        self.backlog.pop_front().or_else(|| self.shared.mailbox.take())
    }

    fn writable(&mut self, index: u32) {
        match self.sockets.get(index).map(|socket| &socket.phase) {
            Some(Phase::Dial(_)) => self.dial_writable(index),
            Some(_) => self.flush_share(index),
            None => {}
        }
    }

    fn who_reads(&mut self, index: u32, broken: bool) -> Who {
        let Some(socket) = self.sockets.get(index) else { return Who::Nobody };
        match &socket.phase {
            Phase::Open if broken && !socket.may_read() => Who::Step(Core::stream_broke),
            Phase::Open | Phase::Closing(_) => Who::Messages,
            Phase::Http(_) => Who::Step(Core::read_request),
            Phase::Dial(_) => Who::Step(Core::dial_readable),
            Phase::Lingering { .. } => Who::Step(Core::discard),
            Phase::Ended | Phase::Waiting { .. } => Who::Nobody,
        }
    }

    /// A connection that is not being read has broken: nothing else will tell.
    fn stream_broke(&mut self, index: u32, _exhaust: bool) {
        let error = self.sockets.get(index).and_then(|socket| socket.stream.as_ref()?.take_error().ok()?);
        if let Some(error) = error {
            self.stream_failed(index, &error);
        }
    }

    /// Reads away what a peer still sends after the end, a bounded amount per turn and a bounded number of times.
    fn discard(&mut self, index: u32, _exhaust: bool) {
        match self.sockets.get_mut(index).map(|socket| &mut socket.phase) {
            Some(Phase::Lingering { reads: 0, .. }) => return self.remove_socket(index),
            Some(Phase::Lingering { reads, .. }) => *reads -= 1,
            _ => return,
        }
        let mut buffer = self.borrow_buffer();
        let result = match self.sockets.get(index).and_then(|socket| socket.stream.as_ref()) {
            Some(stream) => stream.recv(&mut buffer),
            None => Ok(0),
        };
        self.return_buffer(buffer);
        match result {
            Ok(0) => self.remove_socket(index),
            Ok(_) => self.read_soon(index),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => self.remove_socket(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_keys_name_what_is_due() {
        for due in [Due::Socket(0), Due::Socket(u32::MAX - 1), Due::Timer(7), Due::Accept(3), Due::Deflate] {
            assert_eq!(Due::of(due.key()), due);
        }
    }
}
