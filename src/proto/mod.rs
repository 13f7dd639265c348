//! Layer 1, sans-I/O: bytes in, events and bytes out. No sockets, no clock, no threads, no log, no random source.

mod assembly;
pub mod close;
pub mod conn;
pub mod deflate;
mod event;
pub mod frame;
pub mod handshake;
pub mod head;
pub mod mask;
mod message;
pub mod url;
pub mod utf8;
pub mod whole;

/// Which side of the connection we are (RFC 6455 section 5.1: a client masks, a server does not).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We accepted the connection.
    Server,
    /// We opened the connection.
    Client,
}

/// The two kinds of message (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}
