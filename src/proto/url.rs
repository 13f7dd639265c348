//! WebSocket URLs (RFC 6455 section 3), and those of Unix sockets; the host and port of a URL or a header.

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use http::uri::PathAndQuery;

/// The port of `ws` and `http`.
const DEFAULT_PORT: u16 = 80;

/// Where to connect to, or to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// TCP.
    Tcp {
        /// A name or an address; an IPv6 address without brackets, with its zone: `fe80::1%eth0`.
        host: String,
        /// The port; 0 lets a listener take any.
        port: u16,
    },
    /// A Unix socket at an absolute path.
    Unix(PathBuf),
}

/// A parsed URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The other end.
    pub endpoint: Endpoint,
    /// `/path?query`.
    pub target: String,
    /// For the Host header: the default port is left out, and so is a zone, which means nothing elsewhere (RFC 6874
    /// section 4); `localhost` for a Unix socket.
    pub authority: String,
}

impl Url {
    /// Parses `ws://host[:port][/path][?query]` or `ws+unix:/run/a.sock[:/path[?query]]`.
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn parse(url: &str) -> Result<Url, String> {
        if let Some(bad) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(format!("a URL cannot contain the character {bad:?}"));
        }
        if url.contains('#') {
            return Err("a WebSocket URL has no fragment (#...)".into());
        }
        let (scheme, rest) = url.split_once(':').ok_or("a URL begins with ws: or ws+unix:")?;
        match scheme.to_ascii_lowercase().as_str() {
            "ws" => tcp(rest),
            "ws+unix" => unix(rest),
            "wss" => Err("wss: not supported by this version (no TLS)".into()),
            _ => Err(format!("{scheme}: the scheme must be ws or ws+unix")),
        }
    }
}

fn tcp(rest: &str) -> Result<Url, String> {
    let rest = rest.strip_prefix("//").ok_or("// is missing after ws:")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("credentials in a URL are not sent: use headers (Authorization)".into());
    }
    let (host, port) = split_port(authority).ok_or_else(|| format!("{authority}: the host is malformed"))?;
    let port = match port {
        None => DEFAULT_PORT,
        Some(digits) => parse_port(digits).ok_or_else(|| format!("{digits:?}: the port is malformed"))?,
    };
    let (host, shown) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(literal) => ipv6(literal).ok_or_else(|| format!("[{literal}]: not an IPv6 address"))?,
        None if host.is_empty() => return Err("the host is empty".into()),
        None if !is_name(host) => return Err(format!("{host}: the host is malformed")),
        None => (host.to_owned(), host.to_owned()),
    };
    let authority = if port == DEFAULT_PORT { shown } else { format!("{shown}:{port}") };
    Ok(Url { endpoint: Endpoint::Tcp { host, port }, target: target(path)?, authority })
}

/// The address with its zone, for the resolver, and without it in brackets, for Host.
fn ipv6(literal: &str) -> Option<(String, String)> {
    let (address, zone) = match literal.split_once('%') {
        Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (literal, None),
    };
    address.parse::<Ipv6Addr>().ok()?;
    let host = match zone {
        Some(zone) if is_name(zone) => format!("{address}%{zone}"),
        Some(_) => return None,
        None => address.to_owned(),
    };
    Some((host, format!("[{address}]")))
}

fn unix(rest: &str) -> Result<Url, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (file, path) = path.split_once(':').map_or((path, ""), |(file, path)| (file, path));
    if !file.starts_with('/') || file.ends_with('/') {
        return Err(format!("{file:?}: a Unix socket needs an absolute path to a file"));
    }
    if file.contains('?') {
        return Err("a query needs a path: ws+unix:/run/a.sock:/path?query".into());
    }
    if !path.is_empty() && !path.starts_with('/') {
        return Err(format!("{path:?}: the path behind the socket's begins with a slash"));
    }
    let target = target(path)?;
    Ok(Url { endpoint: Endpoint::Unix(file.into()), target, authority: "localhost".into() })
}

fn target(path: &str) -> Result<String, String> {
    let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    match PathAndQuery::try_from(target.as_str()) {
        Ok(_) => Ok(target),
        Err(_) => Err(format!("{target}: the path is malformed")),
    }
}

/// Host and port as they stand in a URL, in Host and in Origin (RFC 3986 section 3.2, without user information).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// A name or an address; an IPv6 address keeps its brackets.
    pub host: &'a str,
    /// The port, where one is given.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Parses `host[:port]`. None: malformed. Stricter than the RFC in that a name has letters, digits, `-`, `.`, `_`
    /// and `~` only, and that a colon is followed by a port.
    pub fn parse(text: &'a str) -> Option<Authority<'a>> {
        let (host, port) = split_port(text)?;
        match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(literal) => _ = literal.parse::<Ipv6Addr>().ok()?,
            None if host.is_empty() || !is_name(host) => return None,
            None => {}
        }
        let port = match port {
            Some(digits) => Some(parse_port(digits)?),
            None => None,
        };
        Some(Authority { host, port })
    }

    /// The host in the one way of writing that can be compared: lower case, IPv6 in its shortest form.
    pub fn canonical_host(&self) -> Cow<'a, str> {
        let literal = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match literal.and_then(|literal| literal.parse::<Ipv6Addr>().ok()) {
            Some(address) => format!("[{address}]").into(),
            None if self.host.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.host.to_ascii_lowercase().into()
            }
            None => self.host.into(),
        }
    }
}

/// Splits at the colon before the port; those inside brackets do not count.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    let end = match text.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    match text.split_at_checked(end)? {
        (host, "") => Some((host, None)),
        (host, port) => Some((host, Some(port.strip_prefix(':')?))),
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    // `u16::from_str` takes a plus sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}
