//! Bytes that a server sends to our client.
#![no_main]

mod frames;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| frames::check(ws::proto::Role::Client, input));
