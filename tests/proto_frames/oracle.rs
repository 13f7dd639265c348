//! tungstenite reads the same bytes: same messages, same verdict, but for the differences that are named here.

use crate::support::{DEFAULTS, Seen, frame, put, receive};
use proptest::prelude::*;
use proptest::sample::Index;
use std::io::{self, Read, Write};
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};
use ws::proto::Role;
use ws::proto::conn::Limits;
use ws::proto::frame::Opcode;

const MAX: usize = 2000;
const LIMITS: Limits = Limits { max_message: MAX as u64, max_parts: u32::MAX };

/// Where we judge otherwise, and by which section of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// 5.2: "the minimal number of bytes MUST be used to encode the length"; tungstenite takes any form,
    /// also for a control frame, where the long forms are refused at the second byte.
    LengthNotMinimal,
    /// 7.4.1, 7.4.2: a code that may not be sent fails the connection; tungstenite reports it as a Close with 1002.
    CloseCode,
    /// 11.7: 1014 was registered with IANA after the RFC; tungstenite holds it for bad.
    BadGateway,
    /// 7.4.1 and 8.1: of a bad code with a bad reason the code comes first; tungstenite looks at the reason first.
    CloseCodeBeforeReason,
    /// 5.1, 5.2, 5.4, 5.5: the first bad byte of a header decides; tungstenite holds the length against its limit
    /// before it looks at mask, reserved bits, order and the rules for control frames.
    FirstBadByte,
}

/// How a reader stands at the end of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Waiting,
    Closed,
    Failed(u16),
}

/// A stream that has only so much to read and takes all that is written.
struct Memory<'a>(&'a [u8]);

impl Read for Memory<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(role: Role, bytes: &[u8]) -> (Vec<Seen>, Verdict) {
    let role = match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(256)
        .max_message_size(Some(MAX))
        .max_frame_size(Some(MAX));
    let mut socket = WebSocket::from_raw_socket(Memory(bytes), role, Some(config));
    let mut seen = Vec::new();
    loop {
        seen.push(match socket.read() {
            Ok(Message::Text(text)) => Seen::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Seen::Ping(bytes.to_vec()),
            Ok(Message::Pong(bytes)) => Seen::Pong(bytes.to_vec()),
            Ok(Message::Close(close)) => {
                seen.push(match close {
                    Some(close) => Seen::Close(close.code.into(), close.reason.as_bytes().to_vec()),
                    None => Seen::Close(1005, Vec::new()),
                });
                return (seen, Verdict::Closed);
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return (seen, Verdict::Waiting);
            }
            Err(Error::Protocol(_)) => return (seen, Verdict::Failed(1002)),
            Err(Error::Capacity(_)) => return (seen, Verdict::Failed(1009)),
            Err(Error::Utf8(_)) => return (seen, Verdict::Failed(1007)),
            other => panic!("{other:?}"),
        });
    }
}

fn ours(role: Role, bytes: &[u8]) -> (Vec<Seen>, Verdict, &'static str) {
    let mut seen = receive(role, LIMITS, [bytes]);
    match seen.last() {
        Some(&Seen::Failed(violation)) => {
            seen.pop();
            (seen, Verdict::Failed(violation.code), violation.what)
        }
        Some(Seen::Close(..)) => (seen, Verdict::Closed, ""),
        _ => (seen, Verdict::Waiting, ""),
    }
}

/// Gives both the same bytes: `None` when they agree, the named difference, or a panic.
///
/// A refusal of ours inside a frame that is not complete is compared with what tungstenite says when the frame is.
fn compare(role: Role, bytes: &[u8]) -> Option<Difference> {
    let (our_events, our_verdict, what) = ours(role, bytes);
    let (mut their_events, mut their_verdict) = theirs(role, bytes);
    if matches!(our_verdict, Verdict::Failed(_)) && their_verdict == Verdict::Waiting {
        let completed = [bytes, &[0; MAX + 14]].concat();
        (their_events, their_verdict) = theirs(role, &completed);
    }
    if our_events == their_events && our_verdict == their_verdict {
        return None;
    }
    let same_before = their_events.starts_with(&our_events);
    let close_instead = match &their_events.get(our_events.len()..) {
        Some([Seen::Close(1002, reason)]) => reason == b"Protocol violation",
        _ => false,
    };
    let refused_1014 = match (our_events.split_last(), their_events.split_last()) {
        (Some((Seen::Close(1014, _), before)), Some((Seen::Close(1002, _), others))) => before == others,
        _ => false,
    };
    let found = match (our_verdict, their_verdict) {
        (Verdict::Failed(1002), _) if what.contains("shortest form") => Some(Difference::LengthNotMinimal),
        (Verdict::Failed(1002), _) if what.contains("125 bytes") && their_events.len() > our_events.len() => {
            Some(Difference::LengthNotMinimal)
        }
        (Verdict::Failed(1002), Verdict::Closed) if what.contains("close code") && close_instead => {
            Some(Difference::CloseCode)
        }
        (Verdict::Failed(1002), Verdict::Failed(1007)) if what.contains("close code") => {
            Some(Difference::CloseCodeBeforeReason)
        }
        (Verdict::Failed(1002), Verdict::Failed(1009)) => Some(Difference::FirstBadByte),
        _ => None,
    };
    if refused_1014 {
        return Some(Difference::BadGateway);
    }
    match found {
        Some(difference) if same_before => Some(difference),
        _ => panic!(
            "{role:?} {bytes:02x?}\nours {our_events:?} {our_verdict:?} {what}\ntheirs {their_events:?} {their_verdict:?}"
        ),
    }
}

#[test]
fn each_named_difference_is_real() {
    let server = |first, second, rest: &[u8]| [&[first, second], rest].concat();
    for (difference, role, bytes) in [
        (Difference::LengthNotMinimal, Role::Client, server(0x82, 126, &[0, 1, b'x'])),
        (Difference::LengthNotMinimal, Role::Client, server(0x89, 126, &[0, 1, b'x'])),
        (Difference::CloseCode, Role::Client, server(0x88, 2, &[0x03, 0xed])),
        (Difference::CloseCode, Role::Server, frame(Role::Server, true, Opcode::Close, &[0x13, 0x88])),
        (Difference::BadGateway, Role::Client, server(0x88, 2, &[0x03, 0xf6])),
        (Difference::CloseCodeBeforeReason, Role::Client, server(0x88, 3, &[0x03, 0xed, 0xff])),
        (Difference::FirstBadByte, Role::Client, server(0xc2, 126, &[0xff, 0xff])),
    ] {
        assert_eq!(compare(role, &bytes), Some(difference), "{bytes:02x?}");
    }
}

#[test]
fn rules_on_which_both_agree() {
    for role in [Role::Server, Role::Client] {
        let mut whole = frame(role, false, Opcode::Text, "é".as_bytes());
        put(&mut whole, role, true, Opcode::Ping, b"between");
        put(&mut whole, role, true, Opcode::Continuation, "è".as_bytes());
        put(&mut whole, role, true, Opcode::Binary, &[0; MAX]);
        put(&mut whole, role, true, Opcode::Close, b"\x0b\xb9bye");
        assert_eq!(compare(role, &whole), None);
        assert_eq!(receive(role, DEFAULTS, [&whole[..]]).len(), 4);
        for end in 0..whole.len() {
            assert_eq!(compare(role, &whole[..end]), None);
        }
    }
}

#[derive(Clone, Debug)]
struct Step {
    fin: bool,
    opcode: Opcode,
    payload: Vec<u8>,
}

fn step() -> impl Strategy<Value = Step> {
    let opcode = prop_oneof![
        4 => Just(Opcode::Text),
        3 => Just(Opcode::Binary),
        5 => Just(Opcode::Continuation),
        2 => Just(Opcode::Ping),
        2 => Just(Opcode::Pong),
        1 => Just(Opcode::Close),
    ];
    let payload = prop_oneof![
        5 => ".{0,20}".prop_map(String::into_bytes),
        2 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => (100usize..1200).prop_map(|len| vec![b'x'; len]),
        1 => (prop_oneof![990u16..1020, 2990u16..3010, any::<u16>()], ".{0,9}")
            .prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
    ];
    (any::<bool>(), opcode, payload).prop_map(|(fin, opcode, payload)| Step { fin, opcode, payload })
}

/// Makes most steps follow the rules, so that streams get far before they fail.
fn encode(role: Role, steps: &[Step], obey: bool) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut open = false;
    for Step { fin, opcode, payload } in steps {
        let (mut fin, mut opcode, mut payload) = (*fin, *opcode, &payload[..]);
        if obey && opcode.is_control() {
            fin = true;
            payload = &payload[..payload.len().min(125)];
        } else if obey {
            opcode = match (open, opcode) {
                (true, _) => Opcode::Continuation,
                (false, Opcode::Continuation) => Opcode::Text,
                (false, opcode) => opcode,
            };
            open = !fin;
        }
        put(&mut stream, role, fin, opcode, payload);
    }
    stream
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn same_verdict_and_messages(
        steps in proptest::collection::vec(step(), 1..8),
        server: bool,
        obey in proptest::bool::weighted(0.8),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..3),
        end in any::<Index>(),
        cut in proptest::bool::weighted(0.3),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let mut stream = encode(role, &steps, obey);
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        if cut {
            stream.truncate(end.index(stream.len() + 1));
        }
        compare(role, &stream);
    }

    #[test]
    fn same_on_random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40), server: bool) {
        compare(if server { Role::Server } else { Role::Client }, &bytes);
    }
}
