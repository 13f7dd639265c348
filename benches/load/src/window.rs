//! One window: a server is driven for some milliseconds, then its last replies are awaited.

use crate::Result;
use crate::clock::{now, own_cpu};
use crate::load::Load;
use crate::target::{Received, Target};
use std::time::Duration;

/// How long the last replies may take.
const DRAIN: Duration = Duration::from_secs(20);

/// What a window was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    pub messages: u64,
    pub payload: u64,
    pub nanoseconds: u64,
    pub server_cpu: u64,
    pub client_cpu: u64,
}

impl Report {
    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / (self.nanoseconds.max(1) as f64 / 1e9)
    }

    /// One line of JSON.
    pub fn print(&self, target: usize, cycle: usize) {
        let (messages, time) = (self.messages.max(1) as f64, self.nanoseconds.max(1) as f64);
        println!(
            "{{\"target\":{target},\"cycle\":{cycle},\"rate\":{:.1},\"server_us\":{:.5},\"client_us\":{:.5},\
             \"server_busy\":{:.3},\"client_busy\":{:.3},\"reply_bytes\":{:.1}}}",
            self.rate(),
            self.server_cpu as f64 / 1e3 / messages,
            self.client_cpu as f64 / 1e3 / messages,
            self.server_cpu as f64 / time,
            self.client_cpu as f64 / time,
            self.payload as f64 / messages,
        );
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Each connection by itself, again as soon as it has its replies.
    Echo,
    /// The first connection, again when every connection has every message.
    Broadcast,
}

struct Window<'a> {
    load: &'a Load,
    pattern: Pattern,
    report: Report,
    /// Connections that still wait for replies.
    waiting: usize,
    stopping: bool,
}

/// Drives `target` for `length`.
pub fn drive(
    target: &mut Target,
    load: &Load,
    pattern: Pattern,
    length: Duration,
    scratch: &mut [u8],
) -> Result<Report> {
    let mut window = Window { load, pattern, report: Report::default(), waiting: 0, stopping: false };
    let (server_before, client_before, start) = (target.cpu.read()?, own_cpu(), now());
    let end = start + length.as_nanos() as u64;
    let deadline = end + DRAIN.as_nanos() as u64;
    match pattern {
        Pattern::Echo => {
            for index in 0..target.connections.len() {
                window.begin(target, index)?;
            }
            window.waiting = target.connections.len();
        }
        Pattern::Broadcast => window.round(target)?,
    }
    while window.waiting > 0 {
        target.pump(load, scratch, |target, index, got| window.received(target, index, got))?;
        let time = now();
        window.stopping = time >= end;
        if time > deadline {
            return Err(format!("port {}: {} connections wait for replies", target.port, window.waiting));
        }
    }
    let mut report = window.report;
    report.nanoseconds = now() - start;
    report.server_cpu = target.cpu.read()? - server_before;
    report.client_cpu = own_cpu() - client_before;
    Ok(report)
}

impl Window<'_> {
    fn begin(&mut self, target: &mut Target, index: usize) -> Result<()> {
        target.connections[index].to_come = self.load.due();
        target.send_batch(index, self.load)
    }

    /// A broadcast: everyone waits, the first sends.
    fn round(&mut self, target: &mut Target) -> Result<()> {
        self.waiting = target.connections.len();
        for connection in &mut target.connections {
            connection.to_come = self.load.due();
        }
        target.send_batch(0, self.load)
    }

    fn received(&mut self, target: &mut Target, index: usize, got: Received) -> Result<()> {
        self.report.payload += got.payload;
        if !got.complete {
            return Ok(());
        }
        self.report.messages += self.load.depth as u64;
        if self.pattern == Pattern::Echo && !self.stopping {
            return self.begin(target, index);
        }
        self.waiting -= 1;
        if self.pattern == Pattern::Broadcast && self.waiting == 0 && !self.stopping {
            return self.round(target);
        }
        Ok(())
    }
}
