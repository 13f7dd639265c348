//! A client connection that heals itself: lost, it waits and dials again under the same id, and what is sent meanwhile
//! is kept.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use super::backoff::{Backoff, Cause};
use super::close::ReadyState;
use super::core::{Core, Phase};
use super::dial::Plan;
use super::handler::CloseInfo;
use super::notices::Notice;
use super::settings::{ConnectOptions, OFF};
use super::write::{Form, Sent, not_open};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::Entry;
use crate::event_loop::random::Random;

/// A bit of a connection's `Entry::state`: messages are taken though it is not open.
pub const OFFLINE_QUEUE: u32 = 8;

/// What an outgoing connection remembers from one attempt to the next.
pub struct Client {
    pub plan: Plan,
    /// The HTTP answer that refused the newest attempt.
    pub refused: Option<Refusal>,
    backoff: Option<Backoff>,
    offline: Offline,
}

/// An HTTP answer that was no upgrade.
#[derive(Clone, Copy)]
pub struct Refusal {
    pub status: u16,
    pub retry_after_ms: Option<u64>,
}

/// Messages that wait for the connection.
struct Offline {
    messages: VecDeque<(Form, Box<[u8]>)>,
    bytes: usize,
    limit: usize,
    drop_oldest: bool,
}

impl Client {
    /// A client that has not dialled yet.
    pub fn new(plan: Plan, options: &ConnectOptions) -> Client {
        Client {
            plan,
            refused: None,
            backoff: options.reconnect.clone().map(Backoff::new),
            offline: Offline {
                messages: VecDeque::new(),
                bytes: 0,
                limit: options.offline_queue as usize,
                drop_oldest: options.offline_drops_oldest,
            },
        }
    }

    /// Shows other threads what the offline queue takes.
    pub fn show_offline(&self, entry: &Entry) {
        self.offline.show(entry);
    }
}

impl Offline {
    /// Shows other threads whether messages are taken while the connection is not open, and how many bytes.
    fn show(&self, entry: &Entry) {
        if self.limit > 0 {
            let limit = if self.drop_oldest { OFF } else { self.limit as u32 };
            entry.high_water.store(OFF, Relaxed);
            entry.max_buffered.store(limit, Relaxed);
            entry.state.fetch_or(OFFLINE_QUEUE, Relaxed);
        }
    }

    fn push(&mut self, form: Form, data: &[u8]) -> Result<()> {
        let refused = || Error::new(ErrorCode::Full, "the offline queue is full");
        if data.len() > self.limit {
            return Err(refused());
        }
        while self.bytes + data.len() > self.limit {
            if !self.drop_oldest {
                return Err(refused());
            }
            let oldest = self.messages.pop_front();
            self.bytes -= oldest.map_or(0, |(_, data)| data.len());
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(data.len()).map_err(|_| Error::no_memory())?;
        copy.extend_from_slice(data);
        self.bytes += copy.len();
        self.messages.push_back((form, copy.into_boxed_slice()));
        Ok(())
    }
}

impl Core {
    pub fn client(&mut self, index: u32) -> Option<&mut Client> {
        let owner = self.sockets.get(index)?.owner;
        self.owners.get_mut(owner)?.client.as_deref_mut()
    }

    /// How long to wait before this connection is dialled again; None: it ends for good.
    pub fn retry_delay(&mut self, index: u32, info: &CloseInfo) -> Option<u64> {
        if self.sockets.get(index)?.flags.ended_by_us || self.shared.is_ending() {
            return None;
        }
        let now = self.now_ms();
        let random = u64::from_ne_bytes(Random::take(&mut self.random));
        let client = self.client(index)?;
        let refused = client.refused.take();
        let cause = Cause {
            code: info.code,
            status: refused.map(|refusal| refusal.status),
            retry_after_ms: refused.and_then(|refusal| refusal.retry_after_ms),
        };
        client.backoff.as_mut()?.lost(now, cause, random)
    }

    /// Leaves the broken stream and waits; the id lives on.
    pub fn wait_and_retry(&mut self, index: u32, info: CloseInfo, after_ms: u64) {
        // At least a moment: attempts that fail at once must not fill a whole turn.
        let until_ms = self.now_ms().saturating_add(after_ms.max(1));
        // A last Close may be on its way: it leaves if it can.
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.phase = Phase::Waiting { until_ms };
        }
        if self.corked == index && !self.cork.is_empty() {
            self.write_cork(index, &[], &[]);
        }
        self.flush(index);
        self.drop_stream(index);
        let entry = self.entry_of(index);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if let Some(entry) = entry {
            entry.queued.fetch_sub(socket.outbox.len() as u64, Relaxed);
        }
        socket.reset_for_redial(until_ms);
        let id = socket.id;
        self.set_ready_state(index, ReadyState::Connecting);
        self.show_offline(index);
        self.arm(index);
        self.notices.push_back(Notice::Retry { index, id, info: Box::new(info), after_ms });
    }

    fn show_offline(&mut self, index: u32) {
        let Some(entry) = self.entry_of(index) else { return };
        if let Some(client) = self.client(index) {
            client.offline.show(entry);
        }
    }

    /// The connection is open (again): other threads see the limits of an open one.
    pub fn note_opened(&mut self, index: u32) {
        let now = self.now_ms();
        let entry = self.entry_of(index);
        if let (Some(entry), Some(settings)) = (entry, self.settings_of(index)) {
            entry.high_water.store(settings.high_water, Relaxed);
            entry.max_buffered.store(settings.max_buffered, Relaxed);
            entry.state.fetch_and(!OFFLINE_QUEUE, Relaxed);
        }
        if let Some(backoff) = self.client(index).and_then(|client| client.backoff.as_mut()) {
            backoff.opened(now);
        }
    }

    /// A message for a connection that is not open: kept if there is an offline queue.
    pub fn send_offline(&mut self, index: u32, form: Form, data: &[u8]) -> Result<Sent> {
        let Some(socket) = self.sockets.get(index) else { return Err(Error::gone()) };
        if !matches!(socket.phase, Phase::Dial(_) | Phase::Waiting { .. }) || socket.flags.ended_by_us {
            return Err(not_open(&socket.phase));
        }
        let refusal = not_open(&socket.phase);
        let entry = self.entry_of(index);
        let Some(client) = self.client(index).filter(|client| client.offline.limit > 0) else {
            return Err(refusal);
        };
        let before = client.offline.bytes as u64;
        let pushed = client.offline.push(form, data);
        let after = client.offline.bytes as u64;
        if let Some(entry) = entry {
            entry.queued.fetch_add(after, Relaxed);
            entry.queued.fetch_sub(before, Relaxed);
        }
        pushed.map(|()| Sent::Pending)
    }

    /// `on_open` has returned: what was kept is sent behind what it sent.
    pub fn send_kept(&mut self, index: u32, id: u64) {
        if !self.is_open(index, id) {
            return;
        }
        let messages = self.take_kept(index);
        for (form, data) in messages {
            if self.send_data(index, form, &data).is_err() {
                return self.fail(index, super::close::Ending::broken(ErrorCode::NoMem, "out of memory"));
            }
        }
        self.after_send(index);
    }

    /// Takes the kept messages out of the queue and of the count.
    fn take_kept(&mut self, index: u32) -> VecDeque<(Form, Box<[u8]>)> {
        let entry = self.entry_of(index);
        let Some(client) = self.client(index) else { return VecDeque::new() };
        let bytes = std::mem::take(&mut client.offline.bytes) as u64;
        let messages = std::mem::take(&mut client.offline.messages);
        if let Some(entry) = entry {
            entry.queued.fetch_sub(bytes, Relaxed);
        }
        messages
    }

    /// The connection ends for good: nobody will send what was kept.
    pub fn drop_kept(&mut self, index: u32) {
        drop(self.take_kept(index));
    }
}
