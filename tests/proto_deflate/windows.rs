//! What was negotiated is kept: proved by an inflater of our own that refuses what refers beyond its window.

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::reference::inflate;
use crate::support::{deflated, noise};
use ws::proto::deflate::compress::Compressor;

/// Noise that repeats at this distance, many times.
fn repeating(distance: usize) -> Vec<u8> {
    let once = noise(distance, distance as u64);
    once.iter().cycle().take(distance * 4 + 1000).copied().collect()
}

#[test]
fn nothing_refers_beyond_the_window() {
    for bits in 8..=15 {
        for level in 1..=9 {
            for distance in [(1 << bits) - 6, (1 << bits) + 1, (1 << bits) * 2] {
                let data = repeating(distance);
                let mut compressor = Compressor::new(level, bits).unwrap();
                let payload = deflated(&mut compressor, &data, false);
                let seen = inflate(1 << bits, &payload);
                assert!(seen.as_ref() == Some(&data), "{bits} bits, level {level}, distance {distance}");
            }
        }
    }
}

#[test]
fn a_larger_window_is_used_and_would_be_noticed() {
    for bits in 9..15 {
        let data = repeating((1 << bits) + 1);
        let large = deflated(&mut Compressor::new(6, bits + 1).unwrap(), &data, false);
        let small = deflated(&mut Compressor::new(6, bits).unwrap(), &data, false);
        assert!(large.len() < small.len() / 2, "{bits} bits: {} and {}", large.len(), small.len());
        assert!(inflate(1 << bits, &large).is_none(), "the proof proves something");
    }
}

#[test]
fn without_takeover_each_message_stands_alone() {
    let data = noise(3000, 7);
    let mut compressor = Compressor::new(6, 15).unwrap();
    let first = deflated(&mut compressor, &data, false);
    for _ in 0..3 {
        let again = deflated(&mut compressor, &data, false);
        assert_eq!(again, first);
        assert!(inflate(1 << 15, &again).as_ref() == Some(&data));
    }
    let referring = deflated(&mut compressor, &data, true);
    assert!(referring.len() < 100, "{}", referring.len());
    assert!(inflate(1 << 15, &referring).is_none());
    compressor.reset();
    assert_eq!(deflated(&mut compressor, &data, true), first);
}

#[test]
fn nothing_ends_a_stream() {
    // Some inflaters stop at a final block for good.
    let mut compressor = Compressor::new(6, 15).unwrap();
    for len in [0, 1, 100, 5000, 70_000] {
        for data in [noise(len, 3), vec![b'x'; len]] {
            let payload = deflated(&mut compressor, &data, false);
            let mut zlib = Inflate::new(false, 15);
            let mut out = vec![0; len + 1];
            let whole = [&payload[..], &[0, 0, 0xff, 0xff]].concat();
            let status = zlib.decompress(&whole, &mut out, InflateFlush::SyncFlush).unwrap();
            assert_ne!(status, Status::StreamEnd);
            assert_eq!((zlib.total_in(), zlib.total_out()), (whole.len() as u64, len as u64));
            assert_eq!(out[..len], data);
        }
    }
}
