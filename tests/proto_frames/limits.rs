//! Memory follows what has arrived, seen through the buffer's capacity. `proto_heap` counts the allocator's bytes.

use crate::support::{DEFAULTS, Receiver, Seen, frame};
use ws::proto::Role;
use ws::proto::frame::Opcode::Binary;

const STEP: usize = 64 * 1024;

fn capacity(receiver: &mut Receiver) -> Option<usize> {
    receiver.conn.direct().map(|(bytes, _)| bytes.capacity())
}

#[test]
fn capacity_obeys_the_rule_however_the_bytes_come() {
    let len = 3 << 20;
    for role in [Role::Server, Role::Client] {
        for chunk in [1_000, 4096, 65_536, 300_000] {
            for direct in [false, true] {
                let stream = frame(role, true, Binary, &vec![7; len]);
                let mut receiver = Receiver::new(role, DEFAULTS);
                receiver.direct = direct;
                for piece in stream.chunks(chunk) {
                    receiver.read(piece);
                    let arrived =
                        receiver.conn.unfinished().map_or(len, |unfinished| unfinished.bytes as usize);
                    if let Some(capacity) = capacity(&mut receiver) {
                        let bound = len.min(STEP.max(2 * arrived));
                        assert!(capacity <= bound, "{capacity} bytes for {arrived}, read by {chunk}");
                    }
                }
                assert_eq!(receiver.seen, [Seen::Binary(vec![7; len])]);
                assert_eq!(receiver.read_directly > 0, direct);
            }
        }
    }
}

#[test]
fn direct_is_offered_only_inside_long_data_frames() {
    let mut receiver = Receiver::new(Role::Client, DEFAULTS);
    assert!(receiver.conn.direct().is_none());
    let short = frame(Role::Client, true, Binary, &vec![7; STEP]);
    receiver.read(&short[..11]);
    assert!(receiver.conn.direct().is_none(), "one byte less than the least is to come");
    receiver.read(&short[11..]);
    let long = frame(Role::Client, true, Binary, &vec![7; 2 * STEP]);
    receiver.read(&long[..10]);
    assert!(receiver.conn.direct().is_none(), "a header alone makes no room");
    receiver.read(&long[10..11]);
    assert_eq!(receiver.conn.direct().map(|(bytes, room)| (bytes.len(), room)), Some((1, STEP - 1)));
    receiver.read(&long[11..10 + STEP]);
    let room = receiver.conn.direct().map(|(_, room)| room);
    assert_eq!(room, Some(STEP), "never more than the frame has left");
    receiver.read(&long[10 + STEP..]);
    assert_eq!(receiver.seen.len(), 2);
    assert!(receiver.conn.is_idle());
}
