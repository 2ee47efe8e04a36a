//! What is settled and what is left while the ways of matching take their turns.

use chrono::NaiveDate;
use mizan_core::money::major;

use super::super::BankLine;
use super::super::batch::Batch;
use super::{BankFinding, BankRules, BatchResult, BatchState, days};
use crate::finding::FindingType;
use crate::rules::Rules;

/// The tables of a run and the marks on them.
pub(super) struct Outcome<'a> {
    pub batches: &'a [Batch],
    pub lines: &'a [&'a BankLine],
    pub leg: &'a BankRules,
    rules: &'a Rules,
    results: Vec<Option<BatchResult>>,
    used: Vec<bool>,
    findings: Vec<BankFinding>,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(
        batches: &'a [Batch],
        lines: &'a [&'a BankLine],
        leg: &'a BankRules,
        rules: &'a Rules,
    ) -> Self {
        let nothing_due =
            |batch: &Batch| (batch.net_minor() == 0).then(|| ended(batch, BatchState::NothingDue));
        Self {
            batches,
            lines,
            leg,
            rules,
            results: batches.iter().map(nothing_due).collect(),
            used: vec![false; lines.len()],
            findings: Vec::new(),
        }
    }

    pub(super) fn open_batches(&self) -> Vec<usize> {
        (0..self.batches.len())
            .filter(|it| self.results[*it].is_none())
            .collect()
    }

    pub(super) fn open_lines(&self) -> Vec<usize> {
        (0..self.lines.len()).filter(|it| !self.used[*it]).collect()
    }

    /// Compares batches and lines that belong together: their sums have to agree. All are of one currency.
    pub(super) fn settle(&mut self, batches: &[usize], lines: &[usize], how: &str) {
        let expected: i128 = batches.iter().map(|it| self.batches[*it].net_minor()).sum();
        let seen: i128 = lines
            .iter()
            .map(|it| i128::from(self.lines[*it].amount_minor))
            .sum();
        let difference = seen - expected;
        let agree = difference.unsigned_abs() <= u128::from(self.leg.tolerance_minor);
        let state = if agree {
            BatchState::Matched
        } else {
            BatchState::Mismatched
        };
        let booked = lines.iter().map(|it| self.lines[*it].booked_on).max();
        for it in batches {
            let batch = &self.batches[*it];
            self.results[*it] = Some(BatchResult {
                bank_minor: (batches.len() == 1).then_some(seen),
                days: booked.map(|on| days(batch, on)),
                ..ended(batch, state)
            });
        }
        if !agree {
            let currency = self.batches[batches[0]].currency;
            let [paid, credited, by, allowed] =
                [expected, seen, difference, i128::from(self.leg.tolerance_minor)]
                    .map(|it| major(it, currency));
            let detail = format!(
                "{how}: {} payouts sum to {paid}, {} bank lines to {credited} {currency}: {by} apart, {allowed} allowed",
                batches.len(),
                lines.len()
            );
            self.find(
                FindingType::PayoutMismatch,
                batches,
                lines,
                (expected, seen),
                detail,
            );
        }
        self.use_up(lines);
    }

    /// Batches and lines that could be each other's in several ways.
    pub(super) fn ambiguous(&mut self, batches: &[usize], lines: &[usize], how: &str) {
        for it in batches {
            self.results[*it] = Some(ended(&self.batches[*it], BatchState::Ambiguous));
        }
        let expected = batches.iter().map(|it| self.batches[*it].net_minor()).sum();
        let seen = lines
            .iter()
            .map(|it| i128::from(self.lines[*it].amount_minor))
            .sum();
        let detail = format!(
            "{how}: {} payouts and {} bank lines could be each other's",
            batches.len(),
            lines.len()
        );
        self.find(
            FindingType::AmbiguousMatch,
            batches,
            lines,
            (expected, seen),
            detail,
        );
        self.use_up(lines);
    }

    /// A batch whose id only stands in lines of another currency.
    pub(super) fn other_currency(&mut self, batch: usize, lines: &[usize]) {
        self.results[batch] = Some(ended(&self.batches[batch], BatchState::Mismatched));
        let net = self.batches[batch].net_minor();
        let detail = format!(
            "the payout is in {}, the bank line in {}",
            self.batches[batch].currency, self.lines[lines[0]].currency
        );
        self.find(FindingType::CurrencyMismatch, &[batch], lines, (net, 0), detail);
        self.use_up(lines);
    }

    /// What no way of matching has settled.
    pub(super) fn rest(&mut self, covers_until: Option<NaiveDate>) {
        for it in self.open_batches() {
            let batch = &self.batches[it];
            let lag = i64::from(self.leg.settlement_lag_days);
            let due = covers_until.is_none_or(|until| days(batch, until) >= lag);
            let state = if due {
                BatchState::Missing
            } else {
                BatchState::NotDueYet
            };
            self.results[it] = Some(ended(batch, state));
            if due {
                let net = batch.net_minor();
                let detail = format!(
                    "{} rows sum to {} {}; no bank line has it",
                    batch.rows,
                    major(net, batch.currency),
                    batch.currency
                );
                self.find(FindingType::MissingInBank, &[it], &[], (net, 0), detail);
            }
        }
        for it in self.open_lines() {
            let line = self.lines[it];
            let seen = i128::from(line.amount_minor);
            let amount = major(seen, line.currency);
            let detail = format!(
                "only the bank has it: {amount} {} of {}",
                line.currency, line.booked_on
            );
            self.find(FindingType::PayoutMismatch, &[], &[it], (0, seen), detail);
        }
    }

    pub(super) fn finish(self) -> (Vec<BatchResult>, Vec<BankFinding>) {
        (self.results.into_iter().flatten().collect(), self.findings)
    }

    fn use_up(&mut self, lines: &[usize]) {
        for it in lines {
            self.used[*it] = true;
        }
    }

    fn find(
        &mut self,
        finding_type: FindingType,
        batches: &[usize],
        lines: &[usize],
        (expected_minor, seen_minor): (i128, i128),
        detail: String,
    ) {
        let currency = match (batches.first(), lines.first()) {
            (Some(batch), _) => self.batches[*batch].currency,
            (None, Some(line)) => self.lines[*line].currency,
            (None, None) => return,
        };
        let mut bank_lines: Vec<u64> = lines.iter().map(|it| self.lines[*it].line_no).collect();
        bank_lines.sort_unstable();
        self.findings.push(BankFinding {
            finding_type,
            severity: self.rules.severity(finding_type),
            payout_id: batches.first().map(|it| self.batches[*it].id.clone()),
            currency,
            expected_minor,
            seen_minor,
            detail,
            bank_lines,
        });
    }
}

fn ended(batch: &Batch, state: BatchState) -> BatchResult {
    BatchResult {
        batch: batch.clone(),
        state,
        bank_minor: None,
        days: None,
    }
}
