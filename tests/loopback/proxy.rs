//! A TCP proxy that misbehaves on demand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What it can do to the connections that run through it.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Both sides see an orderly end.
    Cut,
    /// Both sides see a reset.
    Reset,
    /// The client sees an end, the server nothing.
    HalfClose,
    /// Nothing gets through any more, and nobody is told.
    BlackHole,
}

/// The proxy; it ends with the process.
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    delay_ms: AtomicU64,
    /// Pairs of streams: client's and server's.
    pairs: Mutex<Vec<Pair>>,
}

struct Pair {
    client: TcpStream,
    server: TcpStream,
    swallowed: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy to this port of the loopback.
    pub fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                connect(&shared, client, server);
            }
        });
        Proxy { port, state }
    }

    /// Every piece of data waits this long, in both directions.
    pub fn delay(&self, ms: u64) {
        self.state.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Does this to every connection there is.
    pub fn do_to_all(&self, fault: Fault) {
        for pair in self.state.pairs.lock().unwrap().drain(..) {
            match fault {
                Fault::Cut => both(&pair, |stream| drop(stream.shutdown(Shutdown::Both))),
                Fault::Reset => both(&pair, |stream| {
                    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
                    drop(stream.shutdown(Shutdown::Read));
                }),
                Fault::HalfClose => drop(pair.client.shutdown(Shutdown::Write)),
                Fault::BlackHole => pair.swallowed.store(true, Ordering::Relaxed),
            }
        }
    }
}

fn both(pair: &Pair, act: impl Fn(&TcpStream)) {
    act(&pair.client);
    act(&pair.server);
}

fn connect(state: &Arc<State>, client: TcpStream, server: TcpStream) {
    let swallowed = Arc::new(AtomicBool::new(false));
    let ways = [(&client, &server), (&server, &client)]
        .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()));
    let through = swallowed.clone();
    // Before anything gets through: what has opened must be there for the next fault.
    state.pairs.lock().unwrap().push(Pair { client, server, swallowed });
    for (from, to) in ways {
        let (state, swallowed) = (state.clone(), through.clone());
        std::thread::spawn(move || pump(from, to, &state, &swallowed));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, state: &State, swallowed: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        std::thread::sleep(Duration::from_millis(state.delay_ms.load(Ordering::Relaxed)));
        if !swallowed.load(Ordering::Relaxed) && to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    if !swallowed.load(Ordering::Relaxed) {
        let _ = to.shutdown(Shutdown::Write);
    }
}
