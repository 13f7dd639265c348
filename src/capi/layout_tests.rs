//! The layout of every public struct and the number of every constant, held against the table that the C tests assert:
//! `tests/c/layout.h`.

use std::collections::BTreeMap;
use std::mem::offset_of;

use super::callbacks::libws_handlers;
use super::options::{libws_connect_options, libws_listen_options, libws_loop_options, libws_settings};
use super::results::libws_result;
use super::types::{
    LIBWS_COMPRESSED, LIBWS_DEFLATE, LIBWS_DEFLATE_PEER_TAKEOVER, LIBWS_DEFLATE_TAKEOVER, LIBWS_KEEP_READING,
    LIBWS_OFF, LIBWS_PUBLISH_SKIPS, LIBWS_UNCOMPRESSED, libws_close_info, libws_conn_info, libws_kind,
    libws_log_level, libws_message, libws_role, libws_state, libws_upgrade,
};
use super::version::{LIBWS_VERSION_MAJOR, LIBWS_VERSION_MINOR, LIBWS_VERSION_PATCH};

/// A row: "SIZE struct", "FIELD struct field" or "VALUE constant", and its number.
type Rows = BTreeMap<String, i64>;

macro_rules! rows {
    ($rows:ident; $($name:ident { $($field:ident)* })*) => {
        $(
            // A field that is missing in the list does not compile.
            let _ = |$name { $($field: _),* }: $name| ();
            $rows.insert(format!("SIZE {}", stringify!($name)), size_of::<$name>() as i64);
            $($rows.insert(format!("FIELD {} {}", stringify!($name), stringify!($field)), offset_of!($name, $field) as i64);)*
        )*
    };
}

macro_rules! values {
    ($rows:ident; $($name:ident { $($variant:ident)* })*) => {
        $(
            // The same for a variant.
            let _ = |value: $name| match value { $($name::$variant => ()),* };
            $($rows.insert(format!("VALUE {}", stringify!($variant)), $name::$variant as i64);)*
        )*
    };
    ($rows:ident: $($constant:ident)*) => {
        $($rows.insert(format!("VALUE {}", stringify!($constant)), i64::from($constant));)*
    };
}

fn seen_by_rust() -> Rows {
    let mut rows = Rows::new();
    rows! { rows;
        libws_message { struct_size kind flags data len }
        libws_close_info { struct_size code sent_code error was_open was_clean reason reason_len detail unsent }
        libws_conn_info { struct_size role ready_state round_trip_us buffered_amount listener peer protocol deflate }
        libws_handlers { struct_size on_upgrade on_request on_open on_message on_pong on_drain on_close on_listener_close on_retry }
        libws_settings { struct_size flags max_message max_parts high_water low_water max_buffered heartbeat_ms heartbeat_timeout_ms handshake_timeout_ms close_timeout_ms message_timeout_ms send_timeout_ms deflate_level deflate_min_bytes deflate_window_bits deflate_peer_window_bits }
        libws_listen_options { struct_size settings path protocols origins hosts headers static_root backlog max_connections max_body keep_alive_ms reuse_port fd }
        libws_connect_options { struct_size settings protocols origin headers reconnect reconnect_min_ms reconnect_max_ms reconnect_attempts reconnect_stable_ms offline_queue offline_drop_oldest reconnect_final_codes }
        libws_loop_options { struct_size log log_user log_level deflate_memory }
    }
    values! { rows;
        libws_result { LIBWS_OK LIBWS_PENDING LIBWS_ERR_INVALID LIBWS_ERR_GONE LIBWS_ERR_STATE LIBWS_ERR_THREAD LIBWS_ERR_FULL LIBWS_ERR_TOO_BIG LIBWS_ERR_UTF8 LIBWS_ERR_ADDRESS LIBWS_ERR_IO LIBWS_ERR_HANDSHAKE LIBWS_ERR_PROTOCOL LIBWS_ERR_TIMEOUT LIBWS_ERR_UNSUPPORTED LIBWS_ERR_NOMEM LIBWS_ERR_INTERNAL }
        libws_kind { LIBWS_TEXT LIBWS_BINARY }
        libws_state { LIBWS_CONNECTING LIBWS_OPEN LIBWS_CLOSING LIBWS_CLOSED }
        libws_role { LIBWS_SERVER LIBWS_CLIENT }
        libws_upgrade { LIBWS_ACCEPT LIBWS_DEFER }
        libws_log_level { LIBWS_LOG_ERROR LIBWS_LOG_WARN LIBWS_LOG_INFO LIBWS_LOG_DEBUG }
    }
    values! { rows: LIBWS_OFF LIBWS_KEEP_READING LIBWS_PUBLISH_SKIPS LIBWS_DEFLATE LIBWS_DEFLATE_TAKEOVER LIBWS_DEFLATE_PEER_TAKEOVER LIBWS_UNCOMPRESSED LIBWS_COMPRESSED LIBWS_VERSION_MAJOR LIBWS_VERSION_MINOR LIBWS_VERSION_PATCH }
    rows
}

fn seen_by_c() -> Rows {
    let table = include_str!("../../tests/c/layout.h");
    let row = |line: &str| {
        let (kind, rest) = line.split_once('(')?;
        let (names, number) = rest.strip_suffix(')')?.rsplit_once(", ")?;
        Some((format!("{kind} {}", names.replace(", ", " ")), number.parse().ok()?))
    };
    table
        .lines()
        .filter(|line| ["SIZE(", "FIELD(", "VALUE("].iter().any(|kind| line.starts_with(kind)))
        .filter_map(row)
        .collect()
}

#[test]
#[cfg(target_pointer_width = "64")]
fn rust_and_c_agree_on_every_struct_and_constant() {
    assert!(seen_by_c().len() > 100);
    assert_eq!(seen_by_rust(), seen_by_c());
}
