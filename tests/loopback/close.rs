use std::io::Write;
use std::net::TcpListener;

use ws::{ConnectOptions, ErrorCode, Handler, ListenOptions, Loop, LoopOptions, Peer, ReadyState};

use crate::support::*;

#[test]
fn the_peers_close_is_echoed() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    for (payload, code, reason) in
        [(&b""[..], 1005, ""), (b"\x03\xe8", 1000, ""), (b"\x0f\xa1why", 4001, "why")]
    {
        let mut peer = raw_client(listener.port().unwrap());
        opened(&heard);
        peer.write_all(&frame(0x88, payload)).unwrap();
        assert_eq!(read_frame(&mut peer), Some((0x88, payload.to_vec())));
        let info = closed(&heard);
        assert_eq!((info.code, info.reason.as_str(), info.was_clean), (code, reason, true));
        assert_eq!(read_frame(&mut peer), None);
    }
}

#[test]
fn a_peer_that_just_goes_is_1006() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    drop(peer);
    let info = closed(&heard);
    assert_eq!(
        (info.code, info.sent_code, info.was_clean, info.error),
        (1006, 0, false, Some(ErrorCode::Io))
    );
    assert_eq!(conn.ready_state(), ReadyState::Closed);
}

#[test]
fn after_close_nothing_can_be_sent() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    conn.close(1000, "done").unwrap();
    assert_eq!(conn.close(1001, "again").unwrap_err().code, ErrorCode::State);
    assert_eq!(conn.send_text("late").unwrap_err().code, ErrorCode::State);
    assert_eq!(read_frame(&mut peer), Some((0x88, b"\x03\xe8done".to_vec())));
    peer.write_all(&frame(0x88, b"\x03\xe8")).unwrap();
    assert!(closed(&heard).was_clean);
    // The id dies when on_close has returned.
    while conn.user().is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(conn.send_text("later").unwrap_err().code, ErrorCode::Gone);
}

#[test]
fn a_connect_that_fails_is_closed_once_and_never_opens() {
    let event_loop = background();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let speaks_http = std::thread::spawn({
        let silent = silent.try_clone().unwrap();
        move || {
            let (mut stream, _) = silent.accept().unwrap();
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
            stream
        }
    });
    let port = silent.local_addr().unwrap().port();
    let cases = [
        (format!("ws://127.0.0.1:{nobody}"), ErrorCode::Io),
        (format!("ws://127.0.0.1:{port}"), ErrorCode::Handshake),
        ("ws://no-such-name.invalid".to_owned(), ErrorCode::Address),
        ("ws+unix:/nonexistent/a.sock".to_owned(), ErrorCode::Io),
    ];
    for (url, error) in cases {
        let (client, heard) = reporter(false);
        event_loop.handle().connect(&url, client, ConnectOptions::default()).unwrap();
        let info = closed(&heard);
        assert_eq!(
            (info.code, info.error, info.was_open),
            (1006, Some(error), false),
            "{url}: {}",
            info.detail
        );
        assert!(heard.recv().is_err(), "the handler is dropped after on_close");
    }
    drop(speaks_http.join().unwrap());
}

#[test]
fn closing_while_connecting_aborts() {
    let event_loop = background();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    let (client, heard) = reporter(false);
    let conn = event_loop.handle().connect(&url, client, ConnectOptions::default()).unwrap();
    assert_eq!(conn.ready_state(), ReadyState::Connecting);
    assert_eq!(conn.send_text("early").unwrap_err().code, ErrorCode::State);
    conn.close(1000, "").unwrap();
    let info = closed(&heard);
    assert_eq!((info.code, info.was_open, info.was_clean), (1006, false, false));
}

#[test]
fn freeing_the_loop_closes_everything_once() {
    let (server, heard) = reporter(false);
    let event_loop = background();
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peers: Vec<_> = (0..20).map(|_| raw_client(listener.port().unwrap())).collect();
    for _ in &peers {
        opened(&heard);
    }
    drop(event_loop);
    for _ in &peers {
        assert_eq!(closed(&heard).sent_code, 1001);
    }
    assert!(matches!(next(&heard), Heard::ListenerClose(closed) if closed == listener));
    assert!(heard.recv().is_err());
    for peer in &mut peers {
        assert_eq!(read_frame(peer).map(|(first, _)| first), Some(0x88));
    }
    assert_eq!(listener.port().unwrap_err().code, ErrorCode::Gone);
}

/// Does something to its connection in a callback, and counts the closes.
struct Meddler {
    open: fn(Peer),
    closes: std::sync::mpsc::Sender<u16>,
}

impl Handler for Meddler {
    fn on_open(&mut self, peer: Peer) {
        (self.open)(peer);
    }

    fn on_close(&mut self, peer: Peer, info: &ws::CloseInfo) {
        assert_eq!(peer.close(1000, "").unwrap_err().code, ErrorCode::State);
        assert_eq!(peer.send_text("x").unwrap_err().code, ErrorCode::State);
        assert!(peer.terminate().is_err());
        self.closes.send(info.code).unwrap();
    }
}

#[test]
fn ending_inside_a_callback_is_one_close() {
    let acts: [fn(Peer); 3] = [
        |peer| peer.close(1000, "").unwrap(),
        |peer| peer.terminate().unwrap(),
        |_| panic!("a handler that panics"),
    ];
    for act in acts {
        let event_loop = Loop::new(LoopOptions::default()).unwrap();
        let (closes, closed) = std::sync::mpsc::channel();
        let (echo, _heard) = reporter(true);
        let listener =
            event_loop.handle().listen("ws://127.0.0.1:0", echo, ListenOptions::default()).unwrap();
        let url = listener.url().unwrap();
        let client = Meddler { open: act, closes };
        event_loop.handle().connect(&url, client, ConnectOptions::default()).unwrap();
        while closed.try_recv().is_err() {
            event_loop.run_once(Some(PATIENCE)).unwrap();
        }
        listener.close().unwrap();
        event_loop.run().unwrap();
        assert!(closed.try_recv().is_err(), "a second on_close");
    }
}

#[test]
fn run_ends_when_nothing_is_left() {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    event_loop.run().unwrap();
    let (echo, _heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", echo, ListenOptions::default()).unwrap();
    let handle = event_loop.handle();
    let stopper = handle.start_timer(20, 0, move |_| listener.close().unwrap()).unwrap();
    event_loop.run().unwrap();
    assert_eq!(stopper.stop().unwrap_err().code, ErrorCode::Gone);
    handle.stop().unwrap();
    event_loop.run().unwrap();
}
