//! What is said in a room: the y-websocket protocol, as far as each may speak.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::guests::Role;
use super::room::{Member, Room, send_to_guest};
use super::turn::Running;
use crate::link::{Event, Failure, NoteId};
use crate::share::Access;
use crate::wire::{self, ApplyError, MAX_STEP2, MAX_UPDATE, Message, WireError};

/// How long one room may work in one turn, and how many messages. The last message may take longer: its cost is
/// bounded by the checks before it is applied.
const SLICE: Duration = Duration::from_millis(3);
const MESSAGES: usize = 64;

/// What one update of a guest may take of the hub's time: the other rooms wait meanwhile. What the window does, and what a
/// host tells that the user has chosen, may take as long as a whole note needs.
const GUEST_UPDATE: Duration = Duration::from_millis(60);

/// A note that others may write to is no longer than this, encoded.
pub const MAX_SHARED: usize = 8 << 20;

/// Why a connection is closed.
struct Fault {
    code: u16,
    reason: String,
}

impl Fault {
    fn new(code: u16, reason: impl Into<String>) -> Fault {
        Fault { code, reason: reason.into() }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Fault {
        let code = if matches!(error, WireError::TooBig(_)) { 1009 } else { 1008 };
        Fault::new(code, error.to_string())
    }
}

impl Running {
    /// One turn of one room.
    pub(super) fn work_in(&mut self, note: &NoteId) {
        let start = Instant::now();
        for _ in 0..MESSAGES {
            let Some((conn, message)) = self.next_message(note) else { return };
            self.hear(note, Member::Conn(conn), &message);
            if start.elapsed() >= SLICE {
                break;
            }
        }
        if self.rooms.get(note).is_some_and(|room| !room.ready.is_empty()) {
            self.ready.push_back(note.clone());
        }
    }

    /// One frame. Whoever breaks the rules, or the document, is sent away; the room goes on.
    pub(super) fn hear(&mut self, note: &NoteId, from: Member, frame: &[u8]) {
        let heard = catch_unwind(AssertUnwindSafe(|| self.hear_all(note, from, frame)));
        let fault = match heard {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(_) => {
                self.rebuild(note);
                Fault::new(1008, "the document broke over an update")
            }
        };
        match from {
            Member::Conn(conn) => {
                self.host_refused(conn, fault.code);
                self.refuse(conn, fault.code, &fault.reason);
            }
            Member::Window => self.window.tell(Event::Failed(Failure::Store(fault.reason))),
        }
    }

    fn hear_all(&mut self, note: &NoteId, from: Member, frame: &[u8]) -> Result<(), Fault> {
        for message in wire::decode_all(frame)? {
            match message {
                Message::SyncStep1(vector) => self.answer(note, from, vector)?,
                Message::SyncStep2(update) => {
                    if self.is_news(note, update)? {
                        self.change(note, from, update)?;
                    }
                    self.host_synced(from);
                }
                Message::Update(update) => self.change(note, from, update)?,
                Message::Awareness(entries) => self.presence(note, from, &entries)?,
                Message::QueryAwareness => {
                    let frames = self.rooms.get(note).map(|room| room.presence.frames()).unwrap_or_default();
                    frames.iter().for_each(|frame| self.reply(note, from, frame));
                }
                Message::Auth(_) => self.host_denied(from),
            }
        }
        Ok(())
    }

    fn role(&self, from: Member) -> Option<Role> {
        match from {
            Member::Window => None,
            Member::Conn(conn) => self.clients.get(&conn).map(|client| client.role),
        }
    }

    fn is_host(&self, from: Member) -> bool {
        self.role(from) == Some(Role::Host)
    }

    /// Sends a frame to one member.
    fn reply(&mut self, note: &NoteId, to: Member, frame: &[u8]) {
        match to {
            Member::Window => self.window.frame(note, frame),
            Member::Conn(conn) => {
                if let Some(client) = self.clients.get_mut(&conn) {
                    client.spend(frame.len());
                }
                send_to_guest(conn, frame);
            }
        }
    }

    /// Step 2 for a step 1.
    fn answer(&mut self, note: &NoteId, from: Member, vector: &[u8]) -> Result<(), Fault> {
        let has = wire::decode_state_vector(vector)?;
        let Some(room) = self.rooms.get(note) else { return Ok(()) };
        let frame = wire::step2(&room.document.difference(&has));
        self.reply(note, from, &frame);
        if let Member::Conn(conn) = from {
            self.host_has(conn, has);
        }
        Ok(())
    }

    /// A step 2 always tells of all deletions, and mostly of nothing else: then it is compared before it is passed on.
    fn is_news(&self, note: &NoteId, update: &[u8]) -> Result<bool, Fault> {
        let Some(room) = self.rooms.get(note) else { return Ok(false) };
        let has_blocks = update.first() != Some(&0);
        Ok(has_blocks || room.document.would_change(update)?)
    }

    fn change(&mut self, note: &NoteId, from: Member, update: &[u8]) -> Result<(), Fault> {
        let role = self.role(from);
        let now = self.now_ms();
        let Some(room) = self.rooms.get_mut(note) else { return Ok(()) };
        if role == Some(Role::Guest(Access::Read)) {
            return match room.document.would_change(update)? {
                true => Err(Fault::new(4403, "this link is for reading only")),
                false => Ok(()),
            };
        }
        check_size(room, role, update.len())?;
        let is_guest = matches!(role, Some(Role::Guest(_)));
        room.document.take_at_most(is_guest.then_some(GUEST_UPDATE));
        let (changes, result) = room.document.apply(update);
        let offline = room.host.is_none();
        let changed = !changes.is_empty();
        for change in changes {
            room.changed(Some(from), change, &mut self.window, now);
        }
        if changed {
            self.note_changed(note, offline);
        }
        match result {
            Ok(()) => Ok(()),
            Err(ApplyError::Invalid(error)) => Err(error.into()),
            Err(ApplyError::Broken) => {
                self.rebuild(note);
                Err(Fault::new(1008, "the document broke over an update"))
            }
        }
    }

    fn presence(
        &mut self,
        note: &NoteId,
        from: Member,
        entries: &[wire::AwarenessEntry<'_>],
    ) -> Result<(), Fault> {
        let of_host = self.is_host(from);
        let now = self.now_ms();
        let Some(room) = self.rooms.get_mut(note) else { return Ok(()) };
        let before = room.presence.others();
        let heard = room.presence.hear(from, of_host, entries, now)?;
        if let Some(frame) = &heard.news {
            room.pass_on(Some(from), frame, &mut self.window);
        }
        if room.presence.others() != before {
            self.list.changed();
        }
        if let Some(frame) = &heard.window {
            self.window.frame(note, frame);
        }
        if let Some(frame) = &heard.gone {
            self.reply(note, from, frame);
        }
        Ok(())
    }

    /// The document is made again from what is on disk and what is on its way there.
    pub(super) fn rebuild(&mut self, note: &NoteId) {
        let loaded = self.store.load(note);
        let Some(room) = self.rooms.get_mut(note) else { return };
        let document = loaded
            .map_err(|error| error.to_string())
            .and_then(|loaded| super::document::Document::load(&loaded, room.unsaved.missing_in_store()));
        match document {
            // The broken one is not dropped: it may still be locked, or break again.
            Ok(document) => std::mem::forget(std::mem::replace(&mut room.document, document)),
            Err(error) => self.window.tell(Event::Failed(Failure::Store(error))),
        }
    }

    pub(super) fn expire_presence(&mut self, now_ms: u64) {
        for room in self.rooms.values_mut() {
            if room.presence.next_expiry_ms().is_some_and(|due| now_ms >= due)
                && let Some(frame) = room.presence.expire(now_ms)
            {
                room.pass_on(None, &frame, &mut self.window);
                self.list.changed();
            }
        }
    }

    pub(super) fn presence_due_ms(&self) -> Option<u64> {
        self.rooms.values().filter_map(|room| room.presence.next_expiry_ms()).min()
    }

    /// The window gets the whole of what it missed.
    pub(super) fn catch_up(&mut self) {
        for note in self.window.take_behind() {
            let Some(room) = self.rooms.get(&note) else { continue };
            let all = wire::change(&room.document.difference(&yrs::StateVector::default()));
            self.window.frame(&note, &all);
            for frame in room.presence.frames() {
                self.window.frame(&note, &frame);
            }
        }
    }
}

/// Updates and notes have limits; the window's are those of the protocol.
fn check_size(room: &mut Room, role: Option<Role>, len: usize) -> Result<(), Fault> {
    let (one, all) = match role {
        Some(Role::Guest(_)) => (MAX_UPDATE, MAX_SHARED),
        Some(Role::Host) | None => (MAX_STEP2, MAX_STEP2),
    };
    if len > one {
        return Err(Fault::new(1009, format!("an update has at most {} KiB", one >> 10)));
    }
    // What was deleted still counts until the document is encoded again.
    if room.document.bytes() + len > all && room.document.snapshot().len() + len > all {
        return Err(Fault::new(1009, format!("a note has at most {} MiB", all >> 20)));
    }
    Ok(())
}
