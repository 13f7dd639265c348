//! Limits, deadlines and options, with their defaults. `docs/limits.md` is checked against this file.

use std::os::fd::OwnedFd;

use super::backoff::Reconnect;
use crate::error::{Error, Result};
use crate::proto::deflate::Rules;

/// Switches a numeric setting off: no limit, no deadline, no heartbeat.
pub const OFF: u32 = u32::MAX;

/// What a connection may use and how long it may take; both roles. Bytes and milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of one received message, after inflating; over it the connection is closed with 1009.
    pub max_message: u32,
    /// Frames of one received message, empty ones too; over it the connection is closed with 1008.
    pub max_parts: u32,
    /// Queued bytes above which a send reports [`Sent::Pending`](crate::Sent::Pending) and reading stops.
    pub high_water: u32,
    /// Queued bytes at which `on_drain` comes and reading goes on.
    pub low_water: u32,
    /// Queued bytes at which a send is refused with [`ErrorCode::Full`](crate::ErrorCode::Full).
    pub max_buffered: u32,
    /// Silence after which a ping is sent.
    pub heartbeat_ms: u32,
    /// Time for the answer to that ping.
    pub heartbeat_timeout_ms: u32,
    /// The whole opening: name resolution, TCP and HTTP.
    pub handshake_timeout_ms: u32,
    /// The close handshake.
    pub close_timeout_ms: u32,
    /// A message still unfinished after this time must have come at 256 bytes a second or more.
    pub message_timeout_ms: u32,
    /// Queued bytes without any progress.
    pub send_timeout_ms: u32,
    /// Go on reading a connection whose own queue is above `high_water`.
    pub keep_reading: bool,
    /// Publishing skips a subscriber at `max_buffered` instead of closing it with 1013.
    pub publish_skips: bool,
    /// permessage-deflate (RFC 7692): offered by a client, accepted by a server; None: never.
    pub deflate: Option<Deflate>,
}

/// How messages are compressed when both sides agree to (RFC 7692).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// 1, fastest, to 9, smallest.
    pub level: u8,
    /// Shorter messages are not compressed. Bytes.
    pub min_bytes: u32,
    /// The largest window of our compressor, as a power of two: 9 to 15.
    pub window_bits: u8,
    /// Our messages may refer to earlier ones, which makes them smaller and costs up to 380 KB for each connection that
    /// sends. Without, all connections share one compressor.
    pub takeover: bool,
    /// The largest window of the peer's compressor, as a power of two: 9 to 15. A client that does not let its window be
    /// chosen keeps 15.
    pub peer_window_bits: u8,
    /// The peer's messages may refer to earlier ones, which costs up to 32 KiB for each connection.
    pub peer_takeover: bool,
}

impl Default for Deflate {
    fn default() -> Deflate {
        Deflate {
            level: 6,
            min_bytes: 128,
            window_bits: 15,
            takeover: false,
            peer_window_bits: 15,
            peer_takeover: false,
        }
    }
}

impl Deflate {
    fn check(&self) -> Result<()> {
        if !(1..=9).contains(&self.level) {
            return Err(Error::invalid(format!("deflate_level is {}: 1 to 9", self.level)));
        }
        for (name, bits) in
            [("deflate_window_bits", self.window_bits), ("deflate_peer_window_bits", self.peer_window_bits)]
        {
            if !(9..=15).contains(&bits) {
                return Err(Error::invalid(format!("{name} is {bits}: 9 to 15")));
            }
        }
        Ok(())
    }

    /// As the handshake sees it.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            bits: self.window_bits,
            takeover: self.takeover,
            peer_bits: self.peer_window_bits,
            peer_takeover: self.peer_takeover,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_message: 16 << 20,
            max_parts: 100_000,
            high_water: 256 << 10,
            low_water: 64 << 10,
            max_buffered: 1 << 20,
            heartbeat_ms: 25_000,
            heartbeat_timeout_ms: 20_000,
            handshake_timeout_ms: 10_000,
            close_timeout_ms: 3_000,
            message_timeout_ms: 60_000,
            send_timeout_ms: 30_000,
            keep_reading: false,
            publish_skips: false,
            deflate: None,
        }
    }
}

impl Settings {
    /// Refuses values that contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        self.deflate.as_ref().map_or(Ok(()), Deflate::check)?;
        if self.low_water > self.high_water {
            return Err(Error::invalid(format!(
                "low_water ({}) is above high_water ({})",
                self.low_water, self.high_water
            )));
        }
        if self.high_water > self.max_buffered {
            return Err(Error::invalid(format!(
                "high_water ({}) is above max_buffered ({})",
                self.high_water, self.max_buffered
            )));
        }
        Ok(())
    }
}

/// Adds milliseconds that may be [`OFF`] to a time; `u64::MAX` is never.
pub(crate) fn after(start_ms: u64, ms: u32) -> u64 {
    if ms == OFF { u64::MAX } else { start_ms.saturating_add(u64::from(ms)) }
}

/// How to listen; every field has a safe default.
#[derive(Debug)]
pub struct ListenOptions {
    /// Limits and deadlines of the connections.
    pub settings: Settings,
    /// Only this path upgrades; others get 404. None: any.
    pub path: Option<String>,
    /// Subprotocols, best first: `"chat.v2, chat.v1"`.
    pub protocols: Option<String>,
    /// Allowed origins: `"https://a.example"`, `"*"`. None: the same host and port as in Host.
    pub origins: Option<String>,
    /// Allowed values of Host. None: a loopback listener takes loopback names, any other takes any.
    pub hosts: Option<String>,
    /// Header lines added to every 101: `"Name: value\r\n"`.
    pub headers: Option<String>,
    /// Plain GET and HEAD requests are answered with the files of this folder.
    pub static_root: Option<String>,
    /// Connections that the kernel holds until they are accepted.
    pub backlog: u32,
    /// Sockets of this listener at one time; more are closed at once. None: the descriptor limit minus 64.
    pub max_connections: Option<u32>,
    /// Bytes of a plain request's body; over it the answer is 413.
    pub max_body: u32,
    /// An HTTP connection without a request is closed after this time.
    pub keep_alive_ms: u32,
    /// SO_REUSEPORT: several processes or loops share the port.
    pub reuse_port: bool,
    /// A listening socket made elsewhere, instead of binding one.
    pub inherited: Option<OwnedFd>,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions {
            settings: Settings::default(),
            path: None,
            protocols: None,
            origins: None,
            hosts: None,
            headers: None,
            static_root: None,
            backlog: 1024,
            max_connections: None,
            max_body: 1 << 20,
            keep_alive_ms: 15_000,
            reuse_port: false,
            inherited: None,
        }
    }
}

/// How to connect; every field has a default.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Limits and deadlines of the connection.
    pub settings: Settings,
    /// Subprotocols offered, best first.
    pub protocols: Option<String>,
    /// The Origin header; None sends none.
    pub origin: Option<String>,
    /// Header lines added to the request: `"Name: value\r\n"`.
    pub headers: Option<String>,
    /// Dial again when the connection is lost or cannot be made; None: `on_close` at once.
    pub reconnect: Option<Reconnect>,
    /// Bytes of messages that are kept while the connection is not open; 0: such sends are refused.
    pub offline_queue: u32,
    /// A full offline queue drops its oldest messages instead of refusing the newest.
    pub offline_drops_oldest: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_consistent() {
        assert!(Settings::default().check().is_ok());
    }

    #[test]
    fn contradictions_are_named() {
        let settings = Settings { low_water: 2, high_water: 1, ..Settings::default() };
        assert!(settings.check().unwrap_err().message.contains("low_water"));
        let settings = Settings { high_water: 2 << 20, ..Settings::default() };
        assert!(settings.check().unwrap_err().message.contains("max_buffered"));
    }

    #[test]
    fn off_is_never() {
        assert_eq!(after(5, OFF), u64::MAX);
        assert_eq!(after(5, 10), 15);
    }
}
