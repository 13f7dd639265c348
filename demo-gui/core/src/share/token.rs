//! Tokens: 130 random bits that open one note, for editing or for reading.

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Changes are taken.
    Edit,
    /// Changes are refused.
    Read,
}

/// The two tokens of a shared note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Opens the note for editing.
    pub edit: String,
    /// Opens it for reading.
    pub read: String,
}

impl Tokens {
    /// Fresh ones, from the operating system's random source.
    pub fn new() -> Tokens {
        Tokens { edit: random_name(), read: random_name() }
    }

    /// What a token allows; None: it is neither. The time this takes does not depend on the tokens' letters.
    pub fn access(&self, token: &str) -> Option<Access> {
        let edit = bool::from(self.edit.as_bytes().ct_eq(token.as_bytes()));
        let read = bool::from(self.read.as_bytes().ct_eq(token.as_bytes()));
        match (edit, read) {
            (true, _) => Some(Access::Edit),
            (false, true) => Some(Access::Read),
            (false, false) => None,
        }
    }
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens::new()
    }
}

/// 26 characters of `a-z2-7`.
///
/// # Panics
/// When the operating system has no randomness to give: then nothing that is shared would be safe.
pub fn random_name() -> String {
    let mut bytes = [0; 17];
    getrandom::fill(&mut bytes).expect("the operating system's random source");
    let mut name = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    name.truncate(26);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_what_it_is_for() {
        let tokens = Tokens::new();
        assert_eq!(tokens.access(&tokens.edit), Some(Access::Edit));
        assert_eq!(tokens.access(&tokens.read), Some(Access::Read));
        for wrong in ["", "a", &tokens.edit[1..], &tokens.edit.to_ascii_uppercase()] {
            assert_eq!(tokens.access(wrong), None, "{wrong:?}");
        }
        let last = if tokens.edit.ends_with('a') { "b" } else { "a" };
        assert_eq!(tokens.access(&format!("{}{last}", &tokens.edit[..25])), None);
    }

    #[test]
    fn names_are_unlike_each_other() {
        let names: std::collections::HashSet<String> = (0..1_000).map(|_| random_name()).collect();
        assert_eq!(names.len(), 1_000);
        let allowed = |c: char| matches!(c, 'a'..='z' | '2'..='7');
        assert!(names.iter().all(|name| name.len() == 26 && name.chars().all(allowed)));
    }
}
