//! Bytes that a client sends to our server.
#![no_main]

mod frames;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| frames::check(ws::proto::Role::Server, input));
