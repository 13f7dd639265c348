//! Connections to a server, without waiting for them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use mio::net::{TcpStream, UnixStream};
use rustix::io::Errno;

use super::stream::Stream;

/// Starts to connect to `addr`. The stream becomes writable when the attempt has ended: see [`finish`].
pub fn tcp(addr: SocketAddr) -> io::Result<Stream> {
    TcpStream::connect(addr).map(Stream::tcp)
}

/// Connects to the socket file `path`, which happens at once or not at all: [`io::ErrorKind::WouldBlock`] when the
/// server's backlog is full. Nothing would tell when there is room again, so that is a failure like any other.
pub fn unix(path: impl AsRef<Path>) -> io::Result<Stream> {
    UnixStream::connect(path).map(Stream::Unix)
}

/// Looks how an attempt stands: `true` connected, `false` still under way (a wake-up without a reason), or why it
/// failed. To be asked when the stream is writable; must not be asked again after a failure, which the system
/// tells only once.
pub fn finish(stream: &Stream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match rustix::net::getpeername(stream) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpListener};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn wait_writable(stream: &Stream) {
        use rustix::event::{PollFd, PollFlags, poll};
        poll(&mut [PollFd::new(stream, PollFlags::OUT)], None).unwrap();
    }

    fn reaches(server: &TcpListener) {
        let stream = tcp(server.local_addr().unwrap()).unwrap();
        wait_writable(&stream);
        assert!(finish(&stream).unwrap());
        assert_eq!(stream.peer_name(), server.local_addr().unwrap().to_string());
        assert!(rustix::net::sockopt::tcp_nodelay(&stream).unwrap());
        let (accepted, _) = server.accept().unwrap();
        assert_eq!(stream.send(b"hello").unwrap(), 5);
        let mut buf = [0; 5];
        std::io::Read::read_exact(&mut &accepted, &mut buf).unwrap();
        assert_eq!(&buf, b"hello");
    }

    #[test]
    fn reaches_a_v4_server() {
        reaches(&TcpListener::bind("127.0.0.1:0").unwrap());
    }

    #[test]
    fn reaches_a_v6_server() {
        match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
            Ok(server) => reaches(&server),
            Err(_) => assert!(tcp((Ipv6Addr::LOCALHOST, 9).into()).is_err(), "a machine without IPv6"),
        }
    }

    #[test]
    fn a_closed_port_refuses() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = server.local_addr().unwrap();
        drop(server);
        let result = tcp(addr).and_then(|stream| {
            wait_writable(&stream);
            finish(&stream)
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn an_attempt_under_way_is_not_connected() {
        // A socket that was never connected stands where one does whose handshake has not ended.
        let socket =
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
        let stream = Stream::Tcp(TcpStream::from(socket.unwrap()));
        assert!(!finish(&stream).unwrap());
    }

    #[test]
    fn unix_sockets() {
        let path = std::env::temp_dir().join(format!("libws-{}-connect.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        assert_eq!(unix(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        let server = UnixListener::bind(&path).unwrap();
        let stream = unix(&path).unwrap();
        assert!(finish(&stream).unwrap());
        drop(server);
        assert_eq!(unix(&path).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        std::fs::remove_file(&path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_unix_backlog_is_an_error() {
        let path = std::env::temp_dir().join(format!("libws-{}-backlog.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let server = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&server, 1).unwrap();
        let mut waiting = Vec::new();
        let error = loop {
            match unix(&path) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 100, "the backlog is bounded");
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        std::fs::remove_file(&path).unwrap();
    }
}
