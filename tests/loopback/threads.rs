use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use ws::{ConnectOptions, ErrorCode, ListenOptions, Loop, LoopOptions};

use crate::support::*;

#[test]
fn eight_threads_send_on_one_connection_in_order() {
    const THREADS: u8 = 8;
    const MESSAGES: u32 = 2_000;
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let mut peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    let senders: Vec<_> = (0..THREADS)
        .map(|thread| {
            std::thread::spawn(move || {
                for n in 0..MESSAGES {
                    let message = [&[thread][..], &n.to_be_bytes()].concat();
                    while let Err(error) = conn.send_binary(&message) {
                        assert_eq!(error.code, ErrorCode::Full);
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let mut expected = [0u32; THREADS as usize];
    for _ in 0..u32::from(THREADS) * MESSAGES {
        let (_, payload) = read_frame(&mut peer).unwrap();
        let thread = usize::from(payload[0]);
        assert_eq!(payload[1..], expected[thread].to_be_bytes());
        expected[thread] += 1;
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

#[test]
fn posts_run_exactly_once_also_when_the_loop_is_freed() {
    let ran = Arc::new(AtomicUsize::new(0));
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let handle = event_loop.handle();
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let ran = ran.clone();
            std::thread::spawn(move || {
                let post = |_| {
                    let ran = ran.clone();
                    let count = move || {
                        ran.fetch_add(1, Ordering::SeqCst);
                    };
                    handle.post(count).is_ok()
                };
                (0..20_000).map(post).filter(|posted| *posted).count()
            })
        })
        .collect();
    std::thread::yield_now();
    drop(event_loop);
    let posted: usize = posters.into_iter().map(|poster| poster.join().unwrap()).sum();
    assert_eq!(ran.load(Ordering::SeqCst), posted);
    assert_eq!(handle.post(|| ()).unwrap_err().code, ErrorCode::Gone);
}

#[test]
fn two_loops_that_ask_each_other_do_not_wait_for_ever() {
    let loops = [background(), background()];
    let (done, finished) = mpsc::channel();
    for (own, other) in [(0, 1), (1, 0)] {
        let other = loops[other].handle();
        let done = done.clone();
        loops[own]
            .handle()
            .post(move || {
                for _ in 0..200 {
                    other.start_timer(60_000, 0, |_| ()).unwrap().stop().unwrap();
                }
                done.send(()).unwrap();
            })
            .unwrap();
    }
    for _ in 0..2 {
        finished.recv_timeout(PATIENCE).expect("the loops wait for each other");
    }
}

#[test]
fn a_loop_can_be_started_and_stopped_many_times() {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let (echo, _heard) = reporter(true);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", echo, ListenOptions::default()).unwrap();
    let url = listener.url().unwrap();
    for round in 0..100 {
        event_loop.start().unwrap();
        if round % 10 == 0 {
            let (client, heard) = reporter(false);
            let conn = event_loop.handle().connect(&url, client, ConnectOptions::default()).unwrap();
            opened(&heard);
            conn.send_text("hello").unwrap();
            assert!(matches!(next(&heard), Heard::Message(..)));
        }
        assert_eq!(event_loop.start().unwrap_err().code, ErrorCode::State);
        event_loop.handle().stop().unwrap();
        // The next start joins the thread when it has parked the loop.
        while event_loop.start().is_err() {
            std::thread::yield_now();
        }
        event_loop.handle().stop().unwrap();
        while event_loop.timeout().is_err() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn timers_beat_in_order_and_stop() {
    let event_loop = background();
    let (beat, beats) = mpsc::channel();
    let handle = event_loop.handle();
    let late = beat.clone();
    handle.start_timer(60, 0, move |_| late.send(60).unwrap()).unwrap();
    let early = beat.clone();
    handle.start_timer(20, 0, move |_| early.send(20).unwrap()).unwrap();
    assert_eq!(beats.recv_timeout(PATIENCE), Ok(20));
    assert_eq!(beats.recv_timeout(PATIENCE), Ok(60));
    let timer = handle.start_timer(1, 1, move |_| beat.send(1).unwrap()).unwrap();
    for _ in 0..5 {
        assert_eq!(beats.recv_timeout(PATIENCE), Ok(1));
    }
    timer.stop().unwrap();
    while beats.try_recv().is_ok() {}
    assert!(beats.recv().is_err(), "a stopped timer's function is dropped");
    assert_eq!(timer.stop().unwrap_err().code, ErrorCode::Gone);
}

#[test]
fn what_is_sent_after_terminate_is_refused_at_once() {
    let event_loop = background();
    let (server, heard) = reporter(false);
    let listener = event_loop.handle().listen("ws://127.0.0.1:0", server, ListenOptions::default()).unwrap();
    let peer = raw_client(listener.port().unwrap());
    let conn = opened(&heard);
    let (begun, wait_begun) = mpsc::channel();
    let (go_on, wait_go_on) = mpsc::channel::<()>();
    // The loop is busy, so that it cannot have heard of the end.
    let hold = move || {
        begun.send(()).unwrap();
        wait_go_on.recv().unwrap();
    };
    event_loop.handle().post(hold).unwrap();
    wait_begun.recv().unwrap();
    conn.terminate().unwrap();
    assert_eq!(conn.send_text("late").unwrap_err().code, ErrorCode::State);
    assert_eq!(conn.close(1000, "").unwrap_err().code, ErrorCode::State);
    assert_eq!(conn.terminate().unwrap_err().code, ErrorCode::State);
    go_on.send(()).unwrap();
    let info = closed(&heard);
    assert_eq!((info.code, info.was_clean), (1006, false));
    drop(peer);
}
