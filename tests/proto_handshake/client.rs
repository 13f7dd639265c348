//! The client's side: its request, and which answers open a connection.

use crate::support::{ACCEPT, KEY_BYTES, request, response, rules};
use ws::proto::handshake::client::{self, Refused, is_interim, parse_protocols};
use ws::proto::handshake::{headers, server};
use ws::proto::url::Url;

#[test]
fn the_request() {
    let url = Url::parse("ws://a.example:9001/chat?x=1").unwrap();
    let headers = headers::parse("Authorization: Bearer x\r\nCookie: y").unwrap();
    let protocols = ["v2".to_owned(), "v1".to_owned()];
    let bytes = client::request(&url, KEY_BYTES, &protocols, None, Some("http://b.example"), &headers);
    let expected = "GET /chat?x=1 HTTP/1.1\r\nHost: a.example:9001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Protocol: v2, v1\r\nOrigin: http://b.example\r\n\
                    authorization: Bearer x\r\ncookie: y\r\n\r\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn both_sides_agree() {
    for url in ["ws://a", "ws://[fe80::1%25eth0]:81/x?y", "ws+unix:/run/a.sock:/x", "ws+unix:/run/a.sock"] {
        let url = Url::parse(url).unwrap();
        for key in [[0; 16], [0xff; 16], *b"0123456789abcdef"] {
            let protocols = ["v1".to_owned()];
            let head = request(
                std::str::from_utf8(&client::request(&url, key, &protocols, None, None, &[])).unwrap(),
            );
            assert!(server::is_upgrade(&head));
            assert_eq!((head.target.as_str(), head.host()), (url.target.as_str(), url.authority.as_str()));
            let upgrade = server::check(&head, &rules()).unwrap();
            let answer = server::switching(&upgrade, Some("v1"), None, &[]);
            let answer = response(std::str::from_utf8(&answer).unwrap());
            assert_eq!(
                client::check(&answer, key, &protocols, None).map(|answer| answer.protocol),
                Ok(Some("v1".into()))
            );
            let other = [1; 16];
            assert!(matches!(client::check(&answer, other, &protocols, None), Err(Refused::Broken(_))));
        }
    }
}

/// What becomes of an answer to a client that offers v2 and v1.
fn check(status_line: &str, lines: &str) -> Result<Option<String>, String> {
    let head = response(&format!("{status_line}\r\n{lines}\r\n"));
    client::check(&head, KEY_BYTES, &["v2".into(), "v1".into()], None)
        .map(|answer| answer.protocol)
        .map_err(|refused| refused.to_string())
}

#[test]
fn answers() {
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols";
    let with = |more: &str| {
        format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n{more}")
    };
    let taken = [
        (with(""), None),
        (with("").replace("websocket", "WebSocket").replace("n: Upgrade", "n: keep-alive, upgrade"), None),
        (with("Sec-WebSocket-Protocol: v1\r\n"), Some("v1")),
        (with("Sec-WebSocket-Extensions: \r\n"), None),
        (with("Set-Cookie: a\r\nContent-Length: 0\r\n"), None),
    ];
    for (lines, protocol) in taken {
        assert_eq!(check(GOOD, &lines), Ok(protocol.map(Into::into)), "{lines:?}");
    }
    let refused = [
        ("HTTP/1.0 101 x", with(""), "HTTP/1.0"),
        ("HTTP/1.1 200 OK", with(""), "HTTP 200"),
        ("HTTP/1.1 301 x", "Location: /\r\n".into(), "HTTP 301"),
        ("HTTP/1.1 401 x", with(""), "HTTP 401"),
        ("HTTP/1.1 999 x", with(""), "HTTP 999"),
        (GOOD, String::new(), "no `Upgrade: websocket`"),
        (GOOD, with("").replace("Upgrade: websocket", "Upgrade: h2c"), "no `Upgrade: websocket`"),
        (GOOD, with("Upgrade: websocket\r\n"), "no `Upgrade: websocket`"),
        (GOOD, with("").replace("Connection: Upgrade", "Connection: close"), "no `Connection: Upgrade`"),
        (GOOD, with("").replace("Sec-WebSocket-Accept", "X"), "wrong Sec-WebSocket-Accept"),
        (GOOD, with("").replace(ACCEPT, "x"), "wrong Sec-WebSocket-Accept"),
        (GOOD, with("").replace(ACCEPT, &ACCEPT.to_lowercase()), "wrong Sec-WebSocket-Accept"),
        (GOOD, with(&format!("Sec-WebSocket-Accept: {ACCEPT}\r\n")), "wrong Sec-WebSocket-Accept"),
        (GOOD, with("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "\"permessage-deflate\""),
        (GOOD, with("Sec-WebSocket-Extensions: a b\r\n"), "malformed"),
        (GOOD, with("Sec-WebSocket-Protocol: v3\r\n"), "\"v3\""),
        (GOOD, with("Sec-WebSocket-Protocol: V1\r\n"), "\"V1\""),
        (GOOD, with("Sec-WebSocket-Protocol: v2, v1\r\n"), "\"v2, v1\""),
        (GOOD, with("Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Protocol: v1\r\n"), "more than one"),
        (GOOD, with("Sec-WebSocket-Protocol:\r\n"), "\"\""),
    ];
    for (status_line, lines, sentence) in refused {
        let error = check(status_line, &lines).unwrap_err();
        assert!(error.contains(sentence), "{status_line} {lines:?}: {error}");
    }
}

#[test]
fn interim_answers() {
    let interim: Vec<u16> = (0..1000).filter(|&status| is_interim(status)).collect();
    let expected: Vec<u16> = [100].into_iter().chain(102..200).collect();
    assert_eq!(interim, expected);
}

#[test]
fn lists_of_protocols() {
    let rows: &[(&str, Result<&[&str], &str>)] = &[
        ("", Ok(&[])),
        ("  ", Ok(&[])),
        ("chat.v2, chat.v1", Ok(&["chat.v2", "chat.v1"])),
        ("a,b\t, A", Ok(&["a", "b", "A"])),
        ("a, b, a", Err("\"a\" stands twice")),
        ("a,,b", Err("\"\" is not a token")),
        ("a,", Err("\"\" is not a token")),
        ("a b", Err("\"a b\" is not a token")),
        ("a\r\nX: y", Err("is not a token")),
        ("é", Err("is not a token")),
    ];
    for (list, expected) in rows {
        match (parse_protocols(list), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, *expected, "{list:?}"),
            (Err(error), Err(sentence)) => assert!(error.contains(sentence), "{list:?}: {error}"),
            (found, _) => panic!("{list:?}: {found:?}"),
        }
    }
}
