//! Layer 4: plain HTTP on the port of a WebSocket listener, without I/O of its own but for static files.

pub mod body;
pub mod response;
pub mod static_files;
