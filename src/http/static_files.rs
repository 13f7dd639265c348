//! The files of a folder, for GET and HEAD, and nothing outside of that folder.

mod conditional;
mod open;
mod path;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use http::header::{ALLOW, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method};

use crate::http::response::http_date;
use crate::proto::head::RequestHead;
use conditional::Validators;
use path::{BadPath, FilePath};

/// What a folder's own path is answered with.
const INDEX: &str = "index.html";

/// A folder that is served.
#[derive(Debug)]
pub struct StaticRoot {
    folder: OwnedFd,
}

/// The answer to a request, without the headers that every response has.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status: 200, 301, 304, 400, 404, 405 or 503.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The file and its length in bytes; for HEAD too, where only the length is sent.
    pub file: Option<(File, u64)>,
}

impl Answer {
    fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), file: None }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Answer {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

impl StaticRoot {
    /// Opens the folder. It stays the same one when its name is given to another.
    ///
    /// # Errors
    /// Those of the system: the folder does not exist, is none, or must not be read.
    pub fn open(folder: &str) -> io::Result<StaticRoot> {
        Ok(StaticRoot { folder: open::root(Path::new(folder))? })
    }

    /// Answers a request. `now` is the time of the response, which no Last-Modified may be later than.
    pub fn answer(&self, head: &RequestHead, now: SystemTime) -> Answer {
        if head.method != Method::GET && head.method != Method::HEAD {
            return Answer::status(405).with(ALLOW, "GET, HEAD");
        }
        let path = match path::resolve(head.path()) {
            Ok(path) => path,
            Err(BadPath::Malformed) => return Answer::status(400),
            Err(BadPath::Unserved) => return Answer::status(404),
        };
        match self.find(&path) {
            Ok(Found::File(file)) => file_answer(head, file, &path, now),
            Ok(Found::FolderWithoutSlash) => Answer::status(301).with(LOCATION, &with_slash(&head.target)),
            Err(error) if open::is_shortage(&error) => Answer::status(503),
            Err(_) => Answer::status(404),
        }
    }

    fn find(&self, path: &FilePath) -> io::Result<Found> {
        if path.is_folder {
            return open::file(&self.folder, &path.index(INDEX)).map(Found::File);
        }
        match open::file(&self.folder, &path.segments) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                open::file(&self.folder, &path.index(INDEX)).map(|_| Found::FolderWithoutSlash)
            }
            result => result.map(Found::File),
        }
    }
}

/// What a path leads to.
enum Found {
    File(File),
    FolderWithoutSlash,
}

/// The target with a slash behind its path. The path begins with exactly one slash and has no empty segment, so that
/// no browser takes its beginning for a host.
fn with_slash(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}/?{query}"),
        None => format!("{target}/"),
    }
}

fn file_answer(head: &RequestHead, file: File, path: &FilePath, now: SystemTime) -> Answer {
    let Ok(metadata) = file.metadata() else { return Answer::status(404) };
    let validators = Validators::of(&metadata);
    let fresh = validators.match_request(&head.headers);
    let mut answer = Answer::status(if fresh { 304 } else { 200 }).with(ETAG, &validators.etag);
    if let Some(date) = validators.modified.and_then(|modified| http_date(modified.min(now))) {
        answer = answer.with(LAST_MODIFIED, &date);
    }
    if fresh {
        return answer;
    }
    let name = if path.is_folder { INDEX.as_bytes() } else { path.name() };
    answer = answer.with(CONTENT_TYPE, &content_type(name)).with(X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer.file = Some((file, metadata.len()));
    answer
}

fn content_type(name: &[u8]) -> String {
    let guess = mime_guess::from_path(Path::new(std::ffi::OsStr::from_bytes(name))).first_raw();
    match guess.unwrap_or("application/octet-stream") {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
#[path = "static_files_tests.rs"]
mod tests;
