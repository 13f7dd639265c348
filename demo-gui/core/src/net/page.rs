//! The page for browsers, over plain HTTP on the same port. Its files are inside this program.

use std::hash::{DefaultHasher, Hash, Hasher};

use ws::proto::head::RequestHead;

/// The page loads nothing from elsewhere, is shown in no frame, and tells nobody where it was.
const HEADERS: &str = "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: no-referrer\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cache-Control: no-cache\r\n";

/// A file of the page.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    gzip: bool,
    body: &'static [u8],
}

const ASSETS: &[Asset] = &[
    asset("/", "text/html", false, include_bytes!("../../../web/dist/index.html")),
    asset("/app.js", "text/javascript", true, include_bytes!("../../../web/dist/app.js.gz")),
    asset("/app.css", "text/css", false, include_bytes!("../../../web/dist/app.css")),
    asset("/icon.svg", "image/svg+xml", false, include_bytes!("../../../web/dist/icon.svg")),
    asset("/licences.txt", "text/plain", false, include_bytes!("../../../web/dist/licences.txt")),
];

const fn asset(path: &'static str, content_type: &'static str, gzip: bool, body: &'static [u8]) -> Asset {
    Asset { path, content_type, gzip, body }
}

/// An answer to a plain request.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header lines.
    pub headers: String,
    /// The body.
    pub body: &'static [u8],
}

/// Answers a plain request.
pub fn answer(head: &RequestHead) -> Answer {
    let refuse = |status, extra: &str, body: &'static str| Answer {
        status,
        headers: format!("Content-Type: text/plain; charset=utf-8\r\n{extra}{HEADERS}"),
        body: body.as_bytes(),
    };
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return refuse(405, "Allow: GET, HEAD\r\n", "only GET and HEAD\n");
    }
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == head.path()) else {
        return refuse(404, "", "no such file\n");
    };
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tag = tag(asset.body);
    let common = format!("ETag: {tag}\r\nVary: Accept-Encoding\r\n{HEADERS}");
    if header("if-none-match").split(',').any(|known| matches!(known.trim(), "*") || known.trim() == tag) {
        return Answer { status: 304, headers: common, body: b"" };
    }
    if asset.gzip && !header("accept-encoding").contains("gzip") {
        return refuse(406, "", "this file is only to be had compressed: accept gzip\n");
    }
    let encoding = if asset.gzip { "Content-Encoding: gzip\r\n" } else { "" };
    let headers = format!("Content-Type: {}; charset=utf-8\r\n{encoding}{common}", asset.content_type);
    Answer { status: 200, headers, body: asset.body }
}

fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
