//! Wakes a sleeping loop: one file descriptor, one write, safe in a signal handler.
//!
//! Not `mio::Waker`, which does the same but hides its descriptor: `libws_loop_stop` must work from a signal
//! handler with nothing but the loop's id, so the descriptor's number is kept in the id table.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

/// The write end (on Linux the only end) and what the poll watches.
pub struct Waker {
    write: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    read: OwnedFd,
}

#[cfg(target_os = "linux")]
impl Waker {
    /// A waker that makes `token` readable.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        use rustix::event::{EventfdFlags, eventfd};
        let write = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        SourceFd(&write.as_raw_fd()).register(registry, token, Interest::READABLE)?;
        Ok(Waker { write })
    }

    /// Called by the loop after a wake-up. The registration is edge-triggered and every write is an edge, so the
    /// counter is never read.
    pub fn acknowledge(&self) {}
}

#[cfg(not(target_os = "linux"))]
impl Waker {
    /// A waker that makes `token` readable.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        let (read, write) = rustix::pipe::pipe()?;
        for fd in [&read, &write] {
            rustix::io::ioctl_fionbio(fd, true)?;
            rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
        }
        SourceFd(&read.as_raw_fd()).register(registry, token, Interest::READABLE)?;
        Ok(Waker { write, read })
    }

    /// Called by the loop after a wake-up: empties the pipe.
    pub fn acknowledge(&self) {
        let mut bytes = [0; 64];
        while rustix::io::read(&self.read, &mut bytes).is_ok_and(|n| n > 0) {}
    }
}

impl Waker {
    /// The descriptor that [`signal`] writes to.
    pub fn raw_fd(&self) -> RawFd {
        self.write.as_raw_fd()
    }

    /// Wakes the loop. A full counter or pipe means that a wake-up is already on its way.
    pub fn wake(&self) {
        use std::os::fd::AsFd;
        signal(self.write.as_fd());
    }
}

impl super::mailbox::Wake for Waker {
    fn wake(&self) {
        Waker::wake(self);
    }
}

/// One write: async-signal-safe, and errno is left alone where rustix makes the call itself.
pub fn signal(fd: BorrowedFd<'_>) {
    while let Err(rustix::io::Errno::INTR) = rustix::io::write(fd, &1u64.to_ne_bytes()) {}
}
