//! The values inside of updates that are no text: checked, not kept.

use super::WireError;
use super::bytes::Reader;

/// Values within values, at most so many.
const MAX_DEPTH: u32 = 32;

/// One value of lib0's `Any`.
pub(super) fn skip_any(reader: &mut Reader<'_>, depth: u32) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Err(WireError::Nesting);
    }
    match reader.u8()? {
        // undefined, null, false, true
        127 | 126 | 121 | 120 => {}
        125 => skip_int(reader)?,
        124 => drop(reader.take(4)?),
        123 | 122 => drop(reader.take(8)?),
        119 => drop(reader.text()?),
        118 => {
            for _ in 0..reader.count(2)? {
                reader.text()?;
                skip_any(reader, depth + 1)?;
            }
        }
        117 => {
            for _ in 0..reader.count(1)? {
                skip_any(reader, depth + 1)?;
            }
        }
        116 => drop(reader.bytes()?),
        other => return Err(WireError::Unknown(u64::from(other))),
    }
    Ok(())
}

/// A signed number: a sign and six bits, then seven bits a byte; at most ten bytes.
fn skip_int(reader: &mut Reader<'_>) -> Result<(), WireError> {
    for _ in 0..10 {
        if reader.u8()? < 0x80 {
            return Ok(());
        }
    }
    Err(WireError::Number)
}

/// A JSON text. Its parser has a limit of its own for nesting, a larger one; the limit here is that of values.
pub(super) fn skip_json(reader: &mut Reader<'_>) -> Result<(), WireError> {
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
    Ok(())
}
