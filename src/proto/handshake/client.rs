//! The client's side of the opening handshake (RFC 6455 section 4.1).

use data_encoding::BASE64;
use http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderName, HeaderValue};
use tungstenite::handshake::derive_accept_key;

use super::extensions::{self, Offer};
use super::headers::{has_token, is_token, only, put_headers, put_line};
use crate::proto::deflate::params::{self, Agreed, Rules};
use crate::proto::head::ResponseHead;
use crate::proto::url::Url;

/// Why a server's answer opens no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It answered with this HTTP status instead of 101.
    Status(u16),
    /// It broke the handshake; the sentence says how.
    Broken(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Status(status) => write!(out, "HTTP {status}"),
            Refused::Broken(what) => out.write_str(what),
        }
    }
}

impl std::error::Error for Refused {}

/// What client and server agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
    /// What was agreed about permessage-deflate, if the server accepted it.
    pub deflate: Option<Agreed>,
}

/// The request that opens a connection. `key` is 16 bytes of the operating system's random source, new for each
/// request; `protocols` come from [`parse_protocols`], `headers` from [`headers::parse`](super::headers::parse), and
/// `origin` must be a valid header value. `deflate`: permessage-deflate is offered by these rules.
pub fn request(
    url: &Url,
    key: [u8; 16],
    protocols: &[String],
    deflate: Option<&Rules>,
    origin: Option<&str>,
    headers: &[(HeaderName, HeaderValue)],
) -> Vec<u8> {
    let mut request = format!("GET {} HTTP/1.1\r\n", url.target).into_bytes();
    put_line(&mut request, "Host", url.authority.as_bytes());
    put_line(&mut request, "Upgrade", b"websocket");
    put_line(&mut request, "Connection", b"Upgrade");
    put_line(&mut request, "Sec-WebSocket-Key", BASE64.encode(&key).as_bytes());
    put_line(&mut request, "Sec-WebSocket-Version", b"13");
    if !protocols.is_empty() {
        put_line(&mut request, "Sec-WebSocket-Protocol", protocols.join(", ").as_bytes());
    }
    if let Some(rules) = deflate {
        put_line(&mut request, "Sec-WebSocket-Extensions", params::offer(rules).as_bytes());
    }
    if let Some(origin) = origin {
        put_line(&mut request, "Origin", origin.as_bytes());
    }
    put_headers(&mut request, headers);
    request.extend_from_slice(b"\r\n");
    request
}

/// Whether a response announces another one, which is the answer (RFC 9110 section 15.2).
pub fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// Checks the server's answer to [`request`] with the same `protocols` and `deflate`.
///
/// # Errors
/// [`Refused`], after which the connection must be ended.
pub fn check(
    head: &ResponseHead,
    key: [u8; 16],
    protocols: &[String],
    deflate: Option<&Rules>,
) -> Result<Answer, Refused> {
    if head.status != 101 {
        return Err(Refused::Status(head.status));
    }
    require(head.http11, "the server speaks HTTP/1.0")?;
    let upgrade = only(&head.headers, http::header::UPGRADE);
    require(upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")), "no `Upgrade: websocket`")?;
    require(has_token(&head.headers, http::header::CONNECTION, "upgrade"), "no `Connection: Upgrade`")?;
    let accept = derive_accept_key(BASE64.encode(&key).as_bytes());
    let given = only(&head.headers, http::header::SEC_WEBSOCKET_ACCEPT);
    require(given == Some(accept.as_str()), "wrong Sec-WebSocket-Accept")?;
    let extensions = extensions::parse(head.headers.get_all(SEC_WEBSOCKET_EXTENSIONS))
        .map_err(|refusal| Refused::Broken(refusal.what.into()))?;
    let deflate = chosen_extension(&extensions, deflate).map_err(broken)?;
    Ok(Answer { protocol: chosen_protocol(head, protocols)?, deflate })
}

fn chosen_extension(chosen: &[Offer], deflate: Option<&Rules>) -> Result<Option<Agreed>, String> {
    match (chosen, deflate) {
        ([], _) => Ok(None),
        ([extension], Some(rules)) => params::agree(extension, rules).map(Some),
        ([extension], None) => {
            Err(format!("the server chose the extension {:?}, which was not offered", extension.name))
        }
        _ => Err("the server chose more than one extension".into()),
    }
}

fn chosen_protocol(head: &ResponseHead, offered: &[String]) -> Result<Option<String>, Refused> {
    if !head.headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return Ok(None);
    }
    let chosen = only(&head.headers, SEC_WEBSOCKET_PROTOCOL)
        .ok_or_else(|| broken("the server chose more than one subprotocol".into()))?;
    // Compared as they are: subprotocols are case-sensitive, and a list of two equals none of them.
    if offered.iter().any(|name| name == chosen) {
        return Ok(Some(chosen.to_owned()));
    }
    Err(broken(format!("the server chose the subprotocol {chosen:?}, which was not offered")))
}

fn require(holds: bool, what: &str) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(broken(what.into())) }
}

fn broken(what: String) -> Refused {
    Refused::Broken(what)
}

/// Parses the application's list of subprotocols, best first: `chat.v2, chat.v1`. An empty list is none.
///
/// # Errors
/// A sentence that names an entry which is no token or stands twice.
pub fn parse_protocols(list: &str) -> Result<Vec<String>, String> {
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut protocols: Vec<String> = Vec::new();
    for name in list.split(',').map(|name| name.trim_matches([' ', '\t'])) {
        if !is_token(name) {
            return Err(format!("protocols: {name:?} is not a token"));
        }
        if protocols.iter().any(|other| other == name) {
            return Err(format!("protocols: {name:?} stands twice"));
        }
        protocols.push(name.to_owned());
    }
    Ok(protocols)
}
