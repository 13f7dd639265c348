//! Request and response heads: rows of what is taken and what is refused, each also cut at every byte.

use crate::support::{Read, read, request, response, upgrade};
use ws::proto::head::{Head, HeadLimits, HeadReader, RequestHead, ResponseHead};

/// The result of a whole read, after checking that no cut changes it.
fn cut<H: Head + Clone + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Read<H> {
    let limits = HeadLimits::default();
    let whole = read(limits, [bytes]);
    for at in 0..=bytes.len() {
        let (left, right) = bytes.split_at(at);
        assert_eq!(read(limits, [left, right]), whole, "cut at {at}: {:?}", bytes.escape_ascii().to_string());
    }
    assert_eq!(read(limits, bytes.chunks(1)), whole, "byte by byte: {:?}", bytes.escape_ascii().to_string());
    whole
}

fn status(bytes: &[u8]) -> Option<u16> {
    cut::<RequestHead>(bytes).err().map(|refusal| refusal.status)
}

#[test]
fn requests_that_are_taken() {
    let rows = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "a", true),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "a", true),
        ("GET / HTTP/1.0\r\n\r\n", "GET", "/", "", false),
        ("GET / HTTP/1.0\r\nHost: b:80\r\n\r\n", "GET", "/", "b:80", false),
        (
            "M-SEARCH /x?y=%00&z=//[]@: HTTP/1.1\r\nHost: a\r\n\r\n",
            "M-SEARCH",
            "/x?y=%00&z=//[]@:",
            "a",
            true,
        ),
        ("GET //evil/..%2f.. HTTP/1.1\r\nHOST:a\r\n\r\n", "GET", "//evil/..%2f..", "a", true),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", "a", true),
        ("GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/c?d", "b", true),
        ("GET WSS://B:1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "B:1", true),
        ("GET ws://[::1]:80?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/?q", "[::1]:80", true),
        ("GET / HTTP/1.1\r\nHost: \t[::1]:9001 \t\r\n\r\n", "GET", "/", "[::1]:9001", true),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST",
            "/",
            "a",
            true,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n", "POST", "/", "a", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX: \t\r\nX: \x7e\ty\u{e9}\r\n\r\n", "GET", "/", "a", true),
    ];
    for (text, method, target, host, http11) in rows {
        let (used, head) = cut::<RequestHead>(text.as_bytes()).unwrap().unwrap();
        let found = (head.method.as_str(), head.target.as_str(), head.host(), head.http11, used);
        assert_eq!(found, (method, target, host, http11, text.len()), "{text:?}");
    }
}

#[test]
fn requests_that_are_refused() {
    let rows: &[(&[u8], u16)] = &[
        // A TLS ClientHello, and other protocols.
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"\x00", 400),
        (b"\xff\xfe", 400),
        (b"SSH-2.0-x\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        // Lines end with CR LF, and only there.
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", 400),
        (b"\nGET / HTTP/1.1\r\n", 400),
        (b"\r\n\r\nGET / HTTP/1.1\r\n", 400),
        (b"\rG", 400),
        // The request line.
        (b" GET / HTTP/1.1\r\n", 400),
        (b"GET  / HTTP/1.1\r\n", 400),
        (b"GET /  HTTP/1.1\r\n", 400),
        (b"GET\t/ HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1 \r\n", 400),
        (b"G(T / HTTP/1.1\r\n", 400),
        (b"G\xc3\xa9T / HTTP/1.1\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n", 400),
        (b"GET /\x7f HTTP/1.1\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n", 400),
        (b"GET /\t HTTP/1.1\r\n", 400),
        (b"GET /\r\n", 505),
        (b"GET \r\n", 400),
        (b"GET\r\n", 400),
        (b"GET / HTTP/0.9\r\n", 505),
        (b"GET / HTTP/1.2\r\n", 505),
        (b"GET / HTTP/2\r\n", 505),
        (b"GET / HTTP/3.0\r\n", 505),
        (b"GET / HTTP/11\r\n", 400),
        (b"GET / HTTP/1.11\r\n", 400),
        (b"GET / http/1.1\r\n", 400),
        (b"GET / HTTPS/1.1\r\n", 400),
        (b"GET / HTTP/x.1\r\n", 400),
        // Targets.
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        // Header lines.
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400),
        // Host.
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [a]\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", 400),
        // Lengths.
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity,chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ];
    for (bytes, expected) in rows {
        assert_eq!(status(bytes), Some(*expected), "{:?}", bytes.escape_ascii().to_string());
    }
}

#[test]
fn every_byte_where_it_may_not_be() {
    type Spot = (&'static str, &'static str, fn(u8) -> bool);
    let spots: [Spot; 3] = [
        ("GET / HTTP/1.1\r\nHost: a\r\nX", ": b\r\n\r\n", |byte| {
            byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte)
        }),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b", "c\r\n\r\n", |byte| matches!(byte, 9 | 0x20..=0x7e | 0x80..)),
        ("GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n", |byte| matches!(byte, 0x21..=0x7e) && byte != b'#'),
    ];
    for (before, after, allowed) in spots {
        for byte in 0..=255 {
            let bytes = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let read = read::<RequestHead>(HeadLimits::default(), [&bytes[..]]);
            assert_eq!(read.is_ok(), allowed(byte), "{byte:#04x} behind {before:?}");
        }
    }
}

#[test]
fn the_first_impossible_byte_is_refused() {
    let mut reader = HeadReader::<RequestHead>::new(HeadLimits::default());
    assert!(reader.push(b"GET / HTTP/1.1\r\nHost: a\r\nX").is_ok());
    assert!(reader.push(b" ").is_err());
    let mut reader = HeadReader::<RequestHead>::new(HeadLimits::default());
    assert!(reader.push(b"\x16").is_err());
}

/// A head of exactly `bytes` bytes.
fn of_length(bytes: usize) -> String {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    format!("{head}{}\r\n\r\n", "x".repeat(bytes - head.len() - 4))
}

#[test]
fn limits() {
    let limits = HeadLimits::default();
    let verdict = |text: &str| read::<RequestHead>(limits, [text.as_bytes()]).map(|head| head.is_some());
    let target = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(len - 1));
    let headers = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    let rows = [
        (of_length(limits.bytes), None),
        (of_length(limits.bytes + 1), Some(431)),
        (of_length(64 * 1024), Some(431)),
        (target(limits.target), None),
        (target(limits.target + 1), Some(414)),
        (target(64 * 1024), Some(414)),
        (headers(limits.headers), None),
        (headers(limits.headers + 1), Some(431)),
        (headers(500), Some(431)),
        (headers(2_001), Some(431)),
        ("G".repeat(64 * 1024), Some(431)),
    ];
    for (text, expected) in rows {
        assert_eq!(
            verdict(&text).err().map(|refusal| refusal.status),
            expected,
            "{:.60} {}",
            text,
            text.len()
        );
    }
    // The limit is found no earlier and no later when the head comes in pieces.
    for text in [of_length(limits.bytes), of_length(limits.bytes + 1), target(limits.target + 1)] {
        for piece in [1, 7, 1_000] {
            let pieces =
                read::<RequestHead>(limits, text.as_bytes().chunks(piece)).map(|head| head.is_some());
            assert_eq!(pieces, verdict(&text), "{:.30} by {piece}", text);
        }
    }
    // What follows the head does not count.
    let followed = of_length(limits.bytes) + &"frames".repeat(10_000);
    let (used, _) = read::<RequestHead>(limits, [followed.as_bytes()]).unwrap().unwrap();
    assert_eq!(used, limits.bytes);
}

#[test]
fn a_reader_is_empty_until_a_head_begins() {
    let mut reader = HeadReader::<RequestHead>::new(HeadLimits::default());
    for (bytes, empty) in [(&b""[..], true), (b"\r", true), (b"\n", true), (b"G", false), (b"ET / ", false)] {
        reader.push(bytes).unwrap();
        assert_eq!(reader.is_empty(), empty, "{bytes:?}");
    }
    let mut reader = HeadReader::<ResponseHead>::new(HeadLimits::default());
    assert!(reader.is_empty());
    reader.push(b"H").unwrap();
    assert!(!reader.is_empty());
}

#[test]
fn pipelined_requests_are_told_apart() {
    let text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
    let (used, first) = cut::<RequestHead>(text.as_bytes()).unwrap().unwrap();
    assert_eq!((first.target.as_str(), &text[used..used + 6]), ("/1", "GET /2"));
    assert_eq!(request(&text[used..]).target, "/2");
}

#[test]
fn paths_and_values() {
    let head = request(&upgrade(&[], "X: \t padded \t\r\nx: second\r\n"));
    assert_eq!((head.path(), head.target.as_str()), ("/chat", "/chat?room=1"));
    let values: Vec<_> = head.headers.get_all("X").iter().collect();
    assert_eq!(values, ["padded", "second"]);
}

#[test]
fn responses() {
    let taken = [
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, true),
        ("HTTP/1.1 200 \r\n\r\n", 200, true),
        ("HTTP/1.1 404\r\n\r\n", 404, true),
        ("HTTP/1.0 999 caf\u{e9}\t!\r\nA: b\r\n\r\n", 999, false),
    ];
    for (text, status, http11) in taken {
        let (used, head) = cut::<ResponseHead>(text.as_bytes()).unwrap().unwrap();
        assert_eq!((head.status, head.http11, used), (status, http11, text.len()), "{text:?}");
    }
    let refused = [
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 +99 OK\r\n\r\n",
        "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "220 smtp.example ESMTP\r\n",
    ];
    for text in refused {
        assert!(cut::<ResponseHead>(text.as_bytes()).is_err(), "{text:?}");
    }
    let endless = format!("HTTP/1.1 101 x\r\nA: {}", "b".repeat(64 * 1024));
    assert!(read::<ResponseHead>(HeadLimits::default(), [endless.as_bytes()]).is_err());
    assert_eq!(response("HTTP/1.1 101 x\r\nA: 1\r\na: 2\r\n\r\n").headers.get_all("a").iter().count(), 2);
}
