//! The bank leg of a run: the payouts of its statement against a bank statement that was uploaded.
//!
//! All payouts and all lines of both files take part; the run answers for payouts whose last row is in its window,
//! and for bank lines that no payout explains and that were booked in it.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;

use chrono::NaiveTime;
use mizan_core::{TimeWindow, Timestamp};
use mizan_recon::RuleSet;
use mizan_recon::bank::batch::MOST_BATCHES;
use mizan_recon::bank::view::{BankFindingView, BankView};
use mizan_recon::bank::{BankFinding, BankLine, BankRead, BankReport, Batches, LoneRows, match_bank};
use mizan_recon::statement::adyen::Amounts;
use mizan_recon::statement::open::{Opened, Opening, open};
use mizan_recon::statement::view::CheckView;
use mizan_recon::statement::{LineSource, Row, StatementError};
use mizan_store::findings::OF_BANK;
use mizan_store::recon_runs::ReconRun;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::statement_side::{StatementSide, unreadable};
use crate::objects::LocalCopy;
use crate::{App, Caller, FlowError, Result, statements};

/// The file of the bank, and how it is read.
pub(super) struct BankSide {
    name: String,
    copy: LocalCopy,
    opening: Opening,
}

/// What came of it.
pub(super) struct BankLeg {
    pub report: BankReport,
    pub findings: Vec<OfBank>,
    pub checks: Vec<CheckView>,
}

/// A finding of the bank leg with what it is known by.
pub(super) struct OfBank {
    pub finding: BankFinding,
    pub key: String,
    pub occurred_at: Timestamp,
}

impl OfBank {
    pub(super) fn details(&self) -> Value {
        let mut details = serde_json::to_value(BankFindingView::from(&self.finding)).unwrap_or_default();
        details["rule"] = "bank".into();
        details
    }
}

impl BankLeg {
    pub(super) fn stats(&self) -> Value {
        let mut stats = serde_json::to_value(BankView::from(&self.report)).unwrap_or_default();
        stats["checks"] = serde_json::to_value(&self.checks).unwrap_or_default();
        stats
    }
}

impl BankSide {
    /// Brings the file back, if the run has one.
    pub(super) async fn fetch(app: &App, caller: &Caller, run: &ReconRun) -> Result<Option<Self>> {
        let Some(id) = run.bank_statement else {
            return Ok(None);
        };
        let statement = statements::get(app, caller, id.into()).await?;
        Ok(Some(Self {
            name: statement.name.clone(),
            copy: statements::fetch(app, &statement).await?,
            opening: statements::opening(app, &statement)?,
        }))
    }

    /// Reads both files and compares them. Blocks.
    pub(super) fn compare(
        &self,
        statement: &StatementSide,
        rules: &RuleSet,
        window: TimeWindow,
    ) -> Result<BankLeg> {
        let mut batches = Batches::new(LoneRows::NotPaidOut);
        sum(&mut *statement.open(Amounts::Settled)?, &mut batches).map_err(|it| unreadable(&it))?;
        if batches.too_many {
            let reason =
                format!("it has more than {MOST_BATCHES} payouts, which is more than can be compared");
            return Err(FlowError::invalid("statement", reason));
        }
        let read = self.read()?;
        let mut report = match_bank(batches.finish(), &read, &rules.bank, &rules.rules);
        let findings = answered(&mut report, &read.lines, window);
        let checks = read.checks.iter().map(CheckView::from).collect();
        Ok(BankLeg {
            report,
            findings,
            checks,
        })
    }

    fn read(&self) -> Result<BankRead> {
        let file = File::open(self.copy.path())
            .map_err(|source| unreadable(&StatementError::Io { line_no: 1, source }))?;
        let input = BufReader::with_capacity(1 << 20, file);
        match open(&self.name, input, &self.opening).map_err(|it| unreadable(&it))? {
            Opened::Bank(_, mut source) => BankRead::all(&mut *source).map_err(|it| unreadable(&it)),
            Opened::Lines(format, _) => Err(FlowError::invalid(
                "bank_statement",
                format_args!("this is a {}, not a bank statement", format.title()),
            )),
        }
    }
}

fn sum(source: &mut dyn LineSource, batches: &mut Batches) -> std::result::Result<(), StatementError> {
    while let Some(row) = source.next_row()? {
        // What cannot be read was put aside by the match itself, or makes its payout differ.
        if let Row::Line(line) = row {
            batches.add(&line);
        }
    }
    Ok(())
}

/// Keeps what the run answers for in the report, and says by what each finding is known.
fn answered(report: &mut BankReport, lines: &[BankLine], window: TimeWindow) -> Vec<OfBank> {
    let last_rows: HashMap<_, _> = report
        .batches
        .iter()
        .map(|it| ((it.batch.id.clone(), it.batch.currency), it.batch.last_at))
        .collect();
    let mut names = Names::default();
    let mut kept = Vec::new();
    for finding in std::mem::take(&mut report.findings) {
        let (key, at) = match &finding.payout_id {
            Some(id) => (
                format!("{OF_BANK}payout:{id}:{}", finding.currency),
                last_rows.get(&(id.clone(), finding.currency)).copied(),
            ),
            None => names.of(&finding, lines),
        };
        if let Some(occurred_at) = at.filter(|it| window.contains(*it)) {
            kept.push(OfBank {
                finding,
                key,
                occurred_at,
            });
        }
    }
    report.batches.retain(|it| window.contains(it.batch.last_at));
    report.findings = kept.iter().map(|it| it.finding.clone()).collect();
    report.findings_by_type.clear();
    for it in &kept {
        *report
            .findings_by_type
            .entry(it.finding.finding_type)
            .or_default() += 1;
    }
    kept
}

/// What a line says, without where it stands.
fn said(line: &BankLine) -> Vec<String> {
    let mut texts = vec![
        line.account.clone().unwrap_or_default(),
        line.booked_on.to_string(),
        line.amount_minor.to_string(),
        line.currency.to_string(),
        line.text.clone(),
    ];
    texts.extend(line.references.iter().cloned());
    texts
}

/// Names of bank lines that no payout explains: by what they say, so that another file with them gives the same
/// names; of several that say the same, by their number.
#[derive(Default)]
struct Names {
    seen: BTreeMap<String, u32>,
}

impl Names {
    fn of(&mut self, finding: &BankFinding, lines: &[BankLine]) -> (String, Option<Timestamp>) {
        let line = finding.bank_lines.first().and_then(|no| {
            let same =
                |it: &&BankLine| it.line_no == *no && i128::from(it.amount_minor) == finding.seen_minor;
            lines.iter().find(same)
        });
        let mut hash = Sha256::new();
        for text in line.iter().flat_map(|it| said(it)) {
            // With its length before it, so that no two lists of texts look alike.
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        let digest = Uuid::from_bytes(bytes).simple().to_string();
        let count = self.seen.entry(digest.clone()).or_default();
        *count += 1;
        let at = line.map(|it| it.booked_on.and_time(NaiveTime::MIN).and_utc());
        (format!("{OF_BANK}line:{digest}:{count}"), at)
    }
}
