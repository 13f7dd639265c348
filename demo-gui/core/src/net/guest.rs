//! Those who connect to us: browsers, other apps, any y-websocket client.

use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_channel::Sender;
use ws::proto::Kind;
use ws::{CloseInfo, Conn, Decision, Handler, Incoming, Message, Peer};

use super::{Inflow, Net, page};
use crate::link::NoteId;
use crate::share::{AUTH_PREFIX, is_note_name};

/// Upgrades that were accepted and have not opened yet; more are not remembered.
const MAX_PENDING: usize = 1024;

/// Somebody has connected.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub conn: Conn,
    /// Which note they ask for.
    pub note: NoteId,
    /// What they have to show for it.
    pub token: Option<String>,
    /// Where they came in: the number of the listener.
    pub door: u32,
    /// What of theirs the hub has not yet looked at.
    pub inflow: Arc<Inflow>,
}

/// The handler of one listener.
pub struct Guests {
    door: u32,
    hub: Sender<Net>,
    next: usize,
    pending: HashMap<usize, (NoteId, Option<String>)>,
    inflows: HashMap<Conn, Arc<Inflow>>,
}

impl Guests {
    /// Of the listener with this number.
    pub fn new(door: u32, hub: Sender<Net>) -> Guests {
        Guests { door, hub, next: 0, pending: HashMap::new(), inflows: HashMap::new() }
    }

    fn post(&self, net: Net) {
        // A hub that has ended has closed, or is closing, every connection.
        let _ = self.hub.send(net);
    }
}

impl Handler for Guests {
    fn on_upgrade(&mut self, incoming: Incoming<'_>) -> Decision {
        let target = incoming.head.target.as_str();
        let Some(note) = note_of(target) else { return Decision::Refuse(404) };
        let offered = incoming.head.headers.get_all("sec-websocket-protocol");
        let offered = offered.iter().filter_map(|value| value.to_str().ok());
        let token = token_of_protocols(offered).or_else(|| token_of_query(target));
        if self.pending.len() >= MAX_PENDING {
            self.pending.clear();
        }
        self.next += 1;
        if incoming.request.set_user(self.next).is_err() {
            return Decision::Refuse(500);
        }
        self.pending.insert(self.next, (note, token));
        Decision::Accept
    }

    fn takes_requests(&self) -> bool {
        true
    }

    fn on_request(&mut self, incoming: Incoming<'_>) {
        let answer = page::answer(incoming.head);
        // The browser may have gone.
        let _ = incoming.request.respond(answer.status, &answer.headers, answer.body);
    }

    fn on_open(&mut self, peer: Peer) {
        let Some((note, token)) = self.pending.remove(&peer.user) else {
            let _ = peer.close(1013, "too many connections are opening");
            return;
        };
        let inflow = Arc::new(Inflow::default());
        self.inflows.insert(peer.conn, inflow.clone());
        self.post(Net::GuestOpened(Opened { conn: peer.conn, note, token, door: self.door, inflow }));
    }

    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        let Some(inflow) = self.inflows.get(&peer.conn) else { return };
        if message.kind == Kind::Text {
            let _ = peer.close(1003, "messages are binary");
            return;
        }
        inflow.arrived(peer, message.data.len());
        self.post(Net::Message(peer.conn, message.data.to_vec()));
    }

    fn on_close(&mut self, peer: Peer, info: &CloseInfo) {
        if self.inflows.remove(&peer.conn).is_some() {
            let detail = info.detail.clone();
            self.post(Net::Closed { conn: peer.conn, code: info.code, status: None, detail });
        }
    }
}

fn note_of(target: &str) -> Option<NoteId> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let name = path.strip_prefix("/ws/")?;
    is_note_name(name).then(|| NoteId(name.to_owned()))
}

fn token_of_protocols<'a>(mut offered: impl Iterator<Item = &'a str>) -> Option<String> {
    offered.find_map(|line| {
        line.split(',').find_map(|name| name.trim().strip_prefix(AUTH_PREFIX).map(str::to_owned))
    })
}

fn token_of_query(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("token=").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_the_last_part_of_the_path() {
        assert_eq!(note_of("/ws/abc?token=x"), Some(NoteId("abc".into())));
        for no in ["/ws/", "/ws", "/ws/a/b", "/ws/..", "/abc", "*", "/ws/%41", "/WS/a", "/ws/\u{4e2d}"] {
            assert_eq!(note_of(no), None, "{no}");
        }
    }

    #[test]
    fn a_token_comes_as_a_subprotocol_or_in_the_query() {
        let protocols = ["libws-notes.v1, auth.abc"];
        assert_eq!(token_of_protocols(protocols.into_iter()), Some("abc".into()));
        assert_eq!(token_of_protocols(["libws-notes.v1", "auth.x"].into_iter()), Some("x".into()));
        assert_eq!(token_of_protocols(["other"].into_iter()), None);
        assert_eq!(token_of_query("/ws/a?x=1&token=abc&y"), Some("abc".into()));
        assert_eq!(token_of_query("/ws/a?xtoken=abc"), None);
        assert_eq!(token_of_query("/ws/a"), None);
    }
}
