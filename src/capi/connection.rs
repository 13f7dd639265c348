use std::ffi::{c_char, c_void};

use super::types::{libws_conn, libws_conn_info};
use super::{guard, input};
use crate::error::{Error, Result};
use crate::proto::{Kind, Role};
use crate::roles::current;
use crate::roles::handles::Conn;
use crate::roles::write::Sent;

/// Sends a whole message; the bytes are copied. kind is LIBWS_TEXT or LIBWS_BINARY, with LIBWS_UNCOMPRESSED added where
/// compression would tell of a secret (RFC 7692 section 8). Returns LIBWS_OK, or LIBWS_PENDING when the queue is above high_water:
/// then wait for on_drain. Errors: LIBWS_ERR_FULL (nothing was queued), LIBWS_ERR_UTF8 (text that is not UTF-8),
/// LIBWS_ERR_STATE (not open), LIBWS_ERR_GONE, LIBWS_ERR_INVALID, LIBWS_ERR_NOMEM; after each nothing was sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_send(conn: libws_conn, kind: i32, data: *const c_void, len: usize) -> i32 {
    // SAFETY: the caller's contract.
    let general = || unsafe { send(conn, kind, data, len) };
    let kind = match kind {
        1 => Kind::Text,
        2 => Kind::Binary,
        _ => return general(),
    };
    if data.is_null() || len > isize::MAX as usize {
        return general();
    }
    // SAFETY: the caller's contract; the length fits an object.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) };
    // The fast path never panics, so it needs no guard.
    current::reply_or(conn, kind, data, 0, general)
}

#[inline(never)]
unsafe fn send(conn: libws_conn, kind: i32, data: *const c_void, len: usize) -> i32 {
    guard::number(|| {
        let form = input::form(kind)?;
        // SAFETY: the caller's contract.
        let data = unsafe { input::bytes(data, len) }?;
        Conn::from_raw(conn).send_general(form, data).map(number)
    })
}

fn number(sent: Sent) -> i32 {
    match sent {
        Sent::Ok => 0,
        Sent::Pending => 1,
    }
}

/// Sends a NUL-terminated text; otherwise as libws_send().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_send_text(conn: libws_conn, text: *const c_char) -> i32 {
    guard::number(|| {
        // SAFETY: the caller's contract.
        let text = unsafe { input::required_text(text, "text") }?;
        Conn::from_raw(conn).send(Kind::Text, text.as_bytes()).map(number)
    })
}

/// Sends a ping with at most 125 bytes (RFC 6455 section 5.5.2); on_pong brings the answer. The heartbeat pings by
/// itself: this is for your own measurements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_ping(conn: libws_conn, data: *const c_void, len: usize) -> i32 {
    guard::result(|| {
        // SAFETY: the caller's contract.
        let data = unsafe { input::bytes(data, len) }?;
        Conn::from_raw(conn).ping(data)
    })
}

/// Begins the close handshake (RFC 6455 section 7.1.2); on_close follows. code: 1000-1003, 1007-1014, 3000-4999, or 0
/// for an empty Close. reason: at most 123 bytes of UTF-8, may be NULL. While connecting it aborts. Errors:
/// LIBWS_ERR_STATE (closing already: the first close wins), LIBWS_ERR_INVALID, LIBWS_ERR_UTF8, LIBWS_ERR_GONE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_close(conn: libws_conn, code: i32, reason: *const c_char) -> i32 {
    guard::result(|| {
        // SAFETY: the caller's contract.
        let reason = unsafe { input::text(reason, "reason") }?.unwrap_or_default();
        Conn::from_raw(conn).close(close_code(code)?, reason)
    })
}

fn close_code(code: i32) -> Result<u16> {
    u16::try_from(code).map_err(|_| Error::invalid(format!("close code {code} may not be sent")))
}

/// Ends the connection without a Close frame; on_close follows with 1006.
#[unsafe(no_mangle)]
pub extern "C" fn libws_terminate(conn: libws_conn) -> i32 {
    guard::result(|| Conn::from_raw(conn).terminate())
}

/// 1 stops reading, so that TCP pushes back on the peer; 0 goes on. While paused the heartbeat rests.
#[unsafe(no_mangle)]
pub extern "C" fn libws_pause(conn: libws_conn, paused: i32) -> i32 {
    guard::result(|| Conn::from_raw(conn).pause(input::flag(paused, "paused")?))
}

/// LIBWS_CONNECTING, LIBWS_OPEN, LIBWS_CLOSING or LIBWS_CLOSED, as the browser's readyState; LIBWS_CLOSED if it is gone.
#[unsafe(no_mangle)]
pub extern "C" fn libws_ready_state(conn: libws_conn) -> i32 {
    guard::value(3, || Ok(Conn::from_raw(conn).ready_state() as i32))
}

/// Bytes queued and not yet taken by the system, or a negative LIBWS_ERR_*.
#[unsafe(no_mangle)]
pub extern "C" fn libws_buffered_amount(conn: libws_conn) -> i64 {
    let amount = guard::value(Err(Error::gone()), || Ok(Conn::from_raw(conn).buffered_amount()));
    match amount {
        Ok(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX),
        Err(error) => guard::fail(&error).into(),
    }
}

/// Fills *out; set out->struct_size first. From another thread it waits for the loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_info(conn: libws_conn, out: *mut libws_conn_info) -> i32 {
    guard::result(|| {
        input::must_have(out, "out")?;
        let info = Conn::from_raw(conn).info()?;
        let value = libws_conn_info {
            struct_size: 0,
            role: if info.role == Role::Server { 1 } else { 2 },
            ready_state: info.ready_state as i32,
            round_trip_us: info.round_trip_us.map_or(-1, i64::from),
            buffered_amount: info.buffered_amount,
            listener: info.listener.map_or(0, |listener| listener.raw()),
            peer: input::fixed(&info.peer),
            protocol: input::fixed(&info.protocol),
            deflate: info.deflate.into(),
        };
        // SAFETY: the caller's contract.
        unsafe { input::write_out(out, value, "out") }
    })
}

/// The connection's user; NULL if it is gone.
#[unsafe(no_mangle)]
pub extern "C" fn libws_user(conn: libws_conn) -> *mut c_void {
    guard::value(std::ptr::null_mut(), || {
        Ok(std::ptr::with_exposed_provenance_mut(Conn::from_raw(conn).user()?))
    })
}

/// Sets the user that later callbacks of this connection get.
#[unsafe(no_mangle)]
pub extern "C" fn libws_set_user(conn: libws_conn, user: *mut c_void) -> i32 {
    guard::result(|| Conn::from_raw(conn).set_user(user.expose_provenance()))
}
