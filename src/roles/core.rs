//! Everything that one loop owns. Only the thread that runs the loop touches it, and no borrow of it lives while a
//! user callback runs: see [`super::current`].

use std::collections::VecDeque;
use std::sync::Arc;

use super::cork::Cork;
use super::deflate::{Deflating, Sender};
use super::dial::Dial;
use super::handler::Handler;
use super::http_side::Http;
use super::listen::Server;
use super::log::Log;
use super::notices::Notice;
use super::reconnect::Client;
use super::settings::Settings;
use super::share::{Brought, FIRST_SHARE};
use super::shared::{Post, Shared};
use super::timers::UserTimer;
use super::topics::Topics;
use crate::error::{Error, Result};
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::event_loop::outbox::Outbox;
use crate::event_loop::poller::{Poller, Ready};
use crate::event_loop::random::Random;
use crate::event_loop::slab::Slab;
use crate::event_loop::wheel::Wheel;
use crate::net::stream::Stream;
use crate::proto;
use crate::proto::conn::Limits;
use crate::proto::frame::MAX_HEADER;

/// One receive buffer serves all connections of a loop.
pub const RECEIVE_BUFFER: usize = 512 * 1024;

/// What a peer sends after the end is read away so many times: one that trickles must not cost more than one that was
/// served.
const LINGERING_READS: u32 = 512;

/// "None" for the 32-bit indices of this layer.
pub const NONE: u32 = u32::MAX;

/// The state of one loop.
pub struct Core {
    pub shared: Arc<Shared>,
    pub poller: Poller,
    pub now_us: u64,
    /// When the last sleep ended: what had arrived by then has been read.
    pub polled_ms: u64,
    /// The same in microseconds.
    pub woke_us: u64,
    /// How long this turn has worked on what earlier turns left over, and the last one on everything else.
    pub left_over_us: u64,
    pub busy_us: u64,
    pub wheel: Wheel,
    pub owners: Slab<Owner>,
    pub sockets: Slab<Socket>,
    pub timers: Slab<UserTimer>,
    pub topics: Topics,
    pub random: Random,
    pub log: Log,
    /// Callbacks that wait to be made.
    pub notices: VecDeque<Notice>,
    /// What arrived in the mailbox and was not yet looked at, oldest first.
    pub backlog: VecDeque<Post>,
    /// Sockets and listeners with work left over from an earlier event.
    pub ready: VecDeque<Ready>,
    /// Sockets with queued bytes that nobody has tried to write.
    pub dirty: Vec<u32>,
    /// Sockets to which the batch that is being sent has messages.
    pub posted: Vec<u32>,
    /// What the message that is being sent has counted in its entry already.
    pub prepaid: u64,
    /// The write buffer: replies of the readable event that is being handled.
    pub cork: Cork,
    /// Whose event that is, or [`NONE`].
    pub corked: u32,
    /// See [`Socket::may_cork`]: of the connection that is being handed its messages.
    pub corks_replies: bool,
    /// Empty until it is needed, and while it is lent.
    pub receive_buffer: Vec<u8>,
    /// Messages and control frames that may still be handled in the readable event under way.
    pub frames_left: u32,
    /// What else it brought.
    pub brought: Brought,
    /// The long message that the application is shown, for sending it back without a copy.
    pub shown: Option<Arc<Vec<u8>>>,
    pub deflating: Deflating,
    /// [`ids::fork_generation`] when the loop was made: another one now means that this is a child's copy.
    pub forks: u32,
    /// The request whose callback runs.
    pub current_request: Option<Arc<super::requests::RequestData>>,
    /// What the system says of a connection that the peer has reset; empty until the first one is.
    pub reset_text: String,
    /// A descriptor given up to shed a connection when the process has no other left.
    pub spare: Option<std::fs::File>,
}

/// The application's side of a listener, or of one outgoing connection.
pub struct Owner {
    /// No other owner of the process has it.
    pub serial: u64,
    /// Taken out while one of its functions runs.
    pub handler: Option<Box<dyn Handler>>,
    /// Asked once: the handler cannot be asked while the loop is borrowed.
    pub takes_requests: bool,
    pub settings: Settings,
    pub limits: Limits,
    pub user: usize,
    /// Sockets that belong to it.
    pub live: u32,
    /// The listening side; None for an outgoing connection.
    pub server: Option<Box<Server>>,
    /// The dialling side; None for a listener.
    pub client: Option<Box<Client>>,
}

/// One TCP or Unix connection in any state.
pub struct Socket {
    pub stream: Option<Stream>,
    /// The connection's id; 0 before the upgrade is accepted and after `on_close`.
    pub id: u64,
    pub owner: u32,
    /// The wheel's node, or [`NONE`].
    pub timer: u32,
    /// When that node fires.
    pub due_ms: u64,
    pub phase: Phase,
    pub proto: proto::conn::Conn,
    pub outbox: Outbox,
    pub extra: Option<Box<Extra>>,
    /// When the peer last showed that it lives.
    pub heard_ms: u64,
    /// When the heartbeat's unanswered ping left; 0: none is out.
    pub ping_us: u64,
    /// Of the newest answered heartbeat; `u32::MAX`: none yet.
    pub round_trip_us: u32,
    /// How much of it is read in one turn.
    pub share: u32,
    pub flags: Flags,
}

/// The stages of a socket's life.
pub enum Phase {
    /// Server: a request is read, decided or answered.
    Http(Box<Http>),
    /// Client: from name resolution to the server's 101.
    Dial(Box<Dial>),
    /// Client: the connection was lost; the next attempt waits for its time.
    Waiting { until_ms: u64 },
    /// Messages flow.
    Open,
    /// At least one Close frame went out or came in.
    Closing(Box<super::close::Closing>),
    /// `on_close` is due or running.
    Ended,
    /// Flushes the last bytes, then waits for the peer's end, so that a reset does not overtake our Close
    /// (RFC 6455 section 7.1.1). `reads`: how often what the peer still sends is looked at.
    Lingering { until_ms: u64, reads: u32 },
}

impl Phase {
    /// The end of a stream, which is waited for until `until_ms`.
    pub fn lingering(until_ms: u64) -> Phase {
        Phase::Lingering { until_ms, reads: LINGERING_READS }
    }
}

/// What only some connections need, some of the time.
#[derive(Default)]
pub struct Extra {
    /// Bytes that were received but may not be looked at yet.
    pub rest: Vec<u8>,
    /// When reading went on after it had stopped by our own choice.
    pub resumed_ms: u64,
    /// Topics subscribed to.
    pub topics: Vec<super::topics::Subscription>,
    pub protocol: Option<Box<str>>,
    /// The sending side of permessage-deflate, if it was agreed.
    pub deflate: Option<Box<Sender>>,
}

/// Yes-or-no facts of a socket.
#[derive(Clone, Copy, Default)]
pub struct Flags {
    /// The application paused it.
    pub paused: bool,
    /// Its own queue is above `high_water`.
    pub throttled: bool,
    /// It may be read once although it is throttled: see [`Core::fill`](super::read).
    pub grace: bool,
    /// Write interest is registered.
    pub write_interest: bool,
    /// It is in `Core::dirty`.
    pub dirty: bool,
    /// `on_open` was called for this stream.
    pub was_open: bool,
    /// `on_open` was called for this id, maybe for an earlier stream.
    pub ever_open: bool,
    /// The application closed or terminated it: no further attempt.
    pub ended_by_us: bool,
    /// Our side of the stream is shut down.
    pub shut: bool,
    /// The stream is beyond use.
    pub broken: bool,
    /// permessage-deflate was agreed.
    pub deflate: bool,
    /// It is in `Core::posted`.
    pub posted: bool,
    /// It is in `Core::ready` and will be read.
    pub waiting: bool,
    /// It is in `Core::ready` and its outbox will be written.
    pub writing: bool,
}

impl Flags {
    /// Its outbox will be written without anybody's asking: when the stream has room, or in a later turn.
    pub fn is_writing(self) -> bool {
        self.write_interest || self.writing
    }
}

impl Core {
    /// The loop's clock in milliseconds.
    #[inline]
    pub fn now_ms(&self) -> u64 {
        self.now_us / 1000
    }

    /// Looks at the clock again.
    pub fn refresh_clock(&mut self) {
        self.now_us = self.poller.now_us();
    }

    /// The index of the live connection `id`, if it is this loop's.
    #[inline]
    pub fn index_of(&self, id: u64) -> Result<u32> {
        let entry = ids::lookup(id, IdKind::Conn).ok_or(Error::gone())?;
        let index = entry.local.load(std::sync::atomic::Ordering::Relaxed);
        match self.sockets.get(index) {
            Some(socket) if socket.id == id => Ok(index),
            None if index == NONE => Err(Error::state("the connection is not open yet")),
            _ => Err(Error::gone()),
        }
    }

    /// The table entry of a socket that has an id.
    pub fn entry_of(&self, index: u32) -> Option<&'static Entry> {
        ids::lookup(self.sockets.get(index)?.id, IdKind::Conn)
    }

    /// The settings of a socket's owner.
    #[inline]
    pub fn settings_of(&self, index: u32) -> Option<&Settings> {
        Some(&self.owners.get(self.sockets.get(index)?.owner)?.settings)
    }

    /// Whether `run` has anything left to wait for.
    pub fn is_deserted(&self) -> bool {
        self.owners.is_empty()
            && self.sockets.is_empty()
            && self.timers.is_empty()
            && self.notices.is_empty()
            && self.backlog.is_empty()
            && self.has_no_letters()
    }

    /// Whether nothing waits in the mailbox.
    pub fn has_no_letters(&self) -> bool {
        self.shared.mailbox.queue().receiver().is_empty()
    }

    /// Whether a turn would find work without sleeping.
    pub fn has_work(&self) -> bool {
        !(self.ready.is_empty()
            && self.notices.is_empty()
            && self.dirty.is_empty()
            && self.backlog.is_empty())
    }

    /// Adds a socket; its owner counts it.
    pub fn add_socket(&mut self, owner: u32, stream: Option<Stream>, phase: Phase, role: proto::Role) -> u32 {
        if let Some(owner) = self.owners.get_mut(owner) {
            owner.live += 1;
        }
        let now = self.now_ms();
        self.sockets.insert(Socket {
            stream,
            id: 0,
            owner,
            timer: NONE,
            due_ms: 0,
            phase,
            proto: proto::conn::Conn::new(role),
            outbox: Outbox::default(),
            extra: None,
            heard_ms: now,
            ping_us: 0,
            round_trip_us: u32::MAX,
            share: FIRST_SHARE,
            flags: Flags::default(),
        })
    }

    /// Closes the descriptor and forgets the socket. Its id, if it had one, is already released.
    pub fn remove_socket(&mut self, index: u32) {
        let Some(mut socket) = self.sockets.remove(index) else { return };
        if let Some(stream) = &mut socket.stream {
            self.poller.forget_closing(stream);
        }
        if socket.timer != NONE {
            self.wheel.remove(socket.timer);
        }
        self.leave_owner(socket.owner);
    }

    /// Counts a socket out of its owner; the last one out ends a closed owner.
    fn leave_owner(&mut self, index: u32) {
        let Some(owner) = self.owners.get_mut(index) else { return };
        owner.live -= 1;
        if owner.live == 0 {
            match &owner.server {
                Some(server) if server.net.is_some() => {}
                Some(_) => self.notices.push_back(Notice::ListenerClose { owner: index }),
                None => self.retire_owner(index),
            }
        }
    }

    /// Forgets an owner that nobody needs any more.
    pub fn retire_owner(&mut self, index: u32) {
        if let Some(owner) = self.owners.remove(index) {
            // Dropping a handler runs the application's code: not inside this borrow.
            self.notices.push_back(Notice::Run(Box::new(move || drop(owner))));
        }
    }
}

impl Socket {
    /// Makes the socket of a lost connection ready for the next attempt. Every field is named, so that a new one has to be
    /// decided here.
    pub fn reset_for_redial(&mut self, until_ms: u64) {
        let Socket {
            stream,
            id: _,
            owner: _,
            timer: _,
            due_ms: _,
            phase,
            proto,
            outbox,
            extra,
            heard_ms: _,
            ping_us,
            round_trip_us,
            share,
            flags,
        } = self;
        let Flags {
            paused,
            throttled: _,
            grace: _,
            write_interest: _,
            dirty,
            was_open: _,
            ever_open,
            ended_by_us,
            shut: _,
            broken: _,
            deflate: _,
            posted,
            waiting,
            writing,
        } = *flags;
        *stream = None;
        *phase = Phase::Waiting { until_ms };
        *proto = proto::conn::Conn::new(proto::Role::Client);
        *outbox = Outbox::default();
        *extra = None;
        *ping_us = 0;
        *round_trip_us = u32::MAX;
        *share = FIRST_SHARE;
        // A pause is the application's word and lasts; the lists still hold the socket.
        *flags =
            Flags { paused, dirty, posted, waiting, writing, ever_open, ended_by_us, ..Flags::default() };
    }

    /// The rarely needed part, made when it is first needed.
    pub fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether the application may be given more input now.
    #[inline]
    pub fn may_read(&self) -> bool {
        !self.flags.paused && (!self.flags.throttled || self.flags.grace)
    }

    /// Whether replies, in its readable event, may take the fast path [`Core::cork_reply`](super::write). Holds as long as the
    /// connection is undisturbed.
    #[inline]
    pub fn may_cork(&self) -> bool {
        matches!(self.role(), proto::Role::Server) && self.outbox.is_empty() && !self.flags.deflate
    }

    /// Bytes in the header of a long frame of the peer.
    pub fn long_header(&self) -> usize {
        match self.role() {
            proto::Role::Server => MAX_HEADER,
            proto::Role::Client => MAX_HEADER - size_of::<[u8; 4]>(),
        }
    }

    /// The role, as the protocol sees it.
    pub fn role(&self) -> proto::Role {
        self.proto.role()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_small() {
        assert!(size_of::<Socket>() <= 168, "{}", size_of::<Socket>());
        assert!(size_of::<Phase>() <= 16);
    }
}
