use std::ffi::{c_char, c_void};

/// An event loop.
pub type libws_loop = u64;
/// A listening socket.
pub type libws_listener = u64;
/// A WebSocket connection, either role.
pub type libws_conn = u64;
/// An HTTP request that waits for its answer.
pub type libws_request = u64;
/// A timer.
pub type libws_timer = u64;

/// The kind of a message (RFC 6455 section 5.6).
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_kind {
    /// UTF-8 text.
    LIBWS_TEXT = 1,
    /// Any bytes.
    LIBWS_BINARY = 2,
}

/// What libws_ready_state() returns; the numbers of the browser's readyState.
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_state {
    /// The opening handshake is under way.
    LIBWS_CONNECTING = 0,
    /// Messages flow.
    LIBWS_OPEN = 1,
    /// The close handshake is under way.
    LIBWS_CLOSING = 2,
    /// It has ended.
    LIBWS_CLOSED = 3,
}

/// Which side of a connection we are.
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_role {
    /// We accepted it.
    LIBWS_SERVER = 1,
    /// We opened it.
    LIBWS_CLIENT = 2,
}

/// What on_upgrade returns. 300 to 599 refuses with that HTTP status; anything else, 0 too, refuses with 500.
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_upgrade {
    /// Switch protocols.
    LIBWS_ACCEPT = 1,
    /// The answer comes later: libws_accept() or libws_respond().
    LIBWS_DEFER = 2,
}

/// How much a line of the log matters.
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_log_level {
    /// Something failed that should not.
    LIBWS_LOG_ERROR = 1,
    /// Something was given up to protect the process.
    LIBWS_LOG_WARN = 2,
    /// Something a peer did.
    LIBWS_LOG_INFO = 3,
    /// Everything else.
    LIBWS_LOG_DEBUG = 4,
}

/// Switches a numeric setting off: no limit, no deadline, no heartbeat.
pub const LIBWS_OFF: u32 = u32::MAX;
/// A flag of libws_settings: go on reading a connection whose own send queue is above high_water.
pub const LIBWS_KEEP_READING: u32 = 1;
/// A flag of libws_settings: libws_publish() skips a subscriber at max_buffered instead of closing it with 1013.
pub const LIBWS_PUBLISH_SKIPS: u32 = 2;
/// A flag of libws_settings: permessage-deflate (RFC 7692) is offered by a client and accepted by a server.
pub const LIBWS_DEFLATE: u32 = 4;
/// A flag of libws_settings, with LIBWS_DEFLATE: our messages may refer to earlier ones. Smaller messages, and up to
/// 380 KB for each connection that sends; without it all connections of a loop share one compressor.
pub const LIBWS_DEFLATE_TAKEOVER: u32 = 8;
/// A flag of libws_settings, with LIBWS_DEFLATE: the peer's messages may refer to earlier ones. Up to 32 KiB for each
/// connection.
pub const LIBWS_DEFLATE_PEER_TAKEOVER: u32 = 16;

/// Added to the kind of a message that is sent: it is not compressed.
pub const LIBWS_UNCOMPRESSED: i32 = 256;
/// A flag of libws_message: it came compressed.
pub const LIBWS_COMPRESSED: u32 = 2;

/// A message that arrived; lives until on_message returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_message {
    /// Bytes of this struct.
    pub struct_size: usize,
    /// LIBWS_TEXT (checked UTF-8) or LIBWS_BINARY.
    pub kind: i32,
    /// LIBWS_COMPRESSED, or 0.
    pub flags: u32,
    /// The payload; not NUL-terminated, never NULL, not to be changed.
    pub data: *const c_void,
    /// Bytes of data.
    pub len: usize,
}

/// How a connection ended; lives until on_close returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_close_info {
    /// Bytes of this struct.
    pub struct_size: usize,
    /// The peer's close code; 1005: its Close had none, 1006: it sent no Close (RFC 6455 section 7.1.5).
    pub code: i32,
    /// The code that we sent; 1005: an empty Close, 0: no Close frame sent.
    pub sent_code: i32,
    /// LIBWS_OK, or why it broke.
    pub error: i32,
    /// 1 if on_open was called.
    pub was_open: i32,
    /// 1 if both Close frames were exchanged.
    pub was_clean: i32,
    /// The peer's reason: UTF-8, NUL-terminated, may be "".
    pub reason: *const c_char,
    /// Bytes of reason.
    pub reason_len: usize,
    /// A sentence for logs: "HTTP 403", "no pong for 20000 ms". Never NULL.
    pub detail: *const c_char,
    /// Bytes that were queued and never left.
    pub unsent: u64,
}

/// What libws_info() tells of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_conn_info {
    /// Bytes of this struct; set by the caller.
    pub struct_size: usize,
    /// LIBWS_SERVER or LIBWS_CLIENT.
    pub role: i32,
    /// As libws_ready_state().
    pub ready_state: i32,
    /// Of the newest answered heartbeat, in microseconds; -1: none yet.
    pub round_trip_us: i64,
    /// Bytes queued and not yet taken by the system.
    pub buffered_amount: u64,
    /// The listener it came from; 0 for a client.
    pub listener: libws_listener,
    /// "127.0.0.1:40312", "[::1]:80", "unix"; cut to fit, NUL-terminated.
    pub peer: [c_char; 64],
    /// The chosen subprotocol, or ""; cut to fit, NUL-terminated.
    pub protocol: [c_char; 64],
    /// 1 if permessage-deflate was agreed (RFC 7692).
    pub deflate: i32,
}

// SAFETY: #[repr(C)], struct_size first, integers and characters only.
unsafe impl super::input::Growable for libws_conn_info {}
