//! One client's awareness state: who it is, where its caret is, what it throws in.

use serde_json::{Map, Value, json};

use super::position::Cursor;
use super::{MAX_NAME, MAX_REACTION, MAX_STATE, WireError};

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// For one whose colour is no colour.
    pub const GREY: Color = Color([0x80, 0x80, 0x80]);

    /// `#rrggbb` and nothing else.
    pub fn parse(text: &str) -> Option<Color> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Color([pair(0)?, pair(2)?, pair(4)?]))
    }

    /// `#rrggbb`.
    pub fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The colour of this one's selections in the browser: a quarter of it over white. (Yjs' editors read `colorLight`
    /// as any CSS colour; ours is opaque, so that it needs no eight digits.)
    pub fn light(self) -> Color {
        Color(self.0.map(|part| (255 - (255 - u16::from(part)) / 4) as u8))
    }
}

/// Who somebody says to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// To be shown; from outside it has gone through [`clean_name`].
    pub name: String,
    /// Of the caret.
    pub color: Color,
}

/// Something thrown in beside the caret: an emoji or a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Another number for each, so that the same one can be thrown in twice.
    pub id: u64,
    /// At most [`MAX_REACTION`] characters.
    pub text: String,
}

/// What is known of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub user: User,
    /// Where the caret is; None without focus.
    pub cursor: Option<Cursor>,
    /// The latest reaction, while it lasts.
    pub reaction: Option<Reaction>,
}

impl Presence {
    /// The state as we send it.
    pub fn to_json(&self) -> String {
        let user = json!({
            "name": self.user.name,
            "color": self.user.color.hex(),
            "colorLight": self.user.color.light().hex(),
        });
        let mut state = json!({"user": user, "cursor": self.cursor.as_ref().map(Cursor::to_json)});
        if let Some(reaction) = &self.reaction {
            state["reaction"] = json!({"id": reaction.id, "text": reaction.text});
        }
        state.to_string()
    }

    /// What can be read of a state from outside; what is missing or odd has a harmless stand-in.
    pub fn from_json(json: &str) -> Option<Presence> {
        let state: Value = serde_json::from_str(json).ok()?;
        let state = state.as_object()?;
        let user = state.get("user").and_then(Value::as_object);
        let field = |key: &str| user.and_then(|user| user.get(key)).and_then(Value::as_str);
        Some(Presence {
            user: User {
                name: clean_name(field("name").unwrap_or("")),
                color: field("color").and_then(Color::parse).unwrap_or(Color::GREY),
            },
            cursor: state.get("cursor").and_then(Cursor::from_json),
            reaction: state.get("reaction").and_then(read_reaction),
        })
    }
}

fn read_reaction(value: &Value) -> Option<Reaction> {
    let object = value.as_object()?;
    let text = clean_reaction(object.get("text")?.as_str()?);
    let id = object.get("id")?.as_u64()?;
    (!text.is_empty()).then_some(Reaction { id, text })
}

/// A state from outside made harmless for those to whom it is passed on: name, colours and reaction are cleaned (a
/// browser puts a colour into a style), a cursor has all its keys or is null (y-codemirror.next fails at any other),
/// other fields stay as they are. `null` stays `null`.
pub fn clean_state(json: &str) -> Result<String, WireError> {
    if json.len() > MAX_STATE {
        return Err(WireError::TooBig(MAX_STATE));
    }
    if json == "null" {
        return Ok(json.to_owned());
    }
    let mut state: Value = serde_json::from_str(json).map_err(|_| WireError::State)?;
    let object = state.as_object_mut().ok_or(WireError::State)?;
    if let Some(user) = object.get_mut("user") {
        match user.as_object_mut() {
            Some(user) => clean_user(user),
            None => *user = json!({}),
        }
    }
    if let Some(reaction) = object.get("reaction") {
        match read_reaction(reaction) {
            Some(Reaction { id, text }) => object["reaction"] = json!({"id": id, "text": text}),
            None => drop(object.remove("reaction")),
        }
    }
    if let Some(cursor) = object.get_mut("cursor") {
        *cursor = Cursor::from_json(cursor).map_or(Value::Null, |cursor| cursor.to_json());
    }
    let cleaned = state.to_string();
    // Escapes may have become longer.
    if cleaned.len() > MAX_STATE { Err(WireError::TooBig(MAX_STATE)) } else { Ok(cleaned) }
}

fn clean_user(user: &mut Map<String, Value>) {
    let name = clean_name(user.get("name").and_then(Value::as_str).unwrap_or(""));
    user.insert("name".to_owned(), name.into());
    let given = user.get("color").and_then(Value::as_str).and_then(Color::parse);
    let color = given.unwrap_or(Color::GREY);
    user.insert("color".to_owned(), color.hex().into());
    if let Some(light) = user.get_mut("colorLight") {
        // Yjs' examples write `#rrggbb33`: the part that we know is kept, alpha included.
        let fine = light.as_str().is_some_and(is_light);
        if !fine {
            *light = color.light().hex().into();
        }
    }
}

fn is_light(text: &str) -> bool {
    let alpha = text.get(7..).unwrap_or("");
    let digits = alpha.bytes().all(|byte| byte.is_ascii_hexdigit());
    (text.len() == 7 || text.len() == 9 && digits) && text.get(..7).and_then(Color::parse).is_some()
}

/// A name that can be shown anywhere: one line, no invisible or turning characters, at most [`MAX_NAME`] characters,
/// "?" where nothing is left.
pub fn clean_name(name: &str) -> String {
    let clean = clean_words(name, MAX_NAME);
    if clean.is_empty() { "?".to_owned() } else { clean }
}

/// A reaction that can be shown anywhere; empty where nothing is left.
pub fn clean_reaction(text: &str) -> String {
    clean_words(text, MAX_REACTION)
}

fn clean_words(text: &str, most: usize) -> String {
    let kept = text.chars().filter(|&c| is_shown(c)).map(|c| if c.is_whitespace() { ' ' } else { c });
    let cut: String = kept.skip_while(|&c| c == ' ').take(most).collect();
    let cut = cut.trim_end();
    // Joiners that join nothing are as invisible as spaces.
    if cut.chars().all(|c| c.is_whitespace() || matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{fe0e}')) {
        return String::new();
    }
    cut.to_owned()
}

/// Not a control, not one that turns the direction of what follows, not one that takes no room. The zero-width joiner
/// and the variation selectors stay: emoji are made with them.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e001f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_visible_line_of_32() {
        let table = [
            ("小明", "小明"),
            ("  Teal   Otter \n", "Teal   Otter"),
            ("a\u{0}b\u{7}c\u{1b}[31m", "abc[31m"),
            ("\u{202e}gnp.exe\u{202c}", "gnp.exe"),
            ("A\u{200b}\u{feff}da", "Ada"),
            ("\u{2066}x\u{2069}", "x"),
            ("", "?"),
            ("\u{200b}\u{3164}\u{200d}", "?"),
            ("👩\u{200d}👩\u{200d}👧", "👩\u{200d}👩\u{200d}👧"),
            ("line\u{2028}two", "linetwo"),
        ];
        for (given, shown) in table {
            assert_eq!(clean_name(given), shown, "{given:?}");
        }
        assert_eq!(clean_name(&"名".repeat(1000)), "名".repeat(32));
    }

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(Color::parse("#30BCED"), Some(Color([0x30, 0xbc, 0xed])));
        for no in
            ["", "#", "30bced", "#30bce", "#30bced33", "red", "#30bce小", "#+1+2+3", "url(//x)", "#30bced;x"]
        {
            assert_eq!(Color::parse(no), None, "{no}");
        }
        assert_eq!(Color([0x30, 0xbc, 0x0d]).hex(), "#30bc0d");
    }

    #[test]
    fn a_state_is_made_harmless_and_the_rest_stays() {
        let json = r##"{"user":{"name":"a\u0000\u202eb","color":"red;background:url(//x)","colorLight":"#30bced33","role":"x"},
            "cursor":null,"reaction":{"id":7,"text":"🎉\n","more":[1]},"own":{"deep":[1,2]}}"##;
        let cleaned: Value = serde_json::from_str(&clean_state(json).unwrap()).unwrap();
        let expected = json!({
            "user": {"name": "ab", "color": "#808080", "colorLight": "#30bced33", "role": "x"},
            "cursor": null, "reaction": {"id": 7, "text": "🎉"}, "own": {"deep": [1, 2]},
        });
        assert_eq!(cleaned, expected);
        let odd = r#"{"user":[1],"reaction":"no"}"#;
        assert_eq!(clean_state(odd).unwrap(), r#"{"user":{}}"#);
        let light = r##"{"user":{"color":"#102030","colorLight":"#1020301"}}"##;
        assert!(clean_state(light).unwrap().contains(r##""colorLight":"#c4c8cc""##), "{light}");
    }

    #[test]
    fn a_cursor_is_whole_or_null() {
        let cursor = |json: &str| -> Value {
            let cleaned = clean_state(&format!(r#"{{"cursor":{json}}}"#)).unwrap();
            serde_json::from_str::<Value>(&cleaned).unwrap()["cursor"].take()
        };
        let end = r#"{"item":{"client":7,"clock":3}}"#;
        let whole = json!({"type": null, "tname": null, "item": {"client": 7, "clock": 3}, "assoc": 0});
        assert_eq!(
            cursor(&format!(r#"{{"anchor":{end},"head":{end}}}"#)),
            json!({"anchor": whole, "head": whole})
        );
        for clock in ["-1", "1.5", "1e300", "4294967296", "\"0\""] {
            let odd = format!(r#"{{"item":{{"client":7,"clock":{clock}}}}}"#);
            assert_eq!(cursor(&format!(r#"{{"anchor":{odd},"head":{end}}}"#)), Value::Null, "{clock}");
        }
        for odd in ["null", "7", "[]", "{}", r#"{"anchor":1,"head":[]}"#, r#"{"anchor":{},"head":{}}"#] {
            assert_eq!(cursor(odd), Value::Null, "{odd}");
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        assert_eq!(clean_state("null").unwrap(), "null");
        for no in ["", "[]", "1", "{", "\"x\"", "{}{}", "{\"user\":{\"name\":\"\\ud800\"}}"] {
            assert_eq!(clean_state(no), Err(WireError::State), "{no}");
        }
        assert_eq!(clean_state(&"[".repeat(4000)), Err(WireError::State));
        let big = format!("{{\"x\":\"{}\"}}", "a".repeat(MAX_STATE));
        assert_eq!(clean_state(&big), Err(WireError::TooBig(MAX_STATE)));
    }

    #[test]
    fn presence_reads_what_it_writes() {
        let presence = Presence {
            user: User { name: "Teal Otter".into(), color: Color([1, 2, 3]) },
            cursor: None,
            reaction: Some(Reaction { id: 3, text: "好！".into() }),
        };
        assert_eq!(Presence::from_json(&presence.to_json()), Some(presence));
        let quiet = Presence::from_json("{}").unwrap();
        assert_eq!(quiet.user, User { name: "?".into(), color: Color::GREY });
        assert_eq!(Presence::from_json("null"), None);
    }
}
