use std::ffi::{CString, c_void};

use super::input::{self, Growable};
use super::types::{
    LIBWS_COMPRESSED, libws_close_info, libws_conn, libws_listener, libws_message, libws_request,
};
use crate::error::{Error, Result};
use crate::proto::Kind;
use crate::roles::handler::{CloseInfo, Decision, Handler, Incoming, Peer};
use crate::roles::handles::Listener;

/// What the application wants to hear of. Every entry may be NULL. The table is copied. `user` is what libws_listen()
/// or libws_connect() was given, or libws_set_user() set since.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libws_handlers {
    /// sizeof(libws_handlers).
    pub struct_size: usize,
    /// A peer asks for a WebSocket, and path, origin and host are allowed: LIBWS_ACCEPT, LIBWS_DEFER or an HTTP
    /// status. What it returns does not count if it called libws_accept() or libws_respond(). NULL accepts.
    pub on_upgrade: Option<unsafe extern "C" fn(request: libws_request, user: *mut c_void) -> i32>,
    /// A plain HTTP request on the same port: libws_respond(), now or later. NULL: such requests get 404 or 426.
    pub on_request: Option<unsafe extern "C" fn(request: libws_request, user: *mut c_void)>,
    /// The opening handshake is done.
    pub on_open: Option<unsafe extern "C" fn(conn: libws_conn, user: *mut c_void)>,
    /// A whole message arrived.
    pub on_message:
        Option<unsafe extern "C" fn(conn: libws_conn, message: *const libws_message, user: *mut c_void)>,
    /// A pong arrived that is not the heartbeat's; at most 125 bytes.
    pub on_pong:
        Option<unsafe extern "C" fn(conn: libws_conn, data: *const c_void, len: usize, user: *mut c_void)>,
    /// After LIBWS_PENDING or LIBWS_ERR_FULL: the queue is down to low_water.
    pub on_drain: Option<unsafe extern "C" fn(conn: libws_conn, user: *mut c_void)>,
    /// The connection ended: exactly once, and the last call for it. Also for a connect that failed.
    pub on_close:
        Option<unsafe extern "C" fn(conn: libws_conn, info: *const libws_close_info, user: *mut c_void)>,
    /// The listener is closed and its last on_close has returned: its user may be freed now.
    pub on_listener_close: Option<unsafe extern "C" fn(listener: libws_listener, user: *mut c_void)>,
    /// A client connection with `reconnect` was lost, or an attempt failed; info tells why. The next attempt comes after
    /// after_ms, and on_open again if it succeeds; libws_close() ends it.
    pub on_retry: Option<
        unsafe extern "C" fn(
            conn: libws_conn,
            info: *const libws_close_info,
            after_ms: u32,
            user: *mut c_void,
        ),
    >,
}

// SAFETY: #[repr(C)], struct_size first, the rest is nullable function pointers.
unsafe impl Growable for libws_handlers {}

/// Calls C.
struct Callbacks(libws_handlers);

/// The handlers of a listen or connect call; NULL hears nothing.
///
/// # Safety
/// As for [`input::options`]; the functions must be callable for as long as the listener or connection lives.
pub(super) unsafe fn handler(handlers: *const libws_handlers) -> Result<Box<dyn Handler>> {
    // SAFETY: the same contract.
    let table = unsafe { input::options(handlers, "handlers") }?;
    let table = table.ok_or_else(|| Error::invalid("handlers is NULL"))?;
    Ok(Box::new(Callbacks(table)))
}

fn user(word: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(word)
}

impl Handler for Callbacks {
    fn on_upgrade(&mut self, incoming: Incoming<'_>) -> Decision {
        let Some(call) = self.0.on_upgrade else { return Decision::Accept };
        // SAFETY: the caller of listen gave a function of this type.
        match unsafe { call(incoming.request.raw(), user(incoming.user)) } {
            1 => Decision::Accept,
            2 => Decision::Defer,
            status => Decision::Refuse(u16::try_from(status).unwrap_or(500)),
        }
    }

    fn takes_requests(&self) -> bool {
        self.0.on_request.is_some()
    }

    fn on_request(&mut self, incoming: Incoming<'_>) {
        if let Some(call) = self.0.on_request {
            // SAFETY: as above.
            unsafe { call(incoming.request.raw(), user(incoming.user)) }
        }
    }

    fn on_open(&mut self, peer: Peer) {
        if let Some(call) = self.0.on_open {
            // SAFETY: as above.
            unsafe { call(peer.conn.raw(), user(peer.user)) }
        }
    }

    fn on_data(&mut self, peer: Peer, data: &[u8], kind: Kind, compressed: bool) {
        let Some(call) = self.0.on_message else { return };
        let message = libws_message {
            struct_size: size_of::<libws_message>(),
            kind: if kind == Kind::Text { 1 } else { 2 },
            flags: if compressed { LIBWS_COMPRESSED } else { 0 },
            data: data.as_ptr().cast(),
            len: data.len(),
        };
        // SAFETY: as above; the message outlives the call.
        unsafe { call(peer.conn.raw(), &message, user(peer.user)) }
    }

    fn on_pong(&mut self, peer: Peer, data: &[u8]) {
        if let Some(call) = self.0.on_pong {
            // SAFETY: as above; the bytes outlive the call.
            unsafe { call(peer.conn.raw(), data.as_ptr().cast(), data.len(), user(peer.user)) }
        }
    }

    fn on_drain(&mut self, peer: Peer) {
        if let Some(call) = self.0.on_drain {
            // SAFETY: as above.
            unsafe { call(peer.conn.raw(), user(peer.user)) }
        }
    }

    fn on_close(&mut self, peer: Peer, info: &CloseInfo) {
        if let Some(call) = self.0.on_close {
            // SAFETY: as above; what the struct points to outlives the call.
            with_c_info(info, |info| unsafe { call(peer.conn.raw(), info, user(peer.user)) });
        }
    }

    fn on_retry(&mut self, peer: Peer, info: &CloseInfo, after_ms: u64) {
        if let Some(call) = self.0.on_retry {
            let after_ms = u32::try_from(after_ms).unwrap_or(u32::MAX);
            // SAFETY: as above; what the struct points to outlives the call.
            with_c_info(info, |info| unsafe { call(peer.conn.raw(), info, after_ms, user(peer.user)) });
        }
    }

    fn on_listener_close(&mut self, listener: Listener, word: usize) {
        if let Some(call) = self.0.on_listener_close {
            // SAFETY: as above.
            unsafe { call(listener.raw(), user(word)) }
        }
    }
}

/// Gives the info in the form of C to `call`, for its time.
fn with_c_info(info: &CloseInfo, call: impl FnOnce(*const libws_close_info)) {
    // The length counts: a reason may hold NUL characters.
    let reason: Vec<u8> = info.reason.bytes().chain([0]).collect();
    let detail = c_string(&info.detail);
    call(&libws_close_info {
        struct_size: size_of::<libws_close_info>(),
        code: info.code.into(),
        sent_code: info.sent_code.into(),
        error: info.error.map_or(0, |error| error as i32),
        was_open: info.was_open.into(),
        was_clean: info.was_clean.into(),
        reason: reason.as_ptr().cast(),
        reason_len: info.reason.len(),
        detail: detail.as_ptr(),
        unsent: info.unsent,
    });
}

/// A C string; a NUL inside, which UTF-8 allows, ends it early as C would.
fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
