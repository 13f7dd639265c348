//! Those to whom we connect: the host of a joined note.

use std::sync::Arc;

use crossbeam_channel::Sender;
use ws::proto::Kind;
use ws::{CloseInfo, Conn, ConnectOptions, Handle, Handler, Message, Peer, Reconnect, Settings};

use super::{Inflow, Net};
use crate::share::Target;
use crate::wire::MAX_STEP2;

/// How long we wait between attempts, at first and at most.
const RETRY_MS: (u32, u32) = (250, 10_000);

/// A connection that was open for so long was a good one: the next attempt after it comes soon. Hosts that are full or
/// that fail close at once.
const STABLE_MS: u32 = 500;

/// The handler of one connection.
pub struct Host {
    hub: Sender<Net>,
    inflow: Arc<Inflow>,
}

/// Connects, and again whenever the connection is lost, until the host refuses us or the connection is closed here.
pub fn connect(handle: Handle, target: &Target, hub: Sender<Net>) -> ws::Result<Conn> {
    // y-websocket keeps 4400-4499 for what will not change; a host that found us to be too big or to break the rules
    // would find it again.
    let final_codes = (4400..=4499).chain([1008, 1009]).collect();
    let options = ConnectOptions {
        settings: Settings { max_message: MAX_STEP2 as u32 + 1024, ..Settings::default() },
        protocols: target.protocols.clone(),
        reconnect: Some(Reconnect {
            min_ms: RETRY_MS.0,
            max_ms: RETRY_MS.1,
            stable_ms: STABLE_MS,
            final_codes,
            ..Reconnect::default()
        }),
        ..ConnectOptions::default()
    };
    handle.connect(&target.url, Host { hub, inflow: Arc::default() }, options)
}

impl Host {
    fn post(&self, net: Net) {
        // A hub that has ended has closed, or is closing, every connection.
        let _ = self.hub.send(net);
    }
}

impl Handler for Host {
    fn on_open(&mut self, peer: Peer) {
        // What was not yet looked at belongs to the connection before.
        self.inflow = Arc::default();
        self.post(Net::HostOpened(peer.conn, self.inflow.clone()));
    }

    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        if message.kind == Kind::Text {
            return;
        }
        self.inflow.arrived(peer, message.data.len());
        self.post(Net::Message(peer.conn, message.data.to_vec()));
    }

    fn on_pong(&mut self, peer: Peer, _data: &[u8]) {
        self.post(Net::Pong(peer.conn));
    }

    fn on_drain(&mut self, peer: Peer) {
        self.post(Net::Drained(peer.conn));
    }

    fn on_retry(&mut self, peer: Peer, info: &CloseInfo, after_ms: u64) {
        self.post(Net::HostLost { conn: peer.conn, cause: cause(info), after_ms });
    }

    fn on_close(&mut self, peer: Peer, info: &CloseInfo) {
        let status = info.detail.strip_prefix("HTTP ").and_then(|status| status.get(..3)?.parse().ok());
        self.post(Net::Closed { conn: peer.conn, code: info.code, status, detail: cause(info) });
    }
}

fn cause(info: &CloseInfo) -> String {
    match (info.detail.as_str(), info.reason.as_str()) {
        ("", "") => format!("close code {}", info.code),
        ("", reason) => reason.to_owned(),
        (detail, _) => detail.to_owned(),
    }
}
