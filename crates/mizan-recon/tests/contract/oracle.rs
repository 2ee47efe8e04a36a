//! The rules of matching written as plainly as possible, for a few rows.

use mizan_recon::{FindingType, Line, Report};

/// Findings as type, event id (`row` where it was made up) and difference, and how many pairs agree.
pub(crate) type Seen = (Vec<(FindingType, String, Option<i128>)>, u64);

pub(crate) fn seen(report: &Report) -> Seen {
    let id = |it: &str| {
        if it.starts_with("row_") {
            "row".to_owned()
        } else {
            it.to_owned()
        }
    };
    let findings = report.findings.iter();
    let mut all: Vec<_> = findings
        .map(|it| (it.finding_type, id(&it.event_id), it.why.difference_minor))
        .collect();
    all.sort();
    (all, report.summary.matched)
}

#[derive(Default)]
struct Oracle {
    findings: Vec<(FindingType, String, Option<i128>)>,
    matched: u64,
}

pub(crate) fn run(statement: &[Line], ledger: &[Line]) -> Seen {
    let mut oracle = Oracle::default();
    let theirs = oracle.one_per_event(statement, FindingType::DuplicateInPsp);
    let ours = oracle.one_per_event(ledger, FindingType::DuplicateInLedger);
    let partner = |one: &Line, others: &[Line]| {
        others
            .iter()
            .find(|it| one.event_id().is_some() && it.event_id() == one.event_id())
            .cloned()
    };
    let mut lone = Vec::new();
    for one in &theirs {
        match partner(one, &ours) {
            Some(other) => oracle.pair(one, &other),
            None => lone.push(one.clone()),
        }
    }
    let lone_ours: Vec<Line> = ours
        .iter()
        .filter(|it| partner(it, &theirs).is_none())
        .cloned()
        .collect();
    oracle.by_reference(lone, lone_ours);
    oracle.findings.sort();
    (oracle.findings, oracle.matched)
}

/// What tells two rows apart, but for their place.
fn content(line: &Line) -> impl Ord + PartialEq + use<'_> {
    let numbers = (line.occurred_at, line.amount_minor, line.fee_minor);
    (
        numbers,
        line.currency,
        line.kind,
        line.status,
        line.event_id(),
        line.reference(),
    )
}

fn effect(line: &Line) -> i128 {
    i128::from(line.amount_minor) * i128::from(line.kind.direction())
}

impl Oracle {
    fn find(&mut self, found: FindingType, line: &Line, other: Option<&Line>, difference: Option<i128>) {
        let id = line
            .event_id()
            .or(other.and_then(Line::event_id))
            .unwrap_or("row");
        self.findings.push((found, id.to_owned(), difference));
    }

    fn one_per_event(&mut self, lines: &[Line], duplicate: FindingType) -> Vec<Line> {
        let mut sorted = lines.to_vec();
        sorted.sort_by(|a, b| content(a).cmp(&content(b)));
        let mut kept: Vec<Line> = Vec::new();
        let mut reported: Vec<String> = Vec::new();
        for line in sorted {
            let twin = kept
                .iter()
                .find(|it| line.event_id().is_some() && it.event_id() == line.event_id());
            match twin.and_then(Line::event_id) {
                None => kept.push(line),
                Some(id) if reported.iter().any(|it| it == id) => {}
                Some(id) => {
                    reported.push(id.to_owned());
                    self.findings.push((duplicate, id.to_owned(), None));
                }
            }
        }
        kept
    }

    fn pair(&mut self, statement: &Line, ledger: &Line) {
        let before = self.findings.len();
        let other = Some(ledger);
        if statement.currency != ledger.currency {
            return self.find(FindingType::CurrencyMismatch, statement, other, None);
        }
        if statement.status != ledger.status {
            self.find(FindingType::StatusMismatch, statement, other, None);
        }
        let difference = effect(statement) - effect(ledger);
        if difference != 0 {
            self.find(FindingType::AmountMismatch, statement, other, Some(difference));
        }
        if let (Some(one), Some(two)) = (statement.fee_minor, ledger.fee_minor)
            && one != two
        {
            self.find(
                FindingType::FeeMismatch,
                statement,
                other,
                Some(i128::from(one - two)),
            );
        }
        self.matched += u64::from(self.findings.len() == before);
    }

    fn by_reference(&mut self, theirs: Vec<Line>, ours: Vec<Line>) {
        let mut theirs = self.distinct(theirs, FindingType::DuplicateInPsp);
        let mut ours = self.distinct(ours, FindingType::DuplicateInLedger);
        // First those that agree in currency, status and amount, then whoever is left under the reference.
        for alike in [true, false] {
            let mut at = 0;
            while at < theirs.len() {
                let one = theirs[at].clone();
                let same = |it: &Line| {
                    let key =
                        it.reference().is_some() && it.reference() == one.reference() && it.kind == one.kind;
                    let said = (it.currency, it.status, it.amount_minor);
                    key && (!alike || said == (one.currency, one.status, one.amount_minor))
                };
                let (mut left, right): (Vec<Line>, Vec<Line>) = (
                    theirs.iter().filter(|it| same(it)).cloned().collect(),
                    ours.iter().filter(|it| same(it)).cloned().collect(),
                );
                // Which one speaks for all does not depend on where it stands.
                left.sort_by_key(|it| (it.currency, it.status, it.amount_minor));
                let nameless = left.iter().chain(&right).any(|it| it.event_id().is_none());
                if left.is_empty() || right.is_empty() || !nameless {
                    at += 1;
                    continue;
                }
                if let ([one], [other]) = (left.as_slice(), right.as_slice()) {
                    self.pair(one, other);
                } else {
                    let only = if right.len() == 1 { right.first() } else { None };
                    self.find(FindingType::AmbiguousMatch, &left[0], only, None);
                }
                theirs.retain(|it| !same(it));
                ours.retain(|it| !same(it));
            }
        }
        for line in &theirs {
            self.find(FindingType::MissingInLedger, line, None, Some(effect(line)));
        }
        for line in &ours {
            self.find(FindingType::MissingInPsp, line, None, Some(-effect(line)));
        }
    }

    /// Rows without an event id that say the same thing are one, and a finding if there are several.
    fn distinct(&mut self, mut lines: Vec<Line>, duplicate: FindingType) -> Vec<Line> {
        lines.sort_by(|a, b| content(a).cmp(&content(b)));
        let mut kept: Vec<(Line, usize)> = Vec::new();
        for line in lines {
            let twin = kept
                .iter_mut()
                .find(|it| line.event_id().is_none() && content(&it.0) == content(&line));
            match twin {
                Some((_, count)) => *count += 1,
                None => kept.push((line, 1)),
            }
        }
        for (line, _) in kept.iter().filter(|it| it.1 > 1) {
            self.find(duplicate, line, None, None);
        }
        kept.into_iter().map(|it| it.0).collect()
    }
}
