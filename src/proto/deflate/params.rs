//! The negotiation of permessage-deflate (RFC 7692 section 7.1).

use super::NAME;
use crate::proto::handshake::extensions::Offer;

/// What one side wants. "Ours" is what we send, "the peer's" what we receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The largest window of our compressor, as a power of two: 8 to 15.
    pub bits: u8,
    /// Our compressor may refer to earlier messages, and then costs memory for each connection.
    pub takeover: bool,
    /// The largest window that we want to remember for the peer, as a power of two: 8 to 15.
    pub peer_bits: u8,
    /// The peer's compressor may refer to earlier messages.
    pub peer_takeover: bool,
}

/// What both sides agreed on.
pub type Agreed = Rules;

/// The four parameters as one offer or answer has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// The inner None: present without a value, which only an offer may have.
    client_max_window_bits: Option<Option<u8>>,
}

impl Params {
    /// None if a parameter is unknown, stands twice, or has a value that it may not have (section 7.1).
    fn parse(offer: &Offer) -> Option<Params> {
        let mut params = Params::default();
        for (name, value) in &offer.params {
            let value = value.as_deref();
            let fresh = match (name.as_str(), value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut params.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut params.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(value)) => {
                    params.server_max_window_bits.replace(window_bits(value)?).is_none()
                }
                ("client_max_window_bits", value) => {
                    let bits = match value {
                        Some(value) => Some(window_bits(value)?),
                        None => None,
                    };
                    params.client_max_window_bits.replace(bits).is_none()
                }
                _ => return None,
            };
            if !fresh {
                return None;
            }
        }
        Some(params)
    }
}

/// A decimal number from 8 to 15 without leading zeros (section 7.1.2.1).
fn window_bits(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// The server's choice among a client's offers: the first of them that is well formed; every one of those can be met in
/// full. Returns what is agreed and the value of the header in the answer.
pub fn answer(offers: &[Offer], rules: &Rules) -> Option<(Agreed, String)> {
    let offered = offers.iter().filter(|offer| offer.name == NAME).find_map(Params::parse)?;
    let agreed = Agreed {
        bits: rules.bits.min(offered.server_max_window_bits.unwrap_or(15)),
        takeover: rules.takeover && !offered.server_no_context_takeover,
        // Only a client that says so can be told to use a smaller window (section 7.1.2.2).
        peer_bits: match offered.client_max_window_bits {
            Some(bits) => rules.peer_bits.min(bits.unwrap_or(15)),
            None => 15,
        },
        peer_takeover: rules.peer_takeover && !offered.client_no_context_takeover,
    };
    let chosen = Params {
        server_no_context_takeover: !agreed.takeover,
        client_no_context_takeover: !agreed.peer_takeover,
        server_max_window_bits: bits_param(agreed.bits, offered.server_max_window_bits.is_some()),
        client_max_window_bits: match offered.client_max_window_bits {
            Some(bits) => bits_param(agreed.peer_bits, bits.is_some()).map(Some),
            None => None,
        },
    };
    Some((agreed, chosen.to_string()))
}

/// A window needs a word when it is not the default, or when the other side has named one.
fn bits_param(bits: u8, named: bool) -> Option<u8> {
    (bits < 15 || named).then_some(bits)
}

/// The client's offer: the value of its header.
pub fn offer(rules: &Rules) -> String {
    let offered = Params {
        server_no_context_takeover: !rules.peer_takeover,
        client_no_context_takeover: !rules.takeover,
        server_max_window_bits: bits_param(rules.peer_bits, false),
        client_max_window_bits: Some(bits_param(rules.bits, false)),
    };
    offered.to_string()
}

/// Holds the server's answer to the offer that was made of `rules`.
///
/// # Errors
/// A sentence that says what was not offered, not granted or not well formed: then the connection must be failed
/// (section 7.1).
pub fn agree(chosen: &Offer, rules: &Rules) -> Result<Agreed, String> {
    if chosen.name != NAME {
        return Err(format!("the server chose the extension {:?}, which was not offered", chosen.name));
    }
    let params = Params::parse(chosen).ok_or_else(|| {
        format!("the server's parameters of {NAME} are not well formed: {:?}", chosen.params)
    })?;
    if !rules.peer_takeover && !params.server_no_context_takeover {
        return Err(format!(
            "the server accepted {NAME} without server_no_context_takeover, which was asked for"
        ));
    }
    let peer_bits = params.server_max_window_bits.unwrap_or(15);
    if peer_bits > rules.peer_bits {
        return Err(format!(
            "the server chose server_max_window_bits={peer_bits}, {} was asked for",
            rules.peer_bits
        ));
    }
    let bits = match params.client_max_window_bits {
        None => rules.bits,
        Some(None) => {
            return Err(format!("the server chose client_max_window_bits of {NAME} without a value"));
        }
        Some(Some(bits)) if bits > rules.bits => {
            return Err(format!(
                "the server chose client_max_window_bits={bits}, {} was offered",
                rules.bits
            ));
        }
        Some(Some(bits)) => bits,
    };
    Ok(Agreed {
        bits,
        takeover: rules.takeover && !params.client_no_context_takeover,
        peer_bits,
        peer_takeover: !params.server_no_context_takeover,
    })
}

impl std::fmt::Display for Params {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(NAME)?;
        if self.server_no_context_takeover {
            out.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            out.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(out, "; server_max_window_bits={bits}")?;
        }
        match self.client_max_window_bits {
            Some(Some(bits)) => write!(out, "; client_max_window_bits={bits}"),
            Some(None) => out.write_str("; client_max_window_bits"),
            None => Ok(()),
        }
    }
}
