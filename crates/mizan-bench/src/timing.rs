//! Durations and percentiles.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Now, for a duration.
#[expect(clippy::disallowed_methods, reason = "a bench measures durations")]
pub fn now() -> Instant {
    Instant::now()
}

/// How often something happened in a second.
pub fn rate(count: u64, took: Duration) -> f64 {
    number(count) / took.as_secs_f64()
}

/// A count as a number to calculate ratios with; exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of a bench stay below 2^53")]
pub fn number(count: u64) -> f64 {
    count as f64
}

/// Times that single things took, in microseconds.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn push(&mut self, took: Duration) {
        self.push_us(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn push_us(&mut self, microseconds: u32) {
        self.0.push(microseconds);
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value that so many of a thousand do not exceed, in milliseconds; 0 when nothing was measured.
    pub fn per_mille(&mut self, share: usize) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        self.0.sort_unstable();
        let rank = (self.0.len() * share).div_ceil(1_000).clamp(1, self.0.len());
        f64::from(self.0[rank - 1]) / 1_000.0
    }

    /// `{"p50_ms":…,"p99_ms":…,"p999_ms":…,"max_ms":…,"count":…}`
    pub fn raw(&mut self) -> Value {
        json!({
            "count": self.len(), "p50_ms": self.per_mille(500), "p99_ms": self.per_mille(990),
            "p999_ms": self.per_mille(999), "max_ms": self.per_mille(1_000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let mut of_100 = Latencies::default();
        (1..=100).rev().for_each(|it| of_100.push_us(it * 1_000));
        let check = |latencies: &mut Latencies, share, expected: f64| {
            assert!((latencies.per_mille(share) - expected).abs() < 1e-9, "{share}");
        };
        check(&mut of_100, 500, 50.0);
        check(&mut of_100, 990, 99.0);
        check(&mut of_100, 999, 100.0);
        check(&mut of_100, 1_000, 100.0);
        check(&mut Latencies::default(), 990, 0.0);
    }
}
