//! Layer 6: the C ABI. One file per section of `include/libws.h`, in its order; checks, conversion and nothing else.
//!
//! Every body runs inside [`guard::result`] or a sibling of it, so that no panic crosses the border. Pointers from C
//! are read here, through [`input`], and nowhere else.
#![allow(unsafe_code, non_camel_case_types)]

mod guard;
mod input;

mod callbacks;
mod connection;
mod endpoints;
mod loops;
mod options;
mod requests;
mod results;
mod timers;
mod topics;
mod types;
mod version;

#[cfg(test)]
mod layout_tests;
