//! What one connection may take of a turn of the loop, so that nobody has to wait long for it.

use super::core::RECEIVE_BUFFER;

/// How much of a new connection is read in its first turn.
pub const FIRST_SHARE: u32 = 8 * 1024;

/// How much of a connection is read in one turn while its messages are of the common kind. A message of 64 KiB fits.
const SHARE: u32 = 80 * 1024;

/// The same after a turn in which [`MANY`] was exceeded.
const TINY_SHARE: u32 = 4 * 1024;

/// The same while its messages are long.
pub const LONG_SHARE: u32 = 128 * 1024;

/// Messages of more bytes are long.
const LONG: usize = 0xffff;

/// Messages and control frames that are handled in one turn. What was read and not handled is kept by the connection.
pub const FRAMES: u32 = 4096;

/// Fragments and control frames in one turn, beyond which less is read in the next: a byte costs many times more in tiny
/// frames than in long ones, and this many take as long as a common share. They are handled all the same, because the kernel
/// is the better place for what has to wait.
const MANY: u32 = 500;

/// How much of a queue leaves in one turn, and of a long message that is sent back: a write of megabytes takes a
/// millisecond.
pub const WRITE_SHARE: usize = 256 * 1024;

/// After so many microseconds the rest of what earlier turns left over waits for the next turn, unless other work takes
/// longer: it comes from those who send more than their share, and who sends little shall not wait for all of them.
pub const LEFT_OVER_US: u64 = 25;

/// What the last turn brought of a connection.
#[derive(Clone, Copy, Default)]
pub struct Brought {
    /// Fragments, control frames and whatever else is not a whole message of the common kind.
    pub uncommon: u32,
    /// Bytes of the longest message.
    pub longest: usize,
}

/// How much of a connection is read in its next turn, where `before` was its share and `header` is the size of a long frame's
/// header. A message that fits into the buffer is read to its last byte and no further: it need not be collected, and no
/// part of the next one either.
pub fn share(before: u32, brought: Brought, header: usize) -> u32 {
    match brought.longest {
        _ if brought.uncommon > MANY => TINY_SHARE,
        // Maybe in the middle of a message as long as the one before.
        0 => before.max(SHARE.min(before.saturating_mul(2))),
        1..=LONG => SHARE.min(before.saturating_mul(2)),
        longest if longest + header > RECEIVE_BUFFER => LONG_SHARE,
        longest => LONG_SHARE.max((longest + header) as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(longest: usize) -> Brought {
        Brought { uncommon: 1, longest }
    }

    #[test]
    fn long_messages_are_read_one_at_a_time_while_they_fit() {
        assert_eq!(share(SHARE, after(65_535), 14), SHARE);
        assert_eq!(share(LONG_SHARE, after(65_535), 14), SHARE);
        assert_eq!(share(LONG_SHARE, after(0), 14), LONG_SHARE);
        assert_eq!(share(FIRST_SHARE, after(0), 14), 2 * FIRST_SHARE);
        assert_eq!(share(FIRST_SHARE, after(65_536), 14), LONG_SHARE);
        assert_eq!(share(FIRST_SHARE, after(262_144), 14), 262_158);
        assert_eq!(share(SHARE, after(RECEIVE_BUFFER - 10), 10), RECEIVE_BUFFER as u32);
        assert_eq!(share(SHARE, after(RECEIVE_BUFFER - 9), 10), LONG_SHARE);
    }

    #[test]
    fn a_flood_of_tiny_frames_is_read_in_small_pieces_and_trust_grows_slowly() {
        let flood = Brought { uncommon: MANY + 1, longest: 1 << 20 };
        assert_eq!(share(SHARE, flood, 14), TINY_SHARE);
        let mut shares = vec![TINY_SHARE];
        while shares.len() < 7 {
            shares.push(share(shares[shares.len() - 1], after(20), 14));
        }
        assert_eq!(shares, [4096, 8192, 16_384, 32_768, 65_536, SHARE, SHARE]);
    }
}
