//! The hub from outside: through its channels, its sockets and its files.

mod desk;
mod figures;
mod guest;
mod hostile;
mod local;
mod page;
mod readers;
mod sharing;
mod stored;
