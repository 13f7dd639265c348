//! Whatever comes in, nothing panics, and pieces give the same as the whole.

use crate::support::{ACCEPT, KEY_BYTES, read, rules, upgrade};
use http::HeaderValue;
use proptest::prelude::*;
use ws::proto::handshake::origin::{HostRule, OriginRule};
use ws::proto::handshake::{client, extensions, headers, server};
use ws::proto::head::{HeadLimits, RequestHead, ResponseHead};
use ws::proto::url::{Authority, Url};

const LIMITS: HeadLimits = HeadLimits { bytes: 400, headers: 12, target: 60 };

/// A good head with some bytes changed, put in or taken out.
fn damaged(head: String) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        Just(b"\r\n".to_vec()),
        Just(b"Host: b\r\n".to_vec()),
        Just(b"\r\nX: y\r\n".to_vec()),
        Just(b", ".to_vec()),
        Just(Vec::new()),
    ];
    let change = (any::<prop::sample::Index>(), 0usize..4, bytes);
    proptest::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut damaged = head.clone().into_bytes();
        for (at, removed, bytes) in changes {
            let at = at.index(damaged.len() + 1);
            damaged.splice(at..(at + removed).min(damaged.len()), bytes);
        }
        damaged
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn requests(bytes in damaged(upgrade(&[], "Origin: http://a\r\nSec-WebSocket-Protocol: a, b\r\n")), piece in 1usize..50) {
        let whole = read::<RequestHead>(LIMITS, [&bytes[..]]);
        prop_assert_eq!(&read(LIMITS, bytes.chunks(piece)), &whole);
        if let Ok(Some((used, head))) = whole {
            prop_assert!(used <= bytes.len());
            prop_assert!(head.target.starts_with('/') || head.target == "*");
            let rules = server::Rules { origins: OriginRule::SameHost, hosts: HostRule::Loopback, ..rules() };
            let _ = (server::is_upgrade(&head), server::check(&head, &rules));
            if let Ok(upgrade) = server::check(&head, &self::rules()) {
                let answer = server::switching(&upgrade, upgrade.offered.first().map(String::as_str), None, &[]);
                prop_assert!(read::<ResponseHead>(HeadLimits::default(), [&answer[..]]).is_ok_and(|head| head.is_some()));
            }
        }
    }

    #[test]
    fn responses(
        bytes in damaged(format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        )),
        piece in 1usize..50,
    ) {
        let whole = read::<ResponseHead>(LIMITS, [&bytes[..]]);
        prop_assert_eq!(&read(LIMITS, bytes.chunks(piece)), &whole);
        if let Ok(Some((_, head))) = whole {
            let _ = client::check(&head, KEY_BYTES, &["a".into()], None);
        }
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read::<RequestHead>(LIMITS, [&bytes[..]]);
        let _ = read::<ResponseHead>(LIMITS, [&bytes[..]]);
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let _ = extensions::parse([&value]);
        }
    }

    #[test]
    fn any_text(text in "\\PC{0,40}|[a-z0-9:/\\[\\]%.,;=\"\\\\ \r\n*?#@-]{0,40}|ws(\\+unix)?:(//)?[a-z0-9:/\\[\\]%.?]{0,30}") {
        if let Ok(url) = Url::parse(&text) {
            // What is taken makes a request that a server understands.
            let request = client::request(&url, KEY_BYTES, &[], None, None, &[]);
            let read = read::<RequestHead>(HeadLimits::default(), [&request[..]]);
            prop_assert_eq!(read.unwrap().unwrap().1.target, url.target);
        }
        let _ = Authority::parse(&text).map(|authority| authority.canonical_host());
        prop_assert!(headers::token_list(&text).all(|element| !element.is_empty() && !element.contains(',')));
        let _ = (client::parse_protocols(&text), HostRule::parse(Some(&text), true));
        for rule in [OriginRule::parse(Some(&text)), Ok(OriginRule::SameHost)].into_iter().flatten() {
            let _ = (rule.allows(&text, &text), rule.allows(&text, "a"), rule.allows("http://a", &text));
        }
        for (name, value) in headers::parse(&text).unwrap_or_default() {
            prop_assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{}", name);
        }
    }

    #[test]
    fn extension_lists(text in "([a-c]|;|=|,| |\"|\\\\){0,30}") {
        let value = HeaderValue::from_str(&text).unwrap();
        for offer in extensions::parse([&value]).unwrap_or_default() {
            prop_assert!(headers::is_token(&offer.name));
            prop_assert!(offer.params.iter().all(|(name, _)| headers::is_token(name)));
        }
    }
}
