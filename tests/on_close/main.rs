//! Whatever happens to a connection, it gets exactly one `on_close`, and nothing after it: random lives through the
//! C ABI, over real sockets.
#![allow(unsafe_code)]

// Only to link the library whose C functions are declared in `ffi`.
use ws as _;

mod ffi;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};

use ffi::*;
use proptest::prelude::*;

/// What the callbacks of one connection have told, and what they do next.
#[derive(Default, Debug)]
struct Life {
    opens: u32,
    closes: u32,
    after_close: u32,
}

#[derive(Default)]
struct World {
    lives: HashMap<u64, Life>,
    /// What the next callbacks do to their own connection.
    meddling: Vec<Act>,
    listener_closes: u32,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Something done to a connection.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send(usize),
    Close(i32),
    Terminate,
    Pause(bool),
    Nothing,
}

impl Act {
    fn on(self, conn: u64) {
        let bytes = vec![7u8; 100_000];
        match self {
            // SAFETY: the bytes are readable for that length.
            Act::Send(len) => drop(unsafe { libws_send(conn, 2, bytes.as_ptr().cast(), len) }),
            // SAFETY: a NULL reason is allowed.
            Act::Close(code) => drop(unsafe { libws_close(conn, code, null()) }),
            Act::Terminate => drop(libws_terminate(conn)),
            Act::Pause(paused) => drop(libws_pause(conn, i32::from(paused))),
            Act::Nothing => {}
        }
    }
}

/// Notes the call, then does the next act inside it.
fn called(conn: u64, note: impl FnOnce(&mut Life)) {
    let act = WORLD.with_borrow_mut(|world| {
        let life = world.lives.entry(conn).or_default();
        if life.closes > 0 {
            life.after_close += 1;
        }
        note(life);
        world.meddling.pop()
    });
    act.unwrap_or(Act::Nothing).on(conn);
}

unsafe extern "C" fn on_open(conn: u64, _: *mut c_void) {
    called(conn, |life| life.opens += 1);
}

unsafe extern "C" fn on_message(conn: u64, _: *const c_void, _: *mut c_void) {
    called(conn, |_| ());
}

unsafe extern "C" fn on_pong(conn: u64, _: *const c_void, _: usize, _: *mut c_void) {
    called(conn, |_| ());
}

unsafe extern "C" fn on_drain(conn: u64, _: *mut c_void) {
    called(conn, |_| ());
}

unsafe extern "C" fn on_close(conn: u64, _: *const c_void, _: *mut c_void) {
    called(conn, |life| life.closes += 1);
}

unsafe extern "C" fn on_listener_close(_: u64, _: *mut c_void) {
    WORLD.with_borrow_mut(|world| world.listener_closes += 1);
}

fn handlers() -> Handlers {
    Handlers {
        struct_size: size_of::<Handlers>(),
        on_upgrade: None,
        on_request: None,
        on_open: Some(on_open),
        on_message: Some(on_message),
        on_pong: Some(on_pong),
        on_drain: Some(on_drain),
        on_close: Some(on_close),
        on_listener_close: Some(on_listener_close),
    }
}

/// One step of a random life.
#[derive(Clone, Debug)]
enum Step {
    /// A client of the library connects to its server, or to a port where nobody listens.
    Connect {
        refused: bool,
    },
    /// A raw peer connects and sends these bytes after a good handshake.
    RawPeer(Vec<u8>),
    /// The raw peer of this number sends, or goes.
    RawSend(usize, Vec<u8>),
    RawGo(usize),
    /// An act on the connection of this number, from outside a callback.
    Act(usize, Act),
    /// An act inside the next callback.
    Meddle(Act),
    Turn,
    CloseListener,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0usize..100_000).prop_map(Act::Send),
        prop_oneof![Just(0), Just(1000), Just(3001), Just(1005)].prop_map(Act::Close),
        Just(Act::Terminate),
        any::<bool>().prop_map(Act::Pause),
    ]
}

/// Frames with the key 0, good and bad, and rubbish.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![0x81, 0x82, 0, 0, 0, 0, b'h', b'i']),
        Just(vec![0x89, 0x80, 0, 0, 0, 0]),
        Just(vec![0x8a, 0x80, 0, 0, 0, 0]),
        Just(vec![0x88, 0x82, 0, 0, 0, 0, 3, 232]),
        Just(vec![0x01, 0x82, 0, 0, 0, 0, b'h', b'i']),
        Just(vec![0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 1]),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(|refused| Step::Connect { refused }),
        2 => wire().prop_map(Step::RawPeer),
        3 => (0usize..6, wire()).prop_map(|(who, bytes)| Step::RawSend(who, bytes)),
        1 => (0usize..6).prop_map(Step::RawGo),
        4 => (0usize..8, act()).prop_map(|(who, act)| Step::Act(who, act)),
        3 => act().prop_map(Step::Meddle),
        6 => Just(Step::Turn),
        1 => Just(Step::CloseListener),
    ]
}

const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

struct Stage {
    event_loop: u64,
    listener: u64,
    port: i32,
    peers: Vec<TcpStream>,
    /// Connections that `libws_connect` returned.
    connected: Vec<u64>,
}

impl Stage {
    fn new() -> Stage {
        WORLD.set(World::default());
        let (mut event_loop, mut listener) = (0, 0);
        let (url, handlers) = (c("ws://127.0.0.1:0"), handlers());
        // SAFETY: every pointer is valid during its call.
        unsafe {
            assert_eq!(libws_loop_new(null(), &mut event_loop), 0);
            let listened =
                libws_listen(event_loop, url.as_ptr(), &handlers, null_mut(), null(), &mut listener);
            assert_eq!(listened, 0);
        }
        let port = libws_listener_port(listener);
        Stage { event_loop, listener, port, peers: Vec::new(), connected: Vec::new() }
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Connect { refused } => self.connect(*refused),
            Step::RawPeer(bytes) => {
                if let Ok(mut peer) = TcpStream::connect(("127.0.0.1", self.port as u16)) {
                    let _ = peer.write_all(&[HANDSHAKE, bytes].concat());
                    self.peers.push(peer);
                }
            }
            Step::RawSend(who, bytes) => {
                if let Some(peer) = self.peers.get_mut(*who) {
                    peer.set_nonblocking(true).unwrap();
                    let _ = peer.write(bytes);
                    let _ = peer.read(&mut [0; 4096]);
                }
            }
            Step::RawGo(who) if *who < self.peers.len() => drop(self.peers.swap_remove(*who)),
            Step::RawGo(_) => {}
            Step::Act(who, act) => {
                let ids: Vec<u64> = WORLD.with_borrow(|world| world.lives.keys().copied().collect());
                if let Some(&conn) = ids.get(*who).or(self.connected.get(*who)) {
                    act.on(conn);
                }
            }
            Step::Meddle(act) => WORLD.with_borrow_mut(|world| world.meddling.push(*act)),
            Step::Turn => assert_eq!(libws_loop_run_once(self.event_loop, 1), 0),
            Step::CloseListener => drop(libws_listener_close(self.listener)),
        }
    }

    fn connect(&mut self, refused: bool) {
        let port = if refused { 1 } else { self.port };
        let (url, handlers) = (c(&format!("ws://127.0.0.1:{port}")), handlers());
        let mut conn = 0;
        // SAFETY: every pointer is valid during its call.
        let result =
            unsafe { libws_connect(self.event_loop, url.as_ptr(), &handlers, null_mut(), null(), &mut conn) };
        assert_eq!(result, 0);
        self.connected.push(conn);
    }
}

fn prove(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut stage = Stage::new();
    for step in steps {
        stage.play(step);
    }
    prop_assert_eq!(libws_loop_free(stage.event_loop), 0);
    WORLD.with_borrow(|world| {
        for (conn, life) in &world.lives {
            prop_assert_eq!(life.closes, 1, "connection {:#x}: {:?}", conn, life);
            prop_assert_eq!(life.after_close, 0, "connection {:#x} heard something after on_close", conn);
            prop_assert!(life.opens <= 1);
            prop_assert_eq!(libws_ready_state(*conn), 3);
        }
        for conn in &stage.connected {
            prop_assert!(world.lives.contains_key(conn), "no on_close for the connect {conn:#x}");
        }
        prop_assert_eq!(world.listener_closes, 1);
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_connection_closes_exactly_once(steps in proptest::collection::vec(step(), 0..60)) {
        prove(&steps)?;
    }
}
