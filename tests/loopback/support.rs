//! A loop on its own thread whose handlers report everything through a channel.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ws::proto::Kind;
use ws::{CloseInfo, Conn, Handler, Listener, Loop, LoopOptions, Message, Peer};

/// No test waits longer for one event: a hang becomes a failure.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a handler heard.
#[derive(Debug)]
pub enum Heard {
    Open(Conn),
    Message(Kind, Vec<u8>),
    Pong(Vec<u8>),
    Drain(Conn),
    Retry(CloseInfo, u64),
    Close(CloseInfo),
    ListenerClose(Listener),
}

/// Reports, and echoes if told to.
pub struct Reporter {
    pub sender: Sender<Heard>,
    pub echo: bool,
}

impl Reporter {
    fn tell(&self, heard: Heard) {
        // The test may have ended.
        let _ = self.sender.send(heard);
    }
}

impl Handler for Reporter {
    fn on_open(&mut self, peer: Peer) {
        self.tell(Heard::Open(peer.conn));
    }

    fn on_message(&mut self, peer: Peer, message: Message<'_>) {
        if self.echo {
            peer.send(message.kind, message.data).unwrap();
        }
        self.tell(Heard::Message(message.kind, message.data.to_vec()));
    }

    fn on_pong(&mut self, _peer: Peer, data: &[u8]) {
        self.tell(Heard::Pong(data.to_vec()));
    }

    fn on_drain(&mut self, peer: Peer) {
        self.tell(Heard::Drain(peer.conn));
    }

    fn on_retry(&mut self, _peer: Peer, info: &CloseInfo, after_ms: u64) {
        self.tell(Heard::Retry(info.clone(), after_ms));
    }

    fn on_close(&mut self, _peer: Peer, info: &CloseInfo) {
        self.tell(Heard::Close(info.clone()));
    }

    fn on_listener_close(&mut self, listener: Listener, _user: usize) {
        self.tell(Heard::ListenerClose(listener));
    }
}

/// Waits in its first message until it may go on, and reports the length of each.
pub struct Gate(pub Option<Receiver<()>>, pub Sender<usize>);

impl Handler for Gate {
    fn on_message(&mut self, _peer: Peer, message: Message<'_>) {
        if let Some(gate) = self.0.take() {
            gate.recv_timeout(PATIENCE).unwrap();
        }
        self.1.send(message.data.len()).unwrap();
    }
}

/// A reporter and where its reports arrive.
pub fn reporter(echo: bool) -> (Reporter, Receiver<Heard>) {
    let (sender, receiver) = channel();
    (Reporter { sender, echo }, receiver)
}

/// A loop that runs on its own thread.
pub fn background() -> Loop {
    let event_loop = Loop::new(LoopOptions::default()).unwrap();
    event_loop.start().unwrap();
    event_loop
}

/// The next report.
pub fn next(reports: &Receiver<Heard>) -> Heard {
    reports.recv_timeout(PATIENCE).expect("nothing was heard")
}

/// The connection of the next report, which must be an open.
pub fn opened(reports: &Receiver<Heard>) -> Conn {
    match next(reports) {
        Heard::Open(conn) => conn,
        other => panic!("{other:?} instead of open"),
    }
}

/// The next report that is not about a drained queue.
pub fn next_but_drain(reports: &Receiver<Heard>) -> Heard {
    loop {
        match next(reports) {
            Heard::Drain(_) => {}
            other => return other,
        }
    }
}

/// The info of the next report, which must be a close.
pub fn closed(reports: &Receiver<Heard>) -> CloseInfo {
    match next_but_drain(reports) {
        Heard::Close(info) => info,
        other => panic!("{other:?} instead of close"),
    }
}

/// A raw client that has done the opening handshake by hand.
pub fn raw_client(port: u16) -> TcpStream {
    raw_client_with(port, "")
}

/// The same with header lines of its own.
pub fn raw_client_with(port: u16, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A masked frame with the key 0, whose payload is therefore itself.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=65535 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Reads one unmasked frame: its first byte and its payload. None at the end of the stream.
pub fn read_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let len = match head[1] {
        126 => {
            let mut len = [0; 2];
            stream.read_exact(&mut len).ok()?;
            u64::from(u16::from_be_bytes(len))
        }
        127 => {
            let mut len = [0; 8];
            stream.read_exact(&mut len).ok()?;
            u64::from_be_bytes(len)
        }
        len => u64::from(len),
    };
    let mut payload = vec![0; len as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[0], payload))
}
