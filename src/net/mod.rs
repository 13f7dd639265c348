//! Layer 2: non-blocking byte streams. Knows mio, not WebSocket.

pub mod connect;
#[cfg(fuzzing)]
pub mod faults;
pub mod gate;
pub mod listen;
pub mod resolve;
pub mod socket_file;
pub mod stream;
