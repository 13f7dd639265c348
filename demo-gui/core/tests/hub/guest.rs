//! A plain WebSocket client over the library, for everything that a peer would not say.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use notes_core::wire::{self, Message};
use ws::{CloseInfo, Conn, ConnectOptions, ErrorCode, Handler, Loop, LoopOptions, Peer};

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub enum Said {
    Opened,
    Frame(Vec<u8>),
    Closed { code: u16, reason: String, detail: String },
}

struct Ear(Sender<Said>);

impl Handler for Ear {
    fn on_open(&mut self, _: Peer) {
        let _ = self.0.send(Said::Opened);
    }

    fn on_message(&mut self, _: Peer, message: ws::Message<'_>) {
        let _ = self.0.send(Said::Frame(message.data.to_vec()));
    }

    fn on_close(&mut self, _: Peer, info: &CloseInfo) {
        let (code, reason, detail) = (info.code, info.reason.clone(), info.detail.clone());
        let _ = self.0.send(Said::Closed { code, reason, detail });
    }
}

pub struct Guest {
    pub conn: Conn,
    pub said: Receiver<Said>,
    _loop: Loop,
}

impl Guest {
    /// By a link of a card; connected.
    pub fn by_link(link: &str) -> Guest {
        let target = notes_core::share::parse(link).unwrap();
        let options = ConnectOptions { protocols: target.protocols, ..ConnectOptions::default() };
        Guest::dial(&target.url, options).opened()
    }

    pub fn dial(url: &str, options: ConnectOptions) -> Guest {
        let event_loop = Loop::new(LoopOptions::default()).unwrap();
        event_loop.start().unwrap();
        let (sender, said) = unbounded();
        let conn = event_loop.handle().connect(url, Ear(sender), options).unwrap();
        Guest { conn, said, _loop: event_loop }
    }

    /// What is said next.
    pub fn next(&self) -> Said {
        self.said.recv_timeout(PATIENCE).expect("nothing is said")
    }

    /// Waits for the end; what is said before is passed over.
    pub fn closed(&self) -> (u16, String) {
        loop {
            if let Said::Closed { code, reason, detail } = self.next() {
                return (code, if reason.is_empty() { detail } else { reason });
            }
        }
    }

    /// Waits until it is connected.
    pub fn opened(self) -> Guest {
        match self.next() {
            Said::Opened => self,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a frame that `wanted` takes something out of.
    pub fn until<R>(&self, mut wanted: impl FnMut(Message<'_>) -> Option<R>) -> R {
        loop {
            match self.next() {
                Said::Frame(frame) => {
                    if let Some(found) = wanted(wire::decode(&frame).unwrap()) {
                        return found;
                    }
                }
                Said::Opened => {}
                Said::Closed { code, reason, .. } => panic!("closed with {code} {reason:?}"),
            }
        }
    }

    pub fn send(&self, frame: &[u8]) {
        self.conn.send_binary(frame).unwrap();
    }

    /// Waits for room in the queue; a connection that is closing takes nothing any more.
    pub fn send_if_open(&self, frame: &[u8]) {
        while self.conn.send_binary(frame).is_err_and(|error| error.code == ErrorCode::Full) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks for everything and returns it: the hub has then looked at all that was sent before.
    pub fn all(&self) -> Vec<u8> {
        self.send(&wire::step1(&[0]));
        self.until(|message| match message {
            Message::SyncStep2(update) => Some(update.to_vec()),
            _ => None,
        })
    }
}
