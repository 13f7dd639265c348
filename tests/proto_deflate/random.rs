//! Random messages, fragments and parameters: what goes in comes out.

use proptest::prelude::*;
use ws::proto::deflate::compress::Compressor;
use ws::proto::frame::Opcode::{Binary, Continuation};

use crate::support::{DEFAULTS, client, deflated, frame, noise, receive};

/// Something between noise and repetition.
fn message() -> impl Strategy<Value = Vec<u8>> {
    (0usize..100_000, 1usize..5000, any::<u64>())
        .prop_map(|(len, period, seed)| noise(period, seed).iter().cycle().take(len).copied().collect())
}

fn fragments(payload: &[u8], cuts: &[prop::sample::Index]) -> Vec<u8> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(payload.len());
    let (mut bytes, mut start) = (Vec::new(), 0);
    for (at, &end) in ends.iter().enumerate() {
        let opcode = if at == 0 { Binary } else { Continuation };
        bytes.extend(frame(at + 1 == ends.len(), at == 0, opcode, &payload[start..end]));
        start = end;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_goes_in_comes_out(
        bits in 8u8..=15,
        level in 1u8..=9,
        takeover: bool,
        messages in prop::collection::vec((message(), prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..8),
        chunk in 1usize..50_000,
    ) {
        let mut compressor = Compressor::new(level, bits).unwrap();
        let mut conn = client(bits, takeover);
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (data, cuts) in messages {
            bytes.extend(fragments(&deflated(&mut compressor, &data, takeover), &cuts));
            expected.push((data, true));
        }
        let mut seen = Vec::new();
        for piece in bytes.chunks(chunk) {
            seen.extend(receive(&mut conn, &DEFAULTS, piece).unwrap());
        }
        prop_assert!(seen == expected);
        prop_assert!(conn.is_idle());
    }

    #[test]
    fn whatever_comes_in_nothing_panics(
        payload in prop::collection::vec(any::<u8>(), 0..2000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        bits in 8u8..=15,
    ) {
        let mut conn = client(bits, true);
        let _ = receive(&mut conn, &DEFAULTS, &fragments(&payload, &cuts));
    }
}
