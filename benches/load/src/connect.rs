//! The opening handshake (RFC 6455 section 4).

use crate::Result;
use crate::sockets::{local, tcp};
use rustix::fd::OwnedFd;
use rustix::io::{ioctl_fionbio, read};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{SendFlags, SocketFlags, connect, send};
use std::time::Duration;

const ANSWER_SECONDS: u64 = 20;
/// Longest answer to an upgrade that is read.
const MAX_ANSWER: usize = 8192;
/// Section 4.2.2's answer to the key below.
const ACCEPT: &str = "HSmrc0sMlYUkAGmm5OPpG2HaGWk=";

/// The request for an upgrade.
pub fn request(port: u16, offer: Option<&str>) -> String {
    let extensions = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n")).unwrap_or_default();
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
}

/// Whether a complete answer accepts the upgrade, with the extension that was offered.
pub fn check_answer(answer: &str, offer: Option<&str>) -> Result<()> {
    let shown = answer.lines().next().unwrap_or_default();
    if !answer.starts_with("HTTP/1.1 101 ") || !answer.contains(ACCEPT) {
        return Err(format!("the upgrade was answered with: {shown}"));
    }
    if offer.is_some() && !answer.contains("permessage-deflate") {
        return Err("the server does not take permessage-deflate".into());
    }
    if offer.is_some_and(|offer| offer.contains("server_no_context"))
        && !answer.contains("server_no_context_takeover")
    {
        return Err("the server does not take server_no_context_takeover".into());
    }
    Ok(())
}

/// An open connection; it blocks.
pub fn open_blocking(port: u16, offer: Option<&str>) -> Result<OwnedFd> {
    finish(ask(port, offer)?, port, offer)
}

/// Open connections that do not block; the requests of all leave before the first answer is awaited.
pub fn open_together(port: u16, offer: Option<&str>, count: usize) -> Result<Vec<OwnedFd>> {
    let asked = (0..count).map(|_| ask(port, offer)).collect::<Result<Vec<_>>>()?;
    asked.into_iter().map(|socket| finish(socket, port, offer).and_then(unblock)).collect()
}

/// Connects and asks for the upgrade.
fn ask(port: u16, offer: Option<&str>) -> Result<OwnedFd> {
    let socket = tcp(SocketFlags::empty())?;
    let name = |error| format!("port {port}: {error}");
    for which in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(&socket, which, Some(Duration::from_secs(ANSWER_SECONDS))).map_err(name)?;
    }
    connect(&socket, &local(port)).map_err(name)?;
    let request = request(port, offer);
    if send(&socket, request.as_bytes(), SendFlags::NOSIGNAL).map_err(name)? != request.len() {
        return Err(format!("port {port} takes no whole request"));
    }
    Ok(socket)
}

/// Reads the answer.
fn finish(socket: OwnedFd, port: u16, offer: Option<&str>) -> Result<OwnedFd> {
    let name = |error| format!("port {port}: {error}");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1024];
        match read(&socket, &mut byte).map_err(name)? {
            0 => return Err(format!("port {port} closed in the handshake")),
            _ if answer.len() > MAX_ANSWER => return Err(format!("port {port} answers without end")),
            n => answer.extend_from_slice(&byte[..n]),
        }
    }
    check_answer(&String::from_utf8_lossy(&answer), offer)
        .map_err(|error| format!("port {port}: {error}"))?;
    Ok(socket)
}

fn unblock(socket: OwnedFd) -> Result<OwnedFd> {
    ioctl_fionbio(&socket, true).map_err(|error| format!("FIONBIO: {error}"))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged() {
        let good = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        assert_eq!(check_answer(&good, None), Ok(()));
        assert!(check_answer(&good, Some("permessage-deflate")).is_err());
        assert!(check_answer("HTTP/1.1 101 Switching Protocols\r\n\r\n", None).is_err());
        assert!(check_answer("HTTP/1.1 403 Forbidden\r\n\r\n", None).unwrap_err().contains("403"));
    }
}
