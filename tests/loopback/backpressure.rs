use std::io::{Read, Write};

use ws::proto::Kind;
use ws::{ErrorCode, ListenOptions, Sent};

use crate::support::*;

#[test]
fn a_peer_that_does_not_read_is_reported_refused_and_then_drained() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    let message = vec![7; 10_000];
    let mut sent = 0u64;
    let mut pending = 0;
    // Fast enough to be refused: the kernel's buffers take some megabytes first.
    let refused = loop {
        match conn.send(Kind::Binary, &message) {
            Ok(Sent::Ok) => sent += 1,
            Ok(Sent::Pending) => {
                sent += 1;
                pending += 1;
            }
            Err(error) => break error,
        }
        assert!(sent < 100_000, "never refused");
    };
    assert_eq!(refused.code, ErrorCode::Full);
    assert!(pending > 10, "Pending comes before Full");
    // The kernel's buffers may have grown meanwhile, and let the queue drain before.
    while heard.try_recv().is_ok() {}
    for _ in 0..sent {
        let (first, payload) = read_frame(&mut peer).unwrap();
        assert!(first == 0x82 && payload == message);
    }
    assert!(matches!(next(&heard), Heard::Drain(drained) if drained == conn));
    assert_eq!(conn.buffered_amount().unwrap(), 0);
    assert!(heard.try_recv().is_err(), "one on_drain");
}

#[test]
fn an_echo_that_is_not_read_is_not_read_from() {
    let event_loop = background();
    let (server, heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    let mut writer = peer.try_clone().unwrap();
    let total = 94 << 20;
    let feeding = std::thread::spawn(move || {
        let bytes = frame(0x82, &vec![1; 65_536]);
        (0..total / 65_536).all(|_| writer.write_all(&bytes).is_ok())
    });
    // The queue stops growing: reading has stopped, and TCP pushes back on the writer.
    let mut seen = 0;
    let mut same = 0;
    while same < 10 || seen == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let now = conn.buffered_amount().unwrap();
        same = if now == seen { same + 1 } else { 0 };
        seen = now;
    }
    println!("queued at the most: {seen} bytes");
    assert!(seen <= (1 << 20) + (1 << 18), "{seen} bytes queued");
    assert!(!feeding.is_finished(), "94 MB went in though nothing was read");
    // Now everything comes back.
    let mut peer = peer;
    let mut left = total / 65_536 * (65_536 + 10);
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        left -= peer.read(&mut buffer).unwrap();
    }
    assert!(feeding.join().unwrap());
}

#[test]
fn pausing_keeps_the_rest_for_later() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    conn.pause(true).unwrap();
    // The pause has reached the loop when the loop has answered a later question.
    conn.info().unwrap();
    peer.write_all(&frame(0x81, b"held")).unwrap();
    assert!(heard.recv_timeout(std::time::Duration::from_millis(50)).is_err());
    conn.pause(false).unwrap();
    assert!(matches!(next(&heard), Heard::Message(Kind::Text, data) if data == b"held"));
}
