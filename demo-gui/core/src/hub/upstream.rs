//! Joined notes: the hub as a client of another host.

use std::sync::Arc;
use std::time::Instant;

use ws::Conn;
use yrs::StateVector;

use super::guests::{Client, Role};
use super::room::{Member, send_to_guest};
use super::turn::Running;
use crate::link::{Event, Failure, NoteId, Refusal, Status};
use crate::net::{Inflow, host};
use crate::share::{self, Target};
use crate::store::Meta;
use crate::wire;

/// How often the way to the host and back is measured.
const PING_EVERY_MS: u64 = 10_000;

/// The way to a host.
pub struct Upstream {
    conn: Option<Conn>,
    state: State,
    round_trip_ms: Option<u32>,
    ping_due_ms: u64,
    pinged: Option<Instant>,
    /// What the host had when it last asked.
    has: StateVector,
    /// It has said, on this connection, that we may only read.
    denied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    /// Connected; the host has not yet told what we lack.
    Open,
    Live,
    Lost {
        cause: String,
        /// When the next attempt comes.
        until_ms: u64,
    },
    Refused(Refusal),
}

impl Running {
    /// Joins a note by its link.
    pub(super) fn join(&mut self, link: &str) {
        let target = match share::parse(link) {
            Ok(target) => target,
            Err(error) => return self.window.tell(Event::Failed(Failure::Link(error))),
        };
        // Our own link leads to our own note.
        if let Some(note) =
            target.note.as_ref().filter(|note| self.doors.contains_key(note) && self.is_here(&target))
        {
            return self.window.tell(Event::Joined(note.clone()));
        }
        let same = |joined: &str| share::parse(joined).is_ok_and(|known| place(&known) == place(&target));
        let known = self.list.joined().into_iter().find(|(_, joined)| same(joined));
        let note = known.map_or_else(share::new_note_id, |(note, _)| note);
        let meta = Meta { modified_ms: super::turn::wall_ms(), ..Meta::default() };
        self.list.insert(&note, meta);
        if let Some(meta) = self.list.get_mut(&note) {
            meta.joined = Some(link.trim().to_owned());
        }
        self.disconnect(&note);
        if self.connect(&note, link) {
            self.window.tell(Event::Joined(note));
        }
    }

    fn is_here(&self, target: &Target) -> bool {
        let Some((_, address)) = target.note.as_ref().and_then(|note| self.doors.get(note)) else {
            return false;
        };
        let hosts = share::address::hosts(*address, &[]);
        let port = address.port();
        hosts.split(", ").any(|host| target.url.starts_with(&format!("ws://{host}:{port}/")))
    }

    /// Dials. False: it cannot even begin.
    pub(super) fn connect(&mut self, note: &NoteId, link: &str) -> bool {
        let dialled = share::parse(link).and_then(|target| {
            let hub = self.network.hub();
            let handle = self.network.handle().map_err(|error| error.to_string())?;
            host::connect(handle, &target, hub).map_err(|error| error.to_string())
        });
        let (conn, state) = match dialled {
            Ok(conn) => (Some(conn), State::Connecting),
            Err(error) => {
                self.window.tell(Event::Failed(Failure::Link(error)));
                (None, State::Refused(Refusal::NotFound))
            }
        };
        let begun = conn.is_some();
        let upstream = Upstream {
            conn,
            state,
            round_trip_ms: None,
            ping_due_ms: 0,
            pinged: None,
            has: StateVector::default(),
            denied: false,
        };
        self.upstreams.insert(note.clone(), upstream);
        begun
    }

    /// Ends the connection, if there is one.
    pub(super) fn disconnect(&mut self, note: &NoteId) {
        let Some(conn) = self.upstreams.remove(note).and_then(|upstream| upstream.conn) else { return };
        // It may have ended by itself.
        let _ = conn.close(1000, "");
        self.left(conn);
    }

    /// Forgets the host; the note is ours alone.
    pub(super) fn leave(&mut self, note: &NoteId) {
        self.disconnect(note);
        match self.list.get_mut(note) {
            Some(meta) => (meta.joined, meta.kept, meta.read_only) = (None, 0, false),
            None => self.window.tell(Event::Failed(Failure::NoSuchNote(note.clone()))),
        }
    }

    fn of_conn(&mut self, conn: Conn) -> Option<(NoteId, &mut Upstream)> {
        let found = self.upstreams.iter_mut().find(|(_, upstream)| upstream.conn == Some(conn))?;
        Some((found.0.clone(), found.1))
    }

    pub(super) fn host_opened(&mut self, conn: Conn, inflow: Arc<Inflow>) {
        let Some((note, upstream)) = self.of_conn(conn) else { return };
        upstream.state = State::Open;
        upstream.denied = false;
        upstream.ping_due_ms = 0;
        upstream.pinged = None;
        self.left(conn);
        let now = self.now_ms();
        let Some(room) = self.room(&note) else { return };
        room.host = Some(conn);
        let step1 = wire::step1(&room.document.state_vector());
        self.clients.insert(conn, Client::new(note.clone(), Role::Host, inflow, now));
        send_to_guest(conn, &step1);
        // The host may remember an older clock of the window's client, and believe that it has gone.
        self.window.frame(&note, &wire::query_awareness());
        if let Some(frame) = self.rooms.get(&note).and_then(|room| room.presence.frame_of(Member::Window)) {
            send_to_guest(conn, &frame);
        }
    }

    /// The host has asked what it lacks, and was answered.
    pub(super) fn host_has(&mut self, conn: Conn, has: StateVector) {
        let Some((note, upstream)) = self.of_conn(conn) else { return };
        upstream.has = has;
        if self.list.get(&note).is_some_and(|meta| meta.kept > 0)
            && let Some(meta) = self.list.get_mut(&note)
        {
            meta.kept = 0;
        }
    }

    /// The host has told what we lacked. One that lets us only read has said so before.
    pub(super) fn host_synced(&mut self, from: Member) {
        let Member::Conn(conn) = from else { return };
        let Some((note, upstream)) = self.of_conn(conn) else { return };
        if upstream.state == State::Open {
            upstream.state = State::Live;
            let denied = upstream.denied;
            self.set_read_only(&note, denied);
        }
    }

    /// The host says that we may only read; nobody else can say so.
    pub(super) fn host_denied(&mut self, from: Member) {
        let Member::Conn(conn) = from else { return };
        let Some((note, upstream)) = self.of_conn(conn) else { return };
        upstream.denied = true;
        self.set_read_only(&note, true);
    }

    /// It is remembered: also while the host is away, nothing is typed that it would never take.
    fn set_read_only(&mut self, note: &NoteId, read_only: bool) {
        if self.list.get(note).is_some_and(|meta| meta.read_only != read_only)
            && let Some(meta) = self.list.get_mut(note)
        {
            meta.read_only = read_only;
        }
    }

    /// It was too slow, and has caught up: one difference makes up for what it missed.
    pub(super) fn host_drained(&mut self, conn: Conn) {
        let Some((note, upstream)) = self.of_conn(conn) else { return };
        let has = upstream.has.clone();
        let Some(room) = self.rooms.get_mut(&note).filter(|room| room.host_behind) else { return };
        room.host_behind = false;
        send_to_guest(conn, &wire::step2(&room.document.difference(&has)));
        if let Some(frame) = room.presence.frame_of(Member::Window) {
            send_to_guest(conn, &frame);
        }
    }

    pub(super) fn host_ponged(&mut self, conn: Conn) {
        let Some((_, upstream)) = self.of_conn(conn) else { return };
        if let Some(pinged) = upstream.pinged.take() {
            upstream.round_trip_ms = u32::try_from(pinged.elapsed().as_millis()).ok();
        }
    }

    pub(super) fn host_lost(&mut self, conn: Conn, cause: String, after_ms: u64) {
        let until_ms = self.now_ms() + after_ms;
        let Some((_, upstream)) = self.of_conn(conn) else { return };
        upstream.state = State::Lost { cause, until_ms };
        upstream.round_trip_ms = None;
        self.left(conn);
    }

    /// We refuse what the host sends.
    pub(super) fn host_refused(&mut self, conn: Conn, code: u16) {
        if let Some((_, upstream)) = self.of_conn(conn) {
            upstream.state = State::Refused(refusal(code, None));
        }
    }

    pub(super) fn host_closed(&mut self, conn: Conn, code: u16, status: Option<u16>, detail: &str) {
        let Some((_, upstream)) = self.of_conn(conn) else { return };
        upstream.conn = None;
        if !matches!(upstream.state, State::Refused(_)) {
            // A sentence that nobody sees helps nobody; it is in the status by its code.
            let _ = detail;
            upstream.state = State::Refused(refusal(code, status));
        }
    }

    /// The connections whose way is to be measured.
    pub(super) fn tend_upstreams(&mut self, now_ms: u64) {
        for upstream in self.upstreams.values_mut() {
            let open = matches!(upstream.state, State::Open | State::Live);
            let Some(conn) = upstream.conn.filter(|_| open && now_ms >= upstream.ping_due_ms) else {
                continue;
            };
            upstream.ping_due_ms = now_ms + PING_EVERY_MS;
            if upstream.pinged.is_none() && conn.ping(b"").is_ok() {
                upstream.pinged = Some(Instant::now());
            }
        }
    }

    pub(super) fn upstreams_due_ms(&self) -> Option<u64> {
        let open = |upstream: &&Upstream| matches!(upstream.state, State::Open | State::Live);
        self.upstreams.values().filter(open).map(|upstream| upstream.ping_due_ms).min()
    }

    /// Tells the window how its open notes stand, where that has changed.
    pub(super) fn tell_states(&mut self) {
        for note in self.window.shown() {
            let status = self.status(&note);
            let read_only = self.list.get(&note).is_some_and(|meta| meta.read_only);
            let before = self.told.insert(note.clone(), (status.clone(), read_only));
            if before.as_ref().is_none_or(|(_, known)| *known != read_only) {
                self.window.tell(Event::ReadOnly(note.clone(), read_only));
            }
            if before.is_some_and(|(known, _)| known == status) {
                continue;
            }
            let now = self.now_ms();
            let told = match status {
                Status::Reconnecting { in_ms, kept, cause } => {
                    Status::Reconnecting { in_ms: in_ms.saturating_sub(now), kept, cause }
                }
                other => other,
            };
            self.window.tell(Event::Status(note, told));
        }
    }

    /// How a note stands; the time of the next attempt is on the hub's clock.
    fn status(&self, note: &NoteId) -> Status {
        if let Some((_, address)) = self.doors.get(note) {
            return Status::Hosting { port: address.port() };
        }
        let kept = self.list.get(note).map_or(0, |meta| meta.kept);
        let reconnecting = |cause: &str, in_ms| Status::Reconnecting { in_ms, kept, cause: cause.to_owned() };
        let Some(upstream) = self.upstreams.get(note) else { return Status::Device };
        match &upstream.state {
            State::Connecting | State::Open => reconnecting("connecting", 0),
            State::Live => Status::Live { round_trip_ms: upstream.round_trip_ms },
            State::Lost { cause, until_ms } => reconnecting(cause, *until_ms),
            State::Refused(refusal) => Status::Refused(*refusal),
        }
    }
}

/// Where a link leads, whatever its token.
fn place(target: &Target) -> &str {
    match target.note {
        Some(_) => &target.url,
        None => target.url.split('?').next().unwrap_or_default(),
    }
}

fn refusal(code: u16, status: Option<u16>) -> Refusal {
    match (status, code) {
        (Some(401), _) | (None, 4401) => Refusal::Unauthorised,
        (Some(403), _) | (None, 4403) => Refusal::Forbidden,
        (Some(404), _) | (None, 4404) => Refusal::NotFound,
        (None, 1009) => Refusal::TooBig,
        (Some(other), _) | (None, other) => Refusal::Other(other),
    }
}
