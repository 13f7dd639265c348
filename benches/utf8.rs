//! UTF-8 checking, whole and in pieces, against the standard library.

use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use ws::proto::utf8::{Validator, is_valid};

/// Bytes per piece of a text that arrives in pieces.
const PIECE: usize = 1400;

/// `size` bytes of a repeated character sequence, padded with spaces where it does not fit.
fn text(sample: &str, size: usize) -> Vec<u8> {
    let mut text = String::new();
    for character in sample.chars().cycle() {
        if text.len() + character.len_utf8() > size {
            break;
        }
        text.push(character);
    }
    text.extend(std::iter::repeat_n(' ', size - text.len()));
    text.into_bytes()
}

fn in_pieces(text: &[u8]) -> bool {
    let mut validator = Validator::default();
    text.chunks(PIECE).all(|piece| validator.push(piece).is_ok()) && validator.finish().is_ok()
}

fn utf8(criterion: &mut Criterion) {
    for (name, sample) in [("ascii", "The quick brown fox. "), ("chinese", "协作笔记，一起写。")] {
        let mut group = criterion.benchmark_group(format!("utf8 {name}"));
        for size in [20, 125, 1024, 16 * 1024, 256 * 1024] {
            let text = text(sample, size);
            assert!(is_valid(&text) && in_pieces(&text));
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("libws", size), |bencher| {
                bencher.iter(|| is_valid(black_box(&text)));
            });
            group.bench_function(BenchmarkId::new("libws, pieces of 1400", size), |bencher| {
                bencher.iter(|| in_pieces(black_box(&text)));
            });
            group.bench_function(BenchmarkId::new("std", size), |bencher| {
                bencher.iter(|| std::str::from_utf8(black_box(&text)).is_ok());
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    utf8(&mut criterion);
    criterion.final_summary();
}
