//! The rows that are left over, and what becomes of them.

use mizan_core::money::major;

use super::bucket::{Bucket, buckets};
use super::{LegRule, LegStats, Shape, SumOf, groups, pairs};
use crate::finding::{Finding, FindingType, Leg, Why};
use crate::line::Line;
use crate::rules::Rules;

/// Left-overs of both sides: each is the finding that says it has no partner.
pub(super) struct Table<'a> {
    rules: &'a Rules,
    theirs: Vec<Option<Finding>>,
    ours: Vec<Option<Finding>>,
    /// By place, of both: whether the run answers for the row as long as it is alone.
    inside: [Vec<bool>; 2],
    found: Vec<Finding>,
}

/// What the legs have left.
pub(super) struct Rest {
    /// Rows that are still alone, and what the legs have found.
    pub findings: Vec<Finding>,
    /// Rows of other windows that are still alone.
    pub neighbours: Vec<Finding>,
}

/// Rows of both sides that belong together, by their places.
pub(super) struct Together<'a> {
    pub theirs: &'a [usize],
    pub ours: &'a [usize],
}

impl<'a> Table<'a> {
    /// The findings come sorted by event id, so nothing here depends on the order of rows in a file.
    pub(super) fn new(lone: Vec<Finding>, neighbours: Vec<Finding>, rules: &'a Rules) -> Self {
        let lone = lone.into_iter().map(|it| (it, true));
        let mut all: Vec<(Finding, bool)> =
            lone.chain(neighbours.into_iter().map(|it| (it, false))).collect();
        all.sort_by(|(a, _), (b, _)| a.event_id.cmp(&b.event_id));
        let (theirs, ours): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.0.statement.is_some());
        let apart = |rows: Vec<(Finding, bool)>| -> (Vec<Option<Finding>>, Vec<bool>) {
            rows.into_iter().map(|(it, inside)| (Some(it), inside)).unzip()
        };
        let ((theirs, their_inside), (ours, our_inside)) = (apart(theirs), apart(ours));
        Self {
            rules,
            theirs,
            ours,
            inside: [their_inside, our_inside],
            found: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, leg: &LegRule) -> LegStats {
        let mut stats = LegStats {
            name: leg.name.clone(),
            ..LegStats::default()
        };
        for bucket in buckets(self, leg) {
            match leg.shape {
                Shape::OneToOne => pairs::run(self, leg, &bucket, &mut stats),
                Shape::ManyToOne | Shape::OneToMany => groups::run(self, leg, &bucket, &mut stats),
            }
        }
        stats
    }

    pub(super) fn finish(self) -> Rest {
        let mut rest = Rest {
            findings: self.found,
            neighbours: Vec::new(),
        };
        let inside = self.inside.into_iter().flatten();
        for (row, inside) in self.theirs.into_iter().chain(self.ours).zip(inside) {
            match (row, inside) {
                (Some(row), true) => rest.findings.push(row),
                (Some(row), false) => rest.neighbours.push(row),
                (None, _) => {}
            }
        }
        rest
    }

    /// Whether the run answers for what comes of these rows: where the earliest statement row is its own.
    fn owns(&self, rows: &Together<'_>) -> bool {
        let times = rows.theirs.iter().filter_map(|it| self.theirs(*it));
        let first = times.map(|it| it.occurred_at).min();
        first.is_none_or(|at| self.rules.owns_statement(at))
    }

    pub(super) fn their_rows(&self) -> impl Iterator<Item = (usize, &Line)> {
        let rows = self.theirs.iter().enumerate();
        rows.filter_map(|(place, it)| Some((place, it.as_ref()?.statement.as_ref()?)))
    }

    pub(super) fn our_rows(&self) -> impl Iterator<Item = (usize, &Line)> {
        let rows = self.ours.iter().enumerate();
        rows.filter_map(|(place, it)| Some((place, it.as_ref()?.ledger.as_ref()?)))
    }

    pub(super) fn theirs(&self, place: usize) -> Option<&Line> {
        self.theirs[place].as_ref()?.statement.as_ref()
    }

    pub(super) fn ours(&self, place: usize) -> Option<&Line> {
        self.ours[place].as_ref()?.ledger.as_ref()
    }

    /// Rows that agree: they are no findings any more.
    pub(super) fn matched(&mut self, rows: &Together<'_>, stats: &mut LegStats) {
        if self.owns(rows) {
            stats.matched += 1;
            let numbers = |lines: Vec<&Line>| lines.into_iter().map(|it| it.row_no).collect::<Vec<u64>>();
            let theirs = numbers(rows.theirs.iter().filter_map(|it| self.theirs(*it)).collect());
            let ours = numbers(rows.ours.iter().filter_map(|it| self.ours(*it)).collect());
            stats.together.push((theirs, ours));
            Self::count(rows, stats);
        }
        self.take(rows);
    }

    /// Rows that belong together and have different sums.
    pub(super) fn mismatched(
        &mut self,
        leg: &LegRule,
        key: &str,
        rows: &Together<'_>,
        (theirs, ours): (i128, i128),
        stats: &mut LegStats,
    ) {
        if !self.owns(rows) {
            return self.take(rows);
        }
        stats.mismatched += 1;
        Self::count(rows, stats);
        let currency = rows
            .theirs
            .first()
            .and_then(|it| self.theirs(*it))
            .map(|it| it.currency);
        let detail = currency.map_or_else(String::new, |currency| {
            let allowed = i128::try_from(leg.tolerance.allowed(ours)).unwrap_or(i128::MAX);
            let [theirs_text, ours_text, by, allowed] =
                [theirs, ours, theirs - ours, allowed].map(|it| major(it, currency));
            format!(
                "{} statement rows sum to {theirs_text}, {} ledger rows to {ours_text} {currency}: {by} apart, {allowed} allowed",
                rows.theirs.len(),
                rows.ours.len()
            )
        });
        let difference = Some(theirs - ours);
        self.find(FindingType::AmountMismatch, leg, key, rows, detail, difference);
        self.take(rows);
    }

    /// Rows that could be each other's partners in several ways.
    pub(super) fn ambiguous(&mut self, leg: &LegRule, key: &str, rows: &Together<'_>, stats: &mut LegStats) {
        if !self.owns(rows) {
            return self.take(rows);
        }
        stats.ambiguous += 1;
        Self::count(rows, stats);
        let detail = format!(
            "{} statement and {} ledger rows could be each other's partners",
            rows.theirs.len(),
            rows.ours.len()
        );
        self.find(FindingType::AmbiguousMatch, leg, key, rows, detail, None);
        self.take(rows);
    }

    fn count(rows: &Together<'_>, stats: &mut LegStats) {
        stats.statement_rows += rows.theirs.len() as u64;
        stats.ledger_rows += rows.ours.len() as u64;
    }

    fn take(&mut self, rows: &Together<'_>) {
        for place in rows.theirs {
            self.theirs[*place] = None;
        }
        for place in rows.ours {
            self.ours[*place] = None;
        }
    }

    fn find(
        &mut self,
        finding_type: FindingType,
        leg: &LegRule,
        key: &str,
        rows: &Together<'_>,
        detail: String,
        difference_minor: Option<i128>,
    ) {
        let theirs: Vec<&Finding> = rows
            .theirs
            .iter()
            .filter_map(|it| self.theirs[*it].as_ref())
            .collect();
        let ours: Vec<&Finding> = rows
            .ours
            .iter()
            .filter_map(|it| self.ours[*it].as_ref())
            .collect();
        let Some(first) = theirs.first().or(ours.first()) else {
            return;
        };
        let numbers = |lines: Vec<&Line>| {
            let mut numbers: Vec<u64> = lines.into_iter().map(|it| it.row_no).collect();
            numbers.sort_unstable();
            numbers
        };
        let statement_rows = numbers(theirs.iter().filter_map(|it| it.statement.as_ref()).collect());
        let ledger_rows = numbers(ours.iter().filter_map(|it| it.ledger.as_ref()).collect());
        self.found.push(Finding {
            finding_type,
            severity: self.rules.severity(finding_type),
            event_id: first.event_id.clone(),
            reference: first.reference.clone(),
            kind: first.kind,
            statement: theirs.first().and_then(|it| it.statement.clone()),
            ledger: ours.first().and_then(|it| it.ledger.clone()),
            why: Why {
                rule: Leg::Rule,
                key: format!("leg={}{key}", leg.name),
                detail,
                difference_minor,
                statement_rows,
                ledger_rows,
            },
        });
    }
}

/// What a row counts for in a leg.
pub(super) fn value(leg: &LegRule, line: &Line) -> i128 {
    match leg.sum {
        SumOf::Gross => line.effect_minor(),
        SumOf::Net => line.effect_minor() - i128::from(line.fee_minor.unwrap_or_default()),
    }
}

/// Whether two rows are near enough in time: a day is 24 hours.
pub(super) fn near(leg: &LegRule, one: &Line, other: &Line) -> bool {
    let apart = one.occurred_at.signed_duration_since(other.occurred_at).abs();
    apart <= chrono::TimeDelta::days(i64::from(leg.window_days))
}

/// The bucket's key in words.
pub(super) fn words(bucket: &Bucket) -> String {
    let each = bucket
        .key
        .iter()
        .map(|(name, value)| [" ", name, "=", value].concat());
    each.collect()
}
