//! The C functions that the property needs, called as a C program calls them.

use std::ffi::{CString, c_char, c_void};

#[repr(C)]
pub struct Handlers {
    pub struct_size: usize,
    pub on_upgrade: Option<unsafe extern "C" fn(u64, *mut c_void) -> i32>,
    pub on_request: Option<unsafe extern "C" fn(u64, *mut c_void)>,
    pub on_open: Option<unsafe extern "C" fn(u64, *mut c_void)>,
    pub on_message: Option<unsafe extern "C" fn(u64, *const c_void, *mut c_void)>,
    pub on_pong: Option<unsafe extern "C" fn(u64, *const c_void, usize, *mut c_void)>,
    pub on_drain: Option<unsafe extern "C" fn(u64, *mut c_void)>,
    pub on_close: Option<unsafe extern "C" fn(u64, *const c_void, *mut c_void)>,
    pub on_listener_close: Option<unsafe extern "C" fn(u64, *mut c_void)>,
}

unsafe extern "C" {
    pub fn libws_loop_new(options: *const c_void, out: *mut u64) -> i32;
    pub safe fn libws_loop_free(event_loop: u64) -> i32;
    pub safe fn libws_loop_run_once(event_loop: u64, timeout_ms: i32) -> i32;
    pub fn libws_listen(
        event_loop: u64,
        url: *const c_char,
        handlers: *const Handlers,
        user: *mut c_void,
        options: *const c_void,
        out: *mut u64,
    ) -> i32;
    pub safe fn libws_listener_port(listener: u64) -> i32;
    pub safe fn libws_listener_close(listener: u64) -> i32;
    pub fn libws_connect(
        event_loop: u64,
        url: *const c_char,
        handlers: *const Handlers,
        user: *mut c_void,
        options: *const c_void,
        out: *mut u64,
    ) -> i32;
    pub fn libws_send(conn: u64, kind: i32, data: *const c_void, len: usize) -> i32;
    pub fn libws_close(conn: u64, code: i32, reason: *const c_char) -> i32;
    pub safe fn libws_terminate(conn: u64) -> i32;
    pub safe fn libws_pause(conn: u64, paused: i32) -> i32;
    pub safe fn libws_ready_state(conn: u64) -> i32;
}

pub fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}
