use std::ffi::{c_char, c_void};
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;

use super::input::{self, Growable};
use super::types::{
    LIBWS_DEFLATE, LIBWS_DEFLATE_PEER_TAKEOVER, LIBWS_DEFLATE_TAKEOVER, LIBWS_KEEP_READING,
    LIBWS_PUBLISH_SKIPS,
};
use crate::error::{Error, Result};
use crate::roles::backoff::{Reconnect, parse_codes};
use crate::roles::log::{Level, Sink};
use crate::roles::loops::LoopOptions;
use crate::roles::settings::{ConnectOptions, Deflate, ListenOptions, OFF, Settings};

/// Limits and deadlines of connections, both roles. Zero is the default, which stands in brackets.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_settings {
    /// sizeof(libws_settings).
    pub struct_size: usize,
    /// LIBWS_KEEP_READING | LIBWS_PUBLISH_SKIPS | LIBWS_DEFLATE | LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER [0].
    pub flags: u32,
    /// Bytes of one received message, after inflating [16 MiB]; over it the connection is closed with 1009.
    pub max_message: u32,
    /// Frames of one received message, empty ones too [100,000]; over it: closed with 1008.
    pub max_parts: u32,
    /// Queued bytes above which libws_send() returns LIBWS_PENDING and reading stops [256 KiB].
    pub high_water: u32,
    /// Queued bytes at which on_drain comes and reading goes on [64 KiB].
    pub low_water: u32,
    /// Queued bytes at which libws_send() returns LIBWS_ERR_FULL [1 MiB].
    pub max_buffered: u32,
    /// A ping is sent after this many ms of silence [25,000]; LIBWS_OFF: never.
    pub heartbeat_ms: u32,
    /// The connection is dead if the ping has no answer after this many ms [20,000].
    pub heartbeat_timeout_ms: u32,
    /// The whole opening: name, TCP and HTTP, in ms [10,000].
    pub handshake_timeout_ms: u32,
    /// The close handshake, in ms [3,000].
    pub close_timeout_ms: u32,
    /// A message unfinished after this many ms must have come at 256 bytes a second or more [60,000].
    pub message_timeout_ms: u32,
    /// Queued bytes of which none leaves for this many ms end the connection [30,000].
    pub send_timeout_ms: u32,
    /// With LIBWS_DEFLATE: 1, fastest, to 9, smallest [6].
    pub deflate_level: u32,
    /// With LIBWS_DEFLATE: shorter messages are not compressed [128 bytes].
    pub deflate_min_bytes: u32,
    /// With LIBWS_DEFLATE: the largest window of our compressor, as a power of two, 9 to 15 [15].
    pub deflate_window_bits: u32,
    /// With LIBWS_DEFLATE: the same for the peer's compressor [15]; a client that does not let its window be chosen
    /// keeps 15.
    pub deflate_peer_window_bits: u32,
}

/// How to listen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_listen_options {
    /// sizeof(libws_listen_options).
    pub struct_size: usize,
    /// Limits and deadlines of the connections; NULL: the defaults.
    pub settings: *const libws_settings,
    /// Only this path upgrades, others get 404; NULL: any.
    pub path: *const c_char,
    /// Subprotocols, best first: "chat.v2, chat.v1"; NULL: none.
    pub protocols: *const c_char,
    /// Allowed origins: "https://a.example, https://b.example" or "*"; NULL: the same host and port as in Host. A
    /// request without Origin does not come from a browser and is allowed.
    pub origins: *const c_char,
    /// Allowed values of Host: "chat.example" or "*"; NULL: a listener on a loopback address takes loopback names
    /// only (against DNS rebinding), any other takes any.
    pub hosts: *const c_char,
    /// Header lines added to every 101: "Name: value\r\n"; NULL: none.
    pub headers: *const c_char,
    /// Plain GET and HEAD requests are answered with the files of this folder; NULL: none.
    pub static_root: *const c_char,
    /// Connections that the system holds until they are accepted [1,024].
    pub backlog: u32,
    /// Sockets of this listener at one time [the descriptor limit minus 64]; more are closed at once.
    pub max_connections: u32,
    /// Bytes of a plain request's body [1 MiB]; over it the answer is 413.
    pub max_body: u32,
    /// An HTTP connection without a request is closed after this many ms [15,000].
    pub keep_alive_ms: u32,
    /// 1: SO_REUSEPORT, several processes or loops share the port.
    pub reuse_port: i32,
    /// A listening socket made elsewhere (> 0), which belongs to the listener from then on; 0: none.
    pub fd: i32,
}

/// How to connect.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_connect_options {
    /// sizeof(libws_connect_options).
    pub struct_size: usize,
    /// Limits and deadlines of the connection; NULL: the defaults.
    pub settings: *const libws_settings,
    /// Subprotocols to offer, best first; NULL: none.
    pub protocols: *const c_char,
    /// The Origin header; NULL: none is sent.
    pub origin: *const c_char,
    /// Header lines added to the request: "Name: value\r\nName: value\r\n"; NULL: none.
    pub headers: *const c_char,
    /// 1: when the connection is lost or cannot be made, it is dialled again under the same id: on_retry, then on_open
    /// once more. It ends with libws_close(), with an HTTP answer of 4xx that is not about time (401, 403, 404), or with
    /// one of reconnect_final_codes. 0: on_close at once.
    pub reconnect: i32,
    /// The first delay is at most this many ms [500]; it doubles with every failed attempt; the delay is a random part
    /// of that. The server's Retry-After and close codes 1012 and 1013 make it longer.
    pub reconnect_min_ms: u32,
    /// No delay of our own is longer than this many ms [30,000].
    pub reconnect_max_ms: u32,
    /// Failed attempts in a row after which it is given up [LIBWS_OFF: never].
    pub reconnect_attempts: u32,
    /// A connection that was open for this many ms starts over with the first delay [5,000].
    pub reconnect_stable_ms: u32,
    /// Bytes of messages that are kept while the connection is not open, and sent after the next on_open; libws_send()
    /// then returns LIBWS_PENDING. 0: such sends return LIBWS_ERR_STATE.
    pub offline_queue: u32,
    /// 1: a full offline queue drops its oldest messages; 0: it refuses the newest with LIBWS_ERR_FULL.
    pub offline_drop_oldest: i32,
    /// Close codes of the server after which no attempt is made: "1000, 4001"; NULL: none.
    pub reconnect_final_codes: *const c_char,
}

/// How a loop reports about itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_loop_options {
    /// sizeof(libws_loop_options).
    pub struct_size: usize,
    /// Gets one line at a time, on the loop's thread; what peers sent is escaped and cut. NULL: silence.
    pub log: Option<unsafe extern "C" fn(level: i32, message: *const c_char, user: *mut c_void)>,
    /// The last argument of log.
    pub log_user: *mut c_void,
    /// Lines up to this level, an LIBWS_LOG_* [LIBWS_LOG_WARN].
    pub log_level: i32,
    /// Bytes that the compression of this loop's connections may hold: the compressors of those with
    /// LIBWS_DEFLATE_TAKEOVER, and what is remembered of peers' messages [64 MiB]. Beyond it connections go without.
    pub deflate_memory: u32,
}

// SAFETY: #[repr(C)], struct_size first, then integers only.
unsafe impl Growable for libws_settings {}
// SAFETY: #[repr(C)], struct_size first, then integers and pointers.
unsafe impl Growable for libws_listen_options {}
// SAFETY: as for libws_listen_options.
unsafe impl Growable for libws_connect_options {}
// SAFETY: #[repr(C)], struct_size first, then a nullable function, a pointer and an integer.
unsafe impl Growable for libws_loop_options {}

/// Zero means the default.
fn or(value: u32, default: u32) -> u32 {
    if value == 0 { default } else { value }
}

unsafe fn settings(pointer: *const libws_settings) -> Result<Settings> {
    let default = Settings::default();
    // SAFETY: the caller's contract.
    let Some(given) = (unsafe { input::options(pointer, "settings") })? else { return Ok(default) };
    let known = LIBWS_KEEP_READING
        | LIBWS_PUBLISH_SKIPS
        | LIBWS_DEFLATE
        | LIBWS_DEFLATE_TAKEOVER
        | LIBWS_DEFLATE_PEER_TAKEOVER;
    if given.flags & !known != 0 {
        return Err(Error::invalid(format!("settings: unknown flags {:#x}", given.flags & !known)));
    }
    Ok(Settings {
        max_message: or(given.max_message, default.max_message),
        max_parts: or(given.max_parts, default.max_parts),
        high_water: or(given.high_water, default.high_water),
        low_water: or(given.low_water, default.low_water.min(or(given.high_water, default.high_water))),
        max_buffered: or(given.max_buffered, default.max_buffered.max(given.high_water)),
        heartbeat_ms: or(given.heartbeat_ms, default.heartbeat_ms),
        heartbeat_timeout_ms: or(given.heartbeat_timeout_ms, default.heartbeat_timeout_ms),
        handshake_timeout_ms: or(given.handshake_timeout_ms, default.handshake_timeout_ms),
        close_timeout_ms: or(given.close_timeout_ms, default.close_timeout_ms),
        message_timeout_ms: or(given.message_timeout_ms, default.message_timeout_ms),
        send_timeout_ms: or(given.send_timeout_ms, default.send_timeout_ms),
        keep_reading: given.flags & LIBWS_KEEP_READING != 0,
        publish_skips: given.flags & LIBWS_PUBLISH_SKIPS != 0,
        deflate: deflate(&given)?,
    })
}

fn deflate(given: &libws_settings) -> Result<Option<Deflate>> {
    let has = |flag| given.flags & flag != 0;
    let values = [
        ("deflate_level", given.deflate_level),
        ("deflate_min_bytes", given.deflate_min_bytes),
        ("deflate_window_bits", given.deflate_window_bits),
        ("deflate_peer_window_bits", given.deflate_peer_window_bits),
        ("LIBWS_DEFLATE_TAKEOVER", given.flags & LIBWS_DEFLATE_TAKEOVER),
        ("LIBWS_DEFLATE_PEER_TAKEOVER", given.flags & LIBWS_DEFLATE_PEER_TAKEOVER),
    ];
    if !has(LIBWS_DEFLATE) {
        return match values.iter().find(|(_, value)| *value != 0) {
            Some((name, _)) => Err(Error::invalid(format!("settings: {name} without LIBWS_DEFLATE"))),
            None => Ok(None),
        };
    }
    let default = Deflate::default();
    let small = |value, default| u8::try_from(or(value, default)).unwrap_or(u8::MAX);
    Ok(Some(Deflate {
        level: small(given.deflate_level, default.level.into()),
        min_bytes: or(given.deflate_min_bytes, default.min_bytes),
        window_bits: small(given.deflate_window_bits, default.window_bits.into()),
        takeover: has(LIBWS_DEFLATE_TAKEOVER),
        peer_window_bits: small(given.deflate_peer_window_bits, default.peer_window_bits.into()),
        peer_takeover: has(LIBWS_DEFLATE_PEER_TAKEOVER),
    }))
}

unsafe fn owned(pointer: *const c_char, name: &str) -> Result<Option<String>> {
    // SAFETY: the caller's contract.
    Ok(unsafe { input::text(pointer, name) }?.map(str::to_owned))
}

/// # Safety
/// As for [`input::options`], also for what the struct points to. The descriptor in it is the caller's to give.
///
/// The inherited descriptor is duplicated, so that a listen call that fails leaves the caller's alone; the second
/// value is the original, to be closed when it succeeds.
pub(super) unsafe fn listen(pointer: *const libws_listen_options) -> Result<(ListenOptions, Option<RawFd>)> {
    let default = ListenOptions::default();
    // SAFETY: the same contract.
    let Some(given) = (unsafe { input::options(pointer, "options") })? else { return Ok((default, None)) };
    if given.fd < 0 {
        return Err(Error::invalid(format!("fd is {}: a descriptor above 0, or 0 for none", given.fd)));
    }
    // SAFETY: the same contract, for every string.
    unsafe {
        let mut options = ListenOptions {
            settings: settings(given.settings)?,
            path: owned(given.path, "path")?,
            protocols: owned(given.protocols, "protocols")?,
            origins: owned(given.origins, "origins")?,
            hosts: owned(given.hosts, "hosts")?,
            headers: owned(given.headers, "headers")?,
            static_root: owned(given.static_root, "static_root")?,
            backlog: or(given.backlog, default.backlog),
            max_connections: (given.max_connections != 0).then_some(given.max_connections),
            max_body: or(given.max_body, default.max_body),
            keep_alive_ms: or(given.keep_alive_ms, default.keep_alive_ms),
            reuse_port: input::flag(given.reuse_port, "reuse_port")?,
            inherited: None,
        };
        let original = (given.fd > 0).then_some(given.fd);
        if let Some(fd) = original {
            let copy = BorrowedFd::borrow_raw(fd).try_clone_to_owned();
            options.inherited = Some(copy.map_err(|error| Error::io(format!("fd {fd}"), &error))?);
        }
        Ok((options, original))
    }
}

/// # Safety
/// As for [`input::options`], also for what the struct points to.
pub(super) unsafe fn connect(pointer: *const libws_connect_options) -> Result<ConnectOptions> {
    // SAFETY: the same contract, for the struct and every string.
    unsafe {
        let Some(given) = input::options(pointer, "options")? else { return Ok(ConnectOptions::default()) };
        Ok(ConnectOptions {
            settings: settings(given.settings)?,
            protocols: owned(given.protocols, "protocols")?,
            origin: owned(given.origin, "origin")?,
            headers: owned(given.headers, "headers")?,
            reconnect: reconnect(&given)?,
            offline_queue: given.offline_queue,
            offline_drops_oldest: input::flag(given.offline_drop_oldest, "offline_drop_oldest")?,
        })
    }
}

/// # Safety
/// As for [`connect`].
unsafe fn reconnect(given: &libws_connect_options) -> Result<Option<Reconnect>> {
    if !input::flag(given.reconnect, "reconnect")? {
        return Ok(None);
    }
    let default = Reconnect::default();
    // SAFETY: the same contract.
    let codes = unsafe { input::text(given.reconnect_final_codes, "reconnect_final_codes") }?;
    let min_ms = or(given.reconnect_min_ms, default.min_ms);
    Ok(Some(Reconnect {
        min_ms,
        max_ms: or(given.reconnect_max_ms, default.max_ms.max(min_ms)),
        attempts: or(given.reconnect_attempts, default.attempts),
        stable_ms: or(given.reconnect_stable_ms, default.stable_ms),
        final_codes: codes.map_or(Ok(Vec::new()), parse_codes).map_err(Error::invalid)?,
    }))
}

/// The application's log function with its argument.
struct LogTarget {
    call: unsafe extern "C" fn(level: i32, message: *const c_char, user: *mut c_void),
    user: *mut c_void,
}

// SAFETY: the pointer is never followed here; the function is called by one thread at a time, the loop's.
unsafe impl Send for LogTarget {}
// SAFETY: as above.
unsafe impl Sync for LogTarget {}

impl LogTarget {
    fn write(&self, level: Level, line: &str) {
        let line = std::ffi::CString::new(line.replace('\0', "\\0")).unwrap_or_default();
        // SAFETY: the application gave a function of this type; the line outlives the call.
        unsafe { (self.call)(level as i32, line.as_ptr(), self.user) }
    }
}

/// # Safety
/// As for [`input::options`]; the log function must be callable while the loop lives.
pub(super) unsafe fn event_loop(pointer: *const libws_loop_options) -> Result<LoopOptions> {
    // SAFETY: the same contract.
    let Some(given) = (unsafe { input::options(pointer, "options") })? else {
        return Ok(LoopOptions::default());
    };
    let log_level = match given.log_level {
        0 | 2 => Level::Warn,
        1 => Level::Error,
        3 => Level::Info,
        4 => Level::Debug,
        other => return Err(Error::invalid(format!("log_level {other} is no LIBWS_LOG_*"))),
    };
    let log = given.log.map(|call| {
        let target = LogTarget { call, user: given.log_user };
        let sink: Sink = Arc::new(move |level, line: &str| target.write(level, line));
        sink
    });
    let deflate_memory = or(given.deflate_memory, LoopOptions::default().deflate_memory);
    Ok(LoopOptions { log, log_level, deflate_memory })
}

const _: () = assert!(OFF == super::types::LIBWS_OFF);
