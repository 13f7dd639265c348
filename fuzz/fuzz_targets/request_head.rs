//! A request head, and the decision on the upgrade that it asks for.
#![no_main]

mod heads;

use libfuzzer_sys::fuzz_target;
use ws::proto::handshake::origin::{HostRule, OriginRule};
use ws::proto::handshake::server::{self, Rules};
use ws::proto::head::RequestHead;

fuzz_target!(|input: &[u8]| {
    let describe = |head: &RequestHead| format!("{} {} {:?}", head.method, head.target, head.headers);
    let Some(head) = heads::check::<RequestHead>(input, describe) else { return };
    let rules = Rules {
        path: None,
        protocols: vec!["chat".into()],
        origins: OriginRule::SameHost,
        hosts: HostRule::parse(None, true).unwrap(),
    };
    if server::is_upgrade(&head) {
        if let Ok(upgrade) = server::check(&head, &rules) {
            let answer = server::switching(&upgrade, upgrade.protocol.as_deref(), None, &[]);
            assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n"));
        }
    }
});
