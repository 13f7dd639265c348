use std::ffi::{c_char, c_void};
use std::os::fd::{FromRawFd, OwnedFd};

use super::callbacks::{self, libws_handlers};
use super::options::{self, libws_connect_options, libws_listen_options};
use super::types::{libws_conn, libws_listener, libws_loop};
use super::{guard, input};
use crate::roles::handle::Handle;
use crate::roles::handles::Listener;

/// Listens on url and gives the connections to handlers. *out (may be NULL) gets the listener's id.
/// url: "ws://127.0.0.1:9001", "ws://[::]:0" (any free port), "ws+unix:/run/a.sock". user is handed to every callback.
/// From another thread it waits for the loop. Errors: LIBWS_ERR_ADDRESS (the URL), LIBWS_ERR_IO (bind, listen,
/// static_root), LIBWS_ERR_INVALID (an option, named in libws_last_error()).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_listen(
    event_loop: libws_loop,
    url: *const c_char,
    handlers: *const libws_handlers,
    user: *mut c_void,
    options: *const libws_listen_options,
    out: *mut libws_listener,
) -> i32 {
    // SAFETY: the caller's contract, for every pointer.
    guard::result(|| unsafe {
        let url = input::required_text(url, "url")?;
        let handler = callbacks::handler(handlers)?;
        let (options, inherited) = options::listen(options)?;
        let user = user.expose_provenance();
        let listener = Handle::from_raw(event_loop).listen_boxed(url, handler, user, options)?;
        // The listener has a duplicate.
        drop(inherited.map(|fd| OwnedFd::from_raw_fd(fd)));
        if out.is_null() { Ok(()) } else { input::store(out, listener.raw(), "out") }
    })
}

/// The port it listens on, 1 to 65535; 0 for a Unix socket.
#[unsafe(no_mangle)]
pub extern "C" fn libws_listener_port(listener: libws_listener) -> i32 {
    guard::number(|| Listener::from_raw(listener).port().map(i32::from))
}

/// Copies the listener's URL with its real port into out, NUL-terminated, and returns its length without the NUL.
/// Errors: LIBWS_ERR_TOO_BIG if it does not fit into size bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_listener_url(listener: libws_listener, out: *mut c_char, size: usize) -> i32 {
    guard::number(|| {
        let url = Listener::from_raw(listener).url()?;
        // SAFETY: the caller's contract.
        unsafe { input::copy_text(out, size, &url) }
    })
}

/// Stops listening. Open connections live on; on_listener_close follows the last on_close.
#[unsafe(no_mangle)]
pub extern "C" fn libws_listener_close(listener: libws_listener) -> i32 {
    guard::result(|| Listener::from_raw(listener).close())
}

/// Begins to connect: LIBWS_OK means that it is under way. *out (may be NULL) gets the connection's id, which is valid
/// at once; on_open or on_close tells what became of it. url: "ws://host:port/path?query", "ws+unix:/run/a.sock",
/// "ws+unix:/run/a.sock:/path". Errors: LIBWS_ERR_ADDRESS (the URL), LIBWS_ERR_INVALID (an option).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_connect(
    event_loop: libws_loop,
    url: *const c_char,
    handlers: *const libws_handlers,
    user: *mut c_void,
    options: *const libws_connect_options,
    out: *mut libws_conn,
) -> i32 {
    // SAFETY: the caller's contract, for every pointer.
    guard::result(|| unsafe {
        let url = input::required_text(url, "url")?;
        let handler = callbacks::handler(handlers)?;
        let options = options::connect(options)?;
        let user = user.expose_provenance();
        let conn = Handle::from_raw(event_loop).connect_boxed(url, handler, user, options)?;
        if out.is_null() { Ok(()) } else { input::store(out, conn.raw(), "out") }
    })
}
