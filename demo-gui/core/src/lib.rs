//! Collaborative notes without a window.
//!
//! ```text
//! window (demo-gui)          hub thread                      libws loop thread
//! peer: text mirror, Doc,    rooms: a Doc per note,          listen / connect, heartbeat,
//! undo, carets               connections, presence, store    the page over HTTP
//!    | Command --bounded-->  Frame(note, bytes) ---send----> sockets
//!    |<-- Event, wake() ---  Frame | Status | Notes <------- on_message copies, posts, never blocks
//! ```
//!
//! The window never sees a socket. Its peer speaks the y-websocket protocol to the hub, which holds the
//! note, stores it and passes it on: to those who joined it here, or to the host that we joined. So there is one way for
//! a change, whether a note is private, hosted or joined.

pub mod find;
pub mod hub;
pub mod link;
pub mod markdown;
mod net;
pub mod peer;
mod serve;
pub mod share;
pub mod store;
pub mod wire;

pub use serve::{ServeOptions, USAGE, serve, serve_until};
