//! The server's side of the opening handshake (RFC 6455 section 4.2).

use std::collections::BTreeSet;

use http::header::{
    CONNECTION, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderName, HeaderValue, Method};
use tungstenite::handshake::derive_accept_key;

use super::extensions::{self, Offer};
use super::headers::{has_token, is_token, only, put_headers, put_line, token_list};
use super::origin::{HostRule, OriginRule};
use crate::proto::head::{Refusal, RequestHead, content_length, is_chunked};

/// Which requests a listener upgrades.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The only path that upgrades, without a query. None: any.
    pub path: Option<String>,
    /// The subprotocols spoken, best first.
    pub protocols: Vec<String>,
    /// From where browsers may connect.
    pub origins: OriginRule,
    /// Under which names the server answers.
    pub hosts: HostRule,
}

/// A request to upgrade that the rules let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The value of Sec-WebSocket-Accept.
    pub accept: String,
    /// The subprotocols that the client offers, best first.
    pub offered: Vec<String>,
    /// The first of the rules' subprotocols that is offered.
    pub protocol: Option<String>,
    /// The extensions that the client offers, best first.
    pub extensions: Vec<Offer>,
}

/// Whether a request asks for a WebSocket; if it does, [`check`] tells whether it asks well.
pub fn is_upgrade(head: &RequestHead) -> bool {
    has_token(&head.headers, UPGRADE, "websocket")
}

/// Whether a request, plain or not, comes under a name of this server.
///
/// # Errors
/// 403 with a sentence that names the option.
pub fn check_host(head: &RequestHead, rules: &Rules) -> Result<(), Refusal> {
    require(
        rules.hosts.allows(head.host()),
        403,
        "the Host is not allowed here; see the listener's option `hosts`",
    )
}

/// Checks a request that asks for a WebSocket against RFC 6455 section 4.2.1 and the listener's rules.
///
/// # Errors
/// The status to answer with: 400, 403 (Host, Origin), 404 (path), 405 (method), 426 (version).
pub fn check(head: &RequestHead, rules: &Rules) -> Result<Upgrade, Refusal> {
    check_host(head, rules)?;
    require(head.method == Method::GET, 405, "a WebSocket is opened with GET")?;
    require(head.http11, 400, "a WebSocket needs HTTP/1.1, this is HTTP/1.0")?;
    let has_body = is_chunked(&head.headers) || content_length(&head.headers)?.is_some_and(|len| len > 0);
    require(!has_body, 400, "a request that opens a WebSocket has no body")?;
    require(has_token(&head.headers, CONNECTION, "upgrade"), 400, "Connection does not say upgrade")?;
    let version = only(&head.headers, SEC_WEBSOCKET_VERSION);
    require(version == Some("13"), 426, "the version of the WebSocket protocol is 13")?;
    let key = only(&head.headers, SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key = key.ok_or(Refusal::bad("Sec-WebSocket-Key is not one base64 of 16 bytes"))?;
    let path_fits = rules.path.as_deref().is_none_or(|path| path == head.path());
    require(path_fits, 404, "there is no WebSocket at this path")?;
    check_origin(head, &rules.origins)?;
    let extensions = extensions::parse(head.headers.get_all(SEC_WEBSOCKET_EXTENSIONS))?;
    let offered = offered_protocols(head)?;
    let protocol = rules.protocols.iter().find(|name| offered.contains(name)).cloned();
    Ok(Upgrade { accept: derive_accept_key(key.as_bytes()), offered, protocol, extensions })
}

fn require(holds: bool, status: u16, what: &'static str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal { status, what }) }
}

/// 16 bytes in base64. The last four bits are not looked at: RFC 6455 itself has an example where they are not zero.
fn is_key(key: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix("==").is_some_and(|digits| digits.len() == 22 && digits.bytes().all(base64))
}

fn check_origin(head: &RequestHead, rule: &OriginRule) -> Result<(), Refusal> {
    if !head.headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let allowed = only(&head.headers, ORIGIN).is_some_and(|origin| rule.allows(origin, head.host()));
    require(allowed, 403, "the Origin is not allowed here; see the listener's option `origins`")
}

fn offered_protocols(head: &RequestHead) -> Result<Vec<String>, Refusal> {
    const MALFORMED: Refusal = Refusal::bad("Sec-WebSocket-Protocol is not a list of different tokens");
    let mut offered = Vec::new();
    let mut seen = BTreeSet::new();
    for value in head.headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let before = offered.len();
        for name in token_list(value.to_str().map_err(|_| MALFORMED)?) {
            if !is_token(name) || !seen.insert(name) {
                return Err(MALFORMED);
            }
            offered.push(name.to_owned());
        }
        if offered.len() == before {
            return Err(MALFORMED);
        }
    }
    Ok(offered)
}

/// The 101 response. `protocol` must be one of those offered, `extension` an answer to what is offered, `headers` what
/// [`headers::parse`](super::headers::parse) let pass.
pub fn switching(
    upgrade: &Upgrade,
    protocol: Option<&str>,
    extension: Option<&str>,
    headers: &[(HeaderName, HeaderValue)],
) -> Vec<u8> {
    let mut response = Vec::with_capacity(256);
    response.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    put_line(&mut response, "Sec-WebSocket-Accept", upgrade.accept.as_bytes());
    if let Some(protocol) = protocol {
        put_line(&mut response, "Sec-WebSocket-Protocol", protocol.as_bytes());
    }
    if let Some(extension) = extension {
        put_line(&mut response, "Sec-WebSocket-Extensions", extension.as_bytes());
    }
    put_headers(&mut response, headers);
    response.extend_from_slice(b"\r\n");
    response
}
