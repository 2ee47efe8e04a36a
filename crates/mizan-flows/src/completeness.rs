//! How complete the books are: the share of each day's volume that was matched one, two and four days later.
//!
//! Every completed run that is not a dry run keeps what it made of each day (UTC) of its window. A day counts at
//! T+n once n whole days have passed after it, with what the runs had matched by then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime};
use mizan_core::{Currency, Minor, ProviderKey, Timestamp};
use mizan_recon::engine::Report;
use mizan_recon::finding::{Finding, FindingType};
use mizan_recon::line::Line;
use mizan_store::completeness::{DayCovered, DayVolume};
use mizan_store::recon_runs::ReconRun;

use crate::{App, Caller, FlowError, Result};

/// The days after which is asked.
pub const AFTER: [u64; 3] = [1, 2, 4];
/// The most days of one report.
const MOST_DAYS: i64 = 400;

/// Matched volume of the volume that there was, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub matched: i128,
    pub volume: i128,
}

impl Share {
    /// In hundredths of a percent, rounded down: 10 000 only where everything is matched.
    pub fn basis_points(self) -> Option<i128> {
        (self.volume > 0).then(|| self.matched * 10_000 / self.volume)
    }
}

/// One provider in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    pub provider: ProviderKey,
    pub currency: Currency,
    /// Days that some run covered.
    pub days: u64,
    /// At T+1, T+2 and T+4, over the days that are that old.
    pub at: [Share; 3],
}

/// What a run made of each day of its window.
pub(crate) fn covered(
    run: &ReconRun,
    report: &Report,
    ledger: &[DayVolume],
    at: Timestamp,
) -> Vec<DayCovered> {
    let mut days: BTreeMap<(NaiveDate, Currency), (Minor, Minor)> = BTreeMap::new();
    for it in ledger {
        let (volume, _) = days.entry((it.day, it.currency)).or_default();
        *volume = volume.saturating_add(it.volume);
    }
    let mut seen = BTreeSet::new();
    let lone_ledger = |it: &Finding| it.statement.is_none() && it.ledger.is_some();
    let inside = |it: &&Finding| !lone_ledger(it) || starts_in(run, it.ledger.as_ref());
    // Not judged yet, because the settlement lag is not over: not matched either. What was so in an earlier window
    // and is judged now was counted there.
    let pending = report.neighbours.iter().filter(|it| lone_ledger(it));
    for it in report.findings.iter().chain(pending).filter(inside) {
        let (line, only_here) = match (it.finding_type, &it.ledger, &it.statement) {
            (FindingType::MissingInLedger, _, Some(line)) => (line, true),
            (
                FindingType::MissingInPsp
                | FindingType::AmountMismatch
                | FindingType::CurrencyMismatch
                | FindingType::StatusMismatch
                | FindingType::AmbiguousMatch,
                Some(line),
                _,
            ) => (line, false),
            _ => continue,
        };
        // A pair can have several findings; its money is missing once.
        if !seen.insert((only_here, line.row_no)) {
            continue;
        }
        let amount = line.amount_minor.saturating_abs();
        let (volume, missing) = days
            .entry((line.occurred_at.date_naive(), line.currency))
            .or_default();
        *missing = missing.saturating_add(amount);
        if only_here {
            *volume = volume.saturating_add(amount);
        }
    }
    let day = |((day, currency), (volume, missing)): ((NaiveDate, Currency), (Minor, Minor))| DayCovered {
        run: run.id,
        provider: run.provider.clone(),
        window: run.window,
        day,
        currency,
        volume,
        matched: volume.saturating_sub(missing).max(0),
        finished_at: at,
    };
    days.into_iter().map(day).collect()
}

fn starts_in(run: &ReconRun, line: Option<&Line>) -> bool {
    line.is_some_and(|it| run.window.contains(it.occurred_at))
}

/// The completeness of the days from `from` up to and without `until`; of the last 30 if nothing is said.
pub async fn report(
    app: &App,
    caller: &Caller,
    provider: Option<&ProviderKey>,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
) -> Result<Vec<Complete>> {
    let tomorrow = || app.now().date_naive() + Days::new(1);
    let until = until.unwrap_or_else(tomorrow);
    let from = match from {
        Some(from) => from,
        None => until
            .checked_sub_days(Days::new(30))
            .ok_or_else(|| FlowError::invalid("until", "use a later day"))?,
    };
    let days = (until - from).num_days();
    if days <= 0 {
        return Err(FlowError::invalid("until", "use a day after 'from'"));
    }
    if days > MOST_DAYS {
        let reason = format!("ask for at most {MOST_DAYS} days at once");
        return Err(FlowError::invalid("until", reason));
    }
    let mut tx = app.store.read(caller.tenant).await?;
    let rows = tx.covered(provider, from, until).await?;
    Ok(summarise(&rows, app.now()))
}

/// `rows` are in order of provider, currency, day and time.
fn summarise(rows: &[DayCovered], now: Timestamp) -> Vec<Complete> {
    let mut lines: Vec<Complete> = Vec::new();
    let same_day =
        |a: &DayCovered, b: &DayCovered| (&a.provider, a.currency, a.day) == (&b.provider, b.currency, b.day);
    for day in rows.chunk_by(same_day) {
        let Some(first) = day.first() else { continue };
        if lines
            .last()
            .is_none_or(|it| (&it.provider, it.currency) != (&first.provider, first.currency))
        {
            lines.push(Complete {
                provider: first.provider.clone(),
                currency: first.currency,
                days: 0,
                at: [Share::default(); 3],
            });
        }
        let Some(line) = lines.last_mut() else { continue };
        line.days += 1;
        let volume = i128::from(of_day(day).0);
        for (share, after) in line.at.iter_mut().zip(AFTER) {
            let Some(cut) = end_of(first.day, after).filter(|it| *it <= now) else {
                continue;
            };
            let until = day.partition_point(|it| it.finished_at < cut);
            let matched = i128::from(of_day(day.get(..until).unwrap_or_default()).1);
            share.volume += volume;
            share.matched += matched.min(volume);
        }
    }
    lines
}

/// Volume and matched volume of a day, as the runs of it left them: the latest run over the whole day, or else the
/// latest of each window that touches it.
fn of_day(runs: &[DayCovered]) -> (Minor, Minor) {
    let whole = runs.iter().rev().find(|it| covers(it));
    if let Some(it) = whole {
        return (it.volume, it.matched);
    }
    let latest: BTreeMap<_, _> = runs
        .iter()
        .map(|it| ((it.window.start(), it.window.end()), (it.volume, it.matched)))
        .collect();
    latest.into_values().fold((0, 0), |sum, it| {
        (sum.0.saturating_add(it.0), sum.1.saturating_add(it.1))
    })
}

fn covers(it: &DayCovered) -> bool {
    let start = it.day.and_time(NaiveTime::MIN).and_utc();
    end_of(it.day, 0).is_some_and(|end| it.window.start() <= start && it.window.end() >= end)
}

/// The end of the day that is so many days after `day`.
fn end_of(day: NaiveDate, after: u64) -> Option<Timestamp> {
    let next = day.checked_add_days(Days::new(after + 1))?;
    Some(next.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests;
