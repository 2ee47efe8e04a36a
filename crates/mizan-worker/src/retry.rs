//! When a job that did not end well is tried again.

use chrono::TimeDelta;

/// The pause before the next try: one second, doubling, five minutes at the most; `jitter` from 0 to 99 spreads
/// it over the last quarter so that jobs that failed together do not come back together.
pub fn pause(attempt: i32, jitter: u8) -> TimeDelta {
    let doublings = u32::try_from(attempt.clamp(1, 10) - 1).unwrap_or_default();
    let whole = TimeDelta::milliseconds(1_000_i64 << doublings).min(TimeDelta::minutes(5));
    let quarter = whole.num_milliseconds() / 4;
    whole - TimeDelta::milliseconds(quarter * i64::from(jitter.min(99)) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stop_growing() {
        let check = |attempt, jitter, ms| {
            assert_eq!(
                pause(attempt, jitter).num_milliseconds(),
                ms,
                "attempt {attempt}, jitter {jitter}"
            );
        };
        check(1, 0, 1_000);
        check(2, 0, 2_000);
        check(5, 0, 16_000);
        check(50, 0, 300_000);
        check(i32::MAX, 0, 300_000);
        check(-1, 0, 1_000);
        check(1, 50, 875);
        check(1, 255, 753);
    }
}
