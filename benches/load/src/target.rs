//! One server with its connections.

use crate::Result;
use crate::clock::CpuClock;
use crate::connect::open_together;
use crate::frame::{PONG, Skimmer, append_masked};
use crate::load::{Count, Load};
use crate::options::Server;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::time::Timespec;

/// Bytes asked for in one read.
pub const SCRATCH: usize = 1 << 20;
/// Handshakes under way at a time; more would not fit into a small backlog.
pub const TOGETHER: usize = 10;
const EVENTS: usize = 1024;
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A server and its connections. Each target has a poll of its own, so that the others do not disturb.
pub struct Target {
    pub port: u16,
    pub cpu: CpuClock,
    pub connections: Vec<Connection>,
    poll: OwnedFd,
    events: Vec<Event>,
}

/// One connection of the load.
pub struct Connection {
    socket: OwnedFd,
    /// Which of the load's batches it sends, and how much of it has left.
    batch: usize,
    sent: usize,
    waits_to_send: bool,
    /// What is to come for the batch, in the unit of the load's count.
    pub to_come: u64,
    skimmer: Skimmer,
}

/// What a readable connection brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The batch is answered.
    pub complete: bool,
    /// Bytes of payload, where they are counted.
    pub payload: u64,
}

impl Target {
    /// Connects.
    pub fn open(server: Server, connections: usize, load: &Load) -> Result<Target> {
        let poll = epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("epoll: {error}"))?;
        let mut target = Target {
            port: server.port,
            cpu: CpuClock::of(server.pid)?,
            connections: Vec::with_capacity(connections),
            poll,
            events: Vec::with_capacity(EVENTS),
        };
        let mut sockets = Vec::new();
        for index in 0..connections {
            if sockets.is_empty() {
                sockets = open_together(server.port, load.offer, (connections - index).min(TOGETHER))?;
            }
            let Some(socket) = sockets.pop() else { break };
            epoll::add(&target.poll, &socket, EventData::new_u64(index as u64), EventFlags::IN)
                .map_err(|error| format!("epoll: {error}"))?;
            target.connections.push(Connection {
                socket,
                batch: index % load.batches.len(),
                sent: 0,
                waits_to_send: false,
                to_come: 0,
                skimmer: Skimmer::default(),
            });
        }
        Ok(target)
    }

    /// Sends an unasked Pong on every connection: one that only receives would be pinged, or closed as idle.
    pub fn show_life(&mut self) -> Result<()> {
        let mut pong = Vec::new();
        append_masked(&mut pong, PONG, &[], [1, 2, 3, 4]);
        for connection in &self.connections {
            send(&connection.socket, &pong, SendFlags::NOSIGNAL)
                .map_err(|error| format!("port {}: sending: {error}", self.port))?;
        }
        Ok(())
    }

    /// Sends the next batch of a connection.
    pub fn send_batch(&mut self, index: usize, load: &Load) -> Result<()> {
        let connection = &mut self.connections[index];
        connection.batch = (connection.batch + 1) % load.batches.len();
        connection.sent = 0;
        self.push(index, load)
    }

    fn push(&mut self, index: usize, load: &Load) -> Result<()> {
        let connection = &mut self.connections[index];
        let batch = &load.batches[connection.batch];
        while connection.sent < batch.len() {
            match send(&connection.socket, &batch[connection.sent..], SendFlags::NOSIGNAL) {
                Ok(n) => connection.sent += n,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(format!("port {}: sending: {error}", self.port)),
            }
        }
        let unsent = connection.sent < batch.len();
        if unsent != connection.waits_to_send {
            connection.waits_to_send = unsent;
            let interest = if unsent { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.poll, &connection.socket, EventData::new_u64(index as u64), interest)
                .map_err(|error| format!("epoll: {error}"))?;
        }
        Ok(())
    }

    /// Waits, sends what waited for room, and calls `received` for each connection that was read.
    pub fn pump(
        &mut self,
        load: &Load,
        scratch: &mut [u8],
        mut received: impl FnMut(&mut Target, usize, Received) -> Result<()>,
    ) -> Result<()> {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&WAIT)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("epoll: {error}")),
        }
        for event in &events {
            let (index, flags) = (event.data.u64() as usize, event.flags);
            if flags.contains(EventFlags::OUT) {
                self.push(index, load)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)
                && let Some(got) = self.read(index, load, scratch)?
            {
                received(self, index, got)?;
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, index: usize, load: &Load, scratch: &mut [u8]) -> Result<Option<Received>> {
        let connection = &mut self.connections[index];
        let port = self.port;
        let flags = match load.count {
            // TCP: the kernel throws the bytes away instead of copying them.
            Count::Bytes(_) => RecvFlags::TRUNC,
            Count::Messages(_) => RecvFlags::empty(),
        };
        let (kept, n) = match recv(&connection.socket, &mut *scratch, flags) {
            Ok((_, 0)) => return Err(format!("port {port}: closed by the server")),
            Ok(got) => got,
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(format!("port {port}: receiving: {error}")),
        };
        let (units, payload) = match load.count {
            Count::Bytes(_) => (n as u64, 0),
            Count::Messages(_) => {
                let skimmed = connection
                    .skimmer
                    .take(&scratch[..kept])
                    .map_err(|error| format!("port {port}: {error}"))?;
                (skimmed.messages as u64, skimmed.payload)
            }
        };
        connection.to_come = connection
            .to_come
            .checked_sub(units)
            .ok_or_else(|| format!("port {port}: more than the replies arrived"))?;
        Ok(Some(Received { complete: connection.to_come == 0 && units > 0, payload }))
    }
}
