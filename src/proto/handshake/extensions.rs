//! The grammar of Sec-WebSocket-Extensions (RFC 6455 section 9.1).

use http::HeaderValue;

use super::headers::{Cursor, is_token};
use crate::proto::head::Refusal;

/// How many extensions of one handshake are kept; the field knows about five. What is offered beyond them is checked
/// and left alone.
const MAX_OFFERS: usize = 64;

/// How many parameters of one extension are kept; permessage-deflate has four, each at most once. The others are checked
/// and left alone: what has more than these was declined for one of them already.
const MAX_PARAMS: usize = 16;

/// One extension with its parameters, in the order of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The name as it was written.
    pub name: String,
    /// Names and values; a quoted value without its quotes.
    pub params: Vec<(String, Option<String>)>,
}

/// Parses all lines of the header, known extensions and others. No line, or empty ones, offer nothing. Linear in the
/// length of the values.
///
/// # Errors
/// 400 where the grammar is broken.
pub fn parse<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Result<Vec<Offer>, Refusal> {
    let mut offers = Vec::new();
    for value in values {
        let text = value.to_str().map_err(|_| MALFORMED)?;
        line(text, &mut offers)?;
    }
    Ok(offers)
}

const MALFORMED: Refusal = Refusal::bad("Sec-WebSocket-Extensions is malformed");

fn line(text: &str, offers: &mut Vec<Offer>) -> Result<(), Refusal> {
    let mut cursor = Cursor::new(text);
    loop {
        cursor.skip_space();
        match cursor.peek() {
            None => return Ok(()),
            Some(b',') => _ = cursor.eat(b','),
            Some(_) => {
                let offer = offer(&mut cursor)?;
                if offers.len() < MAX_OFFERS {
                    offers.push(offer);
                }
                if cursor.peek().is_some() && !cursor.eat(b',') {
                    return Err(MALFORMED);
                }
            }
        }
    }
}

fn offer(cursor: &mut Cursor<'_>) -> Result<Offer, Refusal> {
    let name = name(cursor)?;
    let mut params = Vec::new();
    cursor.skip_space();
    while cursor.eat(b';') {
        cursor.skip_space();
        let name = self::name(cursor)?;
        cursor.skip_space();
        let value = if cursor.eat(b'=') { Some(value(cursor)?) } else { None };
        cursor.skip_space();
        if params.len() < MAX_PARAMS {
            params.push((name, value));
        }
    }
    Ok(Offer { name, params })
}

fn name(cursor: &mut Cursor<'_>) -> Result<String, Refusal> {
    match cursor.token() {
        "" => Err(MALFORMED),
        name => Ok(name.to_owned()),
    }
}

/// A token, or a quoted string that is one when its quotes are taken off.
fn value(cursor: &mut Cursor<'_>) -> Result<String, Refusal> {
    cursor.skip_space();
    if !cursor.eat(b'"') {
        return name(cursor);
    }
    cursor.quoted().filter(|value| is_token(value)).ok_or(MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::super::headers::tests::steps;
    use super::*;

    #[test]
    fn parsing_costs_at_most_one_step_a_byte() {
        let rows = ["b{}x", "b;{}x", "b;c={}x", "b;c=\"{}x", "b{};x=\"y\"", "{},"];
        for row in rows {
            for n in [8_000, 32_000] {
                for fill in [" ", "\\a", "x"] {
                    let value = row.replace("{}", &fill.repeat(n));
                    let header = HeaderValue::from_str(&value).unwrap();
                    let taken = steps(|| _ = parse([&header]));
                    assert!(taken <= value.len(), "{row} {fill:?}: {taken} of {}", value.len());
                }
            }
        }
    }
}
