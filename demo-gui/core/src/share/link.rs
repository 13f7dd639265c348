//! Links: `http://HOST:PORT/#<note>.<token>` for people, `ws://…` for any y-websocket server.

use std::net::SocketAddr;

use super::{AUTH_PREFIX, SUBPROTOCOL, Tokens, is_note_name};
use crate::link::{NoteId, ShareCard};

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What to dial.
    pub url: String,
    /// The subprotocols to offer, with the token in them; None for servers that know nothing of ours.
    pub protocols: Option<String>,
    /// The name of the note at the host, if the link is one of ours.
    pub note: Option<NoteId>,
}

/// Reads a link.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse(link: &str) -> Result<Target, String> {
    let link = link.trim();
    let (scheme, rest) = link.split_once("://").ok_or("a link begins with http:// or ws://".to_owned())?;
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("a link has no blanks".into());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "http" => ours(rest),
        "ws" => any(rest),
        "https" | "wss" => Err("encrypted links (https, wss) are not supported yet".into()),
        other => Err(format!("a link begins with http:// or ws://, not {other}://")),
    }
}

fn ours(rest: &str) -> Result<Target, String> {
    let (place, fragment) =
        rest.split_once('#').ok_or("the link ends before its # part, which opens the note".to_owned())?;
    let host = place.strip_suffix('/').unwrap_or(place);
    check_host(host)?;
    let (note, token) =
        fragment.split_once('.').ok_or("the part after # is not <note>.<token>".to_owned())?;
    if !is_note_name(note) {
        return Err(format!("{note:?} is not the name of a note"));
    }
    if !is_note_name(token) {
        return Err("the token after the dot is cut or damaged".into());
    }
    Ok(Target {
        url: format!("ws://{host}/ws/{note}"),
        protocols: Some(format!("{SUBPROTOCOL}, {AUTH_PREFIX}{token}")),
        note: Some(NoteId(note.to_owned())),
    })
}

fn any(rest: &str) -> Result<Target, String> {
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    check_host(&rest[..end])?;
    Ok(Target { url: format!("ws://{rest}"), protocols: None, note: None })
}

fn check_host(host: &str) -> Result<(), String> {
    match host {
        "" => Err("the link names no host".into()),
        host if host.contains(['/', '?', '@']) => Err(format!("{host:?} is not a host")),
        _ => Ok(()),
    }
}

/// The links of a shared note. `host` is how others reach this computer.
pub fn card(note: &NoteId, tokens: &Tokens, host: &str, address: SocketAddr) -> ShareCard {
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let link = |token: &str| format!("http://{host}:{}/#{note}.{token}", address.port());
    ShareCard { edit: link(&tokens.edit), read: link(&tokens.read), address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_leads_back_to_its_note() {
        let tokens = Tokens::new();
        let note = NoteId("abc".into());
        for (host, shown) in [("192.0.2.7", "192.0.2.7"), ("fe80::1", "[fe80::1]"), ("[::1]", "[::1]")] {
            let card = card(&note, &tokens, host, "0.0.0.0:8765".parse().unwrap());
            let target = parse(&card.edit).unwrap();
            assert_eq!(target.url, format!("ws://{shown}:8765/ws/abc"));
            assert_eq!(target.protocols, Some(format!("libws-notes.v1, auth.{}", tokens.edit)));
            assert_eq!(target.note, Some(note.clone()));
            assert!(parse(&card.read).unwrap().protocols.unwrap().ends_with(&tokens.read));
        }
    }

    #[test]
    fn a_server_of_another_kind_is_dialled_as_it_is() {
        let target = parse(" ws://example.org:1234/my-room?token=x&y=1#frag ").unwrap();
        assert_eq!(target.url, "ws://example.org:1234/my-room?token=x&y=1");
        assert_eq!((target.protocols, target.note), (None, None));
        assert_eq!(parse("ws://h?token=1").unwrap().url, "ws://h?token=1");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (link, said) in [
            ("", "begins with"),
            ("example.org/#a.b", "begins with"),
            ("ftp://h/#a.b", "not ftp"),
            ("https://h/#a.b", "not supported yet"),
            ("http://h/", "# part"),
            ("http:///#a.b", "no host"),
            ("http://h/#ab", "<note>.<token>"),
            ("http://h/#../x.b", "name of a note"),
            ("http://h/#a.b/c", "token after the dot"),
            ("http://h/#a b.c", "no blanks"),
            ("http://h/#.c", "name of a note"),
            ("http://u@h/#a.c", "not a host"),
            ("http://h/x/#a.c", "not a host"),
            ("ws:///room", "no host"),
        ] {
            let error = parse(link).unwrap_err();
            assert!(error.contains(said), "{link:?}: {error:?}");
        }
    }
}
