use std::ffi::c_char;

use super::guard;

/// What every function returns: 0 or more is success, negative is a failure. Numbers are never reused.
#[repr(i32)]
#[allow(dead_code)]
pub enum libws_result {
    /// Done.
    LIBWS_OK = 0,
    /// Queued above high_water: wait for on_drain.
    LIBWS_PENDING = 1,
    /// NULL, a bad struct_size, a bad value: see libws_last_error().
    LIBWS_ERR_INVALID = -1,
    /// No such loop, listener, connection, request or timer (any more).
    LIBWS_ERR_GONE = -2,
    /// Not possible in this state: a send after close, an [outside] call in a callback.
    LIBWS_ERR_STATE = -3,
    /// A [loop] call while another thread runs the loop.
    LIBWS_ERR_THREAD = -4,
    /// max_buffered is reached, nothing was queued.
    LIBWS_ERR_FULL = -5,
    /// A message, a head or a buffer over its limit.
    LIBWS_ERR_TOO_BIG = -6,
    /// Text, a close reason or a name is not UTF-8.
    LIBWS_ERR_UTF8 = -7,
    /// A bad URL or address, or the name did not resolve.
    LIBWS_ERR_ADDRESS = -8,
    /// The system said no: libws_last_os_error().
    LIBWS_ERR_IO = -9,
    /// The peer's HTTP answer was not an upgrade.
    LIBWS_ERR_HANDSHAKE = -11,
    /// The peer broke RFC 6455.
    LIBWS_ERR_PROTOCOL = -12,
    /// A deadline passed.
    LIBWS_ERR_TIMEOUT = -13,
    /// Not on this system, or a newer struct than this library knows.
    LIBWS_ERR_UNSUPPORTED = -14,
    /// Memory could not be had.
    LIBWS_ERR_NOMEM = -15,
    /// A bug in libws, contained.
    LIBWS_ERR_INTERNAL = -99,
}

/// The name of a result, "LIBWS_ERR_FULL", or "LIBWS_ERR_UNKNOWN". Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn libws_result_name(result: i32) -> *const c_char {
    let name = match result {
        0 => c"LIBWS_OK",
        1 => c"LIBWS_PENDING",
        -1 => c"LIBWS_ERR_INVALID",
        -2 => c"LIBWS_ERR_GONE",
        -3 => c"LIBWS_ERR_STATE",
        -4 => c"LIBWS_ERR_THREAD",
        -5 => c"LIBWS_ERR_FULL",
        -6 => c"LIBWS_ERR_TOO_BIG",
        -7 => c"LIBWS_ERR_UTF8",
        -8 => c"LIBWS_ERR_ADDRESS",
        -9 => c"LIBWS_ERR_IO",
        -11 => c"LIBWS_ERR_HANDSHAKE",
        -12 => c"LIBWS_ERR_PROTOCOL",
        -13 => c"LIBWS_ERR_TIMEOUT",
        -14 => c"LIBWS_ERR_UNSUPPORTED",
        -15 => c"LIBWS_ERR_NOMEM",
        -99 => c"LIBWS_ERR_INTERNAL",
        _ => c"LIBWS_ERR_UNKNOWN",
    };
    name.as_ptr()
}

/// A sentence for this thread's last failure: "bind 127.0.0.1:80: Permission denied". "" if there was none. It lives
/// until the thread's next failure.
#[unsafe(no_mangle)]
pub extern "C" fn libws_last_error() -> *const c_char {
    guard::last_message()
}

/// errno of this thread's last failure, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn libws_last_os_error() -> i32 {
    guard::last_os()
}
