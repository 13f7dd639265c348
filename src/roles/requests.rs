//! Requests that wait for the application: asked, answered, accepted.

use std::ffi::{CString, c_char};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue};

use super::close::{Ending, ReadyState};
use super::core::{Core, Phase};
use super::current;
use super::handler::Decision;
use super::notices::Notice;
use super::respond::Payload;
use crate::error::{Error, Result};
use crate::event_loop::ids::{self, IdKind};
use crate::proto::handshake::server::{self, Upgrade};
use crate::proto::head::RequestHead;

/// A complete request.
pub struct RequestData {
    pub id: u64,
    pub head: RequestHead,
    pub body: Vec<u8>,
    /// Set: the peer asks for a WebSocket, and the listener's rules agree.
    pub upgrade: Option<Upgrade>,
    /// Texts that were handed to C, which live as long as the request's callback.
    texts: Mutex<Vec<CString>>,
}

/// Gives the request whose callback runs on this thread to `question`.
pub fn with_current<R>(id: u64, question: impl FnOnce(&RequestData) -> Result<R>) -> Result<R> {
    if current::loop_id() == 0 {
        return Err(Error::gone());
    }
    let data = current::with(|core| core.current_request.clone()).filter(|data| data.id == id);
    question(&*data.ok_or(Error::gone())?)
}

impl RequestData {
    /// A request that has no id yet.
    pub fn new(head: RequestHead, body: Vec<u8>, upgrade: Option<Upgrade>) -> RequestData {
        RequestData { id: 0, head, body, upgrade, texts: Mutex::default() }
    }

    /// The text with a NUL behind it; it lives as long as this request. Header values and targets hold none inside.
    pub fn c_text_of(&self, text: &[u8]) -> *const c_char {
        let text = CString::new(text).unwrap_or_default();
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        match texts.iter().find(|known| **known == text) {
            Some(known) => known.as_ptr(),
            None => {
                let pointer = text.as_ptr();
                texts.push(text);
                pointer
            }
        }
    }

    /// The same for a string.
    pub fn c_text(&self, text: &str) -> *const c_char {
        self.c_text_of(text.as_bytes())
    }
}

/// Header lines, checked.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

impl Core {
    /// The callback of this socket's request is next; its getters work from now on.
    pub fn begin_decision(&mut self, index: u32) -> Option<(u32, Arc<RequestData>)> {
        let socket = self.sockets.get(index)?;
        let Phase::Http(http) = &socket.phase else { return None };
        let super::http_side::Stage::Waiting(data) = &http.stage else { return None };
        let data = data.clone();
        let owner = socket.owner;
        self.current_request = Some(data.clone());
        Some((owner, data))
    }

    /// The callback has returned; nothing happens if it has answered itself.
    pub fn end_decision(&mut self, index: u32, id: u64, decision: Option<Decision>) {
        if self.http(index).and_then(|http| http.waiting(id)).is_none() {
            return;
        }
        let done = match decision {
            Some(Decision::Accept) => self.accept_request(id, None, &Vec::new()),
            Some(Decision::Refuse(status)) => {
                let status = if (300..=599).contains(&status) { status } else { 500 };
                self.refuse_request(index, id, status);
                Ok(())
            }
            Some(Decision::Defer) | None => Ok(()),
        };
        if done.is_err() {
            self.refuse_request(index, id, 500);
        }
    }

    fn refuse_request(&mut self, index: u32, id: u64, status: u16) {
        ids::release(id);
        let what =
            http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("refused");
        self.send_refusal(index, status, what, false);
    }

    fn waiting_request(&mut self, id: u64) -> Result<(u32, Arc<RequestData>)> {
        let entry = ids::lookup(id, IdKind::Request).ok_or(Error::gone())?;
        let index = entry.local.load(Relaxed);
        let data = self.http(index).and_then(|http| http.waiting(id)).cloned();
        Ok((index, data.ok_or(Error::gone())?))
    }

    /// Switches protocols. `protocol`: None takes the first of the listener's that was offered, "" none.
    pub fn accept_request(&mut self, id: u64, protocol: Option<&str>, headers: &Headers) -> Result<()> {
        let (index, data) = self.waiting_request(id)?;
        let Some(upgrade) = &data.upgrade else {
            return Err(Error::state("a plain request cannot become a WebSocket"));
        };
        let protocol = match protocol {
            None => upgrade.protocol.as_deref(),
            Some("") => None,
            Some(name) if upgrade.offered.iter().any(|offered| offered == name) => Some(name),
            Some(name) => {
                return Err(Error::invalid(format!("the peer did not offer the subprotocol {name:?}")));
            }
        };
        let owner_headers = self.owner_headers(index);
        let all: Headers = owner_headers.iter().chain(headers).cloned().collect();
        let user = ids::lookup(id, IdKind::Request).map_or(0, |entry| entry.user.load(Relaxed));
        let conn = self.name_connection(index, user)?;
        ids::release(id);
        self.switch_to_websocket(index, conn);
        let extension = self.answer_deflate(index, &upgrade.extensions);
        let answer = server::switching(upgrade, protocol, extension.as_deref(), &all);
        self.set_ready_state(index, ReadyState::Open);
        if let Some(protocol) = protocol {
            self.set_protocol(index, protocol);
        }
        self.notices.push_back(Notice::Open { index, id: conn });
        if let Err(error) = self.queue(index, &[&answer]) {
            // The connection exists by now: its on_close tells.
            self.fail(index, Ending::broken(error.code, error.message));
        }
        self.arm(index);
        Ok(())
    }

    fn owner_headers(&self, index: u32) -> Headers {
        let owner = self.sockets.get(index).and_then(|socket| self.owners.get(socket.owner));
        owner.and_then(|owner| owner.server.as_ref()).map(|server| server.headers.clone()).unwrap_or_default()
    }

    /// Gives a socket the id by which the application knows it.
    pub fn name_connection(&mut self, index: u32, user: usize) -> Result<u64> {
        let (id, entry) = ids::allocate(IdKind::Conn, self.shared.id, index)
            .ok_or_else(|| Error::new(crate::error::ErrorCode::NoMem, "no connection id is free"))?;
        entry.user.store(user, Relaxed);
        if let Some(settings) = self.settings_of(index) {
            entry.high_water.store(settings.high_water, Relaxed);
            entry.max_buffered.store(settings.max_buffered, Relaxed);
        }
        Ok(id)
    }

    /// Remembers the chosen subprotocol.
    pub fn set_protocol(&mut self, index: u32, protocol: &str) {
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.extra().protocol = Some(protocol.into());
        }
    }

    /// Answers a request with a response; an upgrade is refused by it.
    pub fn respond_request(&mut self, id: u64, status: u16, headers: &Headers, body: &[u8]) -> Result<()> {
        let (index, data) = self.waiting_request(id)?;
        if data.upgrade.is_some() {
            if !(300..=599).contains(&status) {
                return Err(Error::invalid(format!(
                    "status {status}: an upgrade is refused with 300 to 599"
                )));
            }
            if let Some(http) = self.http(index) {
                http.keep_alive = false;
            }
        }
        ids::release(id);
        self.send_response(index, status, headers, Payload::Bytes(body));
        Ok(())
    }

    /// Where a waiting request comes from.
    pub fn request_peer(&mut self, id: u64) -> Result<String> {
        let (index, _) = self.waiting_request(id)?;
        Ok(self.peer_name(index))
    }

    /// The other end of a socket, as text; empty if the system has forgotten it.
    pub fn peer_name(&self, index: u32) -> String {
        let stream = self.sockets.get(index).and_then(|socket| socket.stream.as_ref());
        stream.map(|stream| stream.peer_name()).unwrap_or_default()
    }
}
