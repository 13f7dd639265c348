//! The layout of every public struct, held against the table that the C tests assert: `tests/c/layout.h`.

use std::collections::BTreeMap;
use std::mem::offset_of;

use super::callbacks::libws_handlers;
use super::options::{libws_connect_options, libws_listen_options, libws_loop_options, libws_settings};
use super::types::{libws_close_info, libws_conn_info, libws_message};

/// A row: "SIZE struct" or "FIELD struct field", and its number.
type Rows = BTreeMap<String, usize>;

macro_rules! rows {
    ($rows:ident; $($name:ident { $($field:ident)* })*) => {
        $(
            $rows.insert(format!("SIZE {}", stringify!($name)), size_of::<$name>());
            $($rows.insert(format!("FIELD {} {}", stringify!($name), stringify!($field)), offset_of!($name, $field));)*
        )*
    };
}

fn seen_by_rust() -> Rows {
    let mut rows = Rows::new();
    rows! { rows;
        libws_message { struct_size kind flags data len }
        libws_close_info { struct_size code sent_code error was_open was_clean reason reason_len detail unsent }
        libws_conn_info { struct_size role ready_state round_trip_us buffered_amount listener peer protocol }
        libws_handlers { struct_size on_upgrade on_request on_open on_message on_pong on_drain on_close on_listener_close on_retry }
        libws_settings { struct_size flags max_message max_parts high_water low_water max_buffered heartbeat_ms heartbeat_timeout_ms handshake_timeout_ms close_timeout_ms message_timeout_ms send_timeout_ms }
        libws_listen_options { struct_size settings path protocols origins hosts headers static_root backlog max_connections max_body keep_alive_ms reuse_port fd }
        libws_connect_options { struct_size settings protocols origin headers reconnect reconnect_min_ms reconnect_max_ms reconnect_attempts reconnect_stable_ms offline_queue offline_drop_oldest reconnect_final_codes }
        libws_loop_options { struct_size log log_user log_level }
    }
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
        .filter(|line| line.starts_with("SIZE(") || line.starts_with("FIELD("))
        .filter_map(row)
        .collect()
}

#[test]
#[cfg(target_pointer_width = "64")]
fn rust_and_c_agree_on_every_struct() {
    assert!(seen_by_c().len() > 60);
    assert_eq!(seen_by_rust(), seen_by_c());
}
