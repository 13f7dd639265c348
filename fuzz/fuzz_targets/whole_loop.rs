//! The shipped loop over real sockets: bytes decide what raw peers send and when they go, how much each write takes, how
//! time passes, and what the application does inside and outside its callbacks. Whatever happens, every connection gets
//! exactly one `on_close` and nothing after it.
#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ws::net::faults;
use ws::proto::Kind;
use ws::{CloseInfo, Conn, Handler, ListenOptions, Listener, Loop, LoopOptions, Message, Peer, Settings};

const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const PEERS: usize = 4;

#[derive(Default)]
struct World {
    /// The connections that live, and whether they have closed.
    closed: HashMap<Conn, bool>,
    /// What the next callbacks do to their connection.
    acts: Vec<(u8, u8)>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn act(conn: Conn, what: u8, how: u8) {
    let bytes = [how; 70_000];
    // Refusals are fine: what counts is that nothing breaks.
    let _ = match what % 8 {
        0 => conn.send(Kind::Binary, &bytes[..usize::from(how)]).map(drop),
        1 => conn.send(Kind::Binary, &bytes[..usize::from(how) * 270]).map(drop),
        2 => conn.close(1000 + u16::from(how % 16), ""),
        3 => conn.terminate(),
        4 => conn.pause(how % 2 == 0),
        5 => conn.ping(&bytes[..usize::from(how % 126)]),
        6 => conn.subscribe("topic"),
        _ => conn.unsubscribe("topic"),
    };
}

struct App;

fn called(conn: Conn) {
    let next = WORLD.with_borrow_mut(|world| {
        assert!(!world.closed.insert(conn, false).unwrap_or(false), "a callback after on_close");
        world.acts.pop()
    });
    if let Some((what, how)) = next {
        act(conn, what, how);
    }
}

impl Handler for App {
    fn on_open(&mut self, peer: Peer) {
        called(peer.conn);
    }

    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        let _ = peer.send(message.kind, message.data);
        called(peer.conn);
    }

    fn on_pong(&mut self, peer: Peer, _data: &[u8]) {
        called(peer.conn);
    }

    fn on_drain(&mut self, peer: Peer) {
        called(peer.conn);
    }

    fn on_close(&mut self, peer: Peer, _info: &CloseInfo) {
        called(peer.conn);
        WORLD.with_borrow_mut(|world| world.closed.insert(peer.conn, true));
    }

    fn on_listener_close(&mut self, _listener: Listener, _user: usize) {}
}

/// The script, read from the front.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// A raw peer that leaves by a reset, so that thousands of runs do not use up the ports.
fn raw_peer(port: u16) -> Option<TcpStream> {
    let peer = TcpStream::connect(("127.0.0.1", port)).ok()?;
    rustix::net::sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).ok()?;
    peer.set_nonblocking(true).ok()?;
    Some(peer)
}

fn play(script: &mut Script<'_>, event_loop: &Loop, port: u16, peers: &mut Vec<TcpStream>) -> Option<()> {
    let step = script.byte()?;
    let who = usize::from(step >> 4) % PEERS;
    match step % 16 {
        0 if peers.len() < PEERS => {
            let mut peer = raw_peer(port)?;
            let _ = peer.write(HANDSHAKE);
            peers.push(peer);
        }
        1 if peers.len() < PEERS => peers.push(raw_peer(port)?),
        2..=4 => {
            let count = script.byte()?;
            let bytes = script.bytes(usize::from(count));
            if let Some(peer) = peers.get_mut(who) {
                let _ = peer.write(bytes);
            }
        }
        5 => {
            if let Some(peer) = peers.get_mut(who) {
                let _ = peer.read(&mut [0; 8192]);
            }
        }
        6 if who < peers.len() => drop(peers.swap_remove(who)),
        7 => {
            if let Some(peer) = peers.get(who) {
                let _ = peer.shutdown(std::net::Shutdown::Write);
            }
        }
        8 => {
            let next = (script.byte()?, script.byte()?);
            WORLD.with_borrow_mut(|world| world.acts.push(next));
        }
        9 => {
            let (what, how) = (script.byte()?, script.byte()?);
            let conn = WORLD.with_borrow(|world| world.closed.keys().nth(who).copied());
            if let Some(conn) = conn {
                act(conn, what, how);
            }
        }
        10 => faults::advance_clock(1 << (script.byte()? % 28)),
        11 => {
            let count = script.byte()? % 16;
            faults::script_writes(script.bytes(usize::from(count)));
        }
        12 => drop(event_loop.handle().publish("topic", None, Kind::Text, b"published")),
        _ => event_loop.run_once(Some(Duration::ZERO)).unwrap(),
    }
    Some(())
}

fuzz_target!(|input: &[u8]| {
    WORLD.set(World::default());
    faults::script_writes(&[]);
    let event_loop = Rc::new(Loop::new(LoopOptions::default()).unwrap());
    let settings = Settings { max_message: 100_000, max_buffered: 300_000, ..Settings::default() };
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", App, options).unwrap();
    let port = listener.port().unwrap();
    let mut peers = Vec::new();
    let mut script = Script(input);
    while play(&mut script, &event_loop, port, &mut peers).is_some() {}
    drop(event_loop);
    WORLD.with_borrow(|world| assert!(world.closed.values().all(|closed| *closed), "an on_close is missing"));
});
