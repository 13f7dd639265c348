//! Opening files below a folder, and only regular ones.
//!
//! The kernel itself keeps a path below the root where it can (`openat2`), so that symbolic links work as long as they
//! stay inside. Elsewhere the path is walked name by name, and symbolic links are not followed. The kind of a file is
//! known before it is opened for reading: opening a FIFO would wait, and opening a device may do something.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

/// A descriptor that only names a file.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NAME_ONLY: OFlags = OFlags::PATH;
/// Where there is none, reading must not wait.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NAME_ONLY: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// For reading. The kind of file is checked before and after, in case it changes in between.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// How often a path is looked up again when a rename elsewhere disturbed it.
#[cfg(target_os = "linux")]
const MAX_TRIES: u32 = 8;

/// Opens the root.
pub fn root(folder: &Path) -> io::Result<OwnedFd> {
    let fd = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(fd)
}

/// Opens a regular file below `root`. A folder is [`io::ErrorKind::IsADirectory`], anything else is not found.
pub fn file(root: &OwnedFd, path: &Path) -> io::Result<File> {
    through(root, path, below)
}

/// Looks at a file and then opens it, both by `lookup`.
fn through(root: &OwnedFd, path: &Path, lookup: Lookup) -> io::Result<File> {
    require_regular(&lookup(root, path, NAME_ONLY)?)?;
    let fd = lookup(root, path, READ)?;
    require_regular(&fd)?;
    Ok(File::from(fd))
}

type Lookup = fn(&OwnedFd, &Path, OFlags) -> Result<OwnedFd, Errno>;

fn require_regular(fd: &OwnedFd) -> io::Result<()> {
    match FileType::from_raw_mode(fstat(fd)?.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(Errno::NOENT.into()),
    }
}

/// Whether the system is short of something that a file needs, so that the same request may do well later.
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN))
}

#[cfg(target_os = "linux")]
fn below(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..MAX_TRIES {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, path, flags),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(not(target_os = "linux"))]
fn below(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    walk(root, path, flags)
}

/// Opens name by name; a symbolic link anywhere is not found.
fn walk(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let step = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = None;
    let mut names = path.components().peekable();
    while let Some(name) = names.next() {
        let Component::Normal(name) = name else { return Err(Errno::NOENT) };
        let at = folder.as_ref().unwrap_or(root).as_fd();
        let flags = if names.peek().is_some() { NAME_ONLY | OFlags::DIRECTORY } else { flags };
        folder = Some(openat(at, name, flags | step, Mode::empty())?);
    }
    folder.ok_or(Errno::ISDIR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_looking_up_stay_inside() {
        let scratch = crate::http::static_files::tests::Scratch::new("open");
        let root = root(&scratch.path("root")).unwrap();
        let rows = [
            ("plain.txt", true, true),
            ("folder/page.html", true, true),
            ("link-inside", true, false),
            ("link-folder/page.html", true, false),
            ("link-outside", false, false),
            ("link-absolute", false, false),
            ("link-up/secret", false, false),
            ("../secret", false, false),
            ("folder/../../secret", false, false),
            ("/etc/passwd", false, false),
            ("fifo", false, false),
            ("socket", false, false),
            ("folder", false, false),
            ("missing", false, false),
            ("plain.txt/x", false, false),
        ];
        for (path, by_kernel, by_walk) in rows {
            if cfg!(target_os = "linux") {
                assert_eq!(through(&root, Path::new(path), below).is_ok(), by_kernel, "openat2 {path}");
            }
            assert_eq!(through(&root, Path::new(path), walk).is_ok(), by_walk, "walk {path}");
        }
    }

    #[test]
    fn devices_are_not_opened() {
        let root = root(Path::new("/dev")).unwrap();
        assert!(file(&root, Path::new("null")).is_err());
        assert!(through(&root, Path::new("null"), walk).is_err());
    }
}
