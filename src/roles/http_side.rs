//! The server's side of a socket before (or instead of) the WebSocket: requests in, responses out, in order.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use super::core::{Core, NONE, Phase};
use super::notices::Notice;
use super::requests::RequestData;
use super::respond::{FileBody, Payload};
use super::settings::after;
use crate::event_loop::ids;
use crate::http::body::{BodyReader, expects_continue};
use crate::http::response;
use crate::proto::Role;
use crate::proto::handshake::server;
use crate::proto::head::{HeadLimits, HeadReader, Refusal, RequestHead};

/// Requests are read in small pieces, so that little is read ahead of the one that is handled.
const PIECE: usize = 16 * 1024;

/// How much a peer may send ahead while its request waits for an answer.
const AHEAD: usize = 64 * 1024;

/// One HTTP/1.1 conversation.
pub struct Http {
    pub stage: Stage,
    pub deadline_ms: u64,
    /// Bytes behind the request that is being handled.
    pub rest: Vec<u8>,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// The current request is HEAD.
    pub head_only: bool,
    /// The kernel may hold bytes that were not read because a request waits.
    pub unread: bool,
    /// What had arrived of an unfinished request was acknowledged; later pieces are at once.
    acknowledged: bool,
    limits: HeadLimits,
    served: bool,
}

/// How far the current request is.
pub enum Stage {
    Head(HeadReader<RequestHead>),
    Body(Box<RequestHead>, BodyReader),
    /// The application decides.
    Waiting(Arc<RequestData>),
    /// The response leaves, followed by the rest of a file.
    Responding(Option<FileBody>),
}

impl Http {
    /// A conversation that has not begun.
    pub fn new(limits: HeadLimits) -> Http {
        Http {
            stage: Stage::Head(HeadReader::new(limits)),
            deadline_ms: u64::MAX,
            rest: Vec::new(),
            keep_alive: true,
            head_only: false,
            unread: false,
            acknowledged: false,
            limits,
            served: false,
        }
    }

    fn is_reading(&self) -> bool {
        matches!(self.stage, Stage::Head(_) | Stage::Body(..))
    }

    /// The request that waits for the application, if it is `id`.
    pub fn waiting(&self, id: u64) -> Option<&Arc<RequestData>> {
        match &self.stage {
            Stage::Waiting(data) if data.id == id => Some(data),
            _ => None,
        }
    }
}

impl Core {
    pub fn http(&mut self, index: u32) -> Option<&mut Http> {
        match &mut self.sockets.get_mut(index)?.phase {
            Phase::Http(http) => Some(http),
            _ => None,
        }
    }

    /// The next bytes are a request head.
    pub fn await_request_head(&mut self, index: u32) {
        let now = self.now_ms();
        let Some(owner) = self.sockets.get(index).and_then(|socket| self.owners.get(socket.owner)) else {
            return;
        };
        let Some(server) = owner.server.as_deref() else { return };
        let (handshake, keep_alive) = (owner.settings.handshake_timeout_ms, server.keep_alive_ms);
        let Some(http) = self.http(index) else { return };
        http.stage = Stage::Head(HeadReader::new(http.limits));
        http.deadline_ms = after(now, if http.served { keep_alive } else { handshake });
        self.arm(index);
    }

    /// Reads a request as far as it has come.
    pub fn read_request(&mut self, index: u32, exhaust: bool) {
        let rest =
            self.http(index).filter(|http| http.is_reading()).map(|http| std::mem::take(&mut http.rest));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            self.feed_request(index, &rest);
        }
        let mut buffer = self.borrow_buffer();
        while self.read_request_once(index, exhaust, &mut buffer[..PIECE]) {}
        self.return_buffer(buffer);
    }

    fn read_request_once(&mut self, index: u32, exhaust: bool, buffer: &mut [u8]) -> bool {
        let Some(http) = self.http(index) else { return false };
        if !http.is_reading() {
            http.unread = true;
            // An end is looked for; otherwise the peer's next request stays in the kernel.
            if !exhaust || http.rest.len() >= AHEAD {
                return false;
            }
        }
        let Some(stream) = self.sockets.get(index).and_then(|socket| socket.stream.as_ref()) else {
            return false;
        };
        let more = exhaust || stream.is_unix();
        match stream.recv(buffer) {
            Ok(0) => {
                self.stream_ended(index);
                false
            }
            Ok(n) => {
                self.feed_request(index, &buffer[..n]);
                self.acknowledge_part(index);
                more || n == buffer.len()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                self.stream_failed(index, &error);
                false
            }
        }
    }

    fn feed_request(&mut self, index: u32, mut bytes: &[u8]) {
        while let Some(http) = self.http(index) {
            let step = match &mut http.stage {
                Stage::Head(_) | Stage::Body(..) if bytes.is_empty() => return,
                Stage::Head(reader) => {
                    let fresh = reader.is_empty();
                    let pushed = reader.push(bytes).map(|(used, head)| (used, head.map(Complete::Head)));
                    if fresh && http.served {
                        self.start_request_clock(index);
                    }
                    pushed
                }
                Stage::Body(_, body) => {
                    body.push(bytes).map(|used| (used, body.is_done().then_some(Complete::Body)))
                }
                Stage::Waiting(_) | Stage::Responding(_) => {
                    http.rest.extend_from_slice(bytes);
                    return;
                }
            };
            match step {
                Ok((used, complete)) => {
                    bytes = &bytes[used.min(bytes.len())..];
                    match complete {
                        Some(Complete::Head(head)) => self.head_complete(index, head),
                        Some(Complete::Body) => self.body_complete(index),
                        None => {}
                    }
                }
                Err(refusal) => return self.refuse(index, refusal),
            }
        }
    }

    /// Part of a request has arrived: the peer may wait to hear so before it sends the rest.
    fn acknowledge_part(&mut self, index: u32) {
        let Some(http) = self.http(index) else { return };
        let unfinished = match &http.stage {
            Stage::Head(reader) => !reader.is_empty(),
            stage => matches!(stage, Stage::Body(..)),
        };
        if !unfinished || std::mem::replace(&mut http.acknowledged, true) {
            return;
        }
        if let Some(stream) = self.sockets.get(index).and_then(|socket| socket.stream.as_ref()) {
            stream.acknowledge();
        }
    }

    /// A further request has begun: it has the time of a handshake.
    fn start_request_clock(&mut self, index: u32) {
        let now = self.now_ms();
        let Some(timeout) = self.settings_of(index).map(|settings| settings.handshake_timeout_ms) else {
            return;
        };
        if let Some(http) = self.http(index) {
            http.deadline_ms = after(now, timeout);
        }
        self.arm(index);
    }

    fn head_complete(&mut self, index: u32, head: RequestHead) {
        let Some(socket) = self.sockets.get(index) else { return };
        let Some(owner) = self.owners.get(socket.owner) else { return };
        let Some(server) = owner.server.as_deref() else { return };
        if server.net.is_none() {
            return self.refuse(index, Refusal { status: 503, what: "the listener is closed" });
        }
        if server::is_upgrade(&head) {
            return match server::check(&head, &server.rules) {
                Ok(upgrade) => {
                    self.ask_application(index, RequestData::new(head, Vec::new(), Some(upgrade)));
                }
                Err(refusal) => self.refuse(index, refusal),
            };
        }
        if let Err(refusal) = server::check_host(&head, &server.rules) {
            return self.refuse(index, refusal);
        }
        let body = match BodyReader::new(&head, u64::from(server.max_body)) {
            Ok(body) => body,
            Err(refusal) => return self.refuse(index, refusal),
        };
        let (done, expects) = (body.is_done(), expects_continue(&head));
        let Some(http) = self.http(index) else { return };
        http.stage = Stage::Body(Box::new(head), body);
        if done {
            self.body_complete(index);
        } else if expects {
            // A failure here shows again with the response.
            let _ = self.queue(index, &[b"HTTP/1.1 100 Continue\r\n\r\n"]);
        }
    }

    fn body_complete(&mut self, index: u32) {
        let Some(http) = self.http(index) else { return };
        let stage = std::mem::replace(&mut http.stage, Stage::Responding(None));
        let Stage::Body(head, body) = stage else { return };
        http.keep_alive = response::keep_alive(&head);
        http.head_only = head.method == http::Method::HEAD;
        http.served = true;
        self.dispatch(index, *head, body.into_body());
    }

    /// A file of the static root, or the application, or a word of refusal.
    fn dispatch(&mut self, index: u32, head: RequestHead, body: Vec<u8>) {
        let Some(socket) = self.sockets.get(index) else { return };
        let Some(owner) = self.owners.get(socket.owner) else { return };
        let Some(server) = owner.server.as_deref() else { return };
        let asks = owner.takes_requests;
        if let Some(root) = &server.static_root {
            let answer = root.answer(&head, SystemTime::now());
            if !asks || !matches!(answer.status, 404 | 405) {
                let file = answer.file.map(|(file, left)| FileBody { file, left });
                return self.send_response(index, answer.status, &answer.headers, Payload::File(file));
            }
        }
        if asks {
            return self.ask_application(index, RequestData::new(head, body, None));
        }
        let keep_alive = self.http(index).is_some_and(|http| http.keep_alive);
        self.send_refusal(index, 426, "this port speaks WebSocket", keep_alive);
    }

    fn ask_application(&mut self, index: u32, mut data: RequestData) {
        let now = self.now_ms();
        let user = self.sockets.get(index).and_then(|socket| self.owners.get(socket.owner)).map(|o| o.user);
        let Some((id, entry)) = ids::allocate(ids::IdKind::Request, self.shared.id, index) else {
            return self.refuse(index, Refusal { status: 503, what: "too many requests wait" });
        };
        entry.user.store(user.unwrap_or(0), std::sync::atomic::Ordering::Relaxed);
        data.id = id;
        let patience = self.settings_of(index).map_or(0, |settings| match data.upgrade {
            Some(_) => settings.handshake_timeout_ms,
            None => settings.message_timeout_ms,
        });
        let Some(http) = self.http(index) else { return };
        if data.upgrade.is_none() || !http.served {
            http.deadline_ms = http.deadline_ms.max(after(now, patience));
        }
        http.stage = Stage::Waiting(Arc::new(data));
        self.arm(index);
        self.notices.push_back(Notice::Request { index });
    }

    /// The peer's side of the stream has ended: what it asked may still be answered.
    pub fn request_stream_ended(&mut self, index: u32) {
        let Some(http) = self.http(index) else { return };
        match &http.stage {
            Stage::Waiting(data) if data.upgrade.is_none() => http.keep_alive = false,
            Stage::Responding(_) => http.keep_alive = false,
            _ => self.request_peer_gone(index),
        }
    }

    /// Nobody waits for an answer any more.
    pub fn request_peer_gone(&mut self, index: u32) {
        if let Some(Stage::Waiting(data)) = self.http(index).map(|http| &http.stage) {
            ids::release(data.id);
        }
        self.remove_socket(index);
    }

    /// The deadline of an HTTP conversation has passed.
    pub fn http_due(&mut self, index: u32) {
        let Some(http) = self.http(index) else { return };
        match &http.stage {
            Stage::Head(reader) if reader.is_empty() => self.remove_socket(index),
            Stage::Head(_) | Stage::Body(..) => {
                self.refuse(index, Refusal { status: 408, what: "the request took too long" });
            }
            Stage::Waiting(data) => {
                ids::release(data.id);
                self.refuse(index, Refusal { status: 503, what: "the application did not answer in time" });
            }
            Stage::Responding(_) => self.remove_socket(index),
        }
    }

    /// Closes the conversations of a closed listener in which no request has begun.
    pub fn close_idle_http(&mut self, owner: u32) {
        let idle = |core: &Core, index: u32| {
            let Some(socket) = core.sockets.get(index) else { return false };
            let Phase::Http(http) = &socket.phase else { return false };
            socket.owner == owner && matches!(&http.stage, Stage::Head(reader) if reader.is_empty())
        };
        let indices: Vec<u32> = self.sockets.keys().filter(|&index| idle(self, index)).collect();
        for index in indices {
            self.remove_socket(index);
        }
    }

    /// A waiting request becomes an open connection: its socket is told so by the caller's 101.
    pub fn switch_to_websocket(&mut self, index: u32, id: u64) {
        debug_assert!(index != NONE);
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let Phase::Http(http) = std::mem::replace(&mut socket.phase, Phase::Open) else { return };
        debug_assert!(socket.role() == Role::Server);
        socket.id = id;
        socket.heard_ms = now;
        if let Some(entry) = ids::lookup(id, ids::IdKind::Conn) {
            entry.queued.fetch_add(socket.outbox.len() as u64, std::sync::atomic::Ordering::Relaxed);
        }
        let read_on = http.unread || !http.rest.is_empty();
        if !http.rest.is_empty() {
            socket.extra().rest = http.rest;
        }
        if read_on {
            self.read_soon(index);
        }
    }
}

/// What a push into a reader completed.
enum Complete {
    Head(RequestHead),
    Body,
}
