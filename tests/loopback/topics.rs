use ws::proto::Kind;
use ws::{Conn, Handler, ListenOptions, Message, Peer, Settings};

use crate::support::*;

/// Text is the topic to subscribe to; "-topic" unsubscribes.
struct Subscriber;

impl Handler for Subscriber {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        let text = message.text().unwrap();
        match text.strip_prefix('-') {
            Some(topic) => peer.unsubscribe(topic).unwrap(),
            None => peer.subscribe(text).unwrap(),
        }
        peer.set_user(peer.user + 1).unwrap();
        peer.send_text(&format!("{}", peer.conn.raw())).unwrap();
    }
}

fn ask(peer: &mut std::net::TcpStream, text: &str) -> Conn {
    use std::io::Write;
    peer.write_all(&frame(0x81, text.as_bytes())).unwrap();
    let (_, id) = read_frame(peer).unwrap();
    Conn::from_raw(String::from_utf8(id).unwrap().parse().unwrap())
}

#[test]
fn a_message_reaches_the_subscribers_and_nobody_else() {
    let event_loop = background();
    let handle = event_loop.handle();
    let listener = handle.listen("ws://127.0.0.1:0", Subscriber, ListenOptions::default()).unwrap();
    let mut peers: Vec<_> = (0..5).map(|_| raw_client(listener.port().unwrap())).collect();
    let ids: Vec<Conn> = peers.iter_mut().map(|peer| ask(peer, "news")).collect();
    ask(&mut peers[1], "-news");
    drop(peers.remove(4));
    let big = vec![b'x'; 100_000];
    handle.publish("news", Some(ids[2]), Kind::Binary, &big).unwrap();
    handle.publish("news", None, Kind::Text, b"for all").unwrap();
    handle.publish("nobody", None, Kind::Text, b"lost").unwrap();
    assert!(handle.publish("", None, Kind::Text, b"").is_err());
    for (n, peer) in peers.iter_mut().enumerate() {
        if n == 1 {
            continue;
        }
        if n != 2 {
            assert_eq!(read_frame(peer), Some((0x82, big.clone())));
        }
        assert_eq!(read_frame(peer), Some((0x81, b"for all".to_vec())));
    }
    // The one that left hears only what it asks for.
    ask(&mut peers[1], "other");
}

#[test]
fn members_that_come_and_go_keep_the_lists_right() {
    let event_loop = background();
    let handle = event_loop.handle();
    let listener = handle.listen("ws://127.0.0.1:0", Subscriber, ListenOptions::default()).unwrap();
    let mut peers: Vec<_> = (0..6).map(|_| raw_client(listener.port().unwrap())).collect();
    for topic in ["a", "b", "c"] {
        for peer in &mut peers {
            ask(peer, topic);
        }
    }
    for (who, topic) in [(0, "a"), (5, "a"), (2, "b"), (2, "a"), (1, "c"), (3, "b")] {
        ask(&mut peers[who], &format!("-{topic}"));
    }
    for topic in ["a", "b", "c"] {
        handle.publish(topic, None, Kind::Text, topic.as_bytes()).unwrap();
    }
    let expected = ["bc", "ab", "c", "ac", "abc", "bc"];
    for (peer, topics) in peers.iter_mut().zip(expected) {
        for topic in topics.bytes() {
            assert_eq!(read_frame(peer), Some((0x81, vec![topic])));
        }
    }
}

#[test]
fn a_subscriber_that_does_not_keep_up_is_told_1013() {
    for skips in [false, true] {
        let settings = Settings { publish_skips: skips, ..Settings::default() };
        let options = ListenOptions { settings, ..ListenOptions::default() };
        let event_loop = background();
        let handle = event_loop.handle();
        let listener = handle.listen("ws://127.0.0.1:0", Subscriber, options).unwrap();
        let mut peer = raw_client(listener.port().unwrap());
        let conn = ask(&mut peer, "flood");
        for _ in 0..200 {
            handle.publish("flood", None, Kind::Binary, &[0; 100_000]).unwrap();
        }
        // Answered when the loop has looked at every letter before it.
        let alive = conn.info().is_ok_and(|info| info.ready_state == ws::ReadyState::Open);
        assert_eq!(alive, skips);
    }
}
