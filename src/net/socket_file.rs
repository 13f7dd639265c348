//! The file of a listening Unix socket: whose it is, and when it may be removed.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::gate::Process;

/// A socket file that is removed when this is dropped, if it is still ours.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: FileIdentity,
    owner: Process,
}

impl SocketFile {
    /// Takes charge of the socket file that this process has just bound.
    pub fn made(path: &Path) -> io::Result<SocketFile> {
        let identity =
            FileIdentity::of_socket(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        // The working directory may change before the drop.
        Ok(SocketFile { path: std::path::absolute(path)?, identity, owner: Process::current() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = FileIdentity::of_socket(&self.path).is_ok_and(|found| found == Some(self.identity));
        if ours && self.owner == Process::current() {
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

/// What tells a file from a later one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Of the socket file at `path`; `None` when there is another kind of file. Symbolic links are not followed.
    fn of_socket(path: &Path) -> io::Result<Option<FileIdentity>> {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let found = std::fs::symlink_metadata(path)?;
        let socket = found.file_type().is_socket();
        Ok(socket.then(|| FileIdentity { device: found.dev(), inode: found.ino() }))
    }
}

/// Removes the socket file at `path` if nobody listens on it, and says whether the name is free now. `addr` is the
/// same path, `probe` an unconnected non-blocking Unix socket.
pub fn remove_stale(path: &Path, addr: &SocketAddrUnix, probe: OwnedFd) -> io::Result<bool> {
    let before = match FileIdentity::of_socket(path) {
        Ok(Some(identity)) => identity,
        Ok(None) => return Ok(false),
        Err(error) => return gone(error),
    };
    if rustix::net::connect(&probe, addr) != Err(Errno::CONNREFUSED) {
        return Ok(false);
    }
    // Another process may have found it stale as well and made its own since.
    match FileIdentity::of_socket(path) {
        Ok(Some(now)) if now == before => {}
        Ok(_) => return Ok(false),
        Err(error) => return gone(error),
    }
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// A file that vanished leaves its name free.
fn gone(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::NotFound { Ok(true) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("libws-{}-{name}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn its_maker_removes_it() {
        let path = path("maker");
        let _socket = UnixListener::bind(&path).unwrap();
        drop(SocketFile::made(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn another_process_does_not() {
        let path = path("fork");
        let _socket = UnixListener::bind(&path).unwrap();
        let mut file = SocketFile::made(&path).unwrap();
        file.owner = Process::other();
        drop(file);
        assert!(path.exists());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn only_sockets_are_taken_charge_of() {
        assert!(SocketFile::made(&std::env::temp_dir()).is_err());
        assert!(SocketFile::made(&path("nothing")).is_err());
    }
}
