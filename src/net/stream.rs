//! A connected byte stream: TCP or a Unix socket. Non-blocking, and writing never raises SIGPIPE.

use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::buffer::spare_capacity;
use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

/// A peer that has gone must be an error code, not a signal that ends the program. Apple's systems have no such
/// flag; there mio sets SO_NOSIGPIPE on every socket it makes or accepts.
#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::empty();

/// A non-blocking stream socket: [`io::ErrorKind::WouldBlock`] where a blocking one would wait.
#[derive(Debug)]
pub enum Stream {
    /// TCP over IPv4 or IPv6, TCP_NODELAY set.
    Tcp(TcpStream),
    /// A Unix stream socket.
    Unix(UnixStream),
}

// In debug builds mio adds a field to every socket.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Stream>() <= 8);

impl Stream {
    /// Receives into `buf` and returns the number of bytes; 0 is the end of the stream (or an empty `buf`).
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let (_, received) = retry_on_intr(|| rustix::net::recv(self, &mut *buf, RecvFlags::empty()))?;
        Ok(received)
    }

    /// Appends at most `max` bytes to the spare capacity of `buf` and returns how many; 0 is the end of the
    /// stream. Never allocates: without room (`max` or the spare capacity is 0) it is
    /// [`io::ErrorKind::InvalidInput`], so that it cannot be taken for an end. Cheapest when the spare capacity
    /// is not above `max`, because then nothing has to be zeroed first.
    pub fn recv_into(&self, buf: &mut Vec<u8>, max: usize) -> io::Result<usize> {
        let spare = buf.capacity() - buf.len();
        if spare == 0 || max == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no room to receive into"));
        }
        if spare > max {
            return self.recv_zeroed(buf, max);
        }
        let (received, _) =
            retry_on_intr(|| rustix::net::recv(self, spare_capacity(&mut *buf), RecvFlags::empty()))?;
        Ok(received)
    }

    /// [`Stream::recv_into`] for a buffer with more room than may be used.
    fn recv_zeroed(&self, buf: &mut Vec<u8>, max: usize) -> io::Result<usize> {
        let len = buf.len();
        buf.resize(len + max, 0);
        let result = self.recv(&mut buf[len..]);
        buf.truncate(len + result.as_ref().map_or(0, |&received| received));
        result
    }

    /// Whether bytes wait to be received; an end or an error is none. `true` where the system does not tell.
    pub fn has_unread(&self) -> bool {
        rustix::io::ioctl_fionread(self) != Ok(0)
    }

    /// Sends from `buf` and returns how many bytes the system took. [`io::ErrorKind::BrokenPipe`] when the peer
    /// has gone, and no signal.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        #[cfg(fuzzing)]
        let buf = &buf[..super::faults::write_size(buf.len())?];
        Ok(retry_on_intr(|| rustix::net::send(self, buf, SEND_FLAGS))?)
    }

    /// As [`Stream::send`], for several pieces in one system call. At most 1,024 pieces on most systems.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        #[cfg(fuzzing)]
        if let Some(first) = bufs.iter().find(|buf| !buf.is_empty()) {
            return self.send(first);
        }
        Ok(retry_on_intr(|| {
            rustix::net::sendmsg(self, bufs, &mut SendAncillaryBuffer::new(&mut []), SEND_FLAGS)
        })?)
    }

    /// Sends the end of the stream; receiving goes on.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Stream::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    /// The other end, for people: `127.0.0.1:40312`, `[::1]:80`, `unix`, or `unknown` when it has gone. An IPv4
    /// peer of an IPv6 socket is shown as IPv4.
    pub fn peer_name(&self) -> String {
        match self {
            Stream::Tcp(socket) => match socket.peer_addr() {
                Ok(SocketAddr::V6(addr)) if addr.ip().to_ipv4_mapped().is_some() => {
                    SocketAddr::new(addr.ip().to_canonical(), addr.port()).to_string()
                }
                Ok(addr) => addr.to_string(),
                Err(_) => "unknown".to_owned(),
            },
            Stream::Unix(_) => "unix".to_owned(),
        }
    }

    /// Takes the pending error of the socket (SO_ERROR), which is `None` afterwards.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Stream::Tcp(socket) => socket.take_error(),
            Stream::Unix(socket) => socket.take_error(),
        }
    }

    /// Tells the peer at once that its bytes have arrived: no answer will do so soon. One that writes in small pieces
    /// without TCP_NODELAY waits for that before its next piece.
    pub fn acknowledge(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Stream::Tcp(socket) = self {
            // A socket that has failed meanwhile says so at the next read.
            let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
        }
    }

    /// Whether this is a Unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self, Stream::Unix(_))
    }

    /// Sends small writes at once: the loop collects them itself. A socket that has failed meanwhile refuses the
    /// option; its error comes with the next call that matters.
    pub(super) fn tcp(socket: TcpStream) -> Stream {
        let _ = socket.set_nodelay(true);
        Stream::Tcp(socket)
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Stream::Tcp(socket) => socket.register(registry, token, interests),
            Stream::Unix(socket) => socket.register(registry, token, interests),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Stream::Tcp(socket) => socket.reregister(registry, token, interests),
            Stream::Unix(socket) => socket.reregister(registry, token, interests),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Stream::Tcp(socket) => socket.deregister(registry),
            Stream::Unix(socket) => socket.deregister(registry),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(socket) => socket.as_fd(),
            Stream::Unix(socket) => socket.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A stream under test and its blocking peer.
    fn tcp_pair() -> (Stream, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        (Stream::tcp(TcpStream::from_std(socket)), peer)
    }

    fn unix_pair() -> (Stream, UnixStream) {
        let (a, b) = UnixStream::pair().unwrap();
        (Stream::Unix(a), b)
    }

    /// Waits until something can be read (or the peer has closed).
    fn wait_readable(stream: &Stream) {
        use rustix::event::{PollFd, PollFlags, poll};
        poll(&mut [PollFd::new(stream, PollFlags::IN)], None).unwrap();
    }

    #[test]
    fn bytes_both_ways() {
        let (stream, mut peer) = tcp_pair();
        let mut buf = [0; 16];
        assert_eq!(stream.recv(&mut buf).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        peer.write_all(b"hello").unwrap();
        wait_readable(&stream);
        assert_eq!(stream.recv(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"hello");
        assert_eq!(stream.send(b"good").unwrap(), 4);
        assert_eq!(stream.send_vectored(&[IoSlice::new(b"b"), IoSlice::new(b"ye")]).unwrap(), 3);
        stream.shutdown_write().unwrap();
        let mut all = String::new();
        peer.read_to_string(&mut all).unwrap();
        assert_eq!(all, "goodbye");
        drop(peer);
        wait_readable(&stream);
        assert_eq!(stream.recv(&mut buf).unwrap(), 0);
    }

    #[test]
    fn what_waits_is_known_without_reading_it() {
        let (stream, mut peer) = tcp_pair();
        assert!(!stream.has_unread());
        peer.write_all(b"x").unwrap();
        wait_readable(&stream);
        assert!(stream.has_unread());
        assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 1);
        assert!(!stream.has_unread());
        drop(peer);
        wait_readable(&stream);
        assert!(!stream.has_unread(), "an end is no byte");
    }

    #[test]
    fn recv_into_respects_max_and_capacity() {
        let (stream, mut peer) = unix_pair();
        peer.write_all(b"0123456789").unwrap();
        let mut buf = Vec::with_capacity(64);
        buf.extend_from_slice(b"> ");
        assert_eq!(stream.recv_into(&mut buf, 4).unwrap(), 4);
        assert_eq!(buf, b"> 0123");

        let mut exact = Vec::with_capacity(5);
        let room = exact.capacity();
        assert_eq!(stream.recv_into(&mut exact, 1000).unwrap(), room.min(6));
        assert_eq!(exact.capacity(), room);
        assert!(b"456789".starts_with(&exact[..]));
    }

    #[test]
    fn recv_into_leaves_the_buffer_alone_on_errors() {
        let (stream, _peer) = unix_pair();
        let mut buf = b"kept".to_vec();
        buf.reserve(100);
        for max in [1, 1000] {
            assert_eq!(stream.recv_into(&mut buf, max).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            assert_eq!(buf, b"kept");
        }
    }

    #[test]
    fn recv_into_without_room_is_not_the_end() {
        let (stream, mut peer) = unix_pair();
        peer.write_all(b"x").unwrap();
        assert_eq!(stream.recv_into(&mut Vec::new(), 8).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let mut buf = Vec::with_capacity(8);
        assert_eq!(stream.recv_into(&mut buf, 0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(stream.recv_into(&mut buf, 8).unwrap(), 1);
    }

    #[test]
    fn a_closed_peer_is_an_error_and_no_signal() {
        // The test harness ignores SIGPIPE, so a signal would not show: what is asserted here is the error, and
        // that both calls pass the flag.
        #[cfg(not(target_vendor = "apple"))]
        assert!(SEND_FLAGS.contains(SendFlags::NOSIGNAL));
        let (stream, peer) = unix_pair();
        drop(peer);
        assert_eq!(stream.send(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let pieces = [IoSlice::new(b"x"), IoSlice::new(b"y")];
        assert_eq!(stream.send_vectored(&pieces).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn names_of_peers() {
        let (stream, peer) = tcp_pair();
        assert_eq!(stream.peer_name(), peer.local_addr().unwrap().to_string());
        assert!(!stream.is_unix());
        assert_eq!(unix_pair().0.peer_name(), "unix");
        assert!(unix_pair().0.is_unix());
    }

    #[test]
    fn no_delay_is_set() {
        let (stream, _peer) = tcp_pair();
        assert!(rustix::net::sockopt::tcp_nodelay(&stream).unwrap());
    }
}
