use std::io::Write;
use std::net::{TcpListener, TcpStream};

use ws::{ConnectOptions, ErrorCode, ListenOptions, OFF, Settings};

use crate::support::*;

fn listening(settings: Settings) -> (ws::Loop, u16, std::sync::mpsc::Receiver<Heard>) {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let options = ListenOptions { settings, ..ListenOptions::default() };
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, options).unwrap();
    (event_loop, listener.port().unwrap(), heard)
}

#[test]
fn silence_is_pinged_and_an_answer_measured() {
    let (_loop, port, heard) = listening(Settings { heartbeat_ms: 20, ..Settings::default() });
    let mut peer = raw_client(port);
    let conn = opened(&heard);
    assert_eq!(conn.info().unwrap().round_trip_us, None);
    for _ in 0..3 {
        let (first, payload) = read_frame(&mut peer).unwrap();
        assert_eq!(first, 0x89);
        peer.write_all(&frame(0x8a, &payload)).unwrap();
    }
    while conn.info().unwrap().round_trip_us.is_none() {}
    assert!(heard.try_recv().is_err(), "the heartbeat's pongs are its own");
}

#[test]
fn a_peer_that_never_answers_is_dead() {
    let settings = Settings { heartbeat_ms: 20, heartbeat_timeout_ms: 30, ..Settings::default() };
    let (_loop, port, heard) = listening(settings);
    let mut peer = raw_client(port);
    opened(&heard);
    assert_eq!(read_frame(&mut peer).map(|(first, _)| first), Some(0x89));
    // Unsolicited pongs do not count as life.
    peer.write_all(&frame(0x8a, b"not yours")).unwrap();
    assert!(matches!(next(&heard), Heard::Pong(..)));
    let info = closed(&heard);
    assert_eq!((info.code, info.error), (1006, Some(ErrorCode::Timeout)));
    assert!(info.detail.contains("no pong for 30 ms"), "{}", info.detail);
}

#[test]
fn a_handshake_that_never_ends_is_ended() {
    use std::io::Read;
    let (_loop, port, _heard) = listening(Settings { handshake_timeout_ms: 50, ..Settings::default() });
    let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n").unwrap();
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_client_waits_no_longer_than_its_handshake_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let event_loop = background();
    let (client, heard) = reporter(false);
    let settings = Settings { handshake_timeout_ms: 50, ..Settings::default() };
    let options = ConnectOptions { settings, ..ConnectOptions::default() };
    let url = format!("ws://{}", silent.local_addr().unwrap());
    event_loop.handle().connect(&url, client, options).unwrap();
    let info = closed(&heard);
    assert_eq!((info.error, info.was_open), (Some(ErrorCode::Timeout), false), "{}", info.detail);
}

#[test]
fn a_close_that_is_not_answered_is_ended() {
    let (_loop, port, heard) = listening(Settings { close_timeout_ms: 50, ..Settings::default() });
    let mut peer = raw_client(port);
    let conn = opened(&heard);
    conn.close(1000, "").unwrap();
    assert_eq!(read_frame(&mut peer), Some((0x88, b"\x03\xe8".to_vec())));
    let info = closed(&heard);
    assert_eq!((info.code, info.sent_code, info.error), (1006, 1000, Some(ErrorCode::Timeout)));
    assert_eq!(read_frame(&mut peer), None);
}

#[test]
fn a_message_that_trickles_is_refused() {
    let settings = Settings { message_timeout_ms: 50, heartbeat_ms: OFF, ..Settings::default() };
    let (_loop, port, heard) = listening(settings);
    let mut peer = raw_client(port);
    opened(&heard);
    peer.write_all(&frame(0x02, b"begun")).unwrap();
    let (first, payload) = read_frame(&mut peer).unwrap();
    assert_eq!((first, &payload[..2]), (0x88, &1008u16.to_be_bytes()[..]));
    assert_eq!(closed(&heard).error, Some(ErrorCode::Timeout));
}

#[test]
fn a_send_without_progress_is_given_up() {
    let settings = Settings { send_timeout_ms: 100, ..Settings::default() };
    let (_loop, port, heard) = listening(settings);
    let _peer = raw_client(port);
    let conn = opened(&heard);
    // The kernel's buffers grow for a while: what counts is the time after the last byte that they took.
    while conn.send_binary(&[0; 100_000]).map_or_else(|error| error.code == ErrorCode::Full, |_| true) {}
    let info = closed(&heard);
    assert_eq!((info.code, info.error), (1006, Some(ErrorCode::Timeout)));
    assert!(info.unsent > 0);
}
