//! A WebSocket client and server (RFC 6455) on one event loop; the same core that the C library `libws` offers.
//!
//! Implement [`Handler`], give it to [`Handle::listen`] or [`Handle::connect`], and run the [`Loop`]:
//!
//! ```
//! use ws::{Handler, ListenOptions, Loop, LoopOptions, Message, Peer};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     fn on_message(&mut self, peer: Peer, message: Message<'_>) {
//!         // Full only if the peer does not read: then it misses this message.
//!         let _ = peer.send(message.kind, message.data);
//!     }
//! }
//!
//! # fn main() -> ws::Result<()> {
//! let event_loop = Loop::new(LoopOptions::default())?;
//! let listener = event_loop.handle().listen("ws://127.0.0.1:0", Echo, ListenOptions::default())?;
//! println!("listening on {}", listener.url()?);
//! # event_loop.handle().stop()?;
//! event_loop.run()
//! # }
//! ```
//!
//! Everything that names a loop, a connection, a listener, a request or a timer is a plain number: `Copy`, safe to keep
//! for ever and to use from any thread. Every connection gets `on_close` exactly once.
//!
//! The layers of the source, lowest first; a file uses its own layer and those below, never one above:
//!
//! 1. `proto`: RFC 6455 without I/O: bytes in, events and bytes out
//! 2. `net`: non-blocking byte streams: TCP, Unix sockets, name resolution
//! 3. `event_loop`: what a loop is made of: poll, ids, timers, mailbox, outbox
//! 4. `http`: plain HTTP on the port of a WebSocket listener
//! 5. `roles`: listen, connect, upgrade, heartbeat, topics: what a loop does with its sockets
//! 6. `capi`: the C ABI: checks, conversion and nothing else

mod capi;
mod error;
mod event_loop;
#[cfg(not(fuzzing))]
mod http;
#[cfg(not(fuzzing))]
mod net;
pub mod proto;
mod roles;

// The fuzz targets look inside.
#[cfg(fuzzing)]
#[allow(missing_docs)]
pub mod http;
#[cfg(fuzzing)]
#[allow(missing_docs)]
pub mod net;

pub use error::{Error, ErrorCode, Result};
pub use roles::backoff::Reconnect;
pub use roles::close::ReadyState;
pub use roles::handle::{Handle, Loop};
pub use roles::handler::{CloseInfo, Decision, Handler, Incoming, Message, Peer};
pub use roles::handles::{Conn, Info, Listener, Request, Timer};
pub use roles::log::{Level, Sink};
pub use roles::loops::LoopOptions;
pub use roles::settings::{ConnectOptions, Deflate, ListenOptions, OFF, Settings};
pub use roles::write::Sent;
