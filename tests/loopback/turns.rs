//! What one connection may do in one turn of the loop.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use ws::proto::Kind;
use ws::*;

use crate::support::*;

/// Two clients of a loop that nobody runs, once both are connected.
fn two_clients(event_loop: &Loop, port: u16) -> (TcpStream, TcpStream) {
    let (sender, clients) = channel();
    std::thread::spawn(move || sender.send((raw_client(port), raw_client(port))));
    loop {
        event_loop.run_once(Some(Duration::from_millis(1))).unwrap();
        if let Ok(clients) = clients.try_recv() {
            return clients;
        }
    }
}

#[test]
fn a_flood_of_fragments_does_not_keep_the_others_waiting() {
    const FRAGMENTS: usize = 8_000;
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let (mut busy, mut quiet) = two_clients(&event_loop, listener.port().unwrap());
    let mut flood = frame(0x02, b"x");
    (2..FRAGMENTS).for_each(|_| flood.extend(frame(0x00, b"x")));
    flood.extend(frame(0x80, b"x"));
    busy.write_all(&flood).unwrap();
    quiet.write_all(&frame(0x81, b"hi")).unwrap();
    let (mut messages, mut turns) = (Vec::new(), 0);
    while messages.len() < 2 {
        event_loop.run_once(Some(PATIENCE)).unwrap();
        turns += 1;
        messages.extend(heard.try_iter().filter_map(|heard| match heard {
            Heard::Message(_, data) => Some(data),
            _ => None,
        }));
    }
    assert_eq!(messages[0], b"hi", "the flood came first, and is not served first to its end");
    assert_eq!(messages[1].len(), FRAGMENTS);
    assert!(turns > 3, "{FRAGMENTS} fragments in {turns} turns");
}

/// Sends what it gets: as it is, without the first byte, and the first bytes of it.
struct Repeater;

impl Handler for Repeater {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        for part in [message.data, &message.data[1..], &message.data[..10]] {
            peer.send(message.kind, part).unwrap();
        }
    }
}

#[test]
fn a_long_message_that_goes_back_in_several_turns_is_whole() {
    // One frame, and fragments: the second is no more in one piece than the first.
    let data: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 / 5) as u8).collect();
    let (first, second) = data.split_at(1_234_567);
    let settings = Settings { max_buffered: 64 << 20, ..Settings::default() };
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let event_loop = background();
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", Repeater, options).unwrap();
    for bytes in [frame(0x82, &data), [frame(0x02, first), frame(0x80, second)].concat()] {
        let mut peer = raw_client(listener.port().unwrap());
        let mut writer = peer.try_clone().unwrap();
        std::thread::spawn(move || writer.write_all(&bytes).unwrap());
        // The peer reads late, so that the kernel refuses some of it.
        std::thread::sleep(Duration::from_millis(100));
        for part in [&data[..], &data[1..], &data[..10]] {
            let (first, payload) = read_frame(&mut peer).unwrap();
            assert!(first == 0x82 && payload == part, "{} bytes of {}", payload.len(), part.len());
        }
    }
}

#[test]
fn a_long_message_that_waits_is_counted_once() {
    let event_loop = background();
    let (server, heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    let data = vec![1; 12 << 20];
    peer.write_all(&frame(0x82, &data)).unwrap();
    assert!(matches!(next(&heard), Heard::Message(Kind::Binary, _)));
    // More than the kernel takes: it waits, and the queue holds what is left of it.
    let queued = conn.buffered_amount().unwrap();
    assert!((1..=data.len() as u64 + 10).contains(&queued), "{queued} bytes");
    assert_eq!(read_frame(&mut peer).unwrap(), (0x82, data));
    assert!(matches!(next(&heard), Heard::Drain(drained) if drained == conn));
    assert_eq!(conn.buffered_amount().unwrap(), 0);
}
