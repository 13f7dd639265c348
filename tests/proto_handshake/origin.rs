//! Origin and Host rules.

use ws::proto::handshake::origin::{HostRule, OriginRule};

#[test]
fn same_host() {
    let rule = OriginRule::parse(None).unwrap();
    let rows = [
        ("http://a.example", "a.example", true),
        ("http://A.Example", "a.EXAMPLE", true),
        ("https://a.example", "a.example", true),
        ("https://a.example", "a.example:443", true),
        ("https://a.example:443", "a.example", true),
        ("http://a.example:80", "a.example", true),
        ("http://a.example", "a.example:80", true),
        ("http://a.example:8080", "a.example:8080", true),
        // Behind a proxy that speaks TLS the server's own port does not show.
        ("https://a.example:8443", "a.example:8443", true),
        ("http://[::1]:1", "[0::1]:1", true),
        ("app://a.example:7", "a.example:7", true),
        ("https://a.example", "a.example:80", false),
        ("http://a.example", "a.example:443", false),
        ("http://a.example:8080", "a.example", false),
        ("http://a.example", "a.example:8080", false),
        ("http://b.example", "a.example", false),
        ("http://a.example.evil", "a.example", false),
        ("http://evil-a.example", "a.example", false),
        ("http://a.example", "", false),
        ("app://a.example", "a.example", false),
        ("null", "a.example", false),
        ("null", "null", false),
        ("", "a.example", false),
        ("a.example", "a.example", false),
        ("//a.example", "a.example", false),
        ("://a.example", "a.example", false),
        ("http://a.example/", "a.example", false),
        ("http://u@a.example", "a.example", false),
        ("http://a.example http://b.example", "a.example", false),
        ("http://a.example,http://b.example", "a.example", false),
        ("http://a.example:x", "a.example", false),
    ];
    for (origin, host, expected) in rows {
        assert_eq!(rule.allows(origin, host), expected, "{origin:?} {host:?}");
    }
}

#[test]
fn lists() {
    let rows = [
        ("https://a.example", "https://a.example", true),
        ("https://a.example", "https://A.example:443", true),
        ("HTTPS://A.EXAMPLE:443", "https://a.example", true),
        ("https://a.example", "http://a.example", false),
        ("https://a.example", "https://a.example:8443", false),
        ("https://a.example", "https://b.a.example", false),
        ("https://b.example, app://x", "app://x", true),
        ("https://b.example,app://x", "app://y", false),
        // A list replaces the rule for the same host.
        ("https://b.example", "http://host.example", false),
        ("https://a.example", "null", false),
        ("https://a.example, null", "null", true),
        ("null", "null", true),
        ("null", "", false),
        ("null", "rubbish", false),
        ("https://a.example, *", "https://evil.example", true),
        ("*", "null", true),
        ("*", "rubbish", true),
    ];
    for (list, origin, expected) in rows {
        let rule = OriginRule::parse(Some(list)).unwrap();
        assert_eq!(rule.allows(origin, "host.example"), expected, "{list:?} {origin:?}");
    }
}

#[test]
fn entries_that_are_no_origins() {
    for bad in [
        "a.example",
        "https://a.example/",
        "https://a.example/x",
        "https://",
        "1x://a",
        "https://*.a",
        "https:a",
    ] {
        let error = OriginRule::parse(Some(&format!("https://ok.example, {bad}"))).unwrap_err();
        assert!(error.starts_with(&format!("origins: {bad:?} ")), "{error}");
    }
    assert!(OriginRule::parse(Some("")).is_err());
    assert!(OriginRule::parse(Some(" , ")).is_err());
}

#[test]
fn hosts() {
    let rows = [
        (None, false, "anything.example", true),
        (None, true, "localhost", true),
        (None, true, "LOCALHOST:9001", true),
        (None, true, "notes.localhost", true),
        (None, true, "127.0.0.1", true),
        (None, true, "127.9.8.7:1", true),
        (None, true, "[::1]:1", true),
        (None, true, "[0:0:0:0:0:0:0:1]", true),
        (None, true, "evil.example", false),
        (None, true, "localhost.evil.example", false),
        (None, true, "evillocalhost", false),
        (None, true, "127.0.0.1.evil.example", false),
        (None, true, "128.0.0.1", false),
        (None, true, "0.0.0.0", false),
        (None, true, "[::ffff:127.0.0.1]:1", true),
        (None, true, "[::ffff:128.0.0.1]", false),
        (None, true, "[::2]", false),
        (None, true, "", false),
        (Some("chat.example"), true, "chat.example", true),
        (Some("chat.example"), true, "Chat.Example:9001", true),
        (Some("chat.example"), true, "localhost", true),
        (Some("chat.example"), true, "x.chat.example", false),
        (Some("chat.example"), false, "localhost", false),
        (Some("chat.example:1, b"), false, "chat.example:1", true),
        (Some("chat.example:1, b"), false, "chat.example:2", false),
        (Some("chat.example:1, b"), false, "chat.example", false),
        (Some("chat.example:1, b"), false, "b:7", true),
        (Some("[::2]"), true, "[0::2]:3", true),
        (Some("chat.example, *"), true, "evil.example", true),
        (Some("*"), true, "", true),
    ];
    for (list, loopback, host, expected) in rows {
        let rule = HostRule::parse(list, loopback).unwrap();
        assert_eq!(rule.allows(host), expected, "{list:?} {loopback} {host:?}");
    }
    for bad in ["https://a.example", "a.example/", "*.a.example", "a b", "a:x"] {
        let error = HostRule::parse(Some(bad), true).unwrap_err();
        assert!(error.starts_with(&format!("hosts: {bad:?} ")), "{error}");
    }
    assert!(HostRule::parse(Some(""), false).is_err());
}
