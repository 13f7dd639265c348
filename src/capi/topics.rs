use std::ffi::{c_char, c_void};

use super::types::{libws_conn, libws_loop};
use super::{guard, input};
use crate::roles::handle::Handle;
use crate::roles::handles::Conn;

/// Subscribes an open connection to a topic of its loop; twice is the same as once. The name has 1 to 1,024 bytes of
/// UTF-8. Subscriptions end with the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_subscribe(conn: libws_conn, topic: *const c_char) -> i32 {
    guard::result(|| {
        // SAFETY: the caller's contract.
        let topic = unsafe { input::required_text(topic, "topic") }?;
        Conn::from_raw(conn).subscribe(topic)
    })
}

/// Ends a subscription; if there is none, that is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_unsubscribe(conn: libws_conn, topic: *const c_char) -> i32 {
    guard::result(|| {
        // SAFETY: the caller's contract.
        let topic = unsafe { input::required_text(topic, "topic") }?;
        Conn::from_raw(conn).unsubscribe(topic)
    })
}

/// Sends a message to every subscriber of a topic but `except` (0: to all). On the loop's thread it returns how many it
/// reached, elsewhere LIBWS_OK. kind as for libws_send(); compressed once for each level and window. A subscriber at max_buffered is closed with 1013, or skipped with LIBWS_PUBLISH_SKIPS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_publish(
    event_loop: libws_loop,
    topic: *const c_char,
    except: libws_conn,
    kind: i32,
    data: *const c_void,
    len: usize,
) -> i32 {
    guard::number(|| {
        let form = input::form(kind)?;
        // SAFETY: the caller's contract.
        let (topic, data) = unsafe { (input::required_text(topic, "topic")?, input::bytes(data, len)?) };
        let except = (except != 0).then_some(Conn::from_raw(except));
        let reached = Handle::from_raw(event_loop).publish_as(topic, except, form, data)?;
        Ok(i32::try_from(reached).unwrap_or(i32::MAX))
    })
}
