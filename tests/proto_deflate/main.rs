//! permessage-deflate without I/O: what is negotiated, what is compressed, and what a hostile peer can do with it.

mod hostile;
mod messages;
mod params;
mod random;
mod reference;
mod support;
mod windows;
