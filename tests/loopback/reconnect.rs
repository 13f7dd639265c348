use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use tungstenite::handshake::derive_accept_key;
use ws::proto::Kind;
use ws::{ConnectOptions, ErrorCode, ListenOptions, ReadyState, Reconnect, Sent, Settings};

use crate::proxy::{Fault, Proxy};
use crate::support::*;

/// Reads a request head.
fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Accepts one connection and its upgrade.
pub fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = request(&mut stream);
    let key = head
        .lines()
        .find_map(|line| {
            line.strip_prefix("sec-websocket-key: ").or_else(|| line.strip_prefix("Sec-WebSocket-Key: "))
        })
        .unwrap();
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .unwrap();
    stream
}

/// Accepts one connection and answers its request with this.
fn answer(listener: &TcpListener, response: &str) {
    let (mut stream, _) = listener.accept().unwrap();
    request(&mut stream);
    stream.write_all(response.as_bytes()).unwrap();
}

/// Reads a masked frame: first byte and payload.
pub fn masked_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 6];
    stream.read_exact(&mut head).unwrap();
    assert!(head[1] & 0x80 != 0 && head[1] & 0x7f < 126, "a short masked frame");
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).unwrap();
    payload.iter_mut().zip(head[2..].iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    (head[0], payload)
}

fn quickly() -> Reconnect {
    Reconnect { min_ms: 1, max_ms: 20, ..Reconnect::default() }
}

fn retried(reports: &std::sync::mpsc::Receiver<Heard>) -> (ws::CloseInfo, u64) {
    match next_but_drain(reports) {
        Heard::Retry(info, after_ms) => (info, after_ms),
        other => panic!("{other:?} instead of retry"),
    }
}

pub fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_lost_connection_comes_back_under_the_same_id() {
    let (listener, url) = server();
    let event_loop = background();
    let (client, heard) = reporter(false);
    let options = ConnectOptions { reconnect: Some(quickly()), offline_queue: 1000, ..Default::default() };
    let conn = event_loop.handle().connect(&url, client, options).unwrap();
    assert_eq!(conn.send_text("before the first open").unwrap(), Sent::Pending);
    let mut stream = accept(&listener);
    assert_eq!(opened(&heard), conn);
    assert_eq!(masked_frame(&mut stream), (0x81, b"before the first open".to_vec()));
    for round in 0..3 {
        drop(stream);
        let (info, after_ms) = retried(&heard);
        assert_eq!((info.code, info.was_open), (1006, true));
        assert!(after_ms <= 20);
        assert_eq!(conn.ready_state(), ReadyState::Connecting);
        let text = format!("kept {round}");
        // The next attempt waits for our accept, so this is still offline.
        assert_eq!(conn.send_text(&text).unwrap(), Sent::Pending);
        stream = accept(&listener);
        assert_eq!(opened(&heard), conn);
        assert_eq!(masked_frame(&mut stream), (0x81, text.into_bytes()));
        assert_eq!(conn.send_text("now").unwrap(), Sent::Ok);
        assert_eq!(masked_frame(&mut stream), (0x81, b"now".to_vec()));
    }
    conn.close(1000, "enough").unwrap();
    assert_eq!(masked_frame(&mut stream), (0x88, b"\x03\xe8enough".to_vec()));
    stream.write_all(b"\x88\x02\x03\xe8").unwrap();
    let info = closed(&heard);
    assert!(info.was_clean && info.was_open);
    assert!(heard.recv().is_err(), "no attempt after our own close");
}

#[test]
fn close_ends_it_at_any_moment() {
    let (listener, url) = server();
    let event_loop = background();
    let (client, heard) = reporter(false);
    let patient = Reconnect { min_ms: 60_000, max_ms: 60_000, ..Reconnect::default() };
    let options = ConnectOptions { reconnect: Some(patient), ..Default::default() };
    let conn = event_loop.handle().connect(&url, client, options).unwrap();
    drop(accept(&listener));
    opened(&heard);
    retried(&heard);
    assert_eq!(conn.send_text("nowhere").unwrap_err().code, ErrorCode::State, "no offline queue");
    conn.close(1000, "").unwrap();
    let info = closed(&heard);
    assert_eq!((info.code, info.was_open, info.error), (1006, true, None));
}

#[test]
fn what_is_final_ends_it() {
    let event_loop = background();
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found"] {
        let (listener, url) = server();
        let (client, heard) = reporter(false);
        let options = ConnectOptions { reconnect: Some(quickly()), ..Default::default() };
        event_loop.handle().connect(&url, client, options).unwrap();
        answer(&listener, &format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let info = closed(&heard);
        assert_eq!(info.error, Some(ErrorCode::Handshake));
        assert!(info.detail.contains(&status[..3]), "{}", info.detail);
    }
    let (listener, url) = server();
    let (client, heard) = reporter(false);
    let rules = Reconnect { final_codes: vec![4001], ..quickly() };
    let options = ConnectOptions { reconnect: Some(rules), ..Default::default() };
    event_loop.handle().connect(&url, client, options).unwrap();
    accept(&listener).write_all(b"\x88\x02\x0f\xa2").unwrap();
    opened(&heard);
    assert_eq!(retried(&heard).0.code, 4002, "not named by the application");
    accept(&listener).write_all(b"\x88\x02\x0f\xa1").unwrap();
    opened(&heard);
    assert_eq!(closed(&heard).code, 4001);
}

#[test]
fn the_servers_wish_for_time_is_heard() {
    let (listener, url) = server();
    let event_loop = background();
    let (client, heard) = reporter(false);
    let options = ConnectOptions { reconnect: Some(quickly()), ..Default::default() };
    let conn = event_loop.handle().connect(&url, client, options).unwrap();
    answer(&listener, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n");
    let (info, after_ms) = retried(&heard);
    assert_eq!((info.detail.as_str(), after_ms), ("HTTP 503", 3_600_000));
    conn.terminate().unwrap();
    closed(&heard);
}

#[test]
fn attempts_are_counted() {
    let (listener, url) = server();
    drop(listener);
    let event_loop = background();
    let (client, heard) = reporter(false);
    let options =
        ConnectOptions { reconnect: Some(Reconnect { attempts: 3, ..quickly() }), ..Default::default() };
    event_loop.handle().connect(&url, client, options).unwrap();
    for _ in 0..3 {
        assert!(!retried(&heard).0.was_open);
    }
    let info = closed(&heard);
    assert_eq!((info.error, info.was_open), (Some(ErrorCode::Io), false));
}

#[test]
fn a_full_offline_queue_refuses_or_drops_the_oldest() {
    for drops in [false, true] {
        let (listener, url) = server();
        let event_loop = background();
        let (client, heard) = reporter(false);
        let options = ConnectOptions {
            reconnect: Some(quickly()),
            offline_queue: 70,
            offline_drops_oldest: drops,
            ..Default::default()
        };
        let conn = event_loop.handle().connect(&url, client, options).unwrap();
        let results: Vec<bool> =
            (0..4).map(|n| conn.send_text(&format!("twenty bytes: text {n}")).is_ok()).collect();
        // The loop has looked at all of them when it has answered a later question.
        conn.info().unwrap();
        let mut stream = accept(&listener);
        opened(&heard);
        let expected: &[&[u8]] = if drops {
            &[b"twenty bytes: text 1", b"twenty bytes: text 2", b"twenty bytes: text 3"]
        } else {
            &[b"twenty bytes: text 0", b"twenty bytes: text 1", b"twenty bytes: text 2"]
        };
        assert_eq!(results, [true, true, true, drops]);
        for text in expected {
            assert_eq!(masked_frame(&mut stream), (0x81, text.to_vec()));
        }
        while conn.buffered_amount().unwrap() != 0 {
            std::thread::yield_now();
        }
    }
}

/// A small generator with a fixed seed: the same faults in every run.
fn faults(count: usize) -> impl Iterator<Item = (Fault, u64)> {
    let mut seed = 0x9E37_79B9u64;
    (0..count).map(move |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let fault = [Fault::Cut, Fault::Reset, Fault::HalfClose, Fault::BlackHole][(seed >> 33) as usize % 4];
        (fault, (seed >> 40) % 4)
    })
}

/// Losses between a fault and the first echo after it, of which one is due.
const MOST_LOSSES: u32 = 1000;

#[test]
fn a_bad_network_is_survived_under_one_id() {
    let event_loop = background();
    let (server, _server_heard) = reporter(true);
    let settings = Settings { heartbeat_ms: 20, heartbeat_timeout_ms: 60, ..Settings::default() };
    let listening = ListenOptions { settings: settings.clone(), ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, listening).unwrap();
    let proxy = Proxy::to(listener.port().unwrap());
    let (client, heard) = reporter(false);
    let options =
        ConnectOptions { settings, reconnect: Some(quickly()), offline_queue: 1 << 20, ..Default::default() };
    let url = format!("ws://127.0.0.1:{}", proxy.port);
    let conn = event_loop.handle().connect(&url, client, options).unwrap();
    assert_eq!(opened(&heard), conn);
    // The state goes on from fault to fault, and no report is passed over: a busy machine loses connections of its own
    // accord (a heartbeat of 60 ms), at any moment.
    let (mut open, mut sent) = (true, Vec::new());
    for (round, (fault, delay_ms)) in faults(30).enumerate() {
        sent.push(format!("{round}: after {fault:?}").into_bytes());
        proxy.delay(delay_ms);
        proxy.do_to_all(fault);
        let mut losses = 0;
        // A message of after the loss comes back after the next open.
        loop {
            match next_but_drain(&heard) {
                Heard::Retry(..) => {
                    (open, losses) = (false, losses + 1);
                    assert!(losses <= MOST_LOSSES, "lost again and again after {fault:?}");
                    conn.send(Kind::Text, &sent[round]).unwrap();
                }
                Heard::Open(id) => {
                    assert_eq!((id, open, losses > 0), (conn, false, true), "an open without a loss");
                    open = true;
                }
                Heard::Message(_, text) => {
                    assert!(open, "{text:?} while nothing is open");
                    if text == sent[round] {
                        break;
                    }
                    // Attempts that failed had sent as well.
                    assert!(sent.contains(&text), "{text:?} was never sent");
                }
                other => panic!("{other:?} after {fault:?}"),
            }
        }
    }
    proxy.delay(0);
    conn.close(1000, "").unwrap();
    // What was under way comes first.
    while !matches!(next(&heard), Heard::Close(_)) {}
    assert!(heard.recv().is_err(), "nothing after on_close");
}
