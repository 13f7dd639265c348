//! The end of a connection (RFC 6455 section 7): by us, by the peer, by a fault. Each leads to exactly one
//! [`Core::finish`], and that to exactly one `on_close`.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use super::core::{Core, Phase};
use super::handler::CloseInfo;
use super::notices::Notice;
use super::settings::after;
use super::write::not_open;
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids;
use crate::proto::Role;
use crate::proto::close as codes;
use crate::proto::conn::Violation;
use crate::proto::frame::Opcode;

/// Values of readyState, as in the browser's WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ReadyState {
    /// The opening handshake is under way.
    Connecting = 0,
    /// Messages flow.
    Open = 1,
    /// The close handshake is under way.
    Closing = 2,
    /// It has ended.
    Closed = 3,
}

/// The bits of `Entry::state` that hold a [`ReadyState`].
pub const READY_STATE: u32 = 3;

/// A close handshake under way.
pub struct Closing {
    /// The code in our Close; 1005: it was empty.
    pub sent_code: u16,
    /// The peer's Close.
    pub received: Option<(u16, String)>,
    /// When we stop waiting; counts once our Close has left.
    pub deadline_ms: u64,
}

/// Why a connection breaks.
pub struct Ending {
    pub error: Option<ErrorCode>,
    pub detail: String,
}

impl Ending {
    /// A fault with its sentence.
    pub fn broken(error: ErrorCode, detail: impl Into<String>) -> Ending {
        Ending { error: Some(error), detail: detail.into() }
    }
}

impl Core {
    /// Sets the readyState that every thread sees; other bits stay.
    pub fn set_ready_state(&self, index: u32, state: ReadyState) {
        if let Some(entry) = self.entry_of(index) {
            // The closure never declines, so this cannot fail.
            let _ = entry.state.fetch_update(Relaxed, Relaxed, |old| Some(old & !READY_STATE | state as u32));
        }
    }

    /// The application closes: code 0 sends an empty Close. While connecting it aborts.
    pub fn close_by_us(&mut self, index: u32, code: u16, reason: &str) -> Result<()> {
        let payload = codes::payload(code, reason).map_err(|bad| Error::invalid(bad.to_string()))?;
        let Some(socket) = self.sockets.get(index) else { return Err(Error::gone()) };
        match &socket.phase {
            Phase::Open => {
                self.send_frame(index, Opcode::Close, &payload)?;
                self.end_by_us(index);
                self.await_close(index, if code == 0 { codes::NO_STATUS } else { code }, None);
                Ok(())
            }
            Phase::Dial(_) | Phase::Waiting { .. } => {
                self.end_by_us(index);
                let detail = "closed by the application while connecting".into();
                self.fail(index, Ending { error: None, detail });
                Ok(())
            }
            other => Err(not_open(other)),
        }
    }

    /// The application ends the connection without a Close frame.
    pub fn terminate(&mut self, index: u32) -> Result<()> {
        match self.sockets.get(index).map(|socket| &socket.phase) {
            Some(Phase::Ended) => Err(Error::state("the connection is closed")),
            Some(_) => {
                self.end_by_us(index);
                self.fail(index, Ending { error: None, detail: "terminated by the application".into() });
                Ok(())
            }
            None => Err(Error::gone()),
        }
    }

    /// From here no further attempt is made.
    fn end_by_us(&mut self, index: u32) {
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.flags.ended_by_us = true;
        }
    }

    fn await_close(&mut self, index: u32, sent_code: u16, received: Option<(u16, String)>) {
        self.refresh_clock();
        let now = self.now_ms();
        let Some(timeout) = self.settings_of(index).map(|settings| settings.close_timeout_ms) else { return };
        let deadline_ms = after(now, timeout);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if !matches!(socket.phase, Phase::Open) {
            // Sending the Close has shown that the stream is broken.
            return;
        }
        socket.phase = Phase::Closing(Box::new(Closing { sent_code, received, deadline_ms }));
        self.set_ready_state(index, ReadyState::Closing);
        self.leave_topics(index);
        self.arm(index);
        // A paused connection must still see the peer's Close.
        self.resume_for_close(index);
    }

    fn resume_for_close(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if !socket.may_read() {
            socket.flags.paused = false;
            socket.flags.throttled = false;
            self.read_soon(index);
        }
    }

    /// The peer's Close arrived: it is answered with its own code and reason (RFC 6455 section 5.5.1).
    pub fn closed_by_peer(&mut self, index: u32, code: u16, reason: String) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        match &mut socket.phase {
            Phase::Closing(closing) => closing.received = Some((code, reason)),
            Phase::Open => {
                let echo = if code == codes::NO_STATUS { 0 } else { code };
                let answered = codes::payload(echo, &reason)
                    .is_ok_and(|payload| self.send_frame(index, Opcode::Close, &payload).is_ok());
                self.await_close(index, if answered { code } else { 0 }, Some((code, reason)));
            }
            _ => {}
        }
    }

    /// Our Close has left a queue that was in its way: the time for the answer counts from now.
    pub fn close_left(&mut self, index: u32) {
        self.refresh_clock();
        let now = self.now_ms();
        let Some(timeout) = self.settings_of(index).map(|settings| settings.close_timeout_ms) else { return };
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if let Phase::Closing(closing) = &mut socket.phase {
            closing.deadline_ms = after(now, timeout);
        }
        self.arm(index);
        self.finish_if_exchanged(index);
    }

    /// The server ends TCP first, when both Close frames were exchanged (RFC 6455 section 7.1.1); the client waits for that.
    pub fn finish_if_exchanged(&mut self, index: u32) {
        let Some(socket) = self.sockets.get(index) else { return };
        let Phase::Closing(closing) = &socket.phase else { return };
        if closing.received.is_some() && socket.role() == Role::Server {
            self.finish_handshake(index, true);
        }
    }

    /// Both Close frames were exchanged.
    fn finish_handshake(&mut self, index: u32, linger: bool) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        let Phase::Closing(closing) = &mut socket.phase else { return };
        let Some((code, reason)) = closing.received.take() else { return };
        let info = CloseInfo {
            code,
            sent_code: closing.sent_code,
            error: None,
            was_open: false,
            was_clean: true,
            reason,
            detail: String::new(),
            unsent: 0,
        };
        self.finish(index, info, linger);
    }

    /// The peer broke the protocol or a limit: it is told why, and the connection ends.
    pub fn violated(&mut self, index: u32, violation: Violation) {
        let error = match violation.code {
            codes::INVALID_DATA => ErrorCode::Utf8,
            codes::TOO_BIG => ErrorCode::TooBig,
            codes::INTERNAL => ErrorCode::NoMem,
            _ => ErrorCode::Protocol,
        };
        self.end_with(index, violation.code, error, violation.what);
    }

    /// Sends a Close with `code` (unless one went out) and ends the connection without waiting for an answer.
    pub fn end_with(&mut self, index: u32, code: u16, error: ErrorCode, detail: &str) {
        let Some(socket) = self.sockets.get(index) else { return };
        let sent_code = match &socket.phase {
            Phase::Closing(closing) => closing.sent_code,
            Phase::Open => {
                let told = codes::payload(code, detail)
                    .is_ok_and(|payload| self.send_frame(index, Opcode::Close, &payload).is_ok());
                if told { code } else { 0 }
            }
            _ => 0,
        };
        let info = CloseInfo { sent_code, ..broken(Ending::broken(error, detail)) };
        self.finish(index, info, true);
    }

    /// The stream can be used no longer.
    pub fn stream_failed(&mut self, index: u32, error: &io::Error) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.flags.broken = true;
        match &mut socket.phase {
            Phase::Http(_) => self.request_peer_gone(index),
            Phase::Dial(_) => self.dial_next(index, &error.to_string()),
            Phase::Closing(closing) if closing.received.is_some() => self.finish_handshake(index, false),
            Phase::Open | Phase::Closing(_) => {
                let detail = self.text_of(error);
                self.fail(index, Ending::broken(ErrorCode::Io, detail));
            }
            Phase::Lingering { .. } => self.remove_socket(index),
            Phase::Ended | Phase::Waiting { .. } => {}
        }
    }

    /// The error as a sentence. Many connections end with a reset, and libc looks through its translations for each text.
    fn text_of(&mut self, error: &io::Error) -> String {
        if error.kind() != io::ErrorKind::ConnectionReset {
            return error.to_string();
        }
        if self.reset_text.is_empty() {
            self.reset_text = error.to_string();
        }
        self.reset_text.clone()
    }

    /// The peer ended its side of the stream.
    pub fn stream_ended(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        match &mut socket.phase {
            Phase::Http(_) => self.request_stream_ended(index),
            Phase::Dial(_) => self.dial_ended(index),
            Phase::Closing(closing) if closing.received.is_some() => self.finish_handshake(index, false),
            Phase::Open | Phase::Closing(_) => {
                let detail = "the peer ended the connection without a Close frame";
                self.fail(index, Ending::broken(ErrorCode::Io, detail));
            }
            Phase::Lingering { .. } => self.remove_socket(index),
            Phase::Ended | Phase::Waiting { .. } => socket.flags.broken = true,
        }
    }

    /// Ends a connection at once; nothing more is sent.
    pub fn fail(&mut self, index: u32, ending: Ending) {
        let sent_code = match self.sockets.get(index).map(|socket| &socket.phase) {
            Some(Phase::Closing(closing)) => closing.sent_code,
            _ => 0,
        };
        self.finish(index, CloseInfo { sent_code, ..broken(ending) }, false);
    }

    /// The one way to `on_close`.
    fn finish(&mut self, index: u32, mut info: CloseInfo, linger: bool) {
        let queued = self.queued(index) as u64;
        let corked = if self.corked == index && !linger { self.cork.len() as u64 } else { 0 };
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if matches!(socket.phase, Phase::Ended | Phase::Lingering { .. } | Phase::Http(_)) {
            return;
        }
        info.unsent = queued + corked;
        info.was_open = socket.flags.was_open;
        self.leave_topics(index);
        if let Some(after_ms) = self.retry_delay(index, &info) {
            return self.wait_and_retry(index, info, after_ms);
        }
        self.drop_kept(index);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.phase = Phase::Ended;
        socket.flags.broken |= !linger;
        info.was_open = socket.flags.ever_open;
        let id = socket.id;
        if corked > 0 {
            self.cork.clear();
        }
        self.set_ready_state(index, ReadyState::Closed);
        self.notices.push_back(Notice::Close { index, id, info: Box::new(info) });
    }

    /// `on_close` has returned: the id ends; the stream may have to linger.
    pub fn closed(&mut self, index: u32, id: u64) {
        let now = self.now_ms();
        let timeout = self.settings_of(index).map_or(0, |settings| settings.close_timeout_ms);
        let entry = self.entry_of(index);
        let Some(socket) = self.sockets.get_mut(index).filter(|socket| socket.id == id) else { return };
        if let Some(entry) = entry {
            entry.queued.fetch_sub(socket.outbox.len() as u64, Relaxed);
        }
        socket.id = 0;
        ids::release(id);
        if socket.flags.broken || socket.stream.is_none() {
            return self.remove_socket(index);
        }
        socket.phase = Phase::lingering(after(now, timeout.min(60_000)));
        socket.extra = None;
        socket.flags.paused = false;
        socket.flags.throttled = false;
        if socket.outbox.is_empty() {
            self.lingering_flushed(index);
        }
        self.arm(index);
        self.read_soon(index);
    }

    /// The last byte has left: our side ends, and the peer's end is awaited.
    pub fn lingering_flushed(&mut self, index: u32) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if std::mem::replace(&mut socket.flags.shut, true) {
            return;
        }
        let ended = socket.stream.as_ref().map(|stream| stream.shutdown_write());
        if !matches!(ended, Some(Ok(()))) {
            self.remove_socket(index);
        }
    }

    /// A handler panicked in a callback of this connection.
    pub fn close_after_panic(&mut self, index: u32, id: u64) {
        if self.sockets.get(index).is_some_and(|socket| socket.id == id) {
            self.end_with(index, codes::INTERNAL, ErrorCode::Internal, "a callback panicked");
        }
    }

    /// Closes what still lingers.
    pub fn close_sockets(&mut self) {
        let indices: Vec<u32> = self.sockets.keys().collect();
        for index in indices {
            self.remove_socket(index);
        }
    }

    /// Every connection ends, because the loop is freed. Open ones are told so if their stream takes it at once.
    pub fn close_everything(&mut self) {
        let indices: Vec<u32> = self.sockets.keys().collect();
        for index in indices {
            match self.sockets.get(index).map(|socket| &socket.phase) {
                Some(Phase::Open | Phase::Closing(_)) => {
                    self.end_with(index, codes::GOING_AWAY, ErrorCode::Gone, "the loop was freed");
                    self.flush(index);
                }
                Some(Phase::Dial(_) | Phase::Waiting { .. }) => {
                    self.fail(index, Ending::broken(ErrorCode::Gone, "the loop was freed"));
                }
                Some(Phase::Http(_)) => self.request_peer_gone(index),
                _ => {}
            }
        }
    }
}

fn broken(ending: Ending) -> CloseInfo {
    CloseInfo {
        code: codes::ABNORMAL,
        sent_code: 0,
        error: ending.error,
        was_open: false,
        was_clean: false,
        reason: String::new(),
        detail: ending.detail,
        unsent: 0,
    }
}
