//! The negotiation of permessage-deflate, from both sides: what a header says, what is answered, and what is accepted.
#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use ws::proto::deflate::params::{self, Agreed, Rules};
use ws::proto::handshake::extensions::{self, Offer};

/// The rules of one side from two bytes, within what the settings allow.
fn rules(bits: u8, takeover: u8) -> Rules {
    Rules {
        bits: 9 + (bits & 15) % 7,
        takeover: takeover & 1 != 0,
        peer_bits: 9 + (bits >> 4) % 7,
        peer_takeover: takeover & 2 != 0,
    }
}

fn parsed(value: &str) -> Option<Vec<Offer>> {
    extensions::parse([&HeaderValue::from_str(value).ok()?]).ok()
}

fn one(value: &str) -> Offer {
    let [offer] = parsed(value).expect("what we write is well formed").try_into().expect("one extension");
    offer
}

/// What the other side agreed on, seen from here.
fn turned(agreed: &Agreed) -> Agreed {
    Agreed {
        bits: agreed.peer_bits,
        takeover: agreed.peer_takeover,
        peer_bits: agreed.bits,
        peer_takeover: agreed.takeover,
    }
}

/// The server asks for no more than the offer allows, and its answer says what it agreed on.
fn check_answer(offers: &[Offer], server: &Rules) {
    let Some((agreed, chosen)) = params::answer(offers, server) else { return };
    assert!((8..=15).contains(&agreed.bits) && agreed.bits <= server.bits);
    assert!(server.takeover || !agreed.takeover);
    assert!(server.peer_takeover || !agreed.peer_takeover);
    // A client that allows everything reads the same from it.
    let any = Rules { bits: 15, takeover: true, peer_bits: 15, peer_takeover: true };
    let seen = params::agree(&one(&chosen), &any).expect("an answer is well formed");
    assert_eq!(seen, turned(&agreed), "{chosen}");
    // And the offer that was taken allows it: its words, one by one.
    let says = |offer: &Offer, name: &str| {
        offer.params.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone())
    };
    let allowed = offers.iter().filter(|offer| offer.name == "permessage-deflate").any(|offer| {
        let bits = |name| says(offer, name).flatten().and_then(|bits| bits.parse::<u8>().ok());
        (says(offer, "server_no_context_takeover").is_none() || !agreed.takeover)
            && (says(offer, "client_no_context_takeover").is_none() || !agreed.peer_takeover)
            && agreed.bits <= bits("server_max_window_bits").unwrap_or(15)
            && match says(offer, "client_max_window_bits") {
                None => agreed.peer_bits == 15 && !chosen.contains("client_max_window_bits"),
                Some(_) => agreed.peer_bits <= bits("client_max_window_bits").unwrap_or(15),
            }
    });
    assert!(allowed, "{chosen} for {offers:?}");
}

/// Our client with our server: they always agree, and mean the same.
fn check_both(client: &Rules, server: &Rules) {
    let (agreed, chosen) =
        params::answer(&[one(&params::offer(client))], server).expect("our own offer is good");
    let seen = params::agree(&one(&chosen), client).expect("our own answer is acceptable");
    assert_eq!(seen, turned(&agreed));
    assert!(seen.bits <= client.bits && seen.peer_bits <= client.peer_bits);
    assert!((client.takeover || !seen.takeover) && (client.peer_takeover || !seen.peer_takeover));
}

fuzz_target!(|input: &[u8]| {
    let Some((&[client_bits, server_bits, takeover], text)) = input.split_first_chunk::<3>() else { return };
    let (client, server) = (rules(client_bits, takeover), rules(server_bits, takeover >> 2));
    check_both(&client, &server);
    let Some(offers) = std::str::from_utf8(text).ok().and_then(parsed) else { return };
    check_answer(&offers, &server);
    if let [chosen] = &offers[..] {
        if let Ok(agreed) = params::agree(chosen, &client) {
            assert!(agreed.bits <= client.bits && agreed.peer_bits <= client.peer_bits);
            assert!((client.takeover || !agreed.takeover) && (client.peer_takeover || !agreed.peer_takeover));
        }
    }
});
