//! URLs.

use ws::proto::url::{Authority, Endpoint, Url};

#[test]
fn tcp() {
    let rows = [
        ("ws://a.example", "a.example", 80, "/", "a.example"),
        ("WS://A.example:80/", "A.example", 80, "/", "A.example"),
        ("ws://a:9001/x?y=1", "a", 9001, "/x?y=1", "a:9001"),
        ("ws://a?y", "a", 80, "/?y", "a"),
        ("ws://a:1?", "a", 1, "/?", "a:1"),
        ("ws://127.0.0.1:0//x", "127.0.0.1", 0, "//x", "127.0.0.1:0"),
        ("ws://[::]:0", "::", 0, "/", "[::]:0"),
        ("ws://[::1]", "::1", 80, "/", "[::1]"),
        ("ws://[fe80::1%25eth0]:81/", "fe80::1%eth0", 81, "/", "[fe80::1]:81"),
        ("ws://[fe80::1%eth0.2]", "fe80::1%eth0.2", 80, "/", "[fe80::1]"),
        ("ws://a_b-c~.d:65535/%20@:", "a_b-c~.d", 65535, "/%20@:", "a_b-c~.d:65535"),
    ];
    for (url, host, port, target, authority) in rows {
        let endpoint = Endpoint::Tcp { host: host.into(), port };
        let expected = Url { endpoint, target: target.into(), authority: authority.into() };
        assert_eq!(Url::parse(url), Ok(expected), "{url}");
    }
}

#[test]
fn unix() {
    let rows = [
        ("ws+unix:/run/a.sock", "/run/a.sock", "/"),
        ("ws+unix:///run/a.sock", "/run/a.sock", "/"),
        ("WS+UNIX:/a:", "/a", "/"),
        ("ws+unix:/run/a.sock:/x?y=:/", "/run/a.sock", "/x?y=:/"),
        ("ws+unix:///run/a%20b:/", "/run/a%20b", "/"),
    ];
    for (url, path, target) in rows {
        let endpoint = Endpoint::Unix(path.into());
        let expected = Url { endpoint, target: target.into(), authority: "localhost".into() };
        assert_eq!(Url::parse(url), Ok(expected), "{url}");
    }
}

#[test]
fn refused() {
    let rows = [
        ("", "begins with ws:"),
        ("a.example", "begins with ws:"),
        ("wss://a", "wss: not supported by this version (no TLS)"),
        ("WSS://a", "no TLS"),
        ("http://a", "http: the scheme"),
        ("wsx://a", "wsx: the scheme"),
        ("://a", "the scheme"),
        ("ws:a", "// is missing"),
        ("ws:/a", "// is missing"),
        ("ws://", "host is empty"),
        ("ws:///x", "host is empty"),
        ("ws://:80", "host is empty"),
        ("ws://a#", "fragment"),
        ("ws://a/x#y", "fragment"),
        ("ws+unix:/a#b", "fragment"),
        ("ws://u:p@a", "credentials"),
        ("ws://u@a", "credentials"),
        ("ws://a:", "port is malformed"),
        ("ws://a:x", "port is malformed"),
        ("ws://a:-1", "port is malformed"),
        ("ws://a:+1", "port is malformed"),
        ("ws://a:65536", "port is malformed"),
        ("ws://a:80:80", "port is malformed"),
        ("ws://::1", "port is malformed"),
        ("ws://[::1", "malformed"),
        ("ws://[::1]x", "malformed"),
        ("ws://[]", "not an IPv6"),
        ("ws://[a]", "not an IPv6"),
        ("ws://[127.0.0.1]", "not an IPv6"),
        ("ws://[fe80::1%]", "not an IPv6"),
        ("ws://[fe80::1%25]", "not an IPv6"),
        ("ws://[fe80::1%a%b]", "not an IPv6"),
        ("ws://a,b", "host is malformed"),
        ("ws://a%41", "host is malformed"),
        ("ws://a b", "' '"),
        ("ws://a/ b", "' '"),
        (" ws://a", "' '"),
        ("ws://a/\r\nX: y", "'\\r'"),
        ("ws://a/\0", "'\\0'"),
        ("ws://小明.example", "'小'"),
        ("ws://a/é", "'é'"),
        ("ws+unix:", "absolute path"),
        ("ws+unix://", "absolute path"),
        ("ws+unix:a.sock", "absolute path"),
        ("ws+unix:/", "absolute path"),
        ("ws+unix:/run/", "absolute path"),
        ("ws+unix::/x", "absolute path"),
        ("ws+unix:/a?b", "a query needs a path"),
        ("ws+unix:/a:b", "begins with a slash"),
    ];
    for (url, sentence) in rows {
        let error = Url::parse(url).unwrap_err();
        assert!(error.contains(sentence), "{url:?}: {error}");
    }
}

#[test]
fn hosts_compare_in_canonical_form() {
    let rows = [("A.Example:1", "a.example"), ("[0:0::1]", "[::1]"), ("[2001:DB8::1]:2", "[2001:db8::1]")];
    for (text, canonical) in rows {
        assert_eq!(Authority::parse(text).unwrap().canonical_host(), canonical);
    }
}
