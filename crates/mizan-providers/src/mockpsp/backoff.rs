//! How long to wait before asking again: exponential with full jitter, so that callers who failed together do
//! not come back together. What the server asks for (`Retry-After`) comes first, within the cap.

use std::time::Duration;

/// A bounded number of tries and the waits between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Tries in all, the first one included.
    pub tries: u32,
    /// The most that the first wait can be; it doubles with every further try.
    pub first: Duration,
    /// The most that any wait can be.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after try number `tried` (1 for the first) failed; `None` when that was the last one.
    ///
    /// `entropy` is any random number; the wait is spread over `0..=cap`. `asked` is what the server asked for.
    pub fn wait(&self, tried: u32, entropy: u64, asked: Option<Duration>) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        if let Some(asked) = asked {
            return Some(asked.min(self.longest));
        }
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1)));
        let cap = u64::try_from(doubled.min(self.longest).as_micros()).unwrap_or(u64::MAX - 1);
        Some(Duration::from_micros(entropy % cap.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        tries: 5,
        first: Duration::from_millis(100),
        longest: Duration::from_millis(300),
    };

    fn check(tried: u32, entropy: u64, asked: Option<u64>, expected: Option<u64>) {
        let seen = BACKOFF.wait(tried, entropy, asked.map(Duration::from_millis));
        assert_eq!(seen, expected.map(Duration::from_micros), "try {tried}");
    }

    #[test]
    fn waits_double_up_to_the_cap_and_are_spread_over_all_of_it() {
        check(1, 0, None, Some(0));
        check(1, 100_000, None, Some(100_000));
        check(1, 100_001, None, Some(0));
        check(2, 200_000, None, Some(200_000));
        check(3, 300_000, None, Some(300_000));
        check(4, 300_001, None, Some(0));
        check(5, 0, None, None);
        check(u32::MAX, 0, None, None);
    }

    #[test]
    fn what_the_server_asks_for_is_obeyed_within_the_cap() {
        check(1, 7, Some(50), Some(50_000));
        check(1, 7, Some(86_400_000), Some(300_000));
        check(5, 7, Some(50), None);
    }

    #[test]
    fn absurd_settings_do_not_overflow() {
        let forever = Backoff {
            tries: u32::MAX,
            first: Duration::MAX,
            longest: Duration::MAX,
        };
        assert!(forever.wait(u32::MAX - 1, u64::MAX, None).is_some());
    }
}
