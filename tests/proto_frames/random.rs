//! Random conversations: whatever the fragments, the interleaved control frames and the reads, they decode to the same.

use crate::support::{DEFAULTS, Receiver, Seen, put};
use proptest::prelude::*;
use proptest::sample::Index;
use ws::proto::Role;
use ws::proto::frame::Opcode;

#[derive(Clone, Debug)]
struct Message {
    text: bool,
    payload: Vec<u8>,
    /// Where the message is cut into frames.
    cuts: Vec<Index>,
    /// A control frame before each fragment, if any.
    controls: Vec<Option<(bool, Vec<u8>)>>,
}

fn payload() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let filled = |len| (Just(len), any::<u8>());
    let long = prop_oneof![Just(65_535usize), Just(65_536), 60_000usize..400_000];
    prop_oneof![
        4 => ".{0,80}".prop_map(|text| (true, text.into_bytes())),
        4 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| (false, bytes)),
        2 => (0usize..40_000).prop_map(|n| (true, "笔记é😀x".repeat(n / 11).into_bytes())),
        2 => long.prop_flat_map(filled).prop_map(|(len, byte)| (false, vec![byte; len])),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let control =
        proptest::option::weighted(0.3, (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..=125)));
    let cuts = prop_oneof![2 => Just(vec![]), 3 => proptest::collection::vec(any::<Index>(), 1..6)];
    (payload(), cuts, proptest::collection::vec(control, 6))
        .prop_map(|((text, payload), cuts, controls)| Message { text, payload, cuts, controls })
}

/// The stream of a conversation and the events it must give.
fn encode(role: Role, messages: &[Message]) -> (Vec<u8>, Vec<Seen>) {
    let (mut stream, mut events) = (Vec::new(), Vec::new());
    for Message { text, payload, cuts, controls } in messages {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(payload.len());
        let mut from = 0;
        for (i, &cut) in cuts.iter().enumerate() {
            if let Some(Some((ping, bytes))) = controls.get(i) {
                put(&mut stream, role, true, if *ping { Opcode::Ping } else { Opcode::Pong }, bytes);
                events.push(if *ping { Seen::Ping(bytes.clone()) } else { Seen::Pong(bytes.clone()) });
            }
            let opcode = match (i, text) {
                (0, true) => Opcode::Text,
                (0, false) => Opcode::Binary,
                _ => Opcode::Continuation,
            };
            put(&mut stream, role, i + 1 == cuts.len(), opcode, &payload[from..cut]);
            from = cut;
        }
        events.push(if *text { Seen::Text(payload.clone()) } else { Seen::Binary(payload.clone()) });
    }
    (stream, events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn conversations_decode_to_what_was_sent(
        messages in proptest::collection::vec(message(), 1..6),
        server: bool,
        direct: bool,
        reads in proptest::collection::vec(prop_oneof![1usize..40, 1usize..5000, 1usize..200_000], 1..20),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let (stream, expected) = encode(role, &messages);
        let mut receiver = Receiver::new(role, DEFAULTS);
        receiver.direct = direct;
        let mut rest = &stream[..];
        // Small reads are repeated a while and then give way, which bounds the time of a case.
        for (i, &read) in reads.iter().cycle().enumerate() {
            if rest.is_empty() {
                break;
            }
            let (chunk, tail) = rest.split_at((read * (1 + i / 200)).min(rest.len()));
            receiver.read(chunk);
            rest = tail;
        }
        prop_assert_eq!(&receiver.seen, &expected);
        prop_assert!(receiver.conn.is_idle());
        prop_assert_eq!(receiver.conn.unfinished(), None);
    }

    #[test]
    fn any_bytes_give_the_same_in_one_read_and_in_many(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x81), Just(0x01), Just(0x80), Just(0x82)], 0..60),
        server: bool,
        read in 1usize..7,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let whole = crate::support::receive(role, DEFAULTS, [&bytes[..]]);
        let pieces = crate::support::receive(role, DEFAULTS, bytes.chunks(read));
        // A text that goes wrong inside an unfinished frame is refused in either case.
        prop_assert_eq!(whole, pieces);
    }
}
