//! The others in a note: who they are, where their carets are, what they throw in.

use std::collections::BTreeMap;

use yrs::Transact;

use super::edit::{Edit, carry};
use super::replica::Replica;
use crate::wire::{AwarenessTable, Presence};

/// Somebody else's caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caret {
    /// The client.
    pub client: u64,
    /// For the flag.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Where the selection began: a byte offset of the text.
    pub anchor: usize,
    /// Where the caret is.
    pub head: usize,
    /// When it was last seen to move, so that its flag can fade.
    pub seen_ms: u64,
}

/// Somebody else in the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The client.
    pub client: u64,
    /// As it calls itself, made harmless.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Where its caret is, when it has one.
    pub head: Option<usize>,
}

/// A reaction just thrown in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thrown {
    /// By which client.
    pub client: u64,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: [u8; 3],
    /// An emoji or a few words.
    pub text: String,
    /// Beside which place in the text; None when it has no caret.
    pub at: Option<usize>,
}

struct Known {
    presence: Presence,
    /// In the document, not the mirror: they differ while an input method is at work.
    caret: Option<(usize, usize)>,
    /// The caret is at a place that we do not have yet.
    unresolved: bool,
    moved_ms: u64,
}

#[derive(Default)]
pub(super) struct People {
    known: BTreeMap<u64, Known>,
    thrown: Vec<Thrown>,
}

/// Reactions that nobody has fetched.
const MAX_THROWN: usize = 64;

impl People {
    /// Reads anew what these clients say.
    pub(super) fn update(&mut self, clients: &[u64], table: &AwarenessTable, replica: &Replica, now_ms: u64) {
        for &client in clients {
            match table.state(client).and_then(Presence::from_json) {
                Some(presence) => self.learn(client, presence, replica, now_ms),
                None => drop(self.known.remove(&client)),
            }
        }
    }

    fn learn(&mut self, client: u64, presence: Presence, replica: &Replica, now_ms: u64) {
        let was = self.known.get(&client);
        let moved = was.is_none_or(|was| was.presence.cursor != presence.cursor);
        let old_reaction = was.and_then(|was| was.presence.reaction.as_ref()).map(|reaction| reaction.id);
        let moved_ms = if moved { now_ms } else { was.map_or(now_ms, |was| was.moved_ms) };
        let caret = if moved { resolve(&presence, replica) } else { was.and_then(|was| was.caret) };
        if let Some(reaction) = presence.reaction.as_ref().filter(|new| Some(new.id) != old_reaction) {
            let thrown = Thrown {
                client,
                name: presence.user.name.clone(),
                color: presence.user.color.0,
                text: reaction.text.clone(),
                at: caret.map(|(_, head)| head),
            };
            self.throw(thrown);
        }
        let unresolved = presence.cursor.is_some() && caret.is_none();
        self.known.insert(client, Known { presence, caret, unresolved, moved_ms });
    }

    pub(super) fn throw(&mut self, thrown: Thrown) {
        if self.thrown.len() < MAX_THROWN {
            self.thrown.push(thrown);
        }
    }

    pub(super) fn take_thrown(&mut self) -> Vec<Thrown> {
        std::mem::take(&mut self.thrown)
    }

    /// The document has changed so.
    pub(super) fn carry(&mut self, edits: &[Edit]) {
        for known in self.known.values_mut() {
            if let Some((anchor, head)) = &mut known.caret {
                (*anchor, *head) = (carry(*anchor, edits), carry(*head, edits));
            }
        }
    }

    /// The document has more in it: carets whose places were not known may be found now.
    pub(super) fn resolve_again(&mut self, replica: &Replica) {
        for known in self.known.values_mut().filter(|known| known.unresolved) {
            known.caret = resolve(&known.presence, replica);
            known.unresolved = known.caret.is_none();
        }
    }

    /// `place` makes a place in the mirror of one in the document.
    pub(super) fn carets(&self, place: impl Fn(usize) -> usize) -> Vec<Caret> {
        let caret = |(&client, known): (&u64, &Known)| {
            let (anchor, head) = known.caret?;
            let user = &known.presence.user;
            Some(Caret {
                client,
                name: user.name.clone(),
                color: user.color.0,
                anchor: place(anchor),
                head: place(head),
                seen_ms: known.moved_ms,
            })
        };
        self.known.iter().filter_map(caret).collect()
    }

    pub(super) fn people(&self, place: impl Fn(usize) -> usize) -> Vec<Person> {
        let person = |(&client, known): (&u64, &Known)| Person {
            client,
            name: known.presence.user.name.clone(),
            color: known.presence.user.color.0,
            head: known.caret.map(|(_, head)| place(head)),
        };
        self.known.iter().map(person).collect()
    }
}

fn resolve(presence: &Presence, replica: &Replica) -> Option<(usize, usize)> {
    let cursor = presence.cursor.as_ref()?;
    let (doc, text) = replica.doc();
    let (anchor, head) = {
        let txn = doc.transact();
        (cursor.anchor.offset(&txn, text)?, cursor.head.offset(&txn, text)?)
    };
    Some((replica.offset(anchor), replica.offset(head)))
}
