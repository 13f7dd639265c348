//! How long a lost connection waits before the next attempt: exponential back-off with full jitter, and what the server
//! asked for. No clock and no randomness of its own, so that tests pass in both.

/// Close codes by which a server asks for time (registered with IANA for RFC 6455).
const SERVICE_RESTART: u16 = 1012;
const TRY_AGAIN_LATER: u16 = 1013;

/// A restarting server wants its clients back spread over this time, in ms (the registration of 1012).
const RESTART_MS: (u64, u64) = (5_000, 30_000);

/// A server's wish is honoured up to this, in ms.
const LONGEST_WISH_MS: u64 = 60 * 60 * 1000;

/// When and how often to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The first delay is at most this, in ms; it doubles with every failed attempt.
    pub min_ms: u32,
    /// No delay of our own is longer than this, in ms.
    pub max_ms: u32,
    /// Failed attempts in a row after which the connection is given up.
    pub attempts: u32,
    /// A connection that was open for this long starts over with `min_ms`.
    pub stable_ms: u32,
    /// Close codes of the server after which no attempt is made.
    pub final_codes: Vec<u16>,
}

impl Default for Reconnect {
    fn default() -> Reconnect {
        Reconnect {
            min_ms: 500,
            max_ms: 30_000,
            attempts: super::settings::OFF,
            stable_ms: 5_000,
            final_codes: Vec::new(),
        }
    }
}

/// Why a connection is not there, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The server's close code; 1006: none.
    pub code: u16,
    /// The status of an HTTP answer that was no upgrade.
    pub status: Option<u16>,
    /// The server's Retry-After, in ms.
    pub retry_after_ms: Option<u64>,
}

/// The state of one connection's attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    rules: Reconnect,
    failed: u32,
    opened_ms: Option<u64>,
}

impl Backoff {
    /// No attempt has failed yet.
    pub fn new(rules: Reconnect) -> Backoff {
        Backoff { rules, failed: 0, opened_ms: None }
    }

    /// The connection is open.
    pub fn opened(&mut self, now_ms: u64) {
        self.opened_ms = Some(now_ms);
    }

    /// The connection was lost, or an attempt failed: how long to wait in ms, or None to give up. `random` is any
    /// number from the operating system.
    pub fn lost(&mut self, now_ms: u64, cause: Cause, random: u64) -> Option<u64> {
        if self.is_final(cause) {
            return None;
        }
        let stable_ms = u64::from(self.rules.stable_ms);
        if self.opened_ms.take().is_some_and(|opened| now_ms.saturating_sub(opened) >= stable_ms) {
            self.failed = 0;
        }
        if self.rules.attempts != super::settings::OFF && self.failed >= self.rules.attempts {
            return None;
        }
        let own = self.own_delay(random);
        self.failed = self.failed.saturating_add(1);
        Some(self.with_wish(own, cause, random))
    }

    /// Full jitter: anything from nothing to the doubled delay.
    fn own_delay(&self, random: u64) -> u64 {
        let doubled = u64::from(self.rules.min_ms).checked_shl(self.failed.min(32)).unwrap_or(u64::MAX);
        random % (doubled.min(self.rules.max_ms.into()) + 1)
    }

    fn with_wish(&self, own: u64, cause: Cause, random: u64) -> u64 {
        let max_ms = u64::from(self.rules.max_ms);
        let wish = match cause.code {
            SERVICE_RESTART => (RESTART_MS.0 + random % (RESTART_MS.1 - RESTART_MS.0 + 1)).min(max_ms),
            TRY_AGAIN_LATER => max_ms / 2 + random % (max_ms / 2 + 1),
            _ => cause.retry_after_ms.map_or(0, |ms| ms.min(LONGEST_WISH_MS)),
        };
        own.max(wish)
    }

    /// The server said no, and will say it again: a client error of HTTP that is not about time, or a close code that
    /// the application named.
    fn is_final(&self, cause: Cause) -> bool {
        let refused = cause
            .status
            .is_some_and(|status| (400..500).contains(&status) && !matches!(status, 408 | 421 | 425 | 429));
        refused || self.rules.final_codes.contains(&cause.code)
    }
}

/// Reads a list of close codes, "1000, 4001".
pub fn parse_codes(list: &str) -> Result<Vec<u16>, String> {
    let code = |text: &str| match text.trim().parse() {
        Ok(code @ 1000..=4999) => Ok(code),
        _ => Err(format!("{:?} is no close code", text.trim())),
    };
    list.split(',').map(code).collect()
}

/// Reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date; in ms from `now`.
pub fn retry_after_ms(value: &str, now: std::time::SystemTime) -> Option<u64> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    let wait = date.duration_since(now).unwrap_or_default();
    Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const LOST: Cause = Cause { code: 1006, status: None, retry_after_ms: None };

    fn rules() -> Reconnect {
        Reconnect { min_ms: 100, max_ms: 1_000, attempts: 8, stable_ms: 5_000, final_codes: vec![4001] }
    }

    /// The longest delays that a row of failures can have.
    fn longest(backoff: &mut Backoff, failures: usize) -> Vec<u64> {
        // A multiple of every modulus, less one, is the largest rest of each.
        (0..failures)
            .map_while(|_| {
                (0..2_000).filter_map(|r| backoff.clone().lost(0, LOST, r)).max().inspect(|_| {
                    backoff.lost(0, LOST, 0);
                })
            })
            .collect()
    }

    #[test]
    fn delays_double_up_to_the_longest_and_end_with_the_attempts() {
        let mut backoff = Backoff::new(rules());
        assert_eq!(longest(&mut backoff, 20), [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
        assert_eq!(backoff.lost(0, LOST, 7), None);
    }

    #[test]
    fn jitter_is_full() {
        let delays: Vec<u64> = (0..101).map(|r| Backoff::new(rules()).lost(0, LOST, r).unwrap()).collect();
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&0), Some(&100)));
    }

    #[test]
    fn a_connection_that_stayed_open_starts_over() {
        let mut backoff = Backoff::new(rules());
        for _ in 0..5 {
            backoff.lost(0, LOST, 0);
        }
        backoff.opened(10_000);
        assert_eq!(backoff.clone().lost(14_999, LOST, 1_000), Some(1_000), "not long enough");
        assert_eq!(longest_after(&backoff, 15_000), 100);
    }

    fn longest_after(backoff: &Backoff, now: u64) -> u64 {
        (0..2_000).filter_map(|r| backoff.clone().lost(now, LOST, r)).max().unwrap()
    }

    #[test]
    fn what_is_final_is_not_tried_again() {
        for status in [400, 401, 403, 404, 405, 410, 426] {
            let cause = Cause { status: Some(status), ..LOST };
            assert_eq!(Backoff::new(rules()).lost(0, cause, 0), None, "{status}");
        }
        for status in [200, 301, 408, 425, 429, 500, 502, 503] {
            let cause = Cause { status: Some(status), ..LOST };
            assert!(Backoff::new(rules()).lost(0, cause, 0).is_some(), "{status}");
        }
        assert_eq!(Backoff::new(rules()).lost(0, Cause { code: 4001, ..LOST }, 0), None);
        assert!(Backoff::new(rules()).lost(0, Cause { code: 4002, ..LOST }, 0).is_some());
    }

    #[test]
    fn the_servers_wish_is_honoured() {
        let rules = Reconnect { max_ms: 60_000, ..rules() };
        let delay = |code, retry_after_ms, random| {
            let cause = Cause { code, status: None, retry_after_ms };
            Backoff::new(rules.clone()).lost(0, cause, random).unwrap()
        };
        for random in [0, 1, 77, 12_345, u64::MAX] {
            assert!((5_000..=30_000).contains(&delay(1012, None, random)));
            assert!((30_000..=60_000).contains(&delay(1013, None, random)));
            assert_eq!(delay(1006, Some(120_000), random), 120_000);
            assert_eq!(delay(1006, Some(u64::MAX), random), LONGEST_WISH_MS);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after_ms("120", now), Some(120_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(10_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:49:27 GMT", now), Some(0));
        assert_eq!(retry_after_ms("soon", now), None);
        assert_eq!(retry_after_ms("-1", now), None);
    }

    #[test]
    fn lists_of_codes() {
        assert_eq!(parse_codes("1000, 4001"), Ok(vec![1000, 4001]));
        for bad in ["", "1000,", "x", "999", "5000", "70000"] {
            assert!(parse_codes(bad).is_err(), "{bad:?}");
        }
    }
}
