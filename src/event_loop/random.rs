//! Masking keys and handshake keys: always from the operating system (RFC 6455 section 10.3), a page at a time.

/// A small store of random bytes, so that a frame does not cost a system call.
#[derive(Default)]
pub struct Random {
    bytes: Vec<u8>,
    used: usize,
}

const PAGE: usize = 4096;

impl Random {
    /// The next `N` bytes; never given out twice.
    pub fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.bytes.len() - self.used < N {
            self.refill();
        }
        let mut out = [0; N];
        let end = self.used + N;
        out.copy_from_slice(&self.bytes[self.used..end]);
        self.bytes[self.used..end].fill(0);
        self.used = end;
        out
    }

    fn refill(&mut self) {
        self.bytes.resize(PAGE, 0);
        self.used = 0;
        // Without randomness no frame may leave (a predictable mask is worse than none); the guard at the C
        // boundary turns this into LIBWS_ERR_INTERNAL.
        getrandom::fill(&mut self.bytes).expect("the operating system's random source failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_all_different() {
        let mut random = Random::default();
        let mut keys: Vec<[u8; 8]> = (0..10_000).map(|_| random.take()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 10_000);
    }
}
