use std::ffi::{c_char, c_void};

use super::types::libws_request;
use super::{guard, input};
use crate::error::{Error, Result};
use crate::roles::handles::Request;
use crate::roles::requests::with_current;

/// The method, "GET". Lives until the callback returns; NULL outside the request's callback. [loop]
#[unsafe(no_mangle)]
pub extern "C" fn libws_request_method(request: libws_request) -> *const c_char {
    guard::value(std::ptr::null(), || {
        with_current(request, |data| Ok(data.c_text(data.head.method.as_str())))
    })
}

/// The target, "/path?query". Lives until the callback returns; NULL outside the request's callback. [loop]
#[unsafe(no_mangle)]
pub extern "C" fn libws_request_target(request: libws_request) -> *const c_char {
    guard::value(std::ptr::null(), || with_current(request, |data| Ok(data.c_text(&data.head.target))))
}

/// The first value of a header, whatever the case of its name; NULL if there is none. Lives until the callback
/// returns. [loop]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_request_header(request: libws_request, name: *const c_char) -> *const c_char {
    guard::value(std::ptr::null(), || {
        // SAFETY: the caller's contract.
        let name = unsafe { input::required_text(name, "name") }?;
        with_current(request, |data| {
            let value = data.head.headers.get(name);
            Ok(value.map_or(std::ptr::null(), |value| data.c_text_of(value.as_bytes())))
        })
    })
}

/// The body; *out_len gets its bytes. Not NUL-terminated. Lives until the callback returns; NULL outside the request's
/// callback. [loop]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_request_body(request: libws_request, out_len: *mut usize) -> *const c_void {
    guard::value(std::ptr::null(), || {
        input::must_have(out_len, "out_len")?;
        with_current(request, |data| {
            // SAFETY: the caller's contract.
            unsafe { input::store(out_len, data.body.len(), "out_len") }?;
            Ok(data.body.as_ptr().cast())
        })
    })
}

/// Copies where the request comes from ("127.0.0.1:40312") into out, NUL-terminated, and returns its length. Errors:
/// LIBWS_ERR_TOO_BIG if it does not fit into size bytes. From another thread it waits for the loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_request_peer(request: libws_request, out: *mut c_char, size: usize) -> i32 {
    guard::number(|| {
        let peer = Request::from_raw(request).peer()?;
        // SAFETY: the caller's contract.
        unsafe { input::copy_text(out, size, &peer) }
    })
}

/// Sets the user that the connection will have if the request is accepted; until then it is the listener's.
#[unsafe(no_mangle)]
pub extern "C" fn libws_request_set_user(request: libws_request, user: *mut c_void) -> i32 {
    guard::result(|| Request::from_raw(request).set_user(user.expose_provenance()))
}

/// Accepts an upgrade; on_open follows. protocol: NULL takes the first of the listener's that was offered, "" none.
/// headers (may be NULL) are added to the 101: "Name: value\r\n". Errors: LIBWS_ERR_GONE (answered before, deadline
/// passed, peer gone), LIBWS_ERR_STATE (a plain request), LIBWS_ERR_INVALID (a header, or a protocol that was not
/// offered). From another thread it waits for the loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_accept(
    request: libws_request,
    protocol: *const c_char,
    headers: *const c_char,
) -> i32 {
    // SAFETY: the caller's contract.
    guard::result(|| unsafe {
        let protocol = input::text(protocol, "protocol")?;
        let headers = input::text(headers, "headers")?.unwrap_or_default();
        Request::from_raw(request).accept(protocol, headers)
    })
}

/// Answers a request: status 200 to 599, for an upgrade 300 to 599, which refuses it. headers (may be NULL):
/// "Name: value\r\n"; Content-Length, Connection and Date are added. Errors: as libws_accept(). From another thread it
/// waits for the loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_respond(
    request: libws_request,
    status: i32,
    headers: *const c_char,
    body: *const c_void,
    len: usize,
) -> i32 {
    // SAFETY: the caller's contract.
    guard::result(|| unsafe {
        let headers = input::text(headers, "headers")?.unwrap_or_default();
        let body = input::bytes(body, len)?;
        Request::from_raw(request).respond(status_code(status)?, headers, body)
    })
}

fn status_code(status: i32) -> Result<u16> {
    u16::try_from(status).map_err(|_| Error::invalid(format!("status {status} is no HTTP status")))
}
