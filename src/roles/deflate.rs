//! permessage-deflate in a loop: whose compressor and inflater serve a message, and how much memory all of that may hold.
//!
//! Connections without context takeover share one compressor for each level and window, and all share one inflater. A
//! connection whose own messages may refer to earlier ones gets a compressor with its first message and loses it when
//! it has been idle. Where memory is short it goes without: RFC 7692 lets a sender begin with an empty window at any
//! message.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, RECEIVE_BUFFER};
use super::settings::Deflate;
use super::turn::Due;
use crate::proto::conn::{Inflater, Receiver};
use crate::proto::deflate::compress::Compressor;
use crate::proto::deflate::params::{self, Agreed};
use crate::proto::deflate::{Output, Rules};
use crate::proto::handshake::extensions::Offer;

/// A compressor that was not used for this long is given up.
const IDLE_MS: u64 = 10_000;

/// A larger output buffer is not kept for the next message.
const KEPT: usize = 256 << 10;

/// The loop's part.
pub struct Deflating {
    /// Lent to the connection that is being read.
    inflater: Option<Inflater>,
    /// When it was lent last.
    lent_ms: u64,
    /// Bytes that were inflated in this readable event.
    inflated: usize,
    /// For connections without context takeover, one for each level and window.
    shared: Vec<Shared>,
    /// What the last message was deflated into.
    out: Output,
    memory: Budget,
    /// The wheel has a look at idle compressors coming.
    sweeping: bool,
}

struct Shared {
    level: u8,
    bits: u8,
    compressor: Compressor,
    used_ms: u64,
}

/// The sending side of the extension on one connection.
pub struct Sender {
    level: u8,
    bits: u8,
    takeover: bool,
    min_bytes: usize,
    /// With context takeover: what it may refer to.
    own: Option<Own>,
    /// Holds the place of what the receiving side remembers.
    _history: Option<Reserved>,
}

struct Own {
    compressor: Compressor,
    used_ms: u64,
    _memory: Reserved,
}

/// How many bytes the compression of one loop holds, and may.
#[derive(Clone)]
struct Budget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

/// Bytes of the budget, given back when dropped.
pub struct Reserved {
    used: Arc<AtomicUsize>,
    bytes: usize,
}

impl Budget {
    fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let grow = |used: usize| used.checked_add(bytes).filter(|&used| used <= self.limit);
        self.used.fetch_update(Relaxed, Relaxed, grow).ok()?;
        Some(Reserved { used: self.used.clone(), bytes })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Relaxed);
    }
}

/// What a client offered, and the memory that it set aside for the answer.
pub struct Offered {
    pub rules: Rules,
    history: Option<Reserved>,
}

impl Deflating {
    /// `limit`: bytes for the compressors of connections and for what is remembered of their peers' messages.
    pub fn new(limit: u32) -> Deflating {
        let memory = Budget { used: Arc::default(), limit: limit as usize };
        Deflating {
            inflater: None,
            lent_ms: 0,
            inflated: 0,
            shared: Vec::new(),
            out: Output::default(),
            memory,
            sweeping: false,
        }
    }

    /// The client's offer. Where memory is short the server is asked to do without context takeover.
    pub fn offer(&self, settings: &Deflate) -> Offered {
        let mut rules = settings.rules();
        let history = self.reserve_history(&rules);
        rules.peer_takeover &= history.is_some();
        Offered { rules, history }
    }

    /// The server's answer to what a client offers, with the value of its header.
    fn answer(&self, offers: &[Offer], settings: &Deflate) -> Option<(Agreed, Option<Reserved>, String)> {
        let mut rules = settings.rules();
        let (agreed, chosen) = params::answer(offers, &rules)?;
        let history = self.reserve_history(&agreed);
        if agreed.peer_takeover && history.is_none() {
            rules.peer_takeover = false;
            let (agreed, chosen) = params::answer(offers, &rules)?;
            return Some((agreed, None, chosen));
        }
        Some((agreed, history, chosen))
    }

    fn reserve_history(&self, rules: &Rules) -> Option<Reserved> {
        if rules.peer_takeover { self.memory.reserve(1 << rules.peer_bits) } else { None }
    }

    /// Counts a message that was inflated.
    #[inline]
    pub fn count(&mut self, out: &Output) {
        self.inflated += out.len();
    }

    /// A readable event begins.
    #[inline]
    pub fn begin_event(&mut self) {
        self.inflated = 0;
    }

    /// A readable event has inflated as much as it may read: the other connections are next. Few bytes of the wire
    /// make many, so counting those alone would not be fair.
    #[inline]
    pub fn had_enough(&self) -> bool {
        self.inflated >= RECEIVE_BUFFER
    }

    /// The compressor of this kind that connections share.
    fn shared(&mut self, level: u8, bits: u8, now_ms: u64) -> Option<(&mut Compressor, &mut Output)> {
        let known = self.shared.iter().position(|shared| shared.level == level && shared.bits == bits);
        let at = match known {
            Some(at) => at,
            None => {
                let compressor = Compressor::new(level, bits).ok()?;
                self.shared.push(Shared { level, bits, compressor, used_ms: now_ms });
                self.shared.len() - 1
            }
        };
        let shared = self.shared.get_mut(at)?;
        shared.used_ms = now_ms;
        Some((&mut shared.compressor, &mut self.out))
    }
}

impl Sender {
    fn own(&mut self, memory: &Budget, now_ms: u64) -> Option<&mut Compressor> {
        if self.own.is_none() {
            let reserved = memory.reserve(Compressor::cost(self.bits))?;
            let compressor = Compressor::new(self.level, self.bits).ok()?;
            self.own = Some(Own { compressor, used_ms: now_ms, _memory: reserved });
        }
        let own = self.own.as_mut()?;
        own.used_ms = now_ms;
        Some(&mut own.compressor)
    }
}

impl Core {
    /// Chooses among a client's offers; the value for the header of the 101.
    pub fn answer_deflate(&mut self, index: u32, offers: &[Offer]) -> Option<String> {
        let settings = self.settings_of(index)?.deflate.clone()?;
        let (agreed, history, chosen) = self.deflating.answer(offers, &settings)?;
        self.begin_deflate(index, &settings, &agreed, history);
        Some(chosen)
    }

    /// The server has accepted the offer.
    pub fn deflate_agreed(&mut self, index: u32, agreed: &Agreed, offered: Offered) {
        let Some(settings) = self.settings_of(index).and_then(|settings| settings.deflate.clone()) else {
            return;
        };
        let history = offered.history.filter(|_| agreed.peer_takeover);
        self.begin_deflate(index, &settings, agreed, history);
    }

    fn begin_deflate(&mut self, index: u32, settings: &Deflate, agreed: &Agreed, history: Option<Reserved>) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.proto.set_receiver(Receiver::new(agreed.peer_bits, agreed.peer_takeover));
        socket.flags.deflate = true;
        socket.extra().deflate = Some(Box::new(Sender {
            level: settings.level,
            bits: agreed.bits,
            takeover: agreed.takeover,
            min_bytes: settings.min_bytes as usize,
            own: None,
            _history: history,
        }));
    }

    fn sender(&mut self, index: u32) -> Option<&mut Sender> {
        self.sockets.get_mut(index)?.extra.as_mut()?.deflate.as_deref_mut()
    }

    /// Deflates a message for one connection. None: it goes as it is. The output is given back with
    /// [`Core::return_output`].
    pub fn deflate(&mut self, index: u32, data: &[u8]) -> Option<Output> {
        let now_ms = self.now_ms();
        let sender = self.sockets.get_mut(index)?.extra.as_mut()?.deflate.as_deref_mut()?;
        if data.len() < sender.min_bytes {
            return None;
        }
        let own = if sender.takeover { sender.own(&self.deflating.memory, now_ms) } else { None };
        let (done, must_leave) = match own {
            Some(own) => (own.message(data, true, &mut self.deflating.out), true),
            None => {
                let (level, bits) = (sender.level, sender.bits);
                let (compressor, out) = self.deflating.shared(level, bits, now_ms)?;
                (compressor.message(data, false, out), false)
            }
        };
        self.sweep_later();
        let out = std::mem::take(&mut self.deflating.out);
        // What the next message may refer to has to be sent; otherwise only what became shorter is.
        if done.is_err() || !must_leave && out.len() >= data.len() {
            self.return_output(out);
            return None;
        }
        Some(out)
    }

    /// Gives the output of [`Core::deflate`] or [`Core::deflate_for_topic`] back.
    pub fn return_output(&mut self, out: Output) {
        if out.capacity() <= KEPT {
            self.deflating.out = out;
        }
    }

    /// A message that was deflated did not leave: the next one must not refer to it.
    #[cold]
    pub fn forget_context(&mut self, index: u32) {
        if let Some(sender) = self.sender(index) {
            sender.own = None;
        }
    }

    /// The level and window by which a message of a topic is deflated for this connection; None: it goes as it is. The
    /// connection's own compressor begins anew, because it will not have seen the message.
    pub fn topic_params(&mut self, index: u32, len: usize) -> Option<(u8, u8)> {
        let sender = self.sender(index).filter(|sender| len >= sender.min_bytes)?;
        if let Some(own) = &mut sender.own {
            own.compressor.reset();
        }
        Some((sender.level, sender.bits))
    }

    /// Deflates a message of a topic; None: it goes as it is. The output is given back with [`Core::return_output`].
    pub fn deflate_for_topic(&mut self, (level, bits): (u8, u8), data: &[u8]) -> Option<Output> {
        let now_ms = self.now_ms();
        let (compressor, out) = self.deflating.shared(level, bits, now_ms)?;
        let done = compressor.message(data, false, out);
        self.sweep_later();
        let out = std::mem::take(&mut self.deflating.out);
        if done.is_err() || out.len() >= data.len() {
            self.return_output(out);
            return None;
        }
        Some(out)
    }

    /// For the time of a readable event the connection has the loop's inflater.
    #[inline]
    pub fn lend_inflater(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index).filter(|socket| socket.flags.deflate) else { return };
        if let Some(receiver) = socket.proto.receiver() {
            receiver.lend(self.deflating.inflater.take());
        }
    }

    /// Takes it back; if the connection has ended meanwhile, the next message makes another one.
    #[inline]
    pub fn reclaim_inflater(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index).filter(|socket| socket.flags.deflate) else { return };
        if let Some(inflater) = socket.proto.receiver().and_then(Receiver::reclaim) {
            self.deflating.inflater = Some(inflater);
            self.deflating.lent_ms = self.now_ms();
            self.sweep_later();
        }
    }

    /// The application has seen an inflated message.
    pub fn recycle(&mut self, index: u32, out: Output) {
        if let Some(receiver) = self.sockets.get_mut(index).and_then(|socket| socket.proto.receiver()) {
            receiver.recycle(out);
        }
    }

    fn sweep_later(&mut self) {
        if !std::mem::replace(&mut self.deflating.sweeping, true) {
            self.wheel.insert(self.now_ms() + IDLE_MS / 2, Due::Deflate.key());
        }
    }

    /// Gives up what was not used for a while.
    pub fn sweep_deflate(&mut self) {
        let now_ms = self.now_ms();
        let idle = |used_ms: u64| used_ms + IDLE_MS <= now_ms;
        let lent_ms = self.deflating.lent_ms;
        self.deflating.inflater.take_if(|_| idle(lent_ms));
        self.deflating.shared.retain(|shared| !idle(shared.used_ms));
        let mut left = self.deflating.inflater.is_some() || !self.deflating.shared.is_empty();
        for index in self.sockets.keys().collect::<Vec<_>>() {
            let Some(sender) = self.sender(index) else { continue };
            sender.own.take_if(|own| idle(own.used_ms));
            left |= sender.own.is_some();
        }
        self.deflating.sweeping = false;
        if left {
            return self.sweep_later();
        }
        self.deflating.out = Output::default();
    }
}
