//! The negotiation, row by row (RFC 7692 section 7.1).

use http::HeaderValue;
use ws::proto::deflate::Rules;
use ws::proto::deflate::params::{agree, answer, offer};
use ws::proto::handshake::extensions::{self, Offer};

const ALL: Rules = Rules { bits: 15, takeover: true, peer_bits: 15, peer_takeover: true };
const NONE: Rules = Rules { bits: 15, takeover: false, peer_bits: 15, peer_takeover: false };

fn offers(value: &str) -> Vec<Offer> {
    extensions::parse([&HeaderValue::from_str(value).unwrap()]).unwrap()
}

fn answered(value: &str, rules: &Rules) -> Option<String> {
    answer(&offers(value), rules)
        .map(|(_, value)| value.strip_prefix("permessage-deflate").unwrap().to_owned())
}

#[test]
fn what_a_server_answers() {
    let small = Rules { bits: 10, peer_bits: 11, ..ALL };
    #[rustfmt::skip]
    let rows: &[(&str, &Rules, Option<&str>)] = &[
        ("permessage-deflate", &ALL, Some("")),
        ("permessage-deflate", &NONE, Some("; server_no_context_takeover; client_no_context_takeover")),
        ("permessage-deflate; client_max_window_bits", &ALL, Some("")),
        ("permessage-deflate; client_max_window_bits=12", &ALL, Some("; client_max_window_bits=12")),
        ("permessage-deflate; client_max_window_bits=15", &ALL, Some("; client_max_window_bits=15")),
        ("permessage-deflate; server_max_window_bits=15", &ALL, Some("; server_max_window_bits=15")),
        ("permessage-deflate; server_max_window_bits=9", &ALL, Some("; server_max_window_bits=9")),
        ("permessage-deflate; server_max_window_bits=8", &ALL, Some("; server_max_window_bits=8")),
        ("permessage-deflate; server_max_window_bits=\"10\"", &ALL, Some("; server_max_window_bits=10")),
        ("permessage-deflate; client_max_window_bits", &small, Some("; server_max_window_bits=10; client_max_window_bits=11")),
        ("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", &small, Some("; server_max_window_bits=9; client_max_window_bits=9")),
        // A client that does not let its window be chosen keeps it.
        ("permessage-deflate", &small, Some("; server_max_window_bits=10")),
        ("permessage-deflate; server_no_context_takeover", &ALL, Some("; server_no_context_takeover")),
        ("permessage-deflate; client_no_context_takeover", &ALL, Some("; client_no_context_takeover")),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=13", &ALL,
            Some("; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=13")),
        // The first that is well formed; unknown extensions are passed by.
        ("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=11", &ALL, Some("; server_max_window_bits=11")),
        ("permessage-deflate; x=1, permessage-deflate", &ALL, Some("")),
        ("permessage-deflate, permessage-deflate; server_max_window_bits=9", &ALL, Some("")),
        // Not well formed: declined.
        ("permessage-deflate; x", &ALL, None),
        ("permessage-deflate; __proto__", &ALL, None),
        ("permessage-deflate; server_no_context_takeover=1", &ALL, None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", &ALL, None),
        ("permessage-deflate; client_no_context_takeover=x", &ALL, None),
        ("permessage-deflate; server_max_window_bits", &ALL, None),
        ("permessage-deflate; server_max_window_bits=08", &ALL, None),
        ("permessage-deflate; server_max_window_bits=7", &ALL, None),
        ("permessage-deflate; server_max_window_bits=16", &ALL, None),
        ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", &ALL, None),
        ("permessage-deflate; client_max_window_bits=16", &ALL, None),
        ("permessage-deflate; client_max_window_bits=9; client_max_window_bits", &ALL, None),
        ("permessage-deflate; client_max_window_bits=1_0", &ALL, None),
        ("Permessage-Deflate", &ALL, None),
        ("permessage-bzip2", &ALL, None),
        ("", &ALL, None),
        (",,", &ALL, None),
    ];
    for (offered, rules, expected) in rows {
        assert_eq!(answered(offered, rules).as_deref(), *expected, "{offered}");
    }
}

#[test]
fn many_offers_are_answered_once() {
    let many = vec!["permessage-deflate; x"; 499].join(", ");
    assert_eq!(answered(&many, &ALL), None);
    let many = format!("permessage-deflate; server_max_window_bits=9, {many}");
    assert_eq!(answered(&many, &ALL).as_deref(), Some("; server_max_window_bits=9"));
}

#[test]
fn what_a_client_offers() {
    let rows = [
        (ALL, "permessage-deflate; client_max_window_bits"),
        (
            NONE,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
        ),
        (
            Rules { bits: 9, peer_bits: 10, ..ALL },
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
        ),
    ];
    for (rules, expected) in rows {
        assert_eq!(offer(&rules), expected);
    }
}

fn agreed(value: &str, rules: &Rules) -> Result<Rules, String> {
    agree(&offers(value)[0], rules)
}

#[test]
fn what_a_client_accepts() {
    let small = Rules { bits: 10, peer_bits: 11, ..ALL };
    #[rustfmt::skip]
    let rows: &[(&str, &Rules, Rules)] = &[
        ("permessage-deflate", &ALL, ALL),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", &ALL, NONE),
        ("permessage-deflate; server_no_context_takeover", &NONE, NONE),
        ("permessage-deflate; server_max_window_bits=9", &ALL, Rules { peer_bits: 9, ..ALL }),
        ("permessage-deflate; client_max_window_bits=8", &ALL, Rules { bits: 8, ..ALL }),
        ("permessage-deflate; server_max_window_bits=11; client_max_window_bits=10", &small, small),
        ("permessage-deflate; server_max_window_bits=8", &small, Rules { peer_bits: 8, ..small }),
    ];
    for (value, rules, expected) in rows {
        assert_eq!(agreed(value, rules), Ok(*expected), "{value}");
    }
}

#[test]
fn what_a_client_refuses() {
    let small = Rules { bits: 10, peer_bits: 11, ..ALL };
    let rows = [
        ("permessage-bzip2", &ALL, "not offered"),
        ("permessage-deflate; x", &ALL, "not well formed"),
        ("permessage-deflate; server_max_window_bits", &ALL, "not well formed"),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            &ALL,
            "not well formed",
        ),
        ("permessage-deflate; client_max_window_bits", &ALL, "without a value"),
        ("permessage-deflate", &NONE, "server_no_context_takeover"),
        ("permessage-deflate", &small, "server_max_window_bits=15"),
        ("permessage-deflate; server_max_window_bits=12", &small, "server_max_window_bits=12"),
        (
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=11",
            &small,
            "client_max_window_bits=11",
        ),
    ];
    for (value, rules, word) in rows {
        let error = agreed(value, rules).unwrap_err();
        assert!(error.contains(word), "{value}: {error}");
    }
}

#[test]
fn whatever_a_client_offers_the_answer_is_accepted_and_both_mean_the_same() {
    let flags = [false, true];
    for bits in 8..=15 {
        for peer_bits in 8..=15 {
            for (takeover, peer_takeover) in flags.iter().flat_map(|&a| flags.map(|b| (a, b))) {
                let client = Rules { bits, takeover, peer_bits, peer_takeover };
                for server in [ALL, NONE, Rules { bits: 12, peer_bits: 12, ..ALL }] {
                    let (ours, value) = answer(&offers(&offer(&client)), &server).unwrap();
                    let theirs = agreed(&value, &client).unwrap();
                    assert_eq!(
                        (ours.bits, ours.takeover),
                        (theirs.peer_bits, theirs.peer_takeover),
                        "{value}"
                    );
                    assert_eq!(
                        (theirs.bits, theirs.takeover),
                        (ours.peer_bits, ours.peer_takeover),
                        "{value}"
                    );
                }
            }
        }
    }
}
