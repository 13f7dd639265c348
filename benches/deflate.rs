//! permessage-deflate: JSON messages deflated and inflated, with and without context takeover. Bytes are those of the
//! messages, not of what they shrink to, which is printed.

use criterion::{BenchmarkId, Criterion, Throughput};
use std::fmt::Write;
use std::hint::black_box;
use ws::proto::deflate::Output;
use ws::proto::deflate::compress::Compressor;
use ws::proto::deflate::inflate::Receiver;

const BITS: u8 = 15;
const MOST: usize = 1 << 20;
/// Different messages, in turn: together more than a window, so that none is ever found in it as a whole.
const MESSAGES: usize = 64;

/// Messages of `size` bytes, like those of a feed: the same keys, other values.
fn messages(size: usize) -> Vec<Vec<u8>> {
    let mut state = 1u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut message = || {
        let mut text = String::from("[");
        while text.len() < size {
            let name = ["alpha", "bravo", "charlie", "delta", "echo"][below(5) as usize];
            let (id, price, cents, amount) = (below(1_000_000), below(500), below(100), below(10_000));
            let kind = if below(2) == 0 { "buy" } else { "sell" };
            write!(
                text,
                r#"{{"id":{id},"symbol":"{name}","price":{price}.{cents:02},"amount":{amount},"kind":"{kind}"}},"#
            )
            .expect("a string takes everything");
        }
        // The last record is cut: a window of text is what deflate sees, not a document.
        text.truncate(size);
        text.into_bytes()
    };
    (0..MESSAGES).map(|_| message()).collect()
}

fn deflated(messages: &[Vec<u8>], level: u8, takeover: bool) -> Vec<Vec<u8>> {
    let mut compressor = Compressor::new(level, BITS).expect("memory");
    let mut out = Output::default();
    let mut deflate = |message: &Vec<u8>| {
        compressor.message(message, takeover, &mut out).expect("memory");
        out.as_slice().to_vec()
    };
    messages.iter().map(&mut deflate).collect()
}

/// As the loop does: the output goes back for the next message.
fn inflate(receiver: &mut Receiver, payload: &[u8]) -> usize {
    let out = receiver.whole(payload, MOST).expect("what a compressor made");
    let len = out.len();
    receiver.recycle(out);
    len
}

fn check(messages: &[Vec<u8>], payloads: &[Vec<u8>], takeover: bool) {
    let mut receiver = Receiver::new(BITS, takeover);
    // Twice: the first message refers to nothing, so it may follow the last one.
    for (message, payload) in messages.iter().zip(payloads).cycle().take(2 * MESSAGES) {
        let out = receiver.whole(payload, MOST).expect("what a compressor made");
        assert_eq!(out.as_slice(), message);
    }
}

fn deflate(criterion: &mut Criterion) {
    for size in [1024, 16 * 1024] {
        let messages = messages(size);
        let mut group = criterion.benchmark_group(format!("deflate json {size}"));
        group.throughput(Throughput::Bytes(size as u64));
        for (level, takeover) in [(1, false), (1, true), (6, false), (6, true)] {
            let name = if takeover { "takeover" } else { "no takeover" };
            let payloads = deflated(&messages, level, takeover);
            check(&messages, &payloads, takeover);
            let mean = payloads.iter().map(Vec::len).sum::<usize>() / MESSAGES;
            println!("{size} bytes, level {level}, {name}: {mean} bytes a message");

            let mut compressor = Compressor::new(level, BITS).expect("memory");
            let (mut out, mut next) = (Output::default(), messages.iter().cycle());
            group.bench_function(BenchmarkId::new("compress", format!("level {level}, {name}")), |bencher| {
                bencher.iter(|| {
                    let message = next.next().expect("it is a circle");
                    compressor.message(black_box(message), takeover, &mut out).expect("memory");
                    out.len()
                });
            });

            let mut receiver = Receiver::new(BITS, takeover);
            let mut next = payloads.iter().cycle();
            group.bench_function(BenchmarkId::new("inflate", format!("level {level}, {name}")), |bencher| {
                bencher.iter(|| inflate(&mut receiver, black_box(next.next().expect("it is a circle"))));
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    deflate(&mut criterion);
    criterion.final_summary();
}
