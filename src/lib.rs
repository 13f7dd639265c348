//! libws: a WebSocket client and server behind a callback-based C ABI, and this Rust API.
//!
//! The layers, lowest first; a file uses its own layer and those below, never one above:
//!
//! 1. [`proto`]: RFC 6455 without I/O: bytes in, events and bytes out
//! 2. [`net`]: non-blocking byte streams: TCP, Unix sockets, name resolution
//! 3. [`event_loop`]: one thread, one `mio::Poll`: ids, timers, mailbox, outbox
//! 4. [`http`]: plain HTTP on the port of a WebSocket listener
//! 5. [`roles`]: listen, connect, upgrade, heartbeat, topics: what a loop does with its sockets
//! 6. [`capi`]: the C ABI: checks, conversion and nothing else

mod capi;
mod error;
mod event_loop;
mod http;
mod net;
pub mod proto;
mod roles;

pub use error::{Error, ErrorCode, Result};
pub use roles::close::ReadyState;
pub use roles::handle::{Handle, Loop};
pub use roles::handler::{CloseInfo, Decision, Handler, Incoming, Message, Peer};
pub use roles::handles::{Conn, Info, Listener, Request, Timer};
pub use roles::log::{Level, Sink};
pub use roles::loops::LoopOptions;
pub use roles::settings::{ConnectOptions, ListenOptions, OFF, Settings};
pub use roles::write::Sent;
