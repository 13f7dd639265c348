//! From the path of a request to the names of folders and a file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The one hidden name that is meant to be served (RFC 8615).
const WELL_KNOWN: &[u8] = b".well-known";

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// A percent sign without two hexadecimal digits.
    Malformed,
    /// No file that may be served can have this path.
    Unserved,
}

/// A path below the root: no empty, hidden or dot segments, no separators within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath {
    pub segments: PathBuf,
    /// It ended with a slash.
    pub is_folder: bool,
}

impl FilePath {
    /// The path of a folder's page.
    pub fn index(&self, name: &str) -> PathBuf {
        self.segments.join(name)
    }

    /// The last segment; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.segments.file_name().map(OsStr::as_bytes).unwrap_or_default()
    }
}

/// Takes a path apart and decodes each segment once. What is left encoded after that is part of a name.
pub fn resolve(path: &str) -> Result<FilePath, BadPath> {
    let Some(rest) = path.strip_prefix('/') else { return Err(BadPath::Unserved) };
    let (folders, last) = rest.rsplit_once('/').map_or(("", rest), |(folders, last)| (folders, last));
    let has_folders = rest.len() > last.len();
    let mut segments = PathBuf::new();
    let mut served = true;
    let names = folders.split('/').filter(|_| has_folders).chain((!last.is_empty()).then_some(last));
    // A malformed escape is reported even behind a segment that cannot be served.
    for segment in names {
        let name = decode(segment)?;
        served &= is_served(&name);
        if served {
            segments.push(OsStr::from_bytes(&name));
        }
    }
    if served { Ok(FilePath { segments, is_folder: last.is_empty() }) } else { Err(BadPath::Unserved) }
}

fn is_served(name: &[u8]) -> bool {
    let is_hidden = name.starts_with(b".") && name != WELL_KNOWN;
    let is_plain = |&byte: &u8| byte >= 0x20 && !matches!(byte, 0x7F | b'/' | b'\\');
    !name.is_empty() && !is_hidden && name.iter().all(is_plain)
}

fn decode(segment: &str) -> Result<Vec<u8>, BadPath> {
    let mut name = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
            _ => byte,
        });
    }
    Ok(name)
}

fn hex(digit: Option<u8>) -> Result<u8, BadPath> {
    let value = digit.and_then(|digit| char::from(digit).to_digit(16)).ok_or(BadPath::Malformed)?;
    Ok(value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    #[test]
    fn paths() {
        let rows = [
            ("/", Ok(("", true))),
            ("/a", Ok(("a", false))),
            ("/a/", Ok(("a", true))),
            ("/a/b.txt", Ok(("a/b.txt", false))),
            ("/a%20b", Ok(("a b", false))),
            ("/%E4%BD%A0", Ok(("你", false))),
            ("/%2541", Ok(("%41", false))),
            ("/.well-known/x", Ok((".well-known/x", false))),
            ("/...", Err(BadPath::Unserved)),
            ("", Err(BadPath::Unserved)),
            ("*", Err(BadPath::Unserved)),
            ("//", Err(BadPath::Unserved)),
            ("//evil.example", Err(BadPath::Unserved)),
            ("//evil.example/", Err(BadPath::Unserved)),
            ("/a//b", Err(BadPath::Unserved)),
            ("/a//", Err(BadPath::Unserved)),
            ("/./a", Err(BadPath::Unserved)),
            ("/..", Err(BadPath::Unserved)),
            ("/../etc/passwd", Err(BadPath::Unserved)),
            ("/a/../../etc", Err(BadPath::Unserved)),
            ("/%2e%2e/etc", Err(BadPath::Unserved)),
            ("/.%2E/etc", Err(BadPath::Unserved)),
            ("/..%2f..%2fetc", Err(BadPath::Unserved)),
            ("/a%2Fb", Err(BadPath::Unserved)),
            ("/a%5cb", Err(BadPath::Unserved)),
            ("/\\evil", Err(BadPath::Unserved)),
            ("/a%00.html", Err(BadPath::Unserved)),
            ("/a%0ab", Err(BadPath::Unserved)),
            ("/.git/config", Err(BadPath::Unserved)),
            ("/.env", Err(BadPath::Unserved)),
            ("/%2eenv", Err(BadPath::Unserved)),
            ("/.well-known-not", Err(BadPath::Unserved)),
            ("/%", Err(BadPath::Malformed)),
            ("/%4", Err(BadPath::Malformed)),
            ("/%zz", Err(BadPath::Malformed)),
            ("/%+1", Err(BadPath::Malformed)),
            ("/../%", Err(BadPath::Malformed)),
        ];
        for (path, expected) in rows {
            let expected =
                expected.map(|(segments, is_folder)| FilePath { segments: segments.into(), is_folder });
            assert_eq!(resolve(path), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_served_never_leaves_the_root(path in "/(\\.|/|%2e|%2f|%00|%|a|\\\\|%c3|\u{e9}){0,12}") {
            if let Ok(found) = resolve(&path) {
                prop_assert!(found.segments.components().all(|part| matches!(part, Component::Normal(_))));
            }
        }

        #[test]
        fn any_path_is_survived(path in "\\PC*") {
            let _ = resolve(&path);
        }
    }
}
