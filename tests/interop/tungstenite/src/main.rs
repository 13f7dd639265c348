//! tungstenite as a peer: `tungstenite-peer client URL` or `tungstenite-peer server`. See ../README.md.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tungstenite::{Error, Message, WebSocket};

const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_003];
const STEP: Duration = Duration::from_secs(20);

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("client"), Some(url)) => client(&url),
        (Some("server"), None) => server(),
        _ => {
            eprintln!("usage: tungstenite-peer client URL | server");
            std::process::exit(2);
        }
    }
}

/// Text of exactly `size` bytes: three-byte characters, then ASCII for the rest.
fn text(size: usize) -> Message {
    Message::text("网".repeat(size / 3) + &"x".repeat(size % 3))
}

fn binary(size: usize) -> Message {
    Message::binary((0..size).map(|index| (index * 7 + size) as u8).collect::<Vec<u8>>())
}

fn check(ok: bool, name: &str) {
    println!("{} {name}", if ok { "ok" } else { "FAIL" });
    if !ok {
        std::process::exit(1);
    }
}

fn client(url: &str) {
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(STEP)).expect("a read timeout");
    let (mut socket, _) = tungstenite::client(url, stream).expect("the server upgrades");
    for (kind, make) in [("text", text as fn(usize) -> Message), ("binary", binary)] {
        for size in SIZES {
            let message = make(size);
            socket.send(message.clone()).expect("the message is sent");
            let echo = socket.read().expect("the echo");
            check(echo == message, &format!("{kind} of {size} bytes"));
        }
    }
    let ping = "are you there?";
    socket.send(Message::Ping(ping.into())).expect("the ping is sent");
    check(socket.read().ok() == Some(Message::Pong(ping.into())), "ping");
    let bye = CloseFrame { code: CloseCode::from(3001), reason: "bye".into() };
    socket.close(Some(bye.clone())).expect("the close is sent");
    let answer = socket.read().ok();
    let ended = matches!(socket.read(), Err(Error::ConnectionClosed));
    check(answer == Some(Message::Close(Some(bye))) && ended, "close with 3001 bye");
}

/// Serves until SIGINT, whose default action ends the process; the runner expects that of this peer.
fn server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("listening on ws://{}", listener.local_addr().expect("an address"));
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            if let Ok(socket) = tungstenite::accept(stream) {
                echo(socket);
            }
        });
    }
}

fn echo(mut socket: WebSocket<TcpStream>) {
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                if socket.send(message).is_err() {
                    return;
                }
            }
            Ok(Message::Close(frame)) => {
                let (code, reason) = frame
                    .map_or((1005, String::new()), |frame| (u16::from(frame.code), frame.reason.to_string()));
                let _ = writeln!(std::io::stdout(), "closed {code} {reason}");
            }
            Ok(_) => {}
            // A protocol error is answered with its code, as the library itself leaves that to us.
            Err(error) => return fail(socket, &error),
        }
    }
}

fn fail(mut socket: WebSocket<TcpStream>, error: &Error) {
    let code = match error {
        Error::Protocol(_) => CloseCode::Protocol,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Capacity(_) => CloseCode::Size,
        _ => return,
    };
    let _ = socket.close(Some(CloseFrame { code, reason: "".into() }));
    let _ = socket.flush();
}
