//! `docs/limits.md` says what the code does.

use std::collections::HashMap;

use ws::proto::close::MAX_REASON;
use ws::proto::frame::MAX_CONTROL;
use ws::proto::head::HeadLimits;
use ws::{Deflate, ListenOptions, LoopOptions, Reconnect, Settings};

/// First column of every table row, without backquotes, and the second.
fn rows() -> HashMap<&'static str, &'static str> {
    let page = include_str!("../docs/limits.md");
    let cells = |line: &'static str| {
        let mut cells = line.split('|').map(str::trim);
        cells.next()?;
        Some((cells.next()?.trim_matches('`'), cells.next()?))
    };
    page.lines().filter_map(cells).collect()
}

#[test]
fn the_page_has_the_defaults_of_the_code() {
    let rows = rows();
    let settings = Settings::default();
    let listen = ListenOptions::default();
    let reconnect = Reconnect::default();
    let head = HeadLimits::default();
    let deflate = Deflate::default();
    let expected = [
        ("max_message", settings.max_message.to_string()),
        ("max_parts", settings.max_parts.to_string()),
        ("high_water", settings.high_water.to_string()),
        ("low_water", settings.low_water.to_string()),
        ("max_buffered", settings.max_buffered.to_string()),
        ("heartbeat_ms", settings.heartbeat_ms.to_string()),
        ("heartbeat_timeout_ms", settings.heartbeat_timeout_ms.to_string()),
        ("handshake_timeout_ms", settings.handshake_timeout_ms.to_string()),
        ("close_timeout_ms", settings.close_timeout_ms.to_string()),
        ("message_timeout_ms", settings.message_timeout_ms.to_string()),
        ("send_timeout_ms", settings.send_timeout_ms.to_string()),
        ("deflate", format!("{:?}", settings.deflate)),
        ("deflate_level", deflate.level.to_string()),
        ("deflate_min_bytes", deflate.min_bytes.to_string()),
        ("deflate_window_bits", deflate.window_bits.to_string()),
        ("deflate_peer_window_bits", deflate.peer_window_bits.to_string()),
        ("deflate_memory", LoopOptions::default().deflate_memory.to_string()),
        ("backlog", listen.backlog.to_string()),
        ("max_body", listen.max_body.to_string()),
        ("keep_alive_ms", listen.keep_alive_ms.to_string()),
        ("reconnect_min_ms", reconnect.min_ms.to_string()),
        ("reconnect_max_ms", reconnect.max_ms.to_string()),
        ("reconnect_stable_ms", reconnect.stable_ms.to_string()),
        ("request or response head", format!("{} bytes", head.bytes)),
        ("headers of a head", head.headers.to_string()),
        ("request target", format!("{} bytes", head.target)),
        ("ping, pong, Close payload", format!("{MAX_CONTROL} bytes")),
        ("close reason", format!("{MAX_REASON} bytes")),
    ];
    for (name, value) in expected {
        assert_eq!(rows.get(name), Some(&value.as_str()), "{name}");
    }
}

#[test]
fn every_setting_is_on_the_page() {
    let rows = rows();
    let printed = format!("{:?}", Settings::default());
    let fields =
        printed.trim_start_matches("Settings {").split(',').filter_map(|field| field.split(':').next());
    for field in fields.map(str::trim).filter(|field| !matches!(*field, "keep_reading" | "publish_skips")) {
        assert!(rows.contains_key(field), "{field} is not on the page");
    }
}
