//! The opening handshake and the heads it travels in, as bytes: what is understood, what is refused and with which
//! status, and that no cut matters.

mod client;
mod heads;
mod origin;
mod random;
mod server;
mod support;
mod url;
