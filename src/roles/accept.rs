//! New connections of a listener.

use std::fs::File;
use std::io;

use rustix::io::Errno;

use super::core::{Core, Phase};
use super::current::with;
use super::http_side::Http;
use super::log::Level;
use super::turn::Due;
use crate::event_loop::poller::{Ready, Target};
use crate::net::listen::Listener;
use crate::net::stream::Stream;
use crate::proto::Role;

/// Connections accepted in one go; the rest wait for the next turn.
const ACCEPTS_PER_TURN: usize = 64;

/// How long a listener rests when the process or the system has no descriptor left, or something else is wrong.
const RETRY_MS: u64 = 100;

/// Accepts what waits on a listener.
pub fn accept(index: u32) {
    for _ in 0..ACCEPTS_PER_TURN {
        match with(|core| core.accept_one(index)) {
            // Whoever comes after this look makes an event of his own.
            Accepted::One if with(|core| core.has_waiting(index)) => {}
            _ => return,
        }
    }
    with(|core| core.accept_soon(index));
}

enum Accepted {
    One,
    NoMore,
}

impl Core {
    fn accept_one(&mut self, index: u32) -> Accepted {
        let Some(server) = self.owners.get(index).and_then(|owner| owner.server.as_deref()) else {
            return Accepted::NoMore;
        };
        let Some(net) = &server.net else { return Accepted::NoMore };
        match net.accept() {
            Ok(stream) => {
                self.adopt(index, stream);
                Accepted::One
            }
            Err(error) => self.accept_failed(index, &error),
        }
    }

    fn has_waiting(&self, index: u32) -> bool {
        let server = self.owners.get(index).and_then(|owner| owner.server.as_deref());
        server.and_then(|server| server.net.as_ref()).is_some_and(Listener::has_waiting)
    }

    fn accept_failed(&mut self, index: u32, error: &io::Error) -> Accepted {
        match Errno::from_io_error(error) {
            // The peer gave up before we came, or a signal: the next one may be fine.
            Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::NETDOWN | Errno::HOSTUNREACH) => {
                Accepted::One
            }
            _ if error.kind() == io::ErrorKind::WouldBlock => Accepted::NoMore,
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                self.log(Level::Warn, format_args!("accept: {error}; trying again in {RETRY_MS} ms"));
                self.shed(index);
                self.rest(index);
                Accepted::NoMore
            }
            _ => {
                self.log(Level::Error, format_args!("accept: {error}"));
                self.rest(index);
                Accepted::NoMore
            }
        }
    }

    /// Tries again later; one timer for each listener, however many connections wait.
    fn rest(&mut self, index: u32) {
        let Some(server) = self.owners.get_mut(index).and_then(|owner| owner.server.as_deref_mut()) else {
            return;
        };
        if !std::mem::replace(&mut server.resting, true) {
            let at = self.now_ms() + RETRY_MS;
            self.wheel.insert(at, Due::Accept(index).key());
        }
    }

    /// The rest is over.
    pub fn rested(&mut self, index: u32) {
        if let Some(server) = self.owners.get_mut(index).and_then(|owner| owner.server.as_deref_mut()) {
            server.resting = false;
        }
    }

    /// Out of descriptors: the spare one is given up for a moment, so that one peer is turned away instead of
    /// waiting in the dark.
    fn shed(&mut self, index: u32) {
        self.spare = None;
        let net = self.owners.get(index).and_then(|owner| owner.server.as_ref()?.net.as_ref());
        let refused = net.map(|net| net.accept());
        drop(refused);
        self.spare = File::open("/dev/null").ok();
    }

    /// Takes a connection in: from here its first bytes are a request.
    fn adopt(&mut self, owner: u32, mut stream: Stream) {
        let Some(server) = self.owners.get(owner).and_then(|owner| owner.server.as_deref()) else { return };
        let (max, live) = (server.max_connections, self.owners.get(owner).map_or(0, |owner| owner.live));
        if live >= max {
            self.log(
                Level::Warn,
                format_args!("max_connections ({max}) is reached: a connection was closed"),
            );
            return;
        }
        let http = Http::new(server.head_limits);
        let urgent = !stream.is_unix();
        let index = self.add_socket(owner, None, Phase::Http(Box::new(http)), Role::Server);
        if let Err(error) = self.poller.watch(&mut stream, Target::Socket(index), urgent, false) {
            self.log(Level::Error, format_args!("watching a new connection: {error}"));
            return self.remove_socket(index);
        }
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.stream = Some(stream);
        }
        self.await_request_head(index);
    }

    /// Puts a listener on the ready list.
    fn accept_soon(&mut self, index: u32) {
        self.ready.push_back(Ready {
            target: Target::Listener(index),
            readable: true,
            writable: false,
            exhaust: true,
            broken: false,
        });
    }
}
