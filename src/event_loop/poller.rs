//! The one `mio::Poll` of a loop, its clock, and the names of what it watches.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token};

use crate::net::gate::has_forked;

/// What an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Another thread wants the loop.
    Waker,
    /// A listener, by its index.
    Listener(u32),
    /// A socket, by its index.
    Socket(u32),
}

const LISTENER_BIT: usize = 1 << 31;
const WAKER: usize = usize::MAX >> 1;

impl Target {
    /// The token that mio carries for us.
    pub fn token(self) -> Token {
        match self {
            Target::Waker => Token(WAKER),
            Target::Listener(index) => Token(index as usize | LISTENER_BIT),
            Target::Socket(index) => Token(index as usize),
        }
    }

    fn of(token: Token) -> Target {
        match token.0 {
            WAKER => Target::Waker,
            t if t & LISTENER_BIT != 0 => Target::Listener((t & !LISTENER_BIT) as u32),
            t => Target::Socket(t as u32),
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// Whose event it is.
    pub target: Target,
    /// There may be bytes, or an end.
    pub readable: bool,
    /// There may be room.
    pub writable: bool,
    /// A short read does not prove that all is read: urgent data, an end or an error came with it.
    pub exhaust: bool,
    /// The connection broke or both sides have ended.
    pub broken: bool,
}

/// The poll and the clock of one loop.
pub struct Poller {
    poll: Poll,
    events: Events,
    origin: Instant,
}

impl Poller {
    /// A poll of its own; its clock starts at 0.
    pub fn new() -> io::Result<Poller> {
        Ok(Poller { poll: Poll::new()?, events: Events::with_capacity(1024), origin: Instant::now() })
    }

    /// Microseconds since the loop was made; monotonic.
    pub fn now_us(&self) -> u64 {
        let now = self.origin.elapsed().as_micros() as u64;
        #[cfg(fuzzing)]
        let now = now + crate::net::faults::clock_us();
        now
    }

    /// Where sources are registered.
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// The descriptor that becomes readable when the loop has something to do.
    pub fn raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Watches `source`; a TCP source also for urgent data, which would otherwise stop a read short without an edge.
    pub fn watch(
        &self,
        source: &mut impl Source,
        target: Target,
        urgent: bool,
        writable: bool,
    ) -> io::Result<()> {
        source.register(self.registry(), target.token(), interest(urgent, writable))
    }

    /// Changes what is watched.
    pub fn rewatch(
        &self,
        source: &mut impl Source,
        target: Target,
        urgent: bool,
        writable: bool,
    ) -> io::Result<()> {
        source.reregister(self.registry(), target.token(), interest(urgent, writable))
    }

    /// Watches a source no longer that is closed next: on Linux and the BSDs that says it all, unless a child of fork has a
    /// copy of the descriptor, which keeps the open file and with it the registration alive.
    pub fn forget_closing(&self, source: &mut impl Source) {
        if has_forked() {
            self.forget(source);
        }
    }

    /// Watches no longer.
    pub fn forget(&self, source: &mut impl Source) {
        // The descriptor is closed next, which forgets it as well: an error here changes nothing.
        let _ = source.deregister(self.registry());
    }

    /// Sleeps until something happens or `timeout` ends (None: for ever) and returns what happened: taken out, so that
    /// nothing is borrowed while callbacks run. A signal ends the sleep early, without an error.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Happened> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(Happened(std::mem::replace(&mut self.events, Events::with_capacity(0)))),
        }
    }

    /// Gives the list back, for its memory: it must be here at the next [`Poller::wait`].
    pub fn recycle(&mut self, happened: Happened) {
        self.events = happened.0;
    }
}

/// The events of one sleep.
pub struct Happened(Events);

impl Happened {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Ready> + '_ {
        self.0.iter().map(|event| Ready {
            target: Target::of(event.token()),
            readable: event.is_readable() || event.is_read_closed() || event.is_priority(),
            writable: event.is_writable(),
            exhaust: event.is_read_closed() || event.is_priority() || event.is_error(),
            broken: event.is_error() || (event.is_read_closed() && event.is_write_closed()),
        })
    }
}

fn interest(urgent: bool, writable: bool) -> Interest {
    let mut interest = Interest::READABLE;
    if writable {
        interest |= Interest::WRITABLE;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if urgent {
        interest |= Interest::PRIORITY;
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = urgent;
    interest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_their_target() {
        for target in
            [Target::Waker, Target::Listener(0), Target::Listener(77), Target::Socket(0), Target::Socket(9)]
        {
            assert_eq!(Target::of(target.token()), target);
        }
    }

    /// Events of a stream that is closed while its peer goes on writing; `copied`: somebody else has its descriptor.
    fn events_after_close(copied: bool) -> Vec<Ready> {
        let mut poller = Poller::new().unwrap();
        let (mut stream, mut peer) = mio::net::UnixStream::pair().unwrap();
        poller.watch(&mut stream, Target::Socket(3), false, false).unwrap();
        let copy = copied.then(|| rustix::io::fcntl_dupfd_cloexec(&stream, 0).unwrap());
        poller.forget_closing(&mut stream);
        drop(stream);
        let written = std::io::Write::write(&mut peer, b"late");
        assert_eq!(written.is_ok(), copied);
        let ready = poller.wait(Some(Duration::ZERO)).unwrap().iter().collect();
        drop(copy);
        ready
    }

    #[test]
    fn what_is_closed_is_forgotten() {
        assert!(events_after_close(false).is_empty());
    }

    #[test]
    fn what_a_child_has_a_copy_of_is_forgotten() {
        crate::net::gate::note_fork();
        assert!(events_after_close(true).is_empty());
    }
}
