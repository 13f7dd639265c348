use super::*;
use crate::proto::head::{HeadLimits, HeadReader};
use std::time::Duration;

fn request(head: &str) -> RequestHead {
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.push(head.as_bytes()).unwrap().1.unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const NOW: SystemTime = UNIX_EPOCH;

#[test]
fn heads() {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("text/html"))];
    assert_eq!(
        text(head(200, &headers, Some(5), true, NOW + Duration::from_secs(784_111_777))),
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\
         Connection: keep-alive\r\ncontent-type: text/html\r\n\r\n"
    );
    assert_eq!(
        text(head(599, &[], None, false, NOW)),
        "HTTP/1.1 599 \r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: close\r\n\r\n"
    );
    let own = [(DATE, HeaderValue::from_static("x"))];
    assert_eq!(
        text(head(404, &own, Some(0), false, NOW)),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\ndate: x\r\n\r\n"
    );
}

#[test]
fn only_a_status_with_a_body_has_a_length() {
    for status in [100, 103, 199, 204, 304] {
        let response = Response { status, headers: Vec::new(), body: b"body".to_vec() };
        let bytes = text(response.to_bytes(true, false, NOW));
        assert!(!bytes.contains("Content-Length") && bytes.ends_with("\r\n\r\n"), "{bytes}");
    }
    for status in [200, 301, 400, 404, 503] {
        let response = Response { status, headers: Vec::new(), body: b"body".to_vec() };
        let full = text(response.to_bytes(true, false, NOW));
        assert!(full.contains("Content-Length: 4\r\n") && full.ends_with("\r\n\r\nbody"), "{full}");
        let head_only = text(response.to_bytes(true, true, NOW));
        assert!(
            head_only.contains("Content-Length: 4\r\n") && head_only.ends_with("\r\n\r\n"),
            "{head_only}"
        );
    }
}

#[test]
fn refusals_say_what_their_status_asks_for() {
    let bytes = text(refusal(405, "a WebSocket is opened with GET", false, false));
    assert!(bytes.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{bytes}");
    assert!(bytes.contains("\r\nallow: GET\r\n") && bytes.contains("\r\nConnection: close\r\n"), "{bytes}");
    assert!(bytes.ends_with("\r\n\r\na WebSocket is opened with GET\n"), "{bytes}");
    let bytes = text(refusal(426, "the version is 13", true, false));
    assert!(bytes.contains("\r\nsec-websocket-version: 13\r\n"), "{bytes}");
    assert!(bytes.contains("\r\nupgrade: websocket\r\n"), "{bytes}");
    assert!(bytes.contains("\r\nConnection: keep-alive, Upgrade\r\n"), "{bytes}");
    let bytes = text(refusal(400, "no", false, true));
    assert!(bytes.contains("\r\nContent-Length: 3\r\n") && bytes.ends_with("\r\n\r\n"), "{bytes}");
}

#[test]
fn connections_that_stay() {
    let rows = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
    ];
    for (head, expected) in rows {
        assert_eq!(keep_alive(&request(head)), expected, "{head:?}");
    }
}

#[test]
fn times_that_http_cannot_write() {
    assert_eq!(http_date(UNIX_EPOCH - Duration::from_secs(1)), None);
    assert_eq!(http_date(UNIX_EPOCH + Duration::from_secs(253_402_300_800)), None);
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    assert_eq!(http_date(last).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
}
