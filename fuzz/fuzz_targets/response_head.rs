//! The head of a server's answer to our client.
#![no_main]

mod heads;

use libfuzzer_sys::fuzz_target;
use ws::proto::handshake::client;
use ws::proto::head::ResponseHead;

fuzz_target!(|input: &[u8]| {
    let describe = |head: &ResponseHead| format!("{} {:?}", head.status, head.headers);
    if let Some(head) = heads::check::<ResponseHead>(input, describe) {
        // The key of RFC 6455 section 1.3, whose accept value the corpus knows.
        let accepted = client::check(&head, *b"the sample nonce", &["chat".into()], None);
        assert!(accepted.is_err() || head.status == 101);
    }
});
