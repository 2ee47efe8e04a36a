//! The windows of a schedule: pure arithmetic of a cron expression in a time zone.
//!
//! A window goes from one match of the expression to the next, so windows join without a gap, and a day on which
//! the clock changes has 23 or 25 hours.

use std::str::FromStr;

use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use mizan_core::{TimeWindow, Timestamp};

use crate::{FlowError, Result};

/// So many windows are looked at after a long time without workers; it bounds the work, not the runs.
const LOOKED_AT: usize = 100_000;

#[derive(Debug)]
pub struct Calendar {
    cron: Cron,
    zone: Tz,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub struct Due {
    /// The windows that get a run, oldest first.
    pub windows: Vec<TimeWindow>,
    /// Windows before them that get none, because too many were missed.
    pub skipped: Vec<TimeWindow>,
    /// The end of the last window of both.
    pub done_until: Timestamp,
    /// When the window after that is due.
    pub next_due_at: Timestamp,
}

impl Calendar {
    pub fn parse(cron: &str, zone: &str) -> Result<Self> {
        let zone = Tz::from_str(zone).map_err(|_| {
            FlowError::invalid(
                "time_zone",
                "use a name of the IANA database, like Europe/Istanbul",
            )
        })?;
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser.parse(cron).map_err(|error| {
            FlowError::invalid(
                "cron",
                format!("five fields, like 0 0 * * * for midnight: {error}"),
            )
        })?;
        Ok(Self { cron, zone })
    }

    /// The first border after a moment.
    pub fn next(&self, after: Timestamp) -> Result<Timestamp> {
        let local = after.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false);
        next.map(|it| it.with_timezone(&Utc))
            .map_err(|_| FlowError::invalid("cron", "it never comes"))
    }

    /// The last border that is not after a moment.
    pub fn last(&self, until: Timestamp) -> Result<Timestamp> {
        let local = until.with_timezone(&self.zone);
        let last = self.cron.find_previous_occurrence(&local, true);
        last.map(|it| it.with_timezone(&Utc))
            .map_err(|_| FlowError::invalid("cron", "it never came"))
    }

    /// The windows after `done_until` that ended at least `lag` before `now`; at most the latest `catch_up` of
    /// them get a run.
    pub fn due(&self, done_until: Timestamp, now: Timestamp, lag: TimeDelta, catch_up: usize) -> Result<Due> {
        let (mut windows, mut end) = (Vec::new(), done_until);
        let next = loop {
            let next = self.next(end)?;
            if next + lag > now || windows.len() >= LOOKED_AT {
                break next;
            }
            windows.push(TimeWindow::new(end, next).map_err(|it| FlowError::invalid("cron", it))?);
            end = next;
        };
        let kept = windows.split_off(windows.len().saturating_sub(catch_up));
        Ok(Due {
            windows: kept,
            skipped: windows,
            done_until: end,
            next_due_at: next + lag,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn calendar(cron: &str, zone: &str) -> Calendar {
        Calendar::parse(cron, zone).expect("a calendar")
    }

    #[test]
    fn days_have_the_hours_they_have_where_the_clock_changes() {
        let check = |zone: &str, from: &str, until: &str, hours: i64| {
            let days = calendar("0 0 * * *", zone);
            let due = days
                .due(at(from), at(until), TimeDelta::zero(), 9)
                .expect("windows");
            let [window] = due.windows[..] else {
                panic!("one window: {due:?}");
            };
            assert_eq!(
                window,
                TimeWindow::new(at(from), at(until)).expect("a window"),
                "{zone}"
            );
            assert_eq!(
                (window.end() - window.start()).num_hours(),
                hours,
                "{zone} {from}"
            );
        };
        check(
            "Europe/Istanbul",
            "2026-03-28T21:00:00Z",
            "2026-03-29T21:00:00Z",
            24,
        );
        check(
            "Europe/Berlin",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
            23,
        );
        check(
            "Europe/Berlin",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            25,
        );
        check(
            "America/New_York",
            "2026-03-08T05:00:00Z",
            "2026-03-09T04:00:00Z",
            23,
        );
        check(
            "America/New_York",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
            25,
        );
        // Midnight itself is left out: the day begins at one.
        check(
            "America/Santiago",
            "2026-09-06T04:00:00Z",
            "2026-09-07T03:00:00Z",
            23,
        );
        check("UTC", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", 24);
    }

    #[test]
    fn windows_of_a_year_join_without_gap_or_overlap() {
        for cron in ["0 0 * * *", "30 2 * * *", "0 * * * *", "0 6 * * 1"] {
            let days = calendar(cron, "Europe/Berlin");
            let (from, now) = (
                days.last(at("2026-01-01T12:00:00Z")).expect("a border"),
                at("2027-01-01T12:00:00Z"),
            );
            let due = days
                .due(from, now, TimeDelta::zero(), usize::MAX)
                .expect("windows");
            let mut end = from;
            for window in &due.windows {
                assert_eq!(window.start(), end, "{cron}");
                end = window.end();
            }
            assert_eq!(
                (end, end <= now, due.next_due_at > now),
                (due.done_until, true, true),
                "{cron}"
            );
        }
    }

    #[test]
    fn a_window_waits_for_its_settlement_lag() {
        let days = calendar("0 0 * * *", "UTC");
        let lag = TimeDelta::hours(6);
        let early = days
            .due(at("2026-01-01T00:00:00Z"), at("2026-01-02T05:59:59Z"), lag, 3)
            .expect("windows");
        assert_eq!(
            (early.windows.len(), early.done_until),
            (0, at("2026-01-01T00:00:00Z"))
        );
        assert_eq!(early.next_due_at, at("2026-01-02T06:00:00Z"));
        let due = days
            .due(at("2026-01-01T00:00:00Z"), at("2026-01-02T06:00:00Z"), lag, 3)
            .expect("windows");
        assert_eq!(
            (due.windows.len(), due.next_due_at),
            (1, at("2026-01-03T06:00:00Z"))
        );
    }

    #[test]
    fn after_a_long_time_the_latest_windows_get_a_run_and_the_rest_is_said() {
        let days = calendar("0 0 * * *", "UTC");
        let due = days
            .due(
                at("2026-01-01T00:00:00Z"),
                at("2026-01-31T12:00:00Z"),
                TimeDelta::zero(),
                7,
            )
            .expect("windows");
        assert_eq!((due.windows.len(), due.skipped.len()), (7, 23));
        assert_eq!(due.windows[6].end(), at("2026-01-31T00:00:00Z"));
        assert_eq!(due.skipped[22].end(), due.windows[0].start());
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_reason() {
        let check = |cron: &str, zone: &str, expected: &str| {
            let error = Calendar::parse(cron, zone).expect_err(cron).to_string();
            assert!(error.starts_with(expected), "{cron} {zone}: {error}");
        };
        check("0 0 * * *", "Mars/Olympus", "time_zone: ");
        check("0 0 * *", "UTC", "cron: ");
        check("0 0 0 * * *", "UTC", "cron: ");
        check("61 0 * * *", "UTC", "cron: ");
        check("", "UTC", "cron: ");
        let never = calendar("0 0 30 2 *", "UTC");
        assert!(never.next(at("2026-01-01T00:00:00Z")).is_err(), "30 February");
    }
}
