use super::*;
use crate::proto::head::{HeadLimits, HeadReader};
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder with everything that a path could lead to, removed at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("libws-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = Scratch(std::env::temp_dir().join(unique));
        let root = scratch.path("root");
        fs::create_dir_all(root.join("folder/empty")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::create_dir_all(root.join(".well-known")).unwrap();
        let files = [
            ("../secret", "secret"),
            ("index.html", "<p>root"),
            ("plain.txt", "plain"),
            ("folder/index.html", "<p>folder"),
            ("folder/page.html", "<p>page"),
            ("a b%41.js", "0"),
            ("data", "?"),
            ("%2e%2e", "odd"),
            (".env", "hidden"),
            (".git/config", "hidden"),
            (".well-known/x", "known"),
        ];
        for (name, text) in files {
            fs::write(root.join(name), text).unwrap();
        }
        let links = [
            ("plain.txt", "link-inside"),
            ("folder", "link-folder"),
            ("../secret", "link-outside"),
            ("/etc/passwd", "link-absolute"),
            ("..", "link-up"),
        ];
        for (target, name) in links {
            symlink(target, root.join(name)).unwrap();
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        drop(UnixListener::bind(root.join("socket")).unwrap());
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn request(method: &str, target: &str, lines: &str) -> RequestHead {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.push(head.as_bytes()).unwrap().1.unwrap()
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    let found = answer.headers.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| value.to_str().unwrap().to_owned())
}

fn text(answer: Answer) -> Option<String> {
    let (mut file, len) = answer.file?;
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(len, text.len() as u64);
    Some(text)
}

fn serve() -> (Scratch, StaticRoot) {
    let scratch = Scratch::new("static");
    let root = StaticRoot::open(scratch.path("root").to_str().unwrap()).unwrap();
    (scratch, root)
}

#[test]
fn files_and_what_is_none() {
    let (_scratch, root) = serve();
    let rows = [
        ("/", 200, Some("<p>root")),
        ("/?query", 200, Some("<p>root")),
        ("/index.html", 200, Some("<p>root")),
        ("/plain.txt?a/../b", 200, Some("plain")),
        ("http://other.example/plain.txt", 200, Some("plain")),
        ("/folder/", 200, Some("<p>folder")),
        ("/folder/page.html", 200, Some("<p>page")),
        ("/a%20b%2541.js", 200, Some("0")),
        ("/%252e%252e", 200, Some("odd")),
        ("/.well-known/x", 200, Some("known")),
        ("/link-inside", 200, Some("plain")),
        ("/link-folder/page.html", 200, Some("<p>page")),
        ("/folder", 301, None),
        ("/folder/empty", 404, None),
        ("/folder/empty/", 404, None),
        ("/plain.txt/", 404, None),
        ("/plain.txt/x", 404, None),
        ("/missing", 404, None),
        ("/.env", 404, None),
        ("/%2eenv", 404, None),
        ("/.git/config", 404, None),
        ("/../secret", 404, None),
        ("/%2e%2e/secret", 404, None),
        ("/..%2fsecret", 404, None),
        ("/folder/..%2f..%2fsecret", 404, None),
        ("/folder/%2e%2e/%2e%2e/secret", 404, None),
        ("/link-outside", 404, None),
        ("/link-absolute", 404, None),
        ("/link-up/secret", 404, None),
        ("/fifo", 404, None),
        ("/socket", 404, None),
        ("//folder", 404, None),
        ("//evil.example/..", 404, None),
        ("/\\evil.example", 404, None),
        ("/plain.txt%00", 404, None),
        ("/folder%5c..%5cplain.txt", 404, None),
        ("/%", 400, None),
        ("/%g0", 400, None),
    ];
    for (target, status, expected) in rows {
        let answer = root.answer(&request("GET", target, ""), SystemTime::now());
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(text(answer).as_deref(), expected, "{target}");
    }
    let long = format!("/{}", "x".repeat(8_000));
    assert_eq!(root.answer(&request("GET", &long, ""), SystemTime::now()).status, 404);
    assert_eq!(root.answer(&request("OPTIONS", "*", ""), SystemTime::now()).status, 405);
}

#[test]
fn methods() {
    let (_scratch, root) = serve();
    let head = root.answer(&request("HEAD", "/plain.txt", ""), SystemTime::now());
    assert_eq!((head.status, head.file.map(|(_, len)| len)), (200, Some(5)));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let answer = root.answer(&request(method, "/plain.txt", ""), SystemTime::now());
        assert_eq!(
            (answer.status, header(&answer, "allow").as_deref()),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
}

#[test]
fn redirects_keep_the_query_and_the_host() {
    let (_scratch, root) = serve();
    let rows = [
        ("/folder", "/folder/"),
        ("/folder?a=//b", "/folder/?a=//b"),
        ("/link-folder?", "/link-folder/?"),
        ("/%66older", "/%66older/"),
        ("http://evil.example/folder", "/folder/"),
    ];
    for (target, location) in rows {
        let answer = root.answer(&request("GET", target, ""), SystemTime::now());
        assert_eq!(
            (answer.status, header(&answer, "location").as_deref()),
            (301, Some(location)),
            "{target}"
        );
    }
}

#[test]
fn types() {
    let (_scratch, root) = serve();
    let rows = [
        ("/", "text/html; charset=utf-8"),
        ("/plain.txt", "text/plain; charset=utf-8"),
        ("/a%20b%2541.js", "text/javascript; charset=utf-8"),
        ("/data", "application/octet-stream"),
    ];
    for (target, expected) in rows {
        let answer = root.answer(&request("GET", target, ""), SystemTime::now());
        assert_eq!(header(&answer, "content-type").as_deref(), Some(expected), "{target}");
        assert_eq!(header(&answer, "x-content-type-options").as_deref(), Some("nosniff"), "{target}");
    }
}

#[test]
fn copies_that_are_still_good() {
    let (scratch, root) = serve();
    let now = SystemTime::now();
    let first = root.answer(&request("GET", "/plain.txt", ""), now);
    let (etag, date) = (header(&first, "etag").unwrap(), header(&first, "last-modified").unwrap());
    for line in [format!("If-None-Match: \"x\", {etag}\r\n"), format!("If-Modified-Since: {date}\r\n")] {
        let answer = root.answer(&request("GET", "/plain.txt", &line), now);
        assert_eq!(answer.status, 304, "{line}");
        assert_eq!(header(&answer, "etag").as_ref(), Some(&etag));
        assert!(answer.file.is_none() && header(&answer, "content-type").is_none());
    }
    fs::write(scratch.path("root/plain.txt"), "changed").unwrap();
    let line = format!("If-None-Match: {etag}\r\n");
    let answer = root.answer(&request("GET", "/plain.txt", &line), now);
    assert_eq!((answer.status, text(answer).as_deref()), (200, Some("changed")));
}

#[test]
fn a_file_from_the_future_is_as_old_as_the_answer() {
    let (_scratch, root) = serve();
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
    let answer = root.answer(&request("GET", "/plain.txt", ""), now);
    assert_eq!(header(&answer, "last-modified").as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[test]
fn roots_that_cannot_be_opened() {
    let scratch = Scratch::new("roots");
    for name in ["missing", "root/plain.txt", "root/fifo"] {
        assert!(StaticRoot::open(scratch.path(name).to_str().unwrap()).is_err(), "{name}");
    }
}
