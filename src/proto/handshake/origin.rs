//! From where a browser may connect (Origin, RFC 6455 section 10.2), and under which names (Host).
//!
//! The first keeps foreign pages from using a visitor's cookies; the second keeps them from reaching a server on the
//! visitor's own machine by a name that they let point there (DNS rebinding).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::headers::token_list;
use crate::proto::url::Authority;

/// An origin that a list names (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    /// The scheme's default is filled in; None: the scheme has none.
    port: Option<u16>,
}

impl Origin {
    /// Parses `scheme://host[:port]`; nothing may follow.
    fn parse(text: &str) -> Option<Origin> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = Authority::parse(rest)?;
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(letters) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let port = authority.port.or(default_port(&scheme));
        Some(Origin { scheme, host: authority.canonical_host().into_owned(), port })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Which origins may connect. A request without Origin does not come from a browser, and is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginRule {
    /// Host and port are those of Host. The scheme is not compared, since a proxy in front may speak TLS.
    SameHost,
    /// Every origin, `null` too.
    Any,
    /// These. None stands for `null`.
    List(Vec<Option<Origin>>),
}

impl OriginRule {
    /// Parses the option: `https://a.example, null`, or with `*` any; None is [`OriginRule::SameHost`].
    ///
    /// # Errors
    /// A sentence that names the entry that is no origin.
    pub fn parse(list: Option<&str>) -> Result<OriginRule, String> {
        let Some(list) = list else { return Ok(OriginRule::SameHost) };
        let mut origins = Vec::new();
        let mut any = false;
        for entry in token_list(list) {
            match entry {
                "*" => any = true,
                "null" => origins.push(None),
                _ => origins.push(Some(Origin::parse(entry).ok_or_else(|| {
                    format!(
                        "origins: {entry:?} is not an origin as https://chat.example, with a port if need be"
                    )
                })?)),
            }
        }
        match (any, origins.is_empty()) {
            (true, _) => Ok(OriginRule::Any),
            (false, true) => Err("origins: the list is empty".into()),
            (false, false) => Ok(OriginRule::List(origins)),
        }
    }

    /// Whether a request with this Origin and Host may upgrade.
    pub fn allows(&self, origin: &str, host: &str) -> bool {
        let parsed = Origin::parse(origin);
        match self {
            OriginRule::Any => true,
            OriginRule::List(list) if origin == "null" => list.contains(&None),
            OriginRule::List(list) => parsed.is_some() && list.contains(&parsed),
            OriginRule::SameHost => {
                let (Some(origin), Some(host)) = (parsed, Authority::parse(host)) else { return false };
                // Host does not tell its scheme: a port left out is the one of the page.
                let port = host.port.or(default_port(&origin.scheme));
                origin.port.is_some() && origin.port == port && origin.host == host.canonical_host()
            }
        }
    }
}

/// Under which names a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// Every name.
    Any,
    /// Names and addresses of the machine itself.
    Loopback,
    /// The given names, with any port where they have none, and those of the machine itself if `loopback`.
    List {
        /// Host and port in canonical form.
        names: Vec<(String, Option<u16>)>,
        /// The listener is bound to a loopback address.
        loopback: bool,
    },
}

impl HostRule {
    /// Parses the option: `chat.example, 192.0.2.1:8080`, or with `*` any; None is [`HostRule::Loopback`] for a loopback
    /// listener and [`HostRule::Any`] for others.
    ///
    /// # Errors
    /// A sentence that names the entry that is no host.
    pub fn parse(list: Option<&str>, loopback_listener: bool) -> Result<HostRule, String> {
        let Some(list) = list else {
            return Ok(if loopback_listener { HostRule::Loopback } else { HostRule::Any });
        };
        let mut names = Vec::new();
        let mut any = false;
        for entry in token_list(list) {
            if entry == "*" {
                any = true;
                continue;
            }
            let host = Authority::parse(entry).ok_or_else(|| {
                format!("hosts: {entry:?} is not a host as chat.example, with a port if need be")
            })?;
            names.push((host.canonical_host().into_owned(), host.port));
        }
        match (any, names.is_empty()) {
            (true, _) => Ok(HostRule::Any),
            (false, true) => Err("hosts: the list is empty".into()),
            (false, false) => Ok(HostRule::List { names, loopback: loopback_listener }),
        }
    }

    /// Whether a request with this Host is served.
    pub fn allows(&self, host: &str) -> bool {
        let (names, loopback) = match self {
            HostRule::Any => return true,
            HostRule::Loopback => (&[][..], true),
            HostRule::List { names, loopback } => (&names[..], *loopback),
        };
        let Some(authority) = Authority::parse(host) else { return false };
        let host = authority.canonical_host();
        let listed = |(name, port): &(String, Option<u16>)| {
            *name == host && (port.is_none() || *port == authority.port)
        };
        (loopback && is_loopback(&host)) || names.iter().any(listed)
    }
}

/// RFC 6761 section 6.3 for the names.
fn is_loopback(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || literal
            .and_then(|literal| literal.parse::<Ipv6Addr>().ok())
            .is_some_and(|address| address.to_canonical().is_loopback())
}
