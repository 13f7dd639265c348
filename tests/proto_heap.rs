//! What hostile frames make a connection allocate, counted at the allocator. Without the test harness, whose threads would
//! allocate meanwhile.

use cap::Cap;
use std::alloc::System;
use ws::proto::Role;
use ws::proto::conn::{Conn, Event, Limits, Receiver};
use ws::proto::deflate::Output;
use ws::proto::deflate::compress::Compressor;
use ws::proto::frame::{self, Opcode};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const KEY: [u8; 4] = [1, 2, 3, 4];
const LIMITS: Limits = Limits { max_message: 16 << 20, max_parts: 200_000 };

/// Bytes in use beyond those at the start.
struct Growth(usize);

impl Growth {
    fn start() -> Growth {
        Growth(HEAP.allocated())
    }

    fn now(&self) -> usize {
        HEAP.allocated().saturating_sub(self.0)
    }
}

fn main() {
    a_claim_allocates_almost_nothing();
    one_byte_fragments_stay_within_256_kib();
    pings_and_short_messages_allocate_nothing();
    a_finished_message_leaves_nothing();
    without_memory_the_connection_fails_and_nothing_else_does();
    compressors_cost_what_the_budget_counts();
    an_inflater_is_made_once_and_histories_stay_within_the_window();
    println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

fn a_claim_allocates_almost_nothing() {
    let mut header =
        *frame::header(true, false, Opcode::Binary, 16 << 20, Some(KEY)).first_chunk::<14>().unwrap();
    let growth = Growth::start();
    let mut conn = Conn::new(Role::Server);
    assert_eq!(conn.next(&mut header, &mut 0, &LIMITS, 0), None);
    assert!(conn.direct().is_none(), "nothing has arrived yet");
    assert!(growth.now() <= 256, "{} bytes for a header", growth.now());
    conn.next(&mut [0], &mut 0, &LIMITS, 0);
    assert!(growth.now() <= 66_000, "{} bytes for a header and a byte", growth.now());
    drop(conn);
    assert_eq!(growth.now(), 0);
}

fn one_byte_fragments_stay_within_256_kib() {
    let mut first = [0x02, 0x81, 1, 2, 3, 4, b'x'];
    let mut more = [0x00, 0x81, 1, 2, 3, 4, b'x'];
    let growth = Growth::start();
    let mut conn = Conn::new(Role::Server);
    conn.next(&mut first, &mut 0, &LIMITS, 0);
    for _ in 1..131_000 {
        assert_eq!(conn.next(&mut more, &mut 0, &LIMITS, 0), Some(Event::Fragment));
        assert!(growth.now() <= 256 * 1024, "{} bytes", growth.now());
    }
    for _ in 131_000..LIMITS.max_parts {
        assert_eq!(conn.next(&mut more, &mut 0, &LIMITS, 0), Some(Event::Fragment));
    }
    let refusal = conn.next(&mut more, &mut 0, &LIMITS, 0);
    assert!(matches!(refusal, Some(Event::Failed(violation)) if violation.code == 1008), "{refusal:?}");
    assert_eq!(growth.now(), 0, "nothing is kept after a refusal");
}

fn pings_and_short_messages_allocate_nothing() {
    let mut ping = [0; 131];
    ping[..2].copy_from_slice(&[0x89, 0xfd]);
    let mut text = [0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'];
    let growth = Growth::start();
    let mut conn = Conn::new(Role::Server);
    for _ in 0..200_000 {
        assert!(matches!(conn.next(&mut ping, &mut 0, &LIMITS, 0), Some(Event::Ping(_))));
        assert!(matches!(conn.next(&mut text, &mut 0, &LIMITS, 0), Some(Event::Message { .. })));
        assert_eq!(growth.now(), 0);
    }
}

fn a_finished_message_leaves_nothing() {
    let mut stream = Vec::new();
    frame::write(&mut stream, Opcode::Binary, &[7; 5000], Some(KEY));
    let growth = Growth::start();
    let mut conn = Conn::new(Role::Server);
    let (left, right) = stream.split_at_mut(100);
    assert_eq!(conn.next(left, &mut 0, &LIMITS, 0), None);
    assert!(growth.now() >= 90);
    let message = conn.next(right, &mut 0, &LIMITS, 0);
    assert!(conn.is_idle() && matches!(message, Some(Event::Message { .. })));
    assert!(growth.now() >= 5000, "the message is the caller's now");
    drop(message);
    assert_eq!(growth.now(), 0);
}

fn without_memory_the_connection_fails_and_nothing_else_does() {
    let mut start = frame::header(true, false, Opcode::Binary, 16 << 20, Some(KEY)).to_vec();
    let mut conn = Conn::new(Role::Server);
    assert_eq!(conn.next(&mut start, &mut 0, &LIMITS, 0), None);
    // The buffer is full: twice what had arrived with the first of these.
    for _ in 0..2 {
        assert_eq!(conn.next(&mut [0; 60_000], &mut 0, &LIMITS, 0), None);
    }
    HEAP.set_limit(HEAP.allocated() + 1024).expect("a limit above what is in use");
    let direct = conn.direct().is_some();
    let refusal = conn.next(&mut [0; 60_000], &mut 0, &LIMITS, 0);
    HEAP.set_limit(usize::MAX).expect("no limit");
    assert!(!direct);
    assert!(matches!(refusal, Some(Event::Failed(violation)) if violation.code == 1011), "{refusal:?}");
    assert!(conn.is_idle());
}

fn compressors_cost_what_the_budget_counts() {
    for bits in 9..=15 {
        let growth = Growth::start();
        let compressor = Compressor::new(6, bits).unwrap();
        let (counted, held) = (Compressor::cost(bits), growth.now());
        assert!(
            (counted - 4096..=counted).contains(&held),
            "{bits} bits: {held} bytes, counted as {counted}"
        );
        drop(compressor);
        assert_eq!(growth.now(), 0);
    }
}

fn an_inflater_is_made_once_and_histories_stay_within_the_window() {
    let mut out = Output::default();
    let data: Vec<u8> = (0..5000u32).flat_map(|n| (n.wrapping_mul(0x9e37_79b9) >> 8).to_le_bytes()).collect();
    Compressor::new(6, 15).unwrap().message(&data, false, &mut out).unwrap();
    let header = frame::header(true, true, Opcode::Binary, out.len() as u64, None);
    let mut bytes = [&header[..], out.as_slice()].concat();
    let growth = Growth::start();
    let mut conns: Vec<Conn> = (0..100).map(|_| Conn::new(Role::Client)).collect();
    let mut tool = None;
    for _ in 0..20 {
        for conn in &mut conns {
            if conn.receiver().is_none() {
                conn.set_receiver(Receiver::new(12, true));
            }
            conn.receiver().unwrap().lend(tool.take());
            let Some(Event::Message { data: ws::proto::conn::Data::Inflated(got), .. }) =
                conn.next(&mut bytes, &mut 0, &LIMITS, 0)
            else {
                panic!("no message")
            };
            assert!(got.as_slice() == data);
            conn.receiver().unwrap().recycle(got);
            tool = conn.receiver().unwrap().reclaim();
        }
    }
    // A window of 4 KiB each, and one inflater with an output buffer for all.
    let each = growth.now() / conns.len();
    assert!(each <= 4096 + 256 + 1500, "{each} bytes a connection");
}
