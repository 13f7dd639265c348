//! One deadline per socket, moved lazily: a message costs no timer work, only a look at the clock that the loop has
//! read anyway; when the wheel fires, the true deadline is worked out again.

use super::close::Ending;
use super::core::{Core, NONE, Phase};
use super::settings::{OFF, Settings, after};
use super::turn::Due;
use crate::error::ErrorCode;
use crate::proto::Role;
use crate::proto::close as codes;
use crate::proto::frame::Opcode;

/// An unfinished message that is older than its time-out must have come at this rate.
const SLOWEST_BYTES_PER_SECOND: u64 = 256;

/// What an open connection is late with.
enum Late {
    Send,
    Message,
    Ping,
    Answer,
}

impl Core {
    /// Makes sure that the wheel fires no later than the socket's deadline.
    pub fn arm(&mut self, index: u32) {
        let deadline = self.deadline(index);
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if deadline == u64::MAX {
            return;
        }
        if socket.timer == NONE {
            socket.timer = self.wheel.insert(deadline, Due::Socket(index).key());
        } else if deadline < socket.due_ms {
            self.wheel.reschedule(socket.timer, deadline);
        } else {
            return;
        }
        socket.due_ms = deadline;
    }

    /// The wheel has fired for this socket.
    pub fn socket_due(&mut self, index: u32) {
        let now = self.now_ms();
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.timer = NONE;
        if self.deadline(index) > now {
            return self.arm(index);
        }
        let Some(socket) = self.sockets.get_mut(index) else { return };
        match &socket.phase {
            Phase::Http(_) => self.http_due(index),
            Phase::Dial(_) => self.dial_due(index),
            Phase::Open => self.open_due(index, now),
            Phase::Closing(_) => self.closing_due(index),
            Phase::Lingering { .. } => self.remove_socket(index),
            Phase::Waiting { .. } => self.redial(index),
            Phase::Ended => {}
        }
        self.arm(index);
    }

    fn deadline(&self, index: u32) -> u64 {
        let Some(socket) = self.sockets.get(index) else { return u64::MAX };
        let Some(settings) = self.settings_of(index) else { return u64::MAX };
        match &socket.phase {
            Phase::Http(http) => http.deadline_ms.min(self.send_deadline(index, settings)),
            Phase::Dial(dial) => dial.deadline_ms(),
            Phase::Open => {
                self.open_deadlines(index, settings).into_iter().map(|(at, _)| at).min().unwrap_or(u64::MAX)
            }
            Phase::Closing(closing) if socket.outbox.is_empty() => closing.deadline_ms,
            Phase::Closing(_) => self.send_deadline(index, settings),
            Phase::Lingering { until_ms, .. } | Phase::Waiting { until_ms } => *until_ms,
            Phase::Ended => u64::MAX,
        }
    }

    fn open_deadlines(&self, index: u32, settings: &Settings) -> [(u64, Late); 3] {
        let (heartbeat, late) = self.heartbeat_deadline(index, settings);
        [
            (self.send_deadline(index, settings), Late::Send),
            (self.message_deadline(index, settings), Late::Message),
            (heartbeat, late),
        ]
    }

    fn send_deadline(&self, index: u32, settings: &Settings) -> u64 {
        match self.sockets.get(index) {
            Some(socket) if !socket.outbox.is_empty() => {
                after(socket.outbox.progress_ms(), settings.send_timeout_ms)
            }
            _ => u64::MAX,
        }
    }

    /// While we do not read by our own choice, the peer's clock stands still.
    fn message_deadline(&self, index: u32, settings: &Settings) -> u64 {
        let Some(socket) = self.sockets.get(index).filter(|socket| socket.may_read()) else {
            return u64::MAX;
        };
        let Some(unfinished) = socket.proto.unfinished() else { return u64::MAX };
        let resumed_ms = socket.extra.as_ref().map_or(0, |extra| extra.resumed_ms);
        let since_ms = unfinished.since_ms.max(resumed_ms);
        let paid_for_ms = unfinished.bytes.saturating_mul(1000) / SLOWEST_BYTES_PER_SECOND;
        let patience = u64::from(settings.message_timeout_ms).max(paid_for_ms);
        if settings.message_timeout_ms == OFF { u64::MAX } else { since_ms.saturating_add(patience) }
    }

    fn heartbeat_deadline(&self, index: u32, settings: &Settings) -> (u64, Late) {
        let Some(socket) = self.sockets.get(index).filter(|socket| socket.may_read()) else {
            return (u64::MAX, Late::Ping);
        };
        if settings.heartbeat_ms == OFF {
            return (u64::MAX, Late::Ping);
        }
        let ping_ms = socket.ping_us / 1000;
        if socket.ping_us != 0 && socket.heard_ms <= ping_ms {
            let at = after(ping_ms, settings.heartbeat_timeout_ms);
            // After a callback that took long, the answer may lie in the kernel: it is looked for once more.
            let unread = at > self.polled_ms && at <= self.now_ms();
            return (if unread { self.now_ms() + 1 } else { at }, Late::Answer);
        }
        (after(socket.heard_ms, settings.heartbeat_ms), Late::Ping)
    }

    fn open_due(&mut self, index: u32, now: u64) {
        let Some(settings) = self.settings_of(index).cloned() else { return };
        let due = self.open_deadlines(index, &settings).into_iter().find(|(at, _)| *at <= now);
        match due {
            Some((_, Late::Send)) => {
                let detail = format!("the peer took no byte for {} ms", settings.send_timeout_ms);
                self.fail(index, Ending::broken(ErrorCode::Timeout, detail));
            }
            Some((_, Late::Message)) => {
                let detail = format!("a message was unfinished after {} ms", settings.message_timeout_ms);
                self.end_with(index, codes::POLICY, ErrorCode::Timeout, &detail);
            }
            Some((_, Late::Answer)) => {
                let detail = format!("no pong for {} ms", settings.heartbeat_timeout_ms);
                self.fail(index, Ending::broken(ErrorCode::Timeout, detail));
            }
            Some((_, Late::Ping)) => self.send_heartbeat(index),
            None => {}
        }
    }

    /// A ping whose payload is its time, so that its answer is known without remembering it.
    fn send_heartbeat(&mut self, index: u32) {
        let now_us = self.now_us;
        let Some(socket) = self.sockets.get_mut(index) else { return };
        socket.ping_us = now_us;
        if self.send_frame(index, Opcode::Ping, &now_us.to_be_bytes()).is_err() {
            self.fail(index, Ending::broken(ErrorCode::NoMem, "out of memory"));
        }
    }

    /// Whether a pong answers the heartbeat's ping; then the round trip is known and the peer lives.
    pub fn is_heartbeat_answer(&mut self, index: u32, payload: &[u8]) -> bool {
        let now_us = self.poller.now_us();
        let Some(socket) = self.sockets.get_mut(index) else { return false };
        if socket.ping_us == 0 || payload != socket.ping_us.to_be_bytes() {
            return false;
        }
        socket.round_trip_us = u32::try_from(now_us - socket.ping_us).unwrap_or(u32::MAX - 1);
        socket.ping_us = 0;
        socket.heard_ms = now_us / 1000;
        self.arm(index);
        true
    }

    /// While a ping is out, the wheel waits for its answer; other news from the peer will do, and the next ping may be
    /// due before that answer was.
    pub fn after_sign_of_life(&mut self, index: u32) {
        let Some(socket) = self.sockets.get(index) else { return };
        if socket.ping_us != 0 && socket.heard_ms > socket.ping_us / 1000 {
            self.arm(index);
        }
    }

    fn closing_due(&mut self, index: u32) {
        let Some(socket) = self.sockets.get(index) else { return };
        let Phase::Closing(closing) = &socket.phase else { return };
        if closing.received.is_some() {
            // The handshake is done; only the peer's end of TCP is missing.
            let done = std::io::Error::new(std::io::ErrorKind::TimedOut, "the peer did not end TCP");
            return self.stream_failed(index, &done);
        }
        let what = match socket.role() {
            Role::Server => "the client did not answer our Close in time",
            Role::Client => "the server did not answer our Close in time",
        };
        self.fail(index, Ending::broken(ErrorCode::Timeout, what));
    }
}
