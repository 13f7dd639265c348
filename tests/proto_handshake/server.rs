//! The server's side: which requests are upgraded, which status refuses the others, and the 101.

use crate::support::{ACCEPT, KEY, request, rules, upgrade};
use http::{HeaderName, HeaderValue};
use ws::proto::handshake::extensions::{self, Offer};
use ws::proto::handshake::headers;
use ws::proto::handshake::origin::{HostRule, OriginRule};
use ws::proto::handshake::server::{Rules, Upgrade, check, check_host, is_upgrade, switching};

/// The status with which a request is refused, or None.
fn status(text: &str, rules: &Rules) -> Option<u16> {
    let head = request(text);
    assert!(is_upgrade(&head));
    check(&head, rules).err().map(|refusal| refusal.status)
}

#[test]
fn the_example_of_section_1_3() {
    let head =
        request(&upgrade(&[], "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n"));
    let rules = Rules { protocols: vec!["chat".into()], ..rules() };
    let found = check(&head, &rules).unwrap();
    let expected = Upgrade {
        accept: ACCEPT.into(),
        offered: vec!["chat".into(), "superchat".into()],
        protocol: Some("chat".into()),
        extensions: Vec::new(),
    };
    assert_eq!(found, expected);
    let expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    assert_eq!(String::from_utf8(switching(&found, Some("chat"), None, &[])).unwrap(), expected);
    let more = [(HeaderName::from_static("x-y"), HeaderValue::from_static("z"))];
    let bytes = String::from_utf8(switching(&found, None, None, &more)).unwrap();
    assert!(bytes.ends_with(&format!("Sec-WebSocket-Accept: {ACCEPT}\r\nx-y: z\r\n\r\n")), "{bytes}");
}

#[test]
fn what_asks_for_an_upgrade() {
    let rows = [
        ("Upgrade: websocket\r\n", true),
        ("Upgrade: WebSocket\r\n", true),
        ("Upgrade: h2c, websocket\r\n", true),
        ("Upgrade: h2c\r\nUpgrade: websocket\r\n", true),
        ("Upgrade: websocket/13\r\n", false),
        ("Upgrade: websockets\r\n", false),
        ("Upgrade: web socket\r\n", false),
        ("Upgrade:\r\n", false),
        ("", false),
    ];
    for (line, expected) in rows {
        assert_eq!(is_upgrade(&request(&upgrade(&["Upgrade"], line))), expected, "{line:?}");
    }
}

#[test]
fn requests_against_the_protocol() {
    let key = |value: &str| upgrade(&["Sec-WebSocket-Key"], &format!("Sec-WebSocket-Key: {value}\r\n"));
    let version =
        |value: &str| upgrade(&["Sec-WebSocket-Version"], &format!("Sec-WebSocket-Version: {value}\r\n"));
    let connection = |value: &str| upgrade(&["Connection"], &format!("Connection: {value}\r\n"));
    let with = |line: &str| upgrade(&[], &format!("{line}\r\n"));
    let rows = [
        (upgrade(&[], ""), None),
        (upgrade(&["GET"], "POST / HTTP/1.1\r\n"), Some(405)),
        (upgrade(&["GET"], "HEAD / HTTP/1.1\r\n"), Some(405)),
        (upgrade(&["GET"], "get / HTTP/1.1\r\n"), Some(405)),
        (upgrade(&["GET"], "GET / HTTP/1.0\r\n"), Some(400)),
        (with("Content-Length: 0"), None),
        (with("Content-Length: 1"), Some(400)),
        (with("Transfer-Encoding: chunked"), Some(400)),
        (upgrade(&["Connection"], ""), Some(400)),
        (connection("keep-alive"), Some(400)),
        (connection("upgraded"), Some(400)),
        (connection("UPGRADE"), None),
        (connection("a,,\tupgrade ,b"), None),
        (upgrade(&["Sec-WebSocket-Version"], ""), Some(426)),
        (version("12"), Some(426)),
        (version("0"), Some(426)),
        (version("013"), Some(426)),
        (version("13, 8"), Some(426)),
        (version(""), Some(426)),
        (version("\u{e9}"), Some(426)),
        (with("Sec-WebSocket-Version: 13"), Some(426)),
        (upgrade(&["Sec-WebSocket-Key"], ""), Some(400)),
        (with(&format!("Sec-WebSocket-Key: {KEY}")), Some(400)),
        (key("x"), Some(400)),
        (key(""), Some(400)),
        // 13, 15, 17 and 19 bytes, and 16 with what does not belong to base64.
        (key("AAAAAAAAAAAAAAAAAA=="), Some(400)),
        (key("AAAAAAAAAAAAAAAAAAAAAAAAAA=="), Some(400)),
        (key("AAAAAAAAAAAAAAAAAAAA"), Some(400)),
        (key("AAAAAAAAAAAAAAAAAAAAAAA="), Some(400)),
        (key("dGhlIHNhbXBsZSBub25jZQ"), Some(400)),
        (key("dGhlIHNhbXBsZSBub25jZQ="), Some(400)),
        (key("dGhlIHNhbXBsZSBub25j-Q=="), Some(400)),
        (key("dGhlIHNhbXBsZSB=b25jZQ=="), Some(400)),
        (key(&format!("{KEY}, {KEY}")), Some(400)),
        (key(&"A".repeat(8 * 1024)), Some(400)),
        // The example of RFC 6455 section 4.1, whose last bits are not zero.
        (key("AQIDBAUGBwgJCgsMDQ4PEC=="), None),
        (with("Sec-WebSocket-Protocol: a b"), Some(400)),
        (with("Sec-WebSocket-Protocol: a/b"), Some(400)),
        (with("Sec-WebSocket-Protocol: a, a"), Some(400)),
        (with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, a"), Some(400)),
        (with("Sec-WebSocket-Protocol:"), Some(400)),
        (with("Sec-WebSocket-Protocol: \u{e9}"), Some(400)),
        (with("Sec-WebSocket-Protocol: a, A,, b"), None),
        (with(&format!("Sec-WebSocket-Protocol: b{}x", " ".repeat(8_000))), Some(400)),
        (with(&format!("Sec-WebSocket-Extensions: b{}x", " ".repeat(8_000))), Some(400)),
        (with("Sec-WebSocket-Extensions: unknown; a=1, __proto__"), None),
        (with("Sec-WebSocket-Extensions: a b"), Some(400)),
    ];
    for (text, expected) in rows {
        assert_eq!(status(&text, &rules()), expected, "{text:?}");
    }
}

#[test]
fn requests_against_the_rules() {
    let path = Rules { path: Some("/chat".into()), ..rules() };
    let same_host = Rules { origins: OriginRule::SameHost, ..rules() };
    let loopback = Rules { hosts: HostRule::Loopback, ..rules() };
    let target = |target: &str| upgrade(&["GET"], &format!("GET {target} HTTP/1.1\r\n"));
    let origin = |origin: &str| upgrade(&[], &format!("Origin: {origin}\r\n"));
    let rows = [
        (target("/chat"), &path, None),
        (target("/chat?x=/y"), &path, None),
        (target("ws://server.example.com/chat"), &path, None),
        (target("/"), &path, Some(404)),
        (target("/chat/"), &path, Some(404)),
        (target("/Chat"), &path, Some(404)),
        (target("//chat"), &path, Some(404)),
        (target("/ch%61t"), &path, Some(404)),
        (upgrade(&[], ""), &same_host, None),
        (origin("http://server.example.com"), &same_host, None),
        (origin("https://server.example.com"), &same_host, None),
        (origin("http://evil.example"), &same_host, Some(403)),
        (origin("null"), &same_host, Some(403)),
        (origin(""), &same_host, Some(403)),
        (origin("http://server.example.com\u{e9}"), &same_host, Some(403)),
        (origin(&format!("b{}x", " ".repeat(8_000))), &same_host, Some(403)),
        (origin("http://server.example.com\r\nOrigin: http://server.example.com"), &same_host, Some(403)),
        // The absolute form tells the host, not Host.
        (
            upgrade(&["GET"], "GET http://evil.example/ HTTP/1.1\r\nOrigin: http://server.example.com\r\n"),
            &same_host,
            Some(403),
        ),
        (upgrade(&[], ""), &loopback, Some(403)),
        (upgrade(&["Host"], "Host: localhost:9001\r\n"), &loopback, None),
        (upgrade(&["GET", "Host"], "GET / HTTP/1.0\r\n"), &loopback, Some(403)),
        (upgrade(&["GET"], "GET ws://[::1]/ HTTP/1.1\r\n"), &loopback, None),
    ];
    for (text, rules, expected) in rows {
        assert_eq!(status(&text, rules), expected, "{text:?}");
    }
}

#[test]
fn refusals_name_the_option() {
    let rules = Rules { hosts: HostRule::Loopback, ..rules() };
    let head = request(&upgrade(&[], ""));
    assert!(check_host(&head, &rules).unwrap_err().what.contains("`hosts`"));
    let rules = Rules { origins: OriginRule::SameHost, ..self::rules() };
    let head = request(&upgrade(&[], "Origin: null\r\n"));
    assert!(check(&head, &rules).unwrap_err().what.contains("`origins`"));
}

#[test]
fn the_servers_first_choice_among_those_offered() {
    let rules = Rules { protocols: vec!["v3".into(), "v2".into(), "v1".into()], ..rules() };
    let rows = [
        ("Sec-WebSocket-Protocol: v1, v2\r\n", Some("v2")),
        ("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v2\r\n", Some("v2")),
        ("Sec-WebSocket-Protocol: V2, v1\r\n", Some("v1")),
        ("Sec-WebSocket-Protocol: x\r\n", None),
        ("", None),
    ];
    for (lines, expected) in rows {
        let found = check(&request(&upgrade(&[], lines)), &rules).unwrap();
        assert_eq!(found.protocol.as_deref(), expected, "{lines:?}");
    }
}

#[test]
fn extension_offers() {
    type Params<'a> = &'a [(&'a str, Option<&'a str>)];
    type Offers<'a> = &'a [(&'a str, Params<'a>)];
    let rows: &[(&[&str], Option<Offers<'_>>)] = &[
        (&[], Some(&[])),
        (&[""], Some(&[])),
        (&[" , ,"], Some(&[])),
        (&["a"], Some(&[("a", &[])])),
        (&["a, a"], Some(&[("a", &[]), ("a", &[])])),
        (&["a;b", "c"], Some(&[("a", &[("b", None)]), ("c", &[])])),
        (&["a ; b = 1 ;\tc=\"2\" , d"], Some(&[("a", &[("b", Some("1")), ("c", Some("2"))]), ("d", &[])])),
        (&["a; b=\"\\1\\0\""], Some(&[("a", &[("b", Some("10"))])])),
        (&["__proto__; toString=1"], Some(&[("__proto__", &[("toString", Some("1"))])])),
        (&["a b"], None),
        (&["a;"], None),
        (&["a;;b"], None),
        (&["a; b="], None),
        (&["a; =1"], None),
        (&["a; b=1 2"], None),
        (&["a; b=\"1"], None),
        (&["a; b=\"1\\"], None),
        (&["a; b=\"\""], None),
        (&["a; b=\"1 2\""], None),
        (&["a; b=\"1\"2"], None),
        (&["=a"], None),
        (&["\"a\""], None),
        (&["a/b"], None),
        (&["\u{e9}"], None),
        (&["a", ";"], None),
    ];
    for (lines, expected) in rows {
        let values: Vec<_> = lines
            .iter()
            .map(|line| {
                HeaderValue::from_str(line)
                    .unwrap_or_else(|_| HeaderValue::from_bytes(line.as_bytes()).unwrap())
            })
            .collect();
        let offer = |(name, params): &(&str, Params<'_>)| Offer {
            name: (*name).into(),
            params: params.iter().map(|(name, value)| ((*name).into(), value.map(Into::into))).collect(),
        };
        let expected = expected.map(|offers| offers.iter().map(offer).collect::<Vec<_>>());
        assert_eq!(extensions::parse(&values).ok(), expected, "{lines:?}");
    }
    let many = |count: usize| HeaderValue::from_str(&vec!["x"; count].join(",")).unwrap();
    assert_eq!(extensions::parse(&[many(64)]).unwrap().len(), 64);
    assert_eq!(extensions::parse(&[many(500), many(1)]).unwrap().len(), 64, "more are left alone");
    let broken = HeaderValue::from_static("x,;");
    assert_eq!(extensions::parse(&[many(500), broken]).unwrap_err().status, 400);
}

#[test]
fn header_lines_of_the_application() {
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        ("\r\n", &[]),
        ("X-Y: z", &[("x-y", "z")]),
        ("X-Y: z\r\n", &[("x-y", "z")]),
        (
            "A:b\r\nA: \tc d\t \r\nCookie: e=f; g=\"h:i\"\r\n",
            &[("a", "b"), ("a", "c d"), ("cookie", "e=f; g=\"h:i\"")],
        ),
        ("A:", &[("a", "")]),
        ("A: 笔记", &[("a", "笔记")]),
    ];
    for (block, expected) in rows {
        let found = headers::parse(block).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_bytes()).unwrap()))
            .collect();
        assert_eq!(found, *expected, "{block:?}");
    }
    let rows = [
        ("A", "colon"),
        ("A: b\r\n\r\n", "colon"),
        ("A: b\r\n\r\nGET / HTTP/1.1", "colon"),
        ("A: b\nC: d", "CR LF"),
        ("A: b\n", "CR LF"),
        ("A: b\rC: d", "CR LF"),
        ("A: b\0", "bad byte"),
        ("A: b\u{7f}", "bad byte"),
        ("A B: c", "bad header name"),
        ("A : c", "bad header name"),
        (" A: c", "bad header name"),
        (": c", "bad header name"),
        ("é: c", "bad header name"),
        ("Connection: close", "Connection: this header"),
        ("X: y\r\nUPGRADE: h2c", "UPGRADE: this header"),
        ("Host: x", "Host: this header"),
        ("Content-Length: 5", "Content-Length: this header"),
        ("transfer-encoding: chunked", "transfer-encoding: this header"),
        ("Sec-WebSocket-Accept: x", "Sec-WebSocket-Accept: this header"),
        ("sec-websocket-x: x", "sec-websocket-x: this header"),
    ];
    for (block, sentence) in rows {
        let error = headers::parse(block).unwrap_err();
        assert!(error.contains(sentence), "{block:?}: {error}");
    }
}
