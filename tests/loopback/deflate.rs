//! permessage-deflate between our own client and server, over sockets.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};

use ws::proto::Kind;
use ws::proto::deflate::Output;
use ws::proto::deflate::compress::Compressor;
use ws::{ConnectOptions, Deflate, Handler, ListenOptions, Loop, LoopOptions, Message, Peer, Settings};

use super::support::{Gate, PATIENCE, background, frame, raw_client_with, read_frame};

/// A message as a handler saw it: its bytes, and whether they came compressed.
type Seen = (Vec<u8>, bool);

/// Echoes what begins with "echo", subscribes on "subscribe", and reports everything.
struct Server(Sender<Seen>);

impl Handler for Server {
    fn on_open(&mut self, peer: Peer) {
        peer.subscribe("all").unwrap();
    }

    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        if message.data.starts_with(b"echo") {
            peer.send(message.kind, message.data).unwrap();
        }
        let _ = self.0.send((message.data.to_vec(), message.compressed));
    }
}

/// Sends what it is told when it opens, and reports what comes.
struct Client(Vec<Vec<u8>>, Sender<Seen>);

impl Handler for Client {
    fn on_open(&mut self, peer: Peer) {
        for message in &self.0 {
            peer.send(Kind::Binary, message).unwrap();
        }
    }

    fn on_message(&mut self, _peer: Peer, message: Message<'_>) {
        let _ = self.1.send((message.data.to_vec(), message.compressed));
    }
}

fn settings(deflate: Option<Deflate>) -> Settings {
    Settings { deflate, max_buffered: 64 << 20, high_water: 64 << 20, ..Settings::default() }
}

fn listen(event_loop: &Loop, deflate: Option<Deflate>) -> (String, Receiver<Seen>) {
    let (sender, seen) = channel();
    let options = ListenOptions { settings: settings(deflate), ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", Server(sender), options).unwrap();
    (listener.url().unwrap(), seen)
}

fn connect(
    event_loop: &Loop,
    url: &str,
    deflate: Option<Deflate>,
    first: Vec<Vec<u8>>,
) -> (ws::Conn, Receiver<Seen>) {
    let (sender, seen) = channel();
    let options =
        ConnectOptions { settings: settings(deflate), offline_queue: 1 << 20, ..ConnectOptions::default() };
    (event_loop.handle().connect(url, Client(first, sender), options).unwrap(), seen)
}

fn next(seen: &Receiver<Seen>) -> Seen {
    seen.recv_timeout(PATIENCE).expect("nothing came")
}

/// "echo" and something that shrinks, different for each number.
fn text(number: usize) -> Vec<u8> {
    let line = format!("echo {number}: price {}, time {} 心跳; ", number * 7919, number * 104_729);
    line.repeat(4 + number % 40).into_bytes()
}

#[test]
fn every_mix_of_takeover_and_windows_carries_every_message() {
    let event_loop = background();
    for mix in 0..16 {
        let bit = |place: u32| mix >> place & 1 == 1;
        let side = |takeover, peer_takeover, window_bits| Deflate {
            takeover,
            peer_takeover,
            window_bits,
            peer_window_bits: 9 + (mix % 7) as u8,
            level: 1 + (mix % 9) as u8,
            ..Deflate::default()
        };
        let (url, server) = listen(&event_loop, Some(side(bit(0), bit(1), 15)));
        let messages: Vec<_> = (0..600).map(text).collect();
        let (_, client) = connect(&event_loop, &url, Some(side(bit(2), bit(3), 10)), messages.clone());
        for message in messages {
            assert_eq!(next(&server), (message.clone(), true), "mix {mix}");
            assert_eq!(next(&client), (message, true), "mix {mix}");
        }
    }
}

#[test]
fn it_is_off_unless_both_ask() {
    let event_loop = background();
    for (server, client) in [(None, Some(Deflate::default())), (Some(Deflate::default()), None), (None, None)]
    {
        let (url, seen) = listen(&event_loop, server);
        let (conn, _) = connect(&event_loop, &url, client, vec![text(1)]);
        assert_eq!(next(&seen), (text(1), false));
        assert!(!conn.info().unwrap().deflate);
    }
}

#[test]
fn short_noisy_and_secret_messages_go_as_they_are() {
    let event_loop = background();
    let (url, seen) = listen(&event_loop, Some(Deflate::default()));
    let noise: Vec<u8> =
        (0..1000u64).map(|n| ((n + 9).pow(3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect();
    let (conn, _) =
        connect(&event_loop, &url, Some(Deflate::default()), vec![vec![7; 127], vec![7; 128], noise.clone()]);
    assert_eq!(next(&seen), (vec![7; 127], false));
    assert_eq!(next(&seen), (vec![7; 128], true));
    assert_eq!(next(&seen), (noise, false));
    assert!(conn.info().unwrap().deflate);
    conn.send_uncompressed(Kind::Binary, &text(3)).unwrap();
    conn.send(Kind::Binary, &text(4)).unwrap();
    assert_eq!(next(&seen), (text(3), false));
    assert_eq!(next(&seen), (text(4), true), "from another thread too");
}

#[test]
fn what_waited_offline_is_compressed_when_it_leaves() {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let (url, seen) = listen(&event_loop, Some(Deflate::default()));
    let (conn, _) = connect(&event_loop, &url, Some(Deflate::default()), vec![]);
    conn.send(Kind::Binary, &text(5)).unwrap();
    conn.send_uncompressed(Kind::Binary, &text(6)).unwrap();
    event_loop.start().unwrap();
    assert_eq!(next(&seen), (text(5), true));
    assert_eq!(next(&seen), (text(6), false));
}

#[test]
fn a_topic_reaches_everybody_in_the_form_that_each_understands() {
    let event_loop = background();
    let takeover = Deflate { takeover: true, peer_takeover: true, ..Deflate::default() };
    let (url, server) = listen(&event_loop, Some(takeover.clone()));
    let small = Deflate { peer_window_bits: 9, ..takeover.clone() };
    let kinds = [None, Some(Deflate::default()), Some(takeover), Some(small)];
    let clients: Vec<_> =
        (0..12).map(|n| (connect(&event_loop, &url, kinds[n % 4].clone(), vec![text(n)]), n)).collect();
    for ((_, seen), n) in &clients {
        assert_eq!(next(seen), (text(*n), n % 4 != 0));
        next(&server);
    }
    // Messages of the topic and messages of each connection's own take turns: what a compressor refers to is known.
    for round in 0..20 {
        event_loop.handle().publish("all", None, Kind::Binary, &text(100 + round)).unwrap();
        for ((conn, _), n) in &clients {
            conn.send(Kind::Binary, &text(round * 50 + n)).unwrap();
        }
        for ((_, seen), n) in &clients {
            // The order of the two depends on who is quicker.
            let mut two = [next(seen), next(seen)];
            two.sort();
            let mut expected = [(text(100 + round), n % 4 != 0), (text(round * 50 + n), n % 4 != 0)];
            expected.sort();
            assert_eq!(two, expected, "round {round}");
        }
    }
    event_loop.handle().publish_uncompressed("all", None, Kind::Binary, &text(7)).unwrap();
    assert!(clients.iter().all(|((_, seen), _)| next(seen) == (text(7), false)));
}

#[test]
fn without_memory_connections_do_without_takeover() {
    let deflate = Deflate { takeover: true, peer_takeover: true, ..Deflate::default() };
    for deflate_memory in [0, 40_000, 1 << 19] {
        let event_loop = Loop::new(LoopOptions { deflate_memory, ..LoopOptions::default() }).unwrap();
        event_loop.start().unwrap();
        let (url, _server) = listen(&event_loop, Some(deflate.clone()));
        let clients: Vec<_> = (0..6)
            .map(|_| connect(&event_loop, &url, Some(deflate.clone()), (0..50).map(text).collect()).1)
            .collect();
        for seen in &clients {
            assert!((0..50).all(|n| next(seen) == (text(n), true)), "{deflate_memory} bytes");
        }
    }
}

#[test]
fn settings_that_cannot_be() {
    let event_loop = background();
    for (deflate, word) in [
        (Deflate { level: 0, ..Deflate::default() }, "deflate_level is 0"),
        (Deflate { level: 10, ..Deflate::default() }, "deflate_level is 10"),
        (Deflate { window_bits: 8, ..Deflate::default() }, "deflate_window_bits is 8"),
        (Deflate { peer_window_bits: 16, ..Deflate::default() }, "deflate_peer_window_bits is 16"),
    ] {
        let options = ConnectOptions { settings: settings(Some(deflate)), ..ConnectOptions::default() };
        let (sender, _) = channel();
        let error =
            event_loop.handle().connect("ws://127.0.0.1:1", Client(vec![], sender), options).unwrap_err();
        assert!(error.message.contains(word), "{error}");
    }
}

#[test]
fn what_inflates_to_much_leaves_a_turn_to_others() {
    const LARGE: usize = 1 << 20;
    const COUNT: usize = 20;
    let event_loop = background();
    let (open, gate) = channel();
    let (sender, seen) = channel();
    let options = ListenOptions { settings: settings(Some(Deflate::default())), ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", Gate(Some(gate), sender), options).unwrap();
    let port = listener.port().unwrap();
    let mut large = raw_client_with(port, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let mut small = raw_client_with(port, "");
    let mut out = Output::default();
    Compressor::new(6, 15).unwrap().message(&vec![0; LARGE], false, &mut out).unwrap();
    large.write_all(&frame(0xc2, out.as_slice()).repeat(COUNT)).unwrap();
    small.write_all(&frame(0x82, b"small")).unwrap();
    open.send(()).unwrap();
    let order: Vec<usize> = (0..=COUNT).map(|_| seen.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(order.iter().filter(|&&len| len == LARGE).count(), COUNT);
    let place = order.iter().position(|&len| len == 5).unwrap();
    assert!(place <= 3, "the other connection came after {place} large messages");
}

#[test]
fn a_bad_text_behind_what_inflates_to_much_is_refused_at_once() {
    let event_loop = background();
    let (url, seen) = listen(&event_loop, Some(Deflate::default()));
    let port = url.rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse().ok()).unwrap();
    let mut peer = raw_client_with(port, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    peer.set_read_timeout(Some(std::time::Duration::from_secs(3))).unwrap();
    let mut out = Output::default();
    Compressor::new(6, 15).unwrap().message(&vec![0; 1 << 20], false, &mut out).unwrap();
    // One segment: the event has inflated enough when the text comes up, and nothing follows it.
    peer.write_all(&[frame(0xc2, out.as_slice()), frame(0x81, b"\xff")].concat()).unwrap();
    assert_eq!(next(&seen).0.len(), 1 << 20);
    let (first, close) = read_frame(&mut peer).expect("no Close came");
    assert_eq!((first, &close[..2]), (0x88, &1007_u16.to_be_bytes()[..]));
}
