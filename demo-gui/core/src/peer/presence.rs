//! What we tell of ourselves, and what is heard of the others.

use super::edit::{Edit, shift};
use super::{Caret, Peer, Person, Replica, Thrown};
use crate::wire::{
    AwarenessEntry, Cursor, Position, Presence, RENEWAL_MS, Reaction, User, WireError, awareness, clean_name,
    clean_reaction,
};

/// At most 30 times a second.
const PAUSE_MS: u64 = 1000 / 30;
/// So long is a reaction a part of our state: those who join later do not see it any more.
const REACTION_MS: u64 = 5_000;

/// Our own state.
pub(super) struct Own {
    me: User,
    selection: Option<(usize, usize)>,
    reaction: Option<(Reaction, u64)>,
    reactions: u64,
    clock: u32,
    /// The state that was sent last, and when.
    sent: String,
    sent_ms: Option<u64>,
    /// Something may have changed since.
    touched: bool,
    /// It must be sent even when nothing has changed.
    renew: bool,
    /// The frame that takes back our former identifier.
    farewell: Option<Vec<u8>>,
}

impl Own {
    pub(super) fn new(me: User) -> Self {
        let me = User { name: clean_name(&me.name), ..me };
        Own {
            me,
            selection: None,
            reaction: None,
            reactions: 0,
            clock: 0,
            sent: String::new(),
            sent_ms: None,
            touched: true,
            renew: true,
            farewell: None,
        }
    }

    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    pub(super) fn renew(&mut self) {
        self.renew = true;
    }

    pub(super) fn carry(&mut self, edits: &[Edit]) {
        if let Some((anchor, head)) = &mut self.selection {
            (*anchor, *head) = (shift(*anchor, edits), shift(*head, edits));
        }
        self.touched |= !edits.is_empty();
    }
}

impl Peer {
    /// Our name and colour from now on.
    pub fn set_user(&mut self, me: User) {
        self.own.me = User { name: clean_name(&me.name), ..me };
        self.own.touch();
    }

    /// Where our selection began and where the caret is; None without focus.
    pub fn select(&mut self, selection: Option<(usize, usize)>) {
        let selection = selection.map(|(anchor, head)| {
            (self.mirror.floor_char_boundary(anchor), self.mirror.floor_char_boundary(head))
        });
        if self.own.selection != selection {
            self.own.selection = selection;
            self.own.touch();
        }
    }

    /// Our selection as it is after what others did.
    pub fn selection(&self) -> Option<(usize, usize)> {
        self.own.selection
    }

    /// Throws in an emoji or a few words, for everybody in the note; we see it too. False when nothing of it can be
    /// shown.
    pub fn react(&mut self, what: &str) -> bool {
        let text = clean_reaction(what);
        if text.is_empty() {
            return false;
        }
        self.own.reactions += 1;
        self.own.reaction = Some((Reaction { id: self.own.reactions, text: text.clone() }, self.now_ms));
        self.own.touch();
        self.people.throw(Thrown {
            client: self.replica.client(),
            name: self.own.me.name.clone(),
            color: self.own.me.color.0,
            text,
            at: self.own.selection.map(|(_, head)| head),
        });
        true
    }

    /// Reactions since the last call, our own included.
    pub fn reactions(&mut self) -> Vec<Thrown> {
        let mut thrown = self.people.take_thrown();
        for one in &mut thrown {
            one.at = one.at.map(|at| self.mirror.floor_char_boundary(at));
        }
        thrown
    }

    /// The carets of the others.
    pub fn carets(&self) -> Vec<Caret> {
        self.people.carets(|offset| self.place(offset))
    }

    /// The others in the note.
    pub fn people(&self) -> Vec<Person> {
        self.people.people(|offset| self.place(offset))
    }

    /// A place in the document as one in the mirror; never within a character.
    fn place(&self, offset: usize) -> usize {
        let offset = self.composition.as_ref().map_or(offset, |composition| composition.outward(offset));
        self.mirror.floor_char_boundary(offset)
    }

    pub(super) fn hear(&mut self, entries: &[AwarenessEntry<'_>]) -> Result<(), WireError> {
        let own = self.replica.client();
        let others: Vec<_> = entries.iter().filter(|entry| entry.client != own).copied().collect();
        let change = self.table.apply(&others, self.now_ms)?;
        self.people.update(&change.updated, &self.table, &self.replica, self.now_ms);
        self.people.update(&change.removed, &self.table, &self.replica, self.now_ms);
        for entry in entries.iter().filter(|entry| entry.client == own) {
            // Nobody but us says that we have gone; a hub says it when our connection was cut.
            if entry.clock > self.own.clock || entry.clock == self.own.clock && entry.state == "null" {
                self.own.clock = entry.clock;
                self.own.renew();
            }
        }
        Ok(())
    }

    /// Time has passed: our state is renewed, those of whom nothing was heard go.
    pub fn tick(&mut self, now_ms: u64) {
        self.set_clock(now_ms);
        if self.own.sent_ms.is_some_and(|sent| self.now_ms >= sent + RENEWAL_MS) {
            self.own.renew();
        }
        if self.own.reaction.as_ref().is_some_and(|(_, since)| self.now_ms >= since + REACTION_MS) {
            self.own.reaction = None;
            self.own.touch();
        }
        let gone = self.table.expire(self.now_ms);
        self.people.update(&gone, &self.table, &self.replica, self.now_ms);
    }

    /// When [`tick`](Self::tick) and [`outgoing`](Self::outgoing) have something to do next, if nothing else happens:
    /// a window need not be drawn before.
    pub fn next_tick_ms(&self) -> u64 {
        let sent = self.own.sent_ms;
        if self.own.touched || self.own.renew || !self.outbox.is_empty() {
            return sent.map_or(self.now_ms, |sent| self.now_ms.max(sent + PAUSE_MS));
        }
        let renewal = sent.map_or(self.now_ms, |sent| sent + RENEWAL_MS);
        let reaction = self.own.reaction.as_ref().map(|(_, since)| since + REACTION_MS);
        let expiry = self.table.next_expiry_ms();
        [reaction, expiry].into_iter().flatten().fold(renewal, u64::min)
    }

    /// Hands over what is to be sent. `send` says false when there is no room; what it did not take is not lost: it
    /// comes with the difference that the next call with room sends.
    pub fn outgoing(&mut self, now_ms: u64, mut send: impl FnMut(Vec<u8>) -> bool) {
        self.set_clock(now_ms);
        if self.outbox.flush(&self.replica, &mut send) {
            self.send_presence(&mut send);
        }
    }

    /// Single updates were given up for want of room.
    pub fn must_resync(&self) -> bool {
        self.outbox.must_resync()
    }

    fn send_presence(&mut self, send: &mut dyn FnMut(Vec<u8>) -> bool) {
        let paused = self.own.sent_ms.is_some_and(|sent| self.now_ms < sent + PAUSE_MS);
        if paused || !(self.own.touched || self.own.renew) {
            return;
        }
        if let Some(farewell) = &self.own.farewell {
            if !send(farewell.clone()) {
                return;
            }
            self.own.farewell = None;
        }
        let state = self.presence().to_json();
        if state != self.own.sent || self.own.renew {
            let clock = self.own.clock.saturating_add(1);
            let entry = AwarenessEntry { client: self.replica.client(), clock, state: &state };
            if !send(awareness(&[entry])) {
                return;
            }
            self.own.clock = clock;
            self.own.sent_ms = Some(self.now_ms);
            self.own.sent = state;
        }
        (self.own.touched, self.own.renew) = (false, false);
    }

    fn presence(&self) -> Presence {
        let (doc, text) = self.replica.doc();
        let inward = |offset: usize| {
            self.composition.as_ref().map_or(offset, |composition| composition.inward(offset))
        };
        let position = |offset: usize| Position::new(doc, text, self.replica.index(inward(offset)));
        Presence {
            user: self.own.me.clone(),
            cursor: self.own.selection.map(|(anchor, head)| {
                let (anchor, head) =
                    (self.mirror.floor_char_boundary(anchor), self.mirror.floor_char_boundary(head));
                Cursor { anchor: position(anchor), head: position(head) }
            }),
            reaction: self.own.reaction.as_ref().map(|(reaction, _)| reaction.clone()),
        }
    }

    /// We leave the note: the frame that tells the others.
    pub fn farewell(&mut self) -> Vec<u8> {
        self.own.clock = self.own.clock.saturating_add(1);
        self.own.renew();
        awareness(&[AwarenessEntry { client: self.replica.client(), clock: self.own.clock, state: "null" }])
    }

    /// Somebody else writes under our identifier (a hostile client, or one in four thousand million): what we write from now on is
    /// under another one. What is in the document stays; what could be undone cannot be undone any more.
    pub(super) fn change_client(&mut self) {
        let all = self.replica.difference(&yrs::StateVector::default());
        let farewell = self.farewell();
        let fresh = Replica::new(super::random_client(), self.now_ms);
        self.replica = fresh;
        // It came out of a document of the same library.
        if self.replica.apply(&all).is_ok() {
            self.replica.take_edits(&mut self.mirror);
            self.replica.take_usurped();
        }
        self.own.clock = 0;
        self.own.farewell = Some(farewell);
    }

    /// The document broke over an update that the hub had let through: an empty one takes its place, and the hub is
    /// asked for the text. What was typed and not yet handed over goes out as it is.
    pub(super) fn start_over(&mut self) -> Vec<Edit> {
        self.replica = Replica::new(super::random_client(), self.now_ms);
        self.own.clock = 0;
        self.outbox.ask();
        let edits = self.replica.take_edits(&mut self.mirror);
        self.people.carry(&edits);
        self.own.carry(&edits);
        edits
    }
}
