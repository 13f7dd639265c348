//! Before anything is measured: does the server send the message back?

use crate::Result;
use crate::connect::open_blocking;
use crate::frame::RSV1;
use crate::load::Load;
use crate::options::Options;
use crate::payload::inflate;
use rustix::fd::OwnedFd;
use rustix::io::read;
use rustix::net::{SendFlags, send};

/// Sends one message on a connection of its own and compares the reply.
pub fn verify(options: &Options, load: &Load) -> Result<()> {
    for server in &options.servers {
        reply_is_right(server.port, load).map_err(|error| format!("port {}: {error}", server.port))?;
    }
    Ok(())
}

fn reply_is_right(port: u16, load: &Load) -> Result<()> {
    let socket = open_blocking(port, load.offer)?;
    let mut rest = &load.sample_frame[..];
    while !rest.is_empty() {
        let sent = send(&socket, rest, SendFlags::NOSIGNAL).map_err(|error| format!("sending: {error}"))?;
        rest = &rest[sent..];
    }
    let header = take(&socket, 2)?;
    let len = match header[1] {
        126 => u64::from(u16::from_be_bytes(array(take(&socket, 2)?)?)),
        127 => u64::from_be_bytes(array(take(&socket, 8)?)?),
        len @ 0..=125 => u64::from(len),
        _ => return Err("the reply is masked".into()),
    };
    if header[0] & 0x80 == 0 {
        return Err("the reply is fragmented".into());
    }
    if len > 2 * load.sample.len() as u64 + 100 {
        return Err(format!("the reply claims {len} bytes"));
    }
    let body = take(&socket, len as usize)?;
    let body = if header[0] & RSV1 == 0 { body } else { inflate(&body, load.sample.len())? };
    if body != load.sample {
        return Err(format!("the reply is not the message ({} bytes)", body.len()));
    }
    Ok(())
}

fn take(socket: &OwnedFd, len: usize) -> Result<Vec<u8>> {
    let mut out = vec![0; len];
    let mut have = 0;
    while have < len {
        match read(socket, &mut out[have..]) {
            Ok(0) => return Err("closed instead of a reply".into()),
            Ok(n) => have += n,
            Err(error) => return Err(format!("waiting for the reply: {error}")),
        }
    }
    Ok(out)
}

fn array<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| "a short header".into())
}
