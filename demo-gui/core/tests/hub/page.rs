//! The page, over plain HTTP on the port of a shared note.

use std::io::{Read, Write};
use std::net::TcpStream;

use tempfile::tempdir;

use crate::desk::Desk;

/// Sends a request and returns the head and the body of the answer.
fn ask(port: u16, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{request}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_ascii_lowercase(), body)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or("")
}

#[test]
fn the_page_is_served_with_care() {
    let folder = tempdir().unwrap();
    let mut desk = Desk::new("a", folder.path());
    let note = desk.create("n", "text");
    let port = desk.share(&note).address.port();
    let get =
        |path: &str, more: &str| ask(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}{more}"));
    let (head, body) = get("/", "");
    assert!(head.starts_with("http/1.1 200 ") && body.starts_with(b"<!doctype html>"), "{head}");
    assert_eq!(header(&head, "content-type"), "text/html; charset=utf-8");
    assert!(header(&head, "content-security-policy").starts_with("default-src 'self'"));
    assert_eq!(header(&head, "x-content-type-options"), "nosniff");
    assert_eq!(header(&head, "referrer-policy"), "no-referrer");
    // Known: nothing is sent again.
    let tag = header(&head, "etag").to_owned();
    let (head, body) = get("/", &format!("\r\nIf-None-Match: \"other\", {tag}"));
    assert!(head.starts_with("http/1.1 304 ") && body.is_empty(), "{head}");
    assert_eq!(header(&head, "etag"), tag);
    // Every file that the page names is there.
    let (_, page) = get("/", "");
    let page = String::from_utf8(page).unwrap();
    let files: Vec<&str> =
        page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css")).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let (head, body) = get(&format!("/{file}"), "\r\nAccept-Encoding: gzip, br");
        assert!(head.starts_with("http/1.1 200 ") && !body.is_empty(), "{file}: {head}");
        let gzip = body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(header(&head, "content-encoding"), if gzip { "gzip" } else { "" }, "{file}");
    }
    let (head, _) = get("/app.js", "");
    assert!(head.starts_with("http/1.1 406 "), "{head}");
    let (head, body) = ask(port, &format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}"));
    assert!(head.starts_with("http/1.1 200 ") && body.is_empty(), "{head}");
    let (head, _) = ask(port, &format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 0"));
    assert!(head.starts_with("http/1.1 405 ") && header(&head, "allow") == "get, head", "{head}");
    for path in ["/nothing", "/..%2fCargo.toml", "/../notes.redb", "/notes/n.md", "//"] {
        let (head, _) = get(path, "");
        assert!(head.starts_with("http/1.1 404 ") || head.starts_with("http/1.1 400 "), "{path}: {head}");
    }
    // A name that somebody lets point to this computer is not ours.
    for host in ["evil.example", &format!("evil.example:{port}"), "8.8.8.8"] {
        let (head, _) = ask(port, &format!("GET / HTTP/1.1\r\nHost: {host}"));
        assert!(head.starts_with("http/1.1 403 "), "{host}: {head}");
    }
    // Without the page's own origin no browser gets a socket (G04).
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nConnection: Upgrade";
    for origin in ["http://evil.example", "null", &format!("http://127.0.0.1:{}", port ^ 1)] {
        let (head, _) = ask(
            port,
            &format!("GET /ws/n HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n{upgrade}"),
        );
        assert!(head.starts_with("http/1.1 403 "), "{origin}: {head}");
    }
}
