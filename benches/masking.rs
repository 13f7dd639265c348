//! Masking (RFC 6455 section 5.3) against a loop over bytes.

use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use ws::proto::mask;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn by_the_byte(buf: &mut [u8], key: [u8; 4]) {
    for (i, byte) in buf.iter_mut().enumerate() {
        *byte ^= key[i & 3];
    }
}

fn masking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("masking");
    for size in [20, 125, 1024, 16 * 1024, 256 * 1024] {
        let mut buf = vec![0x5a; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("libws", size), |bencher| {
            bencher.iter(|| mask::apply(black_box(&mut buf), black_box(KEY), 0));
        });
        group.bench_function(BenchmarkId::new("byte loop", size), |bencher| {
            bencher.iter(|| by_the_byte(black_box(&mut buf), black_box(KEY)));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    masking(&mut criterion);
    criterion.final_summary();
}
