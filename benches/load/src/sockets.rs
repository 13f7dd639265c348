//! Sockets to the local machine.

use crate::Result;
use rustix::fd::OwnedFd;
use rustix::net::{self, AddressFamily, Ipv4Addr, SocketAddrV4, SocketFlags, SocketType, sockopt};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::time::Duration;

/// Lets this process hold as many descriptors as the system allows; servers inherit nothing of it.
pub fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What is missing shows when a socket cannot be made.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// A TCP socket without Nagle's delay.
pub fn tcp(flags: SocketFlags) -> Result<OwnedFd> {
    let socket =
        net::socket_with(AddressFamily::INET, SocketType::STREAM, flags | SocketFlags::CLOEXEC, None)
            .map_err(|error| format!("socket: {error}"))?;
    sockopt::set_tcp_nodelay(&socket, true).map_err(|error| format!("TCP_NODELAY: {error}"))?;
    Ok(socket)
}

/// Where a server listens.
pub fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// Closing this socket resets it: no port is kept busy afterwards.
pub fn reset_on_close(socket: &OwnedFd) -> Result<()> {
    sockopt::set_socket_linger(socket, Some(Duration::ZERO)).map_err(|error| format!("SO_LINGER: {error}"))
}
