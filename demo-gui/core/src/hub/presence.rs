//! Who is in a room, and over which connection they came.
//!
//! A client's id belongs to the connection that announced it first, as long as it is heard: nobody else can speak for it,
//! or send it away. A client whose connection was cut without a word comes back over a new one when the old one has been
//! silent for longer than any client is.

use std::collections::HashMap;

use super::room::Member;
use crate::wire::{AwarenessEntry, AwarenessTable, MAX_CLIENTS, RENEWAL_MS, WireError, awareness};

/// An id is free for another connection after so long a silence.
const TAKEN_OVER_MS: u64 = RENEWAL_MS + 5_000;

/// Clients that a host may tell of; it speaks for everybody at its side.
const MAX_OF_HOST: usize = 4096;

const NULL: &str = "null";

/// The clients of a room.
#[derive(Debug, Default)]
pub struct Presence {
    table: AwarenessTable,
    owners: HashMap<u64, Member>,
}

/// What follows from an awareness message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// For everybody, the sender too.
    pub news: Option<Vec<u8>>,
    /// For the sender: a client of his is believed to have gone, and has to speak up with a newer clock.
    pub gone: Option<Vec<u8>>,
    /// For the window: the host believes that it has gone.
    pub window: Option<Vec<u8>>,
}

impl Presence {
    /// Takes in a message of `from`.
    pub fn hear(
        &mut self,
        from: Member,
        of_host: bool,
        entries: &[AwarenessEntry<'_>],
        now_ms: u64,
    ) -> Result<Heard, WireError> {
        let own: Vec<_> =
            entries.iter().filter(|entry| self.may_speak(from, entry.client, now_ms)).copied().collect();
        let more = own.iter().filter(|entry| self.owners.get(&entry.client) != Some(&from)).count();
        let most = if of_host { MAX_OF_HOST } else { MAX_CLIENTS };
        if self.count(from) + more > most {
            return Err(WireError::TooManyClients);
        }
        let change = self.table.apply(&own, now_ms)?;
        let gone = own.iter().filter(|entry| entry.state != NULL && self.table.state(entry.client).is_none());
        let gone = self.table.frame(gone.map(|entry| entry.client));
        for client in &change.updated {
            self.owners.insert(*client, from);
        }
        for client in &change.removed {
            self.owners.remove(client);
        }
        let news = self.table.frame(change.updated.iter().chain(&change.removed).copied());
        let window = if of_host { self.of_window(entries) } else { None };
        Ok(Heard { news, gone, window })
    }

    fn may_speak(&self, from: Member, client: u64, now_ms: u64) -> bool {
        match self.owners.get(&client) {
            None => true,
            Some(owner) if *owner == from => true,
            Some(Member::Window) => false,
            Some(Member::Conn(_)) => {
                self.table.heard_ms(client).is_none_or(|heard| now_ms >= heard + TAKEN_OVER_MS)
            }
        }
    }

    /// What a host says of the window's own client is of interest to the window alone, and only that it has gone.
    fn of_window(&self, entries: &[AwarenessEntry<'_>]) -> Option<Vec<u8>> {
        let of_window = |entry: &&AwarenessEntry<'_>| {
            entry.state == NULL
                && self.owners.get(&entry.client) == Some(&Member::Window)
                && self.table.clock(entry.client).is_some_and(|clock| entry.clock >= clock)
        };
        let entries: Vec<_> = entries.iter().filter(of_window).copied().collect();
        (!entries.is_empty()).then(|| awareness(&entries))
    }

    fn count(&self, member: Member) -> usize {
        self.owners.values().filter(|owner| **owner == member).count()
    }

    /// A member has left; what the others are to hear of it.
    pub fn leave(&mut self, member: Member, now_ms: u64) -> Option<Vec<u8>> {
        let mut gone: Vec<u64> =
            self.owners.iter().filter(|(_, owner)| **owner == member).map(|(client, _)| *client).collect();
        gone.sort_unstable();
        self.owners.retain(|_, owner| *owner != member);
        self.table.remove(gone, now_ms)
    }

    /// Those of whom nothing was heard for half a minute have gone.
    pub fn expire(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let gone = self.table.expire(now_ms);
        for client in &gone {
            self.owners.remove(client);
        }
        self.table.frame(gone)
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.table.next_expiry_ms()
    }

    /// Everybody, for one who has just come.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        self.table.frames()
    }

    /// Those that came over one connection.
    pub fn frame_of(&self, member: Member) -> Option<Vec<u8>> {
        let mut own: Vec<u64> =
            self.owners.iter().filter(|(_, owner)| **owner == member).map(|(client, _)| *client).collect();
        own.sort_unstable();
        self.table.frame(own)
    }

    /// How many there are besides the window.
    pub fn others(&self) -> u32 {
        let window = self.count(Member::Window);
        self.table.clients().count().saturating_sub(window) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Message, decode};
    use ws::Conn;

    const A: Member = Member::Conn(Conn::from_raw(1));
    const B: Member = Member::Conn(Conn::from_raw(2));

    fn entry(client: u64, clock: u32, state: &str) -> AwarenessEntry<'_> {
        AwarenessEntry { client, clock, state }
    }

    fn told(frame: Option<Vec<u8>>) -> Vec<(u64, u32, bool)> {
        let Some(frame) = frame else { return Vec::new() };
        let Message::Awareness(entries) = decode(&frame).unwrap() else { panic!("no awareness") };
        entries.iter().map(|entry| (entry.client, entry.clock, entry.state != NULL)).collect()
    }

    #[test]
    fn nobody_speaks_for_another() {
        let mut room = Presence::default();
        room.hear(A, false, &[entry(7, 1, "{}")], 0).unwrap();
        let forged = room.hear(B, false, &[entry(7, 9, "null"), entry(8, 1, "{}")], 10).unwrap();
        assert_eq!(told(forged.news), [(8, 1, true)], "only his own");
        assert_eq!(room.others(), 2);
        assert_eq!(told(room.leave(B, 20)), [(8, 1, false)]);
        assert_eq!(told(room.leave(A, 30)), [(7, 1, false)]);
        assert_eq!(room.others(), 0);
    }

    #[test]
    fn a_client_comes_back_over_another_connection() {
        let mut room = Presence::default();
        room.hear(A, false, &[entry(7, 1, "{}")], 0).unwrap();
        assert_eq!(room.hear(B, false, &[entry(7, 2, "{}")], 19_999).unwrap().news, None);
        assert_eq!(told(room.hear(B, false, &[entry(7, 2, "{}")], 20_000).unwrap().news), [(7, 2, true)]);
        assert_eq!(room.leave(A, 20_001), None, "it is B's now");
    }

    #[test]
    fn one_who_is_believed_gone_hears_of_it() {
        let mut room = Presence::default();
        room.hear(A, false, &[entry(7, 5, "{}")], 0).unwrap();
        room.leave(A, 1);
        let heard = room.hear(B, false, &[entry(7, 5, "{}")], 2).unwrap();
        assert_eq!((told(heard.news), told(heard.gone)), (vec![], vec![(7, 5, false)]));
        let heard = room.hear(B, false, &[entry(7, 6, "{}")], 3).unwrap();
        assert_eq!((told(heard.news), told(heard.gone)), (vec![(7, 6, true)], vec![]));
    }

    #[test]
    fn a_connection_has_64_clients_at_most() {
        let mut room = Presence::default();
        for client in 0..64 {
            room.hear(A, false, &[entry(client, 1, "{}")], 0).unwrap();
        }
        assert_eq!(room.hear(A, false, &[entry(64, 1, "{}")], 0), Err(WireError::TooManyClients));
        room.hear(A, false, &[entry(3, 2, "null")], 0).unwrap();
        room.hear(A, false, &[entry(64, 1, "{}")], 0).unwrap();
    }

    #[test]
    fn the_window_hears_that_its_host_lost_it() {
        let mut room = Presence::default();
        room.hear(Member::Window, false, &[entry(7, 5, "{}")], 0).unwrap();
        let heard = room.hear(A, true, &[entry(7, 6, "null"), entry(9, 1, "{}")], 1).unwrap();
        assert_eq!((told(heard.window), told(heard.news)), (vec![(7, 6, false)], vec![(9, 1, true)]));
        assert_eq!(room.hear(A, true, &[entry(7, 5, "{}")], 1).unwrap(), Heard::default(), "its echo");
    }

    #[test]
    fn the_silent_go() {
        let mut room = Presence::default();
        room.hear(A, false, &[entry(7, 5, "{}")], 0).unwrap();
        assert_eq!(room.next_expiry_ms(), Some(30_000));
        assert_eq!(room.expire(29_999), None);
        assert_eq!(told(room.expire(30_000)), [(7, 5, false)]);
        assert_eq!(room.next_expiry_ms(), None);
    }
}
