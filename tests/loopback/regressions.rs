//! Faults that were found and mended; each test failed before.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use ws::proto::Kind;
use ws::*;

use crate::reconnect::{accept, masked_frame, server};
use crate::support::*;

// 1a: a subscription of a lost client survives as a ghost: frames before the request
#[test]
fn a_publish_while_waiting_does_not_reach_the_next_handshake() {
    let (listener, url) = server();
    let l = background();
    let (client, heard) = reporter(false);
    let rec = Reconnect { min_ms: 300, max_ms: 300, ..Reconnect::default() };
    let options = ConnectOptions { reconnect: Some(rec), ..Default::default() };
    let conn = l.handle().connect(&url, client, options).unwrap();
    let stream = accept(&listener);
    opened(&heard);
    conn.subscribe("t").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(stream);
    loop {
        if let Heard::Retry(..) = next(&heard) {
            break;
        }
    }
    l.handle().publish("t", None, Kind::Text, b"GHOST").unwrap();
    accept(&listener);
}

// 1b: duplicates after resubscription
#[test]
fn a_subscription_ends_with_its_stream() {
    let (listener, url) = server();
    let l = background();
    let (client, heard) = reporter(false);
    let rec = Reconnect { min_ms: 1, max_ms: 10, ..Reconnect::default() };
    let options = ConnectOptions { reconnect: Some(rec), ..Default::default() };
    let conn = l.handle().connect(&url, client, options).unwrap();
    let stream = accept(&listener);
    opened(&heard);
    conn.subscribe("t").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(stream);
    loop {
        if let Heard::Retry(..) = next(&heard) {
            break;
        }
    }
    let mut stream = accept(&listener);
    opened(&heard);
    conn.subscribe("t").unwrap();
    l.handle().publish("t", None, Kind::Text, b"once").unwrap();
    assert_eq!(masked_frame(&mut stream).1, b"once");
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(stream.read(&mut [0; 64]).is_err(), "a second copy");
}

// 1c: a ghost's slot goes to a stranger, who gets the topic
#[test]
fn a_reused_slot_inherits_no_subscription() {
    let (listener, url) = server();
    let l = background();
    let (client, heard) = reporter(false);
    let rec = Reconnect { min_ms: 1, max_ms: 10, ..Reconnect::default() };
    let options = ConnectOptions { reconnect: Some(rec), ..Default::default() };
    let conn = l.handle().connect(&url, client, options).unwrap();
    let stream = accept(&listener);
    opened(&heard);
    conn.subscribe("secret").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(stream);
    loop {
        if let Heard::Retry(..) = next(&heard) {
            break;
        }
    }
    conn.terminate().unwrap();
    loop {
        if let Heard::Close(..) = next(&heard) {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    let (s, h2) = reporter(false);
    let lis = l.handle().listen("ws://127.0.0.1:0", s, ListenOptions::default()).unwrap();
    let mut peer = raw_client(lis.port().unwrap());
    opened(&h2);
    l.handle().publish("secret", None, Kind::Text, b"secret text").unwrap();
    peer.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
    let got = read_frame(&mut peer);
    assert!(got.is_none(), "a stranger got {got:?}");
}

// 2: a question during the last part of free is never answered
#[test]
fn a_question_to_a_loop_that_is_freed_is_answered() {
    struct H(std::sync::mpsc::Sender<()>);
    impl Handler for H {
        fn on_listener_close(&mut self, _l: Listener, _u: usize) {
            let _ = self.0.send(());
            std::thread::sleep(Duration::from_millis(300));
        }
    }
    let l = Loop::new(LoopOptions::default()).unwrap();
    let (tx, rx) = channel();
    let handle = l.handle();
    let lis = handle.listen("ws://127.0.0.1:0", H(tx), ListenOptions::default()).unwrap();
    let port = lis.port().unwrap();
    l.start().unwrap();
    let _peer = raw_client(port);
    let (done_tx, done_rx) = channel();
    std::thread::spawn(move || {
        rx.recv().unwrap();
        let r = handle.start_timer(1, 0, |_| {});
        let _ = done_tx.send(r.is_ok());
    });
    handle.stop().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(l); // free on this thread
    let r = done_rx.recv_timeout(PATIENCE);
    assert!(r.is_ok(), "start_timer from another thread hangs for ever: {r:?}");
}

// 3: a timer of 0 ms that starts itself again starves everything
#[test]
fn a_timer_of_0_ms_that_starts_itself_leaves_time_for_the_rest() {
    let l = background();
    let handle = l.handle();
    let quit = Arc::new(AtomicBool::new(false));
    fn again(handle: Handle, quit: Arc<AtomicBool>) {
        if quit.load(SeqCst) {
            return;
        }
        let q = quit.clone();
        let _ = handle.start_timer(0, 0, move |_| again(handle, q.clone()));
    }
    again(handle, quit.clone());
    std::thread::sleep(Duration::from_millis(50));
    let (tx, rx) = channel();
    handle
        .post(move || {
            let _ = tx.send(());
        })
        .unwrap();
    let r = rx.recv_timeout(PATIENCE);
    quit.store(true, SeqCst);
    assert!(r.is_ok(), "a post was starved for 2 s");
}

// 4: publish skips a member when another fails meanwhile
#[test]
fn publishing_skips_nobody_when_a_member_breaks() {
    struct H;
    impl Handler for H {
        fn on_message(&mut self, peer: Peer, m: Message<'_>) {
            if m.text() == Some("sub") {
                peer.subscribe("t").unwrap();
                peer.send_text("ok").unwrap();
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
            peer.send_text("small reply").unwrap();
            let h = HANDLE.get().unwrap();
            let n = h.publish("t", None, Kind::Text, b"news");
            eprintln!("reached {n:?}");
        }
    }
    static HANDLE: std::sync::OnceLock<Handle> = std::sync::OnceLock::new();
    let l = background();
    let _ = HANDLE.set(l.handle());
    let lis = l.handle().listen("ws://127.0.0.1:0", H, ListenOptions::default()).unwrap();
    let mut peers: Vec<_> = (0..3).map(|_| raw_client(lis.port().unwrap())).collect();
    for p in &mut peers {
        p.write_all(&frame(0x81, b"sub")).unwrap();
        read_frame(p).unwrap();
    }
    let mut first = peers.remove(0);
    first.write_all(&frame(0x81, b"go")).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    rustix::net::sockopt::set_socket_linger(&first, Some(Duration::ZERO)).unwrap();
    drop(first);
    for (n, p) in peers.iter_mut().enumerate() {
        p.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(read_frame(p), Some((0x81, b"news".to_vec())), "peer {n}");
    }
}

// 5: pong starves behind a queue that never empties
#[test]
fn a_queue_that_never_empties_lets_pongs_through() {
    struct H;
    impl Handler for H {
        fn on_open(&mut self, p: Peer) {
            fill(&p);
        }
        fn on_drain(&mut self, p: Peer) {
            fill(&p);
        }
    }
    fn fill(p: &Peer) {
        while let Ok(Sent::Ok) = p.send_binary(&[7; 20_000]) {}
    }
    let l = background();
    let lis = l.handle().listen("ws://127.0.0.1:0", H, ListenOptions::default()).unwrap();
    let mut peer = raw_client(lis.port().unwrap());
    std::thread::sleep(Duration::from_millis(300));
    peer.write_all(&frame(0x89, b"ping")).unwrap();
    let start = Instant::now();
    let mut bytes = 0u64;
    let mut got = false;
    while start.elapsed() < Duration::from_secs(15) {
        let (first, payload) = read_frame(&mut peer).unwrap();
        if first == 0x8a {
            got = true;
            break;
        }
        bytes += payload.len() as u64;
        if bytes % 200_000 == 0 {
            std::thread::sleep(Duration::from_millis(4));
        }
    }
    assert!(got, "no pong among {bytes} bytes in {:?}", start.elapsed());
}

// 6: unpausing while waiting for a reconnect is lost
#[test]
fn a_pause_can_end_while_waiting() {
    let (listener, url) = server();
    let l = background();
    let (client, heard) = reporter(false);
    let rec = Reconnect { min_ms: 300, max_ms: 300, ..Reconnect::default() };
    let options = ConnectOptions { reconnect: Some(rec), ..Default::default() };
    let conn = l.handle().connect(&url, client, options).unwrap();
    let stream = accept(&listener);
    opened(&heard);
    conn.pause(true).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
    loop {
        if let Heard::Retry(..) = next(&heard) {
            break;
        }
    }
    conn.pause(false).unwrap();
    let mut stream = accept(&listener);
    opened(&heard);
    stream.write_all(b"\x81\x02hi").unwrap();
    let r = heard.recv_timeout(PATIENCE);
    assert!(r.is_ok(), "paused for ever");
}

// 7: connect that races free: id without on_close
#[test]
fn a_connect_that_races_the_end_is_closed_or_refused() {
    let mut missing = 0;
    let mut total = 0;
    for round in 0..40 {
        let l = background();
        let handle = l.handle();
        let closes = Arc::new(AtomicU64::new(0));
        struct H(Arc<AtomicU64>);
        impl Handler for H {
            fn on_close(&mut self, _p: Peer, _i: &CloseInfo) {
                self.0.fetch_add(1, SeqCst);
            }
        }
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let closes = closes.clone();
                std::thread::spawn(move || {
                    let mut ok = 0;
                    let end = Instant::now() + Duration::from_millis(500);
                    while Instant::now() < end {
                        match handle.connect(
                            "ws+unix:/nonexistent/x",
                            H(closes.clone()),
                            ConnectOptions::default(),
                        ) {
                            Ok(_) => ok += 1,
                            Err(_) => break,
                        }
                    }
                    ok
                })
            })
            .collect();
        std::thread::sleep(Duration::from_micros(200 + round * 3));
        drop(l);
        let ok: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
        total += ok;
        if closes.load(SeqCst) != ok {
            missing += ok - closes.load(SeqCst);
        }
    }
    assert_eq!(missing, 0, "connections without on_close, of {total}");
}

// 8: a chatty peer keeps a closing connection for ever
#[test]
fn frames_do_not_renew_the_close_deadline() {
    let l = background();
    let (s, heard) = reporter(false);
    let mut options = ListenOptions::default();
    options.settings.close_timeout_ms = 300;
    let lis = l.handle().listen("ws://127.0.0.1:0", s, options).unwrap();
    let mut peer = raw_client(lis.port().unwrap());
    let conn = opened(&heard);
    conn.close(1000, "").unwrap();
    // Without the deadline this would go on for ever: 100 pieces of chatter are ten seconds.
    let ended = (0..100).any(|_| {
        let _ = peer.write_all(&frame(0x81, b"chatter"));
        matches!(heard.recv_timeout(Duration::from_millis(100)), Ok(Heard::Close(_)))
    });
    assert!(ended, "frames renew the deadline");
}

// 9: a closed listener goes on serving upgrades on a keep-alive connection
#[test]
fn a_closed_listener_serves_no_further_request() {
    struct H(std::sync::mpsc::Sender<&'static str>);
    impl Handler for H {
        fn takes_requests(&self) -> bool {
            true
        }
        fn on_request(&mut self, i: Incoming<'_>) {
            i.request.respond(200, "", b"x").unwrap();
        }
        fn on_open(&mut self, _p: Peer) {
            let _ = self.0.send("open");
        }
        fn on_listener_close(&mut self, _l: Listener, _u: usize) {
            let _ = self.0.send("listener_close");
        }
    }
    struct Slow;
    let _ = Slow;
    let l = background();
    let (tx, rx) = channel();
    let lis = l.handle().listen("ws://127.0.0.1:0", H(tx), ListenOptions::default()).unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", lis.port().unwrap())).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    // half a request is under way when the listener closes
    peer.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    lis.close().unwrap();
    peer.write_all(b"Host: 127.0.0.1\r\n\r\n").unwrap();
    for n in 0..10 {
        let mut b = [0; 4096];
        let got = peer.read(&mut b).unwrap_or(0);
        if got == 0 {
            eprintln!("ended after {n}");
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        if n < 9 {
            let _ = peer.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        }
    }
    let _ = peer.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    let r = rx.recv_timeout(PATIENCE);
    assert_eq!(r, Ok("listener_close"));
}

// 10: takes_requests runs inside the borrow
#[test]
fn takes_requests_may_call_the_library() {
    struct H;
    impl Handler for H {
        fn takes_requests(&self) -> bool {
            let _ = H10.get().unwrap().publish("t", None, Kind::Text, b"");
            true
        }
        fn on_request(&mut self, i: Incoming<'_>) {
            i.request.respond(200, "", b"x").unwrap();
        }
    }
    static H10: std::sync::OnceLock<Handle> = std::sync::OnceLock::new();
    let l = background();
    let _ = H10.set(l.handle());
    let lis = l.handle().listen("ws://127.0.0.1:0", H, ListenOptions::default()).unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", lis.port().unwrap())).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut b = [0; 100];
    let r = peer.read(&mut b);
    assert!(r.is_ok(), "{r:?}");
}

// 11: closure dropped in the borrow
#[test]
fn a_refused_closure_may_call_the_library_when_dropped() {
    struct D(Handle);
    impl Drop for D {
        fn drop(&mut self) {
            let _ = self.0.publish("t", None, Kind::Text, b"");
        }
    }
    struct H(Handle, std::sync::mpsc::Sender<bool>);
    impl Handler for H {
        fn on_close(&mut self, _p: Peer, _i: &CloseInfo) {
            let d = D(self.0);
            let h = self.0;
            let r = std::panic::catch_unwind(move || {
                let _ = h.start_timer(1, 0, move |_| {
                    let _ = &d;
                });
            });
            let _ = self.1.send(r.is_ok());
        }
    }
    let (tx, rx) = channel();
    let l = Loop::new(LoopOptions::default()).unwrap();
    l.handle().connect("ws://127.0.0.1:1", H(l.handle(), tx), ConnectOptions::default()).unwrap();
    drop(l);
    assert_eq!(rx.recv_timeout(PATIENCE), Ok(true));
}

// 15: blocking callback longer than close_timeout, then close
#[test]
fn a_long_callback_does_not_shorten_the_close_deadline() {
    struct H(std::sync::mpsc::Sender<CloseInfo>);
    impl Handler for H {
        fn on_message(&mut self, p: Peer, _m: Message<'_>) {
            std::thread::sleep(Duration::from_millis(400));
            p.close(1000, "").unwrap();
        }
        fn on_close(&mut self, _p: Peer, i: &CloseInfo) {
            let _ = self.0.send(i.clone());
        }
    }
    let (tx, rx) = channel();
    let l = background();
    let mut options = ListenOptions::default();
    options.settings.close_timeout_ms = 300;
    let lis = l.handle().listen("ws://127.0.0.1:0", H(tx), options).unwrap();
    let mut peer = raw_client(lis.port().unwrap());
    peer.write_all(&frame(0x81, b"x")).unwrap();
    let (first, payload) = read_frame(&mut peer).unwrap();
    assert_eq!(first, 0x88);
    let _ = peer.write_all(&frame(0x88, &payload));
    let info = rx.recv().unwrap();
    assert!(info.was_clean, "the peer answered at once: {info:?}");
}

// 16: timer relative to the call
#[test]
fn a_timer_counts_from_when_it_is_started() {
    struct H(Handle, std::sync::mpsc::Sender<Duration>);
    impl Handler for H {
        fn on_message(&mut self, _p: Peer, _m: Message<'_>) {
            std::thread::sleep(Duration::from_millis(400));
            let start = Instant::now();
            let tx = self.1.clone();
            self.0
                .start_timer(300, 0, move |_| {
                    let _ = tx.send(start.elapsed());
                })
                .unwrap();
        }
    }
    let (tx, rx) = channel();
    let l = background();
    let lis = l.handle().listen("ws://127.0.0.1:0", H(l.handle(), tx), ListenOptions::default()).unwrap();
    let mut peer = raw_client(lis.port().unwrap());
    peer.write_all(&frame(0x81, b"x")).unwrap();
    let took = rx.recv().unwrap();
    assert!(took >= Duration::from_millis(299), "a timer of 300 ms came after {took:?}");
}

// 17: a closure that is refused is dropped inside the borrow of LAST
#[test]
fn a_refused_post_may_post_when_dropped() {
    struct D(Handle);
    impl Drop for D {
        fn drop(&mut self) {
            let _ = self.0.post(|| {});
        }
    }
    struct H(Handle, std::sync::mpsc::Sender<bool>);
    impl Handler for H {
        fn on_close(&mut self, _p: Peer, _i: &CloseInfo) {
            let d = D(self.0);
            let h = self.0;
            let r = std::panic::catch_unwind(move || {
                let _ = h.post(move || {
                    let _ = &d;
                });
            });
            let _ = self.1.send(r.is_ok());
        }
    }
    let (tx, rx) = channel();
    let l = Loop::new(LoopOptions::default()).unwrap();
    l.handle().connect("ws://127.0.0.1:1", H(l.handle(), tx), ConnectOptions::default()).unwrap();
    drop(l);
    assert_eq!(rx.recv_timeout(PATIENCE), Ok(true));
}

// 18: bytes of a send that races free stay counted in the slot for ever
#[test]
fn sends_that_race_the_end_leave_no_count_behind() {
    for round in 0..60u64 {
        let l = background();
        let (s, heard) = reporter(false);
        let lis = l.handle().listen("ws://127.0.0.1:0", s, ListenOptions::default()).unwrap();
        let _peer = raw_client(lis.port().unwrap());
        let conn = opened(&heard);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                std::thread::spawn(move || {
                    loop {
                        match conn.send_binary(&[1; 64]) {
                            Ok(_) => {}
                            Err(e) if e.code == ErrorCode::Gone || e.code == ErrorCode::State => break,
                            Err(_) => {}
                        }
                    }
                })
            })
            .collect();
        std::thread::sleep(Duration::from_micros(100 + round % 7 * 10));
        drop(l);
        for t in threads {
            t.join().unwrap();
        }
        if round % 100 == 99 {
            let l = background();
            let conns: Vec<_> = (0..200)
                .map(|_| {
                    l.handle()
                        .connect("ws://127.0.0.1:1", reporter(false).0, ConnectOptions::default())
                        .unwrap()
                })
                .collect();
            for c in conns {
                if let Ok(n) = c.buffered_amount() {
                    assert_eq!(n, 0, "round {round}");
                }
            }
        }
    }
}

/// `hosts` was looked at after binding: a bad list left a socket file behind.
#[test]
fn a_bad_list_of_hosts_binds_nothing() {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let path = std::env::temp_dir().join(format!("libws-hosts-{}", std::process::id()));
    let (handler, _heard) = reporter(false);
    let options = ListenOptions { hosts: Some("a b".into()), ..ListenOptions::default() };
    let refused = event_loop.handle().listen(&format!("ws+unix:{}", path.display()), handler, options);
    assert_eq!(refused.unwrap_err().code, ErrorCode::Invalid);
    assert!(!path.exists());
}
