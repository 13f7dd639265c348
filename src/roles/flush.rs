//! What waits in the outboxes leaves: when a stream has room, and at the end of a turn.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, Phase};
use super::notices::Notice;
use super::share::WRITE_SHARE;
use super::write::DRAIN_WANTED;
use crate::event_loop::outbox::MAX_SLICES;
use crate::event_loop::poller::{Ready, Target};

impl Core {
    /// Registers or drops write interest.
    pub fn want_write(&mut self, index: u32, on: bool) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if socket.flags.write_interest == on {
            return;
        }
        let Some(stream) = &mut socket.stream else { return };
        socket.flags.write_interest = on;
        let urgent = !stream.is_unix();
        if let Err(error) = self.poller.rewatch(stream, Target::Socket(index), urgent, on) {
            self.stream_failed(index, &error);
        }
    }

    /// Writes what waits until the kernel refuses.
    pub fn flush(&mut self, index: u32) {
        self.flush_at_most(index, usize::MAX);
    }

    /// Writes this turn's share of what waits. Called when the stream has room, and at the end of a turn.
    pub fn flush_share(&mut self, index: u32) {
        self.flush_at_most(index, WRITE_SHARE);
    }

    fn flush_at_most(&mut self, index: u32, mut most: usize) {
        loop {
            let Some(socket) = self.sockets.get_mut(index) else { return };
            if socket.outbox.is_empty() {
                break;
            }
            if most == 0 {
                return self.write_soon(index);
            }
            let Some(stream) = &socket.stream else { return };
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let filled = socket.outbox.slices(&mut slices, most);
            let result = match &slices[..filled] {
                [one] => stream.send(one),
                many => stream.send_vectored(many),
            };
            match result {
                Ok(taken) => {
                    self.took(index, taken);
                    most = most.saturating_sub(taken);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.want_write(index, true);
                    self.arm(index);
                    return;
                }
                Err(error) => return self.stream_failed(index, &error),
            }
        }
        self.flushed(index);
    }

    /// Puts a socket on the ready list: its outbox is written in a later turn whether or not an edge comes.
    pub fn write_soon(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if std::mem::replace(&mut socket.flags.writing, true) {
            return;
        }
        self.ready.push_back(Ready {
            target: Target::Socket(index),
            readable: false,
            writable: true,
            exhaust: false,
            broken: false,
        });
    }

    fn took(&mut self, index: u32, taken: usize) {
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let before = socket.outbox.len();
        socket.outbox.consume(taken);
        let after = socket.outbox.len();
        socket.outbox.note_progress(now);
        self.count_queued(index, before, after);
        self.check_low_water(index);
    }

    /// At the low-water mark reading goes on and `on_drain` comes, if somebody waits for it.
    pub fn check_low_water(&mut self, index: u32) {
        let Some(low_water) = self.settings_of(index).map(|settings| settings.low_water as usize) else {
            return;
        };
        let Some(entry) = self.entry_of(index) else { return };
        if entry.queued.load(Relaxed) as usize > low_water {
            return;
        }
        if entry.state.load(Relaxed) & DRAIN_WANTED != 0 {
            entry.state.fetch_and(!DRAIN_WANTED, Relaxed);
            let Some(socket) = self.sockets.get(index) else { return };
            if matches!(socket.phase, Phase::Open) {
                self.notices.push_back(Notice::Drain { index, id: socket.id });
            }
        }
        self.unthrottle(index);
    }

    fn unthrottle(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if std::mem::take(&mut socket.flags.throttled) && socket.may_read() {
            // Who refills the queue in on_drain is throttled again before the next read: pings would never be seen.
            socket.flags.grace = true;
            self.read_on(index);
        }
    }

    /// The outbox is empty: what waited for that goes on.
    fn flushed(&mut self, index: u32) {
        self.want_write(index, false);
        match self.sockets.get(index).map(|socket| &socket.phase) {
            Some(Phase::Http(_)) => self.response_flushed(index),
            Some(Phase::Closing(_)) => self.close_left(index),
            Some(Phase::Lingering { .. }) => self.lingering_flushed(index),
            _ => {}
        }
    }

    /// Writes every outbox that was filled in this turn.
    pub fn flush_dirty(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for index in dirty.drain(..) {
            if let Some(socket) = self.sockets.get_mut(index) {
                if std::mem::take(&mut socket.flags.dirty) && !socket.flags.is_writing() {
                    self.flush_share(index);
                }
            }
        }
        // Flushing can fill outboxes again: those stay for the next round.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }
}
