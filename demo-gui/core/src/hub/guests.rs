//! Connections: who they are, what they may, and how their messages wait for their turn.

use std::collections::VecDeque;
use std::sync::Arc;

use ws::Conn;

use super::room::{Member, send_to_guest};
use super::turn::Running;
use crate::link::NoteId;
use crate::net::guest::Opened;
use crate::net::{Inflow, Net};
use crate::share::Access;
use crate::wire;

/// Connections to one note.
const MAX_GUESTS: usize = 256;

/// Bytes a second that one connection may send, and how many it may save up.
const BYTES_A_SECOND: u64 = 1 << 20;
const BURST: u64 = 4 << 20;

/// What a message costs besides its bytes.
const MESSAGE: u64 = 256;

/// What a connection may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It came to us.
    Guest(Access),
    /// We came to it.
    Host,
}

/// A connection.
pub struct Client {
    /// Whose note.
    pub note: NoteId,
    /// What it may.
    pub role: Role,
    /// Messages that wait for their turn.
    pub inbox: VecDeque<Vec<u8>>,
    /// Their bytes, as the loop thread counts them.
    pub inflow: Arc<Inflow>,
    /// It is being closed: what still comes is dropped.
    pub closing: bool,
    budget: Budget,
}

/// A bucket that fills up with time. Below nothing, the connection waits.
#[derive(Debug)]
struct Budget {
    left: i64,
    filled_ms: u64,
}

impl Budget {
    fn new(now_ms: u64) -> Budget {
        Budget { left: BURST as i64, filled_ms: now_ms }
    }

    fn fill(&mut self, now_ms: u64) {
        let earned = (now_ms - self.filled_ms).saturating_mul(BYTES_A_SECOND) / 1000;
        self.left = self.left.saturating_add_unsigned(earned).min(BURST as i64);
        self.filled_ms = now_ms;
    }

    fn spend(&mut self, bytes: usize) {
        self.left -= (bytes as u64 + MESSAGE) as i64;
    }

    /// When it is out of debt; None: it is.
    fn waits_until_ms(&self) -> Option<u64> {
        let debt = u64::try_from(-self.left).ok().filter(|debt| *debt > 0)?;
        Some(self.filled_ms + debt * 1000 / BYTES_A_SECOND + 1)
    }
}

impl Client {
    /// A new connection.
    pub fn new(note: NoteId, role: Role, inflow: Arc<Inflow>, now_ms: u64) -> Client {
        Client { note, role, inbox: VecDeque::new(), inflow, closing: false, budget: Budget::new(now_ms) }
    }

    /// It has cost us so many bytes, in or out; a long note does not make it wait for minutes.
    pub fn spend(&mut self, bytes: usize) {
        // The host is one that the user chose, and it may have a whole note to tell.
        if self.role != Role::Host {
            self.budget.spend(bytes.min(wire::MAX_UPDATE));
        }
    }
}

impl Running {
    /// What the network tells.
    pub(super) fn notice(&mut self, notice: Net) {
        match notice {
            Net::GuestOpened(opened) => self.guest_opened(opened),
            Net::HostOpened(conn, inflow) => self.host_opened(conn, inflow),
            Net::Message(conn, bytes) => self.queue(conn, bytes),
            Net::Pong(conn) => self.host_ponged(conn),
            Net::Drained(conn) => self.host_drained(conn),
            Net::HostLost { conn, cause, after_ms } => self.host_lost(conn, cause, after_ms),
            Net::Closed { conn, code, status, detail } => {
                self.host_closed(conn, code, status, &detail);
                self.left(conn);
            }
        }
    }

    fn guest_opened(&mut self, opened: Opened) {
        let Opened { conn, note, token, door, inflow } = opened;
        let close = |code, reason| drop(conn.close(code, reason));
        if self.doors.get(&note).is_none_or(|(shared, _)| *shared != door) {
            return close(4404, "no such note is shared here");
        }
        let tokens = self.list.get(&note).and_then(|meta| meta.tokens.as_ref());
        let access = tokens.zip(token.as_deref()).and_then(|(tokens, token)| tokens.access(token));
        let Some(access) = access else { return close(4401, "the link is not valid, or no longer") };
        let now = self.now_ms();
        let Some(room) = self.room(&note) else { return close(1011, "the note cannot be read") };
        if room.guests.len() >= MAX_GUESTS {
            return close(1013, "too many have this note open");
        }
        room.guests.push(conn);
        if access == Access::Read {
            send_to_guest(conn, &wire::encode(&wire::Message::Auth("read-only")));
        }
        send_to_guest(conn, &wire::step1(&room.document.state_vector()));
        for frame in room.presence.frames() {
            send_to_guest(conn, &frame);
        }
        self.clients.insert(conn, Client::new(note, Role::Guest(access), inflow, now));
    }

    /// A message waits for its turn.
    fn queue(&mut self, conn: Conn, bytes: Vec<u8>) {
        let Some(client) = self.clients.get_mut(&conn).filter(|client| !client.closing) else { return };
        client.inbox.push_back(bytes);
        if client.inbox.len() == 1 && client.budget.waits_until_ms().is_none() {
            let note = client.note.clone();
            self.make_ready(note, conn);
        }
    }

    fn make_ready(&mut self, note: NoteId, conn: Conn) {
        let Some(room) = self.rooms.get_mut(&note) else { return };
        if room.ready.is_empty() {
            self.ready.push_back(note);
        }
        room.ready.push_back(conn);
    }

    /// The next message of a room whose turn it is; the connection goes behind the others.
    pub(super) fn next_message(&mut self, note: &NoteId) -> Option<(Conn, Vec<u8>)> {
        loop {
            let conn = self.rooms.get_mut(note)?.ready.pop_front()?;
            let now = self.now_ms();
            let Some(client) = self.clients.get_mut(&conn).filter(|client| !client.closing) else { continue };
            let Some(message) = client.inbox.pop_front() else { continue };
            client.inflow.taken(conn, message.len());
            client.budget.fill(now);
            client.spend(message.len());
            if !client.inbox.is_empty() && client.budget.waits_until_ms().is_none() {
                self.rooms.get_mut(note)?.ready.push_back(conn);
            }
            return Some((conn, message));
        }
    }

    /// Connections that have waited long enough for what they sent too fast.
    pub(super) fn release_delayed(&mut self, now_ms: u64) {
        let mut released = Vec::new();
        for (conn, client) in &mut self.clients {
            if client.budget.waits_until_ms().is_some_and(|until| now_ms >= until) {
                client.budget.fill(now_ms);
                if client.budget.waits_until_ms().is_none() && !client.inbox.is_empty() {
                    released.push((client.note.clone(), *conn));
                }
            }
        }
        for (note, conn) in released {
            self.make_ready(note, conn);
        }
    }

    pub(super) fn guests_due_ms(&self) -> Option<u64> {
        let waiting = self.clients.values().filter(|client| !client.inbox.is_empty());
        waiting.filter_map(|client| client.budget.waits_until_ms()).min()
    }

    /// Ends a connection for what it did.
    pub(super) fn refuse(&mut self, conn: Conn, code: u16, reason: &str) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.closing = true;
            client.inbox.clear();
        }
        // It may have ended by itself.
        let _ = conn.close(code, reason);
    }

    /// A connection is gone: the others hear who left with it.
    pub(super) fn left(&mut self, conn: Conn) {
        let Some(client) = self.clients.remove(&conn) else { return };
        let now = self.now_ms();
        let Some(room) = self.rooms.get_mut(&client.note) else { return };
        room.guests.retain(|guest| *guest != conn);
        room.ready.retain(|ready| *ready != conn);
        if room.host == Some(conn) {
            room.host = None;
            room.host_behind = false;
        }
        room.used_ms = now;
        if let Some(frame) = room.presence.leave(Member::Conn(conn), now) {
            room.pass_on(None, &frame, &mut self.window);
        }
        self.list.changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_too_much_waits() {
        let mut budget = Budget::new(0);
        budget.spend(BURST as usize - 2 * MESSAGE as usize);
        assert_eq!(budget.waits_until_ms(), None, "a burst is free");
        budget.spend(BYTES_A_SECOND as usize);
        let until = budget.waits_until_ms().unwrap();
        assert!((999..=1_002).contains(&until), "{until}");
        budget.fill(until);
        assert_eq!(budget.waits_until_ms(), None);
        budget.fill(u64::MAX / 2);
        assert_eq!(budget.left, BURST as i64, "no more than that is saved up");
    }
}
