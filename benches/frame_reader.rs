//! Pulling messages out of a buffer of masked frames, against the least that one must do: find each frame and
//! unmask it, without a check of anything.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use ws::proto::Role;
use ws::proto::conn::{Conn, Event, Limits};
use ws::proto::frame::{self, Opcode};
use ws::proto::mask;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMITS: Limits = Limits { max_message: 16 << 20, max_parts: 100_000 };
/// Bytes of frames in the buffer, about: what one read brings.
const BUFFER: usize = 64 * 1024;

fn frames(opcode: Opcode, size: usize) -> (Vec<u8>, usize) {
    let count = (BUFFER / size).clamp(1, 64);
    let mut out = Vec::new();
    for _ in 0..count {
        frame::write(&mut out, opcode, &vec![b'x'; size], Some(KEY));
    }
    (out, count)
}

fn pull(buf: &mut [u8]) -> usize {
    let mut conn = Conn::new(Role::Server);
    let (mut position, mut messages) = (0, 0);
    while let Some(event) = conn.next(buf, &mut position, &LIMITS, 0) {
        messages += usize::from(matches!(event, Event::Message { .. }));
    }
    messages
}

fn unchecked(buf: &mut [u8]) -> usize {
    let (mut position, mut messages) = (0, 0);
    while position < buf.len() {
        let (header, len) = match buf[position + 1] & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes([buf[position + 2], buf[position + 3]]))),
            len => (2, usize::from(len)),
        };
        let start = position + header + 4;
        let key = [buf[start - 4], buf[start - 3], buf[start - 2], buf[start - 1]];
        mask::apply(&mut buf[start..start + len], key, 0);
        position = start + len;
        messages += 1;
    }
    messages
}

fn frame_reader(criterion: &mut Criterion) {
    for (name, opcode) in [("binary", Opcode::Binary), ("text", Opcode::Text)] {
        let mut group = criterion.benchmark_group(format!("frame reader {name}"));
        for size in [20, 125, 1024, 16 * 1024] {
            let (buf, count) = frames(opcode, size);
            assert_eq!((pull(&mut buf.clone()), unchecked(&mut buf.clone())), (count, count));
            group.throughput(Throughput::Elements(count as u64));
            for (reader, read) in [("libws", pull as fn(&mut [u8]) -> usize), ("unchecked", unchecked)] {
                group.bench_function(BenchmarkId::new(reader, size), |bencher| {
                    let fresh = || buf.clone();
                    bencher.iter_batched_ref(fresh, |buf| read(black_box(buf)), BatchSize::SmallInput);
                });
            }
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    frame_reader(&mut criterion);
    criterion.final_summary();
}
