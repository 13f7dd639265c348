//! fork(2) inside a callback, as far as it concerns Rust; the rest is tested from C.
#![allow(unsafe_code)]

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use ws::{Handle, Handler, ListenOptions, Loop, LoopOptions, Message, Peer};

use crate::support::*;

static DROPPED: AtomicBool = AtomicBool::new(false);
/// 0 in the child.
static CHILD: AtomicI32 = AtomicI32::new(-1);

struct Forker(Handle);

impl Drop for Forker {
    fn drop(&mut self) {
        DROPPED.store(true, SeqCst);
    }
}

impl Handler for Forker {
    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        if message.data == b"fork" {
            // SAFETY: the child returns from the loop, which touches nothing, and exits.
            CHILD.store(unsafe { libc::fork() }, SeqCst);
            // Refused in the child.
            let _ = self.0.stop();
        }
        let _ = peer.send(message.kind, message.data);
    }
}

#[test]
fn a_child_does_not_drop_the_handler_of_its_parent() {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    let handle = event_loop.handle();
    let listener = handle.listen("ws://127.0.0.1:0", Forker(handle), ListenOptions::default()).unwrap();
    let port = listener.port().unwrap();
    let messages = [&b"one"[..], b"fork", b"two"];
    let peer = std::thread::spawn(move || {
        let mut peer = raw_client(port);
        peer.write_all(&messages.map(|message| frame(0x82, message)).concat()).unwrap();
        for message in messages {
            assert_eq!(read_frame(&mut peer), Some((0x82, message.to_vec())));
        }
    });
    let result = event_loop.run();
    if CHILD.load(SeqCst) == 0 {
        let wrong = DROPPED.load(SeqCst) || result.is_ok();
        // SAFETY: ends this copy of the process, without anything that belongs to the parent.
        unsafe { libc::_exit(wrong.into()) };
    }
    result.unwrap();
    let mut status = -1;
    // SAFETY: writes to a local variable.
    unsafe { libc::waitpid(CHILD.load(SeqCst), &mut status, 0) };
    assert_eq!(status, 0, "the child dropped the handler, or its run went on");
    peer.join().unwrap();
}
