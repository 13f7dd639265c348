//! Connections per second: TCP, upgrade, reset; a fixed number at a time.

use crate::Result;
use crate::clock::{CpuClock, now, own_cpu};
use crate::connect::{check_answer, request};
use crate::drive::{order, rest};
use crate::load::Load;
use crate::options::{Options, Server};
use crate::sockets::{local, reset_on_close, tcp};
use crate::window::Report;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, connect, recv, send};
use rustix::time::Timespec;
use std::time::Duration;

const DRAIN_NS: u64 = 20_000_000_000;
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

struct Opener<'a> {
    server: Server,
    request: String,
    offer: Option<&'a str>,
    poll: OwnedFd,
    /// A socket, whether its request has left, and its answer so far.
    slots: Vec<Option<Slot>>,
    opened: u64,
}

struct Slot {
    socket: OwnedFd,
    asked: bool,
    answer: Vec<u8>,
}

pub fn run(options: &Options) -> Result<()> {
    let load = Load::of(options)?;
    let mut openers = Vec::new();
    for &server in &options.servers {
        openers.push(Opener {
            server,
            request: request(server.port, load.offer),
            offer: load.offer,
            poll: epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("epoll: {error}"))?,
            slots: (0..options.connections).map(|_| None).collect(),
            opened: 0,
        });
    }
    for cycle in 0..=options.cycles {
        for index in order(cycle, openers.len()) {
            let report = openers[index].window(options.window)?;
            rest(options.window);
            // The first cycle warms up.
            if cycle > 0 {
                report.print(index, cycle - 1);
            }
        }
    }
    Ok(())
}

/// Waits until a server has done what is left to do: its CPU time stands still for a moment.
fn settle(cpu: &CpuClock) -> Result<u64> {
    let mut before = cpu.read()?;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(2));
        let after = cpu.read()?;
        if after - before < 20_000 {
            return Ok(after);
        }
        before = after;
    }
    Ok(before)
}

impl Opener<'_> {
    fn window(&mut self, length: Duration) -> Result<Report> {
        let cpu = CpuClock::of(self.server.pid)?;
        let (server_before, client_before, start) = (settle(&cpu)?, own_cpu(), now());
        let end = start + length.as_nanos() as u64;
        self.opened = 0;
        for index in 0..self.slots.len() {
            self.dial(index)?;
        }
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        let mut nanoseconds = 0;
        while self.slots.iter().any(Option::is_some) {
            events.clear();
            match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&WAIT)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(format!("epoll: {error}")),
            }
            for event in &events {
                let index = event.data.u64() as usize;
                if self.step(index)? && now() < end {
                    self.dial(index)?;
                }
            }
            nanoseconds = now() - start;
            if start + nanoseconds > end + DRAIN_NS {
                return Err(format!("port {}: upgrades are not answered", self.server.port));
            }
        }
        let client_cpu = own_cpu() - client_before;
        let server_cpu = settle(&cpu)? - server_before;
        Ok(Report { messages: self.opened, payload: 0, nanoseconds, server_cpu, client_cpu })
    }

    fn dial(&mut self, index: usize) -> Result<()> {
        let socket = tcp(SocketFlags::NONBLOCK)?;
        match connect(&socket, &local(self.server.port)) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(format!("port {}: {error}", self.server.port)),
        }
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&self.poll, &socket, EventData::new_u64(index as u64), interest)
            .map_err(|error| format!("epoll: {error}"))?;
        self.slots[index] = Some(Slot { socket, asked: false, answer: Vec::new() });
        Ok(())
    }

    /// Goes on with one connection; true when it is open, and reset.
    fn step(&mut self, index: usize) -> Result<bool> {
        let port = self.server.port;
        let Some(slot) = &mut self.slots[index] else { return Ok(false) };
        if !slot.asked {
            match send(&slot.socket, self.request.as_bytes(), SendFlags::NOSIGNAL) {
                Ok(n) if n == self.request.len() => slot.asked = true,
                Ok(_) => return Err(format!("port {port} takes no whole request")),
                Err(Errno::AGAIN | Errno::NOTCONN) => {}
                Err(error) => return Err(format!("port {port}: {error}")),
            }
            return Ok(false);
        }
        let mut bytes = [0; 2048];
        match recv(&slot.socket, &mut bytes, RecvFlags::empty()) {
            Ok((_, 0)) => return Err(format!("port {port}: closed in the handshake")),
            Ok((n, _)) => slot.answer.extend_from_slice(&bytes[..n]),
            Err(Errno::AGAIN) => return Ok(false),
            Err(error) => return Err(format!("port {port}: {error}")),
        }
        if !slot.answer.ends_with(b"\r\n\r\n") {
            return Ok(false);
        }
        check_answer(&String::from_utf8_lossy(&slot.answer), self.offer)
            .map_err(|error| format!("port {port}: {error}"))?;
        reset_on_close(&slot.socket)?;
        self.slots[index] = None;
        self.opened += 1;
        Ok(true)
    }
}
