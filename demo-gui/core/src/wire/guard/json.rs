//! The JSON within updates: checked, not kept.

use crate::wire::{Reader, WireError};

/// Values within values, at most so many. The document's parser has a limit too, a larger one.
const MAX_DEPTH: u32 = 32;

/// A JSON text, as far as its nesting goes; whether it is one, the decoder says.
pub(super) fn skip_json<'a>(reader: &mut Reader<'a>) -> Result<&'a str, WireError> {
    let text = reader.text()?;
    let (mut depth, mut in_string, mut escaped) = (0u32, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(WireError::Nesting);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(text)
}
