//! Masking (RFC 6455 section 5.3): XOR with a four-byte key, the same operation in both directions.

/// XORs `buf` with `key`, where `buf[0]` is byte `offset` of the frame's payload; only `offset` modulo 4 matters.
///
/// Long ones are masked in eight-byte words, grouped so that the compiler turns the loop into vector instructions of
/// whatever width the target has; short ones in two pieces that overlap.
#[inline]
pub fn apply(buf: &mut [u8], key: [u8; 4], offset: usize) {
    let key = u32::from_le_bytes(key).rotate_right(8 * (offset as u32 & 3));
    if buf.len() >= BLOCK {
        long(buf, key);
    } else {
        short(buf, key);
    }
}

/// Bytes per turn of the vectorised loop. A multiple of eight: no part of a word is left, and the key needs no turning.
const BLOCK: usize = 128;

/// Chosen when it runs: the library is built for any processor of its kind.
fn long(buf: &mut [u8], key: u32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        #[allow(unsafe_code)]
        return unsafe { long_avx2(buf, key) };
    }
    blocks(buf, key);
}

/// The same loop, in registers of twice the width.
///
/// # Safety
/// The processor must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn long_avx2(buf: &mut [u8], key: u32) {
    blocks(buf, key);
}

#[inline(always)]
fn blocks(buf: &mut [u8], key: u32) {
    let mut blocks = buf.chunks_exact_mut(BLOCK);
    for block in &mut blocks {
        words(block, key);
    }
    short(blocks.into_remainder(), key);
}

/// What wins below a block: chat messages, and the tail of long ones.
#[inline(always)]
fn short(buf: &mut [u8], key: u32) {
    // In the order of what is common.
    if buf.len() >= 32 {
        let whole = buf.len() & !7;
        let last = masked_end::<8>(buf, key);
        words(&mut buf[..whole], key);
        put_end(buf, last);
    } else if buf.len() >= 16 {
        ends::<16>(buf, key);
    } else if buf.len() >= 8 {
        ends::<8>(buf, key);
    } else if buf.len() >= 4 {
        ends::<4>(buf, key);
    } else {
        for (byte, key) in buf.iter_mut().zip(key.to_le_bytes()) {
            *byte ^= key;
        }
    }
}

/// Masks `N` to `2 * N` bytes as two pieces that overlap, both read before either is written.
#[inline(always)]
fn ends<const N: usize>(buf: &mut [u8], key: u32) {
    let last = masked_end::<N>(buf, key);
    if let Some(first) = buf.first_chunk_mut::<N>() {
        *first = masked(*first, key);
    }
    put_end(buf, last);
}

/// The last `N` bytes of `buf`, as they will be.
#[inline(always)]
fn masked_end<const N: usize>(buf: &[u8], key: u32) -> [u8; N] {
    let turned = key.rotate_right(8 * ((buf.len() - N) as u32 & 3));
    masked(buf.last_chunk().copied().unwrap_or([0; N]), turned)
}

#[inline(always)]
fn put_end<const N: usize>(buf: &mut [u8], bytes: [u8; N]) {
    if let Some(end) = buf.last_chunk_mut() {
        *end = bytes;
    }
}

#[inline(always)]
fn masked<const N: usize>(mut bytes: [u8; N], key: u32) -> [u8; N] {
    for chunk in bytes.chunks_exact_mut(4) {
        let mut four = [0; 4];
        four.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u32::from_le_bytes(four) ^ key).to_le_bytes());
    }
    bytes
}

/// Masks whole words; bytes after the last of them are left as they are.
#[inline(always)]
fn words(buf: &mut [u8], key: u32) {
    let word = u64::from(key) << 32 | u64::from(key);
    for chunk in buf.chunks_exact_mut(8) {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_le_bytes(bytes) ^ word).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::apply;
    use proptest::prelude::*;

    /// Section 5.3 as it is written, one octet at a time.
    fn by_the_letter(buf: &mut [u8], key: [u8; 4], offset: usize) {
        for (i, byte) in buf.iter_mut().enumerate() {
            *byte ^= key[(offset + i) % 4];
        }
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 + 7) as u8).collect()
    }

    #[test]
    fn every_length_alignment_and_offset_up_to_three_blocks() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..400 {
            for start in 0..17 {
                for offset in 0..5 {
                    let mut ours = bytes(start + len);
                    let mut theirs = ours.clone();
                    apply(&mut ours[start..], key, offset);
                    by_the_letter(&mut theirs[start..], key, offset);
                    assert_eq!(ours, theirs, "len {len} start {start} offset {offset}");
                }
            }
        }
    }

    #[test]
    fn the_example_of_section_5_7() {
        let mut hello = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply(&mut hello, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&hello, b"Hello");
    }

    proptest! {
        #[test]
        fn random_lengths_and_offsets(
            data in proptest::collection::vec(any::<u8>(), 0..5000),
            start in 0usize..64,
            key: [u8; 4],
            offset: usize,
        ) {
            let start = start.min(data.len());
            let mut ours = data.clone();
            let mut theirs = data;
            apply(&mut ours[start..], key, offset);
            by_the_letter(&mut theirs[start..], key, offset % 4);
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn in_pieces_is_as_in_one(data in proptest::collection::vec(any::<u8>(), 0..600), cut in 0usize..600, key: [u8; 4]) {
            let cut = cut.min(data.len());
            let mut whole = data.clone();
            apply(&mut whole, key, 0);
            let mut pieces = data;
            apply(&mut pieces[..cut], key, 0);
            apply(&mut pieces[cut..], key, cut);
            prop_assert_eq!(whole, pieces);
        }
    }
}
