//! Latency at a fixed rate. Each message has a time at which it is meant to leave, and its latency counts from that
//! time: a server that stalls delays all that should have left meanwhile, and every one of them shows it
//! (no coordinated omission). Messages leave on time whether or not the replies before them have come.

use crate::Result;
use crate::clock::{CpuClock, now};
use crate::connect::open_together;
use crate::drive::{open_all, order, rest};
use crate::frame::reply_len;
use crate::histogram::Histogram;
use crate::load::Load;
use crate::options::{Options, Server};
use crate::target::{SCRATCH, TOGETHER};
use crate::verify::verify;
use crate::window::{Pattern, drive};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::time::Duration;

/// How long each server is driven flat out to find half its rate.
const CALIBRATION: Duration = Duration::from_millis(500);
/// How long the last replies of a window may take.
const DRAIN_NS: u64 = 5_000_000_000;
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

struct Connection {
    socket: OwnedFd,
    /// When the messages that wait for a reply were meant to leave.
    meant: VecDeque<u64>,
    /// Bytes of messages that are due and have not left.
    unsent: usize,
    /// Bytes of the next reply that have come.
    received: u64,
}

struct Steady {
    port: u16,
    cpu: CpuClock,
    poll: OwnedFd,
    connections: Vec<Connection>,
    events: Vec<Event>,
    in_flight: usize,
    total: Histogram,
}

pub fn run(options: &Options) -> Result<()> {
    let load = Load::of(&Options { depth: 1, ..options.clone() })?;
    verify(options, &load)?;
    let rate = if options.rate > 0.0 { options.rate } else { half_load(options, &load)? };
    println!("{{\"fixed_rate\":{rate:.1}}}");
    let mut servers: Vec<Steady> =
        options.servers.iter().map(|&server| Steady::open(server, options)).collect::<Result<_>>()?;
    let reply = reply_len(options.size);
    let mut scratch = vec![0; SCRATCH];
    for cycle in 0..=options.cycles {
        for index in order(cycle, servers.len()) {
            let steady = &mut servers[index];
            let cpu = steady.cpu.read()?;
            let window = steady.window(&load.batches[0], reply, rate, options.window, &mut scratch)?;
            let cpu = steady.cpu.read()? - cpu;
            rest(options.window);
            // The first cycle warms up.
            if cycle > 0 {
                let us = cpu as f64 / 1e3 / window.total().max(1) as f64;
                print(index, Some((cycle - 1, us)), &window);
            } else {
                steady.total = Histogram::new();
            }
        }
    }
    for (index, steady) in servers.iter().enumerate() {
        print(index, None, &steady.total);
    }
    Ok(())
}

/// Half of what the slower of the first two servers can do: libws and the yardstick.
fn half_load(options: &Options, load: &Load) -> Result<f64> {
    let mut scratch = vec![0; SCRATCH];
    let mut slowest = f64::INFINITY;
    for target in open_all(options, load)?.iter_mut().take(2) {
        let report = drive(target, load, Pattern::Echo, CALIBRATION, &mut scratch)?;
        slowest = slowest.min(report.rate());
    }
    Ok(slowest / 2.0)
}

fn print(target: usize, cycle: Option<(usize, f64)>, histogram: &Histogram) {
    let us = |share| histogram.percentile(share) as f64 / 1e3;
    let head = match cycle {
        Some((cycle, server_us)) => format!("\"cycle\":{cycle},\"server_us\":{server_us:.5}"),
        None => "\"whole\":true".to_string(),
    };
    println!(
        "{{\"target\":{target},{head},\"messages\":{},\"p50\":{:.1},\"p99\":{:.1},\"p999\":{:.1},\"max\":{:.1}}}",
        histogram.total(),
        us(0.5),
        us(0.99),
        us(0.999),
        us(1.0)
    );
}

impl Steady {
    fn open(server: Server, options: &Options) -> Result<Steady> {
        let poll = epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("epoll: {error}"))?;
        let mut connections = Vec::new();
        let mut sockets = Vec::new();
        for index in 0..options.connections {
            if sockets.is_empty() {
                sockets = open_together(server.port, None, (options.connections - index).min(TOGETHER))?;
            }
            let Some(socket) = sockets.pop() else { break };
            epoll::add(&poll, &socket, EventData::new_u64(index as u64), EventFlags::IN)
                .map_err(|error| format!("epoll: {error}"))?;
            connections.push(Connection { socket, meant: VecDeque::new(), unsent: 0, received: 0 });
        }
        let cpu = CpuClock::of(server.pid)?;
        let events = Vec::with_capacity(1024);
        Ok(Steady {
            port: server.port,
            cpu,
            poll,
            connections,
            events,
            in_flight: 0,
            total: Histogram::new(),
        })
    }

    fn window(
        &mut self,
        frame: &[u8],
        reply: u64,
        rate: f64,
        length: Duration,
        scratch: &mut [u8],
    ) -> Result<Histogram> {
        let mut histogram = Histogram::new();
        let start = now();
        let interval = 1e9 / rate;
        let messages = (length.as_nanos() as f64 / interval) as u64;
        let deadline = start + length.as_nanos() as u64 + DRAIN_NS;
        let mut next = 0;
        while next < messages || self.in_flight > 0 {
            let time = now();
            // A late turn sends all that is overdue, each with the time at which it was meant to leave.
            while next < messages {
                let meant = start + (next as f64 * interval) as u64;
                if meant > time {
                    break;
                }
                let index = (next % self.connections.len() as u64) as usize;
                self.send(index, frame, meant)?;
                next += 1;
            }
            self.receive(frame, reply, scratch, &mut histogram)?;
            if time > deadline {
                return Err(format!("port {}: {} replies are missing", self.port, self.in_flight));
            }
        }
        Ok(histogram)
    }

    fn send(&mut self, index: usize, frame: &[u8], meant: u64) -> Result<()> {
        self.connections[index].meant.push_back(meant);
        self.connections[index].unsent += frame.len();
        self.in_flight += 1;
        self.push(index, frame)
    }

    /// Sends what is due, as far as there is room; the rest is tried again after the next reply.
    fn push(&mut self, index: usize, frame: &[u8]) -> Result<()> {
        let connection = &mut self.connections[index];
        while connection.unsent > 0 {
            let left = match connection.unsent % frame.len() {
                0 => frame.len(),
                left => left,
            };
            match send(&connection.socket, &frame[frame.len() - left..], SendFlags::NOSIGNAL) {
                Ok(n) => connection.unsent -= n,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(format!("port {}: sending: {error}", self.port)),
            }
        }
        Ok(())
    }

    fn receive(
        &mut self,
        frame: &[u8],
        reply: u64,
        scratch: &mut [u8],
        histogram: &mut Histogram,
    ) -> Result<()> {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&NOW)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("epoll: {error}")),
        }
        for event in &events {
            let index = event.data.u64() as usize;
            let connection = &mut self.connections[index];
            match recv(&connection.socket, &mut *scratch, RecvFlags::TRUNC) {
                Ok((_, 0)) => return Err(format!("port {}: closed by the server", self.port)),
                Ok((_, n)) => connection.received += n as u64,
                Err(Errno::AGAIN) => continue,
                Err(error) => return Err(format!("port {}: receiving: {error}", self.port)),
            }
            let time = now();
            while connection.received >= reply {
                connection.received -= reply;
                let Some(meant) = connection.meant.pop_front() else {
                    return Err(format!("port {}: more than the replies arrived", self.port));
                };
                self.in_flight -= 1;
                histogram.record(time - meant);
                self.total.record(time - meant);
            }
            self.push(index, frame)?;
        }
        self.events = events;
        Ok(())
    }
}
