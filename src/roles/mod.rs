//! Layer 5: what a loop does with its sockets.
//!
//! The files follow a connection's life: [`listen`] and [`accept`], or [`dial`]; [`http_side`] and [`requests`] until
//! the upgrade is decided; [`read`], [`deliver`] and [`write`] with its [`cork`] ([`shown`], [`flush`]) while it is open, with
//! [`deflate`] if that was agreed; [`deadlines`] all the time; [`close`] at its end, and [`reconnect`] with [`backoff`] for a
//! client that does not give up. [`turn`] is one turn of the loop, [`share`] what one connection may take of it, [`notices`]
//! the callbacks that are due, [`core`] the state, [`current`] the rule by which it is borrowed, [`shared`] what other threads
//! see of it; what they send comes through [`send_batches`] and [`posted`].

mod accept;
pub mod backoff;
pub mod close;
pub mod core;
mod cork;
pub mod current;
mod deadlines;
pub mod deflate;
mod deliver;
pub mod dial;
mod flush;
pub mod handle;
pub mod handler;
pub mod handles;
mod http_side;
pub mod listen;
pub mod log;
pub mod loops;
mod notices;
mod posted;
mod read;
mod reconnect;
mod reply;
pub mod requests;
mod respond;
pub mod send_batches;
pub mod settings;
mod share;
pub mod shared;
mod shown;
pub mod timers;
pub mod topics;
mod turn;
pub mod write;
