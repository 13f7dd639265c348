//! Listening sockets: TCP, Unix, or one inherited from the process that started this one.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, sockopt};

use super::socket_file::{self, SocketFile};
use super::stream::Stream;

/// Whether an accepted connection has the TCP_NODELAY of its listener: one system call less for each.
const INHERITS_NODELAY: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// How to make a listening socket.
#[derive(Clone, Copy, Debug)]
pub struct ListenConfig {
    /// Connections the system keeps until they are accepted; it may cut the number.
    pub backlog: u32,
    /// SO_REUSEPORT: several sockets share the port and the system spreads connections over them. TCP only.
    pub reuse_port: bool,
}

/// A non-blocking listening socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP over IPv4 or IPv6.
    Tcp {
        /// The socket.
        socket: TcpListener,
        /// What it accepts has TCP_NODELAY set already.
        no_delay: bool,
    },
    /// A Unix stream socket. The file goes before the socket closes, so that nobody meets it dead.
    Unix {
        /// The file this process made; `None` for an inherited socket.
        _file: Option<SocketFile>,
        /// The socket.
        socket: UnixListener,
    },
}

impl Listener {
    /// Listens on `addr`; port 0 lets the system choose. SO_REUSEADDR is set, so that a restart does not wait for
    /// the connections of the last run; IPV6_V6ONLY stays as the system has it.
    pub fn bind_tcp(addr: SocketAddr, config: &ListenConfig) -> io::Result<Listener> {
        let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = new_socket(family)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if config.reuse_port {
            sockopt::set_socket_reuseport(&socket, true)?;
        }
        let no_delay = INHERITS_NODELAY && sockopt::set_tcp_nodelay(&socket, true).is_ok();
        rustix::net::bind(&socket, &addr)?;
        rustix::net::listen(&socket, backlog(config))?;
        answer_acknowledges(&socket);
        Ok(Listener::Tcp { socket: TcpListener::from(socket), no_delay })
    }

    /// Listens on the socket file `path`. A socket file that nobody listens on any more is replaced; one in use
    /// is [`io::ErrorKind::AddrInUse`], and so is any other kind of file, which is left alone. The file goes with
    /// the listener, unless the process is another one by then (after a fork) or the file is.
    pub fn bind_unix(path: impl AsRef<Path>, config: &ListenConfig) -> io::Result<Listener> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            // To bind an empty name would choose one at random on Linux.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "empty path of a Unix socket"));
        }
        let addr = SocketAddrUnix::new(path)?;
        let socket = new_socket(AddressFamily::UNIX)?;
        if let Err(error) = rustix::net::bind(&socket, &addr) {
            if error != Errno::ADDRINUSE
                || !socket_file::remove_stale(path, &addr, new_socket(AddressFamily::UNIX)?)?
            {
                return Err(error.into());
            }
            rustix::net::bind(&socket, &addr)?;
        }
        let file = SocketFile::made(path)?;
        rustix::net::listen(&socket, backlog(config))?;
        Ok(Listener::Unix { _file: Some(file), socket: UnixListener::from(socket) })
    }

    /// Takes over a socket that already listens, TCP or Unix; a Unix socket's file is not ours to remove.
    /// [`io::ErrorKind::InvalidInput`] for any other descriptor.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Listener> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        match sockopt::socket_type(&fd) {
            Ok(SocketType::STREAM) => {}
            Ok(_) => return refuse("not a stream socket"),
            Err(Errno::NOTSOCK) => return refuse("not a socket"),
            Err(error) => return Err(error.into()),
        }
        // Apple's systems name the option but do not have it: there accept is the first to fail.
        #[cfg(not(target_vendor = "apple"))]
        if !sockopt::socket_acceptconn(&fd)? {
            return refuse("the socket does not listen");
        }
        let family = rustix::net::getsockname(&fd)?.address_family();
        rustix::io::ioctl_fionbio(&fd, true)?;
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        match family {
            AddressFamily::INET | AddressFamily::INET6 => {
                // Others may accept from this socket as well: its options stay as they are.
                let no_delay = INHERITS_NODELAY && sockopt::tcp_nodelay(&fd).unwrap_or(false);
                Ok(Listener::Tcp { socket: TcpListener::from(fd), no_delay })
            }
            AddressFamily::UNIX => Ok(Listener::Unix { _file: None, socket: UnixListener::from(fd) }),
            _ => refuse("neither TCP nor a Unix socket"),
        }
    }

    /// Accepts the next connection, non-blocking and closed on exec. [`io::ErrorKind::WouldBlock`] when none
    /// waits. A connection that was reset while it waited is passed over.
    pub fn accept(&self) -> io::Result<Stream> {
        loop {
            let accepted = match self {
                Listener::Tcp { socket, no_delay: true } => {
                    socket.accept().map(|(stream, _)| Stream::Tcp(stream))
                }
                Listener::Tcp { socket, .. } => socket.accept().map(|(stream, _)| Stream::tcp(stream)),
                Listener::Unix { socket, .. } => socket.accept().map(|(stream, _)| Stream::Unix(stream)),
            };
            match accepted {
                Err(error) if passes_over(&error) => {}
                result => return result,
            }
        }
    }

    /// Whether a connection waits to be accepted. On Linux, accept makes a file before it looks whether anybody is there,
    /// and throws it away again: to ask costs a tenth of that.
    pub fn has_waiting(&self) -> bool {
        let mut sockets = [PollFd::new(self, PollFlags::IN)];
        // An error is accept's to tell.
        poll(&mut sockets, Some(&Timespec::default())) != Ok(0)
    }

    /// The port, 1 to 65535; 0 for a Unix socket.
    pub fn local_port(&self) -> u16 {
        self.local_addr().map_or(0, |addr| addr.port())
    }

    /// The address of a TCP listener with the port that the system chose; `None` for a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp { socket, .. } => socket.local_addr().ok(),
            Listener::Unix { .. } => None,
        }
    }

    /// The file of a Unix socket, as it was bound.
    pub fn unix_path(&self) -> Option<PathBuf> {
        match self {
            Listener::Tcp { .. } => None,
            Listener::Unix { socket, .. } => socket.local_addr().ok()?.as_pathname().map(Path::to_owned),
        }
    }

    /// Whether only TCP peers of this machine's loopback addresses can connect; never true for a Unix socket.
    pub fn is_loopback(&self) -> bool {
        self.local_addr().is_some_and(|addr| addr.ip().to_canonical().is_loopback())
    }
}

/// What is accepted from `socket`, which listens already, acknowledges the peer's first bytes together with the answer to
/// them, and not in a packet of their own. [`Stream::acknowledge`] is for a peer who has to wait.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn answer_acknowledges(socket: &OwnedFd) {
    // Without it nothing is wrong, there are only more packets.
    let _ = sockopt::set_tcp_quickack(socket, false);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn answer_acknowledges(_: &OwnedFd) {}

fn backlog(config: &ListenConfig) -> i32 {
    i32::try_from(config.backlog).unwrap_or(i32::MAX)
}

/// Errors of accept that belong to one connection, which is gone from the queue with them (accept(2)).
fn passes_over(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}

/// A non-blocking stream socket that is closed on exec.
fn new_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    #[cfg(not(target_vendor = "apple"))]
    {
        use rustix::net::SocketFlags;
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        Ok(rustix::net::socket_with(family, SocketType::STREAM, flags, None)?)
    }
    #[cfg(target_vendor = "apple")]
    {
        let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        sockopt::set_socket_nosigpipe(&socket, true)?;
        Ok(socket)
    }
}

impl Source for Listener {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Listener::Tcp { socket, .. } => socket.register(registry, token, interests),
            Listener::Unix { socket, .. } => socket.register(registry, token, interests),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Listener::Tcp { socket, .. } => socket.reregister(registry, token, interests),
            Listener::Unix { socket, .. } => socket.reregister(registry, token, interests),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Listener::Tcp { socket, .. } => socket.deregister(registry),
            Listener::Unix { socket, .. } => socket.deregister(registry),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp { socket, .. } => socket.as_fd(),
            Listener::Unix { socket, .. } => socket.as_fd(),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream};

    use super::*;

    const CONFIG: ListenConfig = ListenConfig { backlog: 16, reuse_port: false };
    const REUSE: ListenConfig = ListenConfig { reuse_port: true, ..CONFIG };

    fn v4(port: u16) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
    }

    /// A folder of its own for one test, removed afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("libws-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn file(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Accepts one connection that is already under way, and receives `expected` from it.
    fn accept_and_receive(listener: &Listener, expected: &[u8]) -> Stream {
        poll(&mut [PollFd::new(listener, PollFlags::IN)], None).unwrap();
        let stream = listener.accept().unwrap();
        poll(&mut [PollFd::new(&stream, PollFlags::IN)], None).unwrap();
        let mut buf = Vec::with_capacity(64);
        stream.recv_into(&mut buf, 64).unwrap();
        assert_eq!(buf, expected);
        stream
    }

    #[test]
    fn tcp_v4() {
        let listener = Listener::bind_tcp(v4(0), &CONFIG).unwrap();
        assert_ne!(listener.local_port(), 0);
        assert_eq!(listener.local_addr(), Some(v4(listener.local_port())));
        assert!(listener.is_loopback());
        assert_eq!(listener.unix_path(), None);
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!listener.has_waiting());
        let mut peer = std::net::TcpStream::connect(v4(listener.local_port())).unwrap();
        assert!(listener.has_waiting());
        peer.write_all(b"hi").unwrap();
        let stream = accept_and_receive(&listener, b"hi");
        assert!(!listener.has_waiting());
        assert!(sockopt::tcp_nodelay(&stream).unwrap());
        assert_eq!(stream.peer_name(), peer.local_addr().unwrap().to_string());
        assert_eq!(stream.recv(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        #[cfg(target_os = "linux")]
        {
            assert!(!sockopt::tcp_quickack(&stream).unwrap());
            stream.acknowledge();
            assert!(sockopt::tcp_quickack(&stream).unwrap());
        }
        let flags = rustix::io::fcntl_getfd(&stream).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }

    #[test]
    fn an_inherited_socket_keeps_its_options() {
        let socket = std::net::TcpListener::bind(v4(0)).unwrap();
        let fd = OwnedFd::from(socket.try_clone().unwrap());
        let listener = Listener::from_fd(fd).unwrap();
        let mut peer = std::net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        peer.write_all(b"hi").unwrap();
        let stream = accept_and_receive(&listener, b"hi");
        assert!(sockopt::tcp_nodelay(&stream).unwrap());
        assert!(!sockopt::tcp_nodelay(&socket).unwrap());
    }

    #[test]
    fn tcp_v6() {
        let addr = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0);
        if std::net::TcpListener::bind(addr).is_err() {
            return; // A machine without IPv6.
        }
        let listener = Listener::bind_tcp(addr, &CONFIG).unwrap();
        assert!(listener.is_loopback());
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.write_all(b"six").unwrap();
        let stream = accept_and_receive(&listener, b"six");
        assert_eq!(stream.peer_name(), format!("[::1]:{}", peer.local_addr().unwrap().port()));
    }

    #[test]
    fn any_address_is_not_loopback() {
        let listener = Listener::bind_tcp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0), &CONFIG).unwrap();
        assert!(!listener.is_loopback());
    }

    #[test]
    fn port_in_use() {
        let listener = Listener::bind_tcp(v4(0), &CONFIG).unwrap();
        let error = Listener::bind_tcp(v4(listener.local_port()), &CONFIG).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn reuse_port_shares() {
        let first = Listener::bind_tcp(v4(0), &REUSE).unwrap();
        let second = Listener::bind_tcp(v4(first.local_port()), &REUSE).unwrap();
        assert_eq!(first.local_port(), second.local_port());
        // Only those that asked for it share.
        assert!(Listener::bind_tcp(v4(first.local_port()), &CONFIG).is_err());
    }

    #[test]
    fn unix_socket_and_its_file() {
        let folder = Folder::new("unix");
        let path = folder.file("a.sock");
        let listener = Listener::bind_unix(&path, &CONFIG).unwrap();
        assert_eq!((listener.local_port(), listener.local_addr()), (0, None));
        assert_eq!(listener.unix_path().as_deref(), Some(&*path));
        assert!(!listener.is_loopback());
        UnixStream::connect(&path).unwrap().write_all(b"local").unwrap();
        assert_eq!(accept_and_receive(&listener, b"local").peer_name(), "unix");
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn stale_socket_is_replaced() {
        let folder = Folder::new("stale");
        let path = folder.file("a.sock");
        drop(StdUnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let listener = Listener::bind_unix(&path, &CONFIG).unwrap();
        UnixStream::connect(&path).unwrap().write_all(b"new").unwrap();
        accept_and_receive(&listener, b"new");
    }

    #[test]
    fn socket_in_use_is_left_alone() {
        let folder = Folder::new("in-use");
        let path = folder.file("a.sock");
        let first = StdUnixListener::bind(&path).unwrap();
        let error = Listener::bind_unix(&path, &CONFIG).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let _peer = UnixStream::connect(&path).unwrap();
        first.accept().unwrap();
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = Folder::new("other");
        let path = folder.file("notes.txt");
        std::fs::write(&path, "precious").unwrap();
        let link = folder.file("link");
        std::os::unix::fs::symlink(folder.file("nowhere"), &link).unwrap();
        for taken in [&path, &link, &folder.0] {
            let error = Listener::bind_unix(taken, &CONFIG).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{taken:?}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        assert!(link.is_symlink());
    }

    #[test]
    fn impossible_paths() {
        for path in ["", "/nonexistent-folder/a.sock", &"x".repeat(500), "nul\0inside"] {
            assert!(Listener::bind_unix(path, &CONFIG).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_later_file_is_not_removed() {
        let folder = Folder::new("later");
        let path = folder.file("a.sock");
        let first = Listener::bind_unix(&path, &CONFIG).unwrap();
        // Renamed, not removed: a file system may give the number of a removed file to the next one.
        std::fs::rename(&path, folder.file("moved.sock")).unwrap();
        let second = StdUnixListener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
    }

    #[test]
    fn inherited_sockets() {
        let tcp = std::net::TcpListener::bind(v4(0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        let listener = Listener::from_fd(tcp.into()).unwrap();
        assert_eq!(listener.local_port(), port);
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);

        let folder = Folder::new("inherited");
        let path = folder.file("a.sock");
        let listener = Listener::from_fd(StdUnixListener::bind(&path).unwrap().into()).unwrap();
        assert_eq!(listener.unix_path().as_deref(), Some(&*path));
        drop(listener);
        assert!(path.exists(), "who made the file removes it");
    }

    #[test]
    fn descriptors_that_do_not_listen() {
        let refused = |fd: OwnedFd| Listener::from_fd(fd).unwrap_err().kind();
        let (a, _b) = UnixStream::pair().unwrap();
        assert_eq!(refused(a.into()), io::ErrorKind::InvalidInput);
        assert_eq!(refused(std::fs::File::open("/dev/null").unwrap().into()), io::ErrorKind::InvalidInput);
        assert_eq!(refused(std::net::UdpSocket::bind(v4(0)).unwrap().into()), io::ErrorKind::InvalidInput);
    }
}
