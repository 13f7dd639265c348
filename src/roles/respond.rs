//! Responses out: refusals, answers of the application, files piece by piece.

use std::fs::File;
use std::io::{self, Read};
use std::time::SystemTime;

use super::core::{Core, Phase};
use super::http_side::Stage;
use super::log::Level;
use super::settings::after;
use crate::http::response;
use crate::proto::head::Refusal;

/// How much of a file is read at one time.
const FILE_CHUNK: usize = 64 * 1024;

/// A file that is being sent.
pub struct FileBody {
    pub file: File,
    pub left: u64,
}

impl Core {
    /// Answers a request that cannot be served, and ends the connection.
    pub fn refuse(&mut self, index: u32, refusal: Refusal) {
        self.log(Level::Info, format_args!("refused with {}: {}", refusal.status, refusal.what));
        self.send_refusal(index, refusal.status, refusal.what, false);
    }

    pub fn send_refusal(&mut self, index: u32, status: u16, what: &str, keep_alive: bool) {
        let Some(http) = self.http(index) else { return };
        http.keep_alive &= keep_alive;
        http.stage = Stage::Responding(None);
        let bytes = response::refusal(status, what, http.keep_alive, http.head_only);
        self.send_bytes(index, &[&bytes]);
    }

    /// Sends a whole response; the next request is looked at when it has left.
    pub fn send_response(
        &mut self,
        index: u32,
        status: u16,
        headers: &[(http::HeaderName, http::HeaderValue)],
        payload: Payload<'_>,
    ) {
        let listening = self.is_listening(index);
        let Some(http) = self.http(index) else { return };
        http.keep_alive &= listening;
        let len = payload.len();
        let (bytes, file) = match payload {
            _ if http.head_only || !response::has_content(status) => (&[][..], None),
            Payload::Bytes(bytes) => (bytes, None),
            Payload::File(file) => (&[][..], file),
        };
        http.stage = Stage::Responding(file);
        let head = response::head(status, headers, len, http.keep_alive, SystemTime::now());
        self.send_bytes(index, &[&head, bytes]);
    }

    fn send_bytes(&mut self, index: u32, parts: &[&[u8]]) {
        if let Some(http) = self.http(index) {
            http.deadline_ms = u64::MAX;
        }
        if self.queue(index, parts).is_err() {
            return self.remove_socket(index);
        }
        self.arm(index);
    }

    /// What was queued has left: more of the file, the next request, or the end.
    pub fn response_flushed(&mut self, index: u32) {
        let Some(http) = self.http(index) else { return };
        let Stage::Responding(file) = &mut http.stage else { return };
        if let Some(body) = file {
            return match body.next() {
                Ok(Some(chunk)) => self.send_bytes(index, &[&chunk]),
                Ok(None) => {
                    *file = None;
                    self.response_flushed(index);
                }
                Err(error) => {
                    // The length is already promised: only the end of the stream can tell that it is not kept.
                    self.log(Level::Warn, format_args!("sending a file: {error}"));
                    self.remove_socket(index);
                }
            };
        }
        let keep_alive = http.keep_alive;
        if keep_alive && self.is_listening(index) {
            self.await_request_head(index);
            return self.read_soon(index);
        }
        self.end_http(index);
    }

    /// Whether the listener of this conversation is still open.
    fn is_listening(&self, index: u32) -> bool {
        let owner = self.sockets.get(index).and_then(|socket| self.owners.get(socket.owner));
        owner.and_then(|owner| owner.server.as_ref()).is_some_and(|server| server.net.is_some())
    }

    fn end_http(&mut self, index: u32) {
        let now = self.now_ms();
        let timeout = self.settings_of(index).map_or(0, |settings| settings.close_timeout_ms);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.phase = Phase::lingering(after(now, timeout.min(60_000)));
        self.lingering_flushed(index);
        self.arm(index);
        self.read_soon(index);
    }
}

/// The body of a response.
pub enum Payload<'a> {
    Bytes(&'a [u8]),
    File(Option<FileBody>),
}

impl Payload<'_> {
    fn len(&self) -> Option<u64> {
        match self {
            Payload::Bytes(bytes) => Some(bytes.len() as u64),
            Payload::File(Some(body)) => Some(body.left),
            Payload::File(None) => Some(0),
        }
    }
}

impl FileBody {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; self.left.min(FILE_CHUNK as u64) as usize];
        let n = self.file.read(&mut chunk)?;
        if n == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        chunk.truncate(n);
        self.left -= n as u64;
        Ok(Some(chunk))
    }
}
