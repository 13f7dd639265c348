//! The opening handshake (RFC 6455 section 4), both sides.

pub mod client;
pub mod extensions;
pub mod headers;
pub mod origin;
pub mod server;
