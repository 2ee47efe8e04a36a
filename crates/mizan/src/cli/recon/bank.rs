//! The bank leg on the command line: what was found, as a table or as JSON.

use indicatif::ProgressBar;
use mizan_mask::Masker;
use mizan_recon::RuleSet;
use mizan_recon::bank::view::{BankFindingView, BankView};
use mizan_recon::bank::{BankRead, BankReport, BankSource};
use mizan_recon::statement::Format;
use mizan_recon::statement::view::CheckView;
use mizan_recon::view::QuarantinedView;
use serde_json::Value;

use super::super::exit::Exit;
use super::{MatchArgs, print_checks, table, write_lines};

/// The payouts of the ledger extract against a bank statement.
pub(super) fn alone(
    args: &MatchArgs,
    rules: &RuleSet,
    format: Format,
    source: &mut dyn BankSource,
    bar: &ProgressBar,
) -> anyhow::Result<Exit> {
    let both = args.files.bank_alone(source, rules)?;
    bar.finish_and_clear();
    let (report, read) = &both;
    if let Some(path) = &args.out {
        write_lines(path, findings(report).collect::<Result<Vec<_>, _>>()?.into_iter())?;
    }
    if let Some(path) = &args.quarantine {
        write_lines(path, read.quarantined.iter().map(QuarantinedView::from))?;
    }
    if args.json {
        let mut object = object(report, read)?;
        object["format"] = format.as_str().into();
        say!("{object}");
    } else {
        say!("format {format}");
        print(report, read);
    }
    Ok(args.exit(clean(&both)))
}

pub(super) fn findings(report: &BankReport) -> impl Iterator<Item = serde_json::Result<Value>> {
    report
        .findings
        .iter()
        .map(BankFindingView::from)
        .map(serde_json::to_value)
}

/// The stats and the checks of the bank statement.
pub(super) fn object(report: &BankReport, read: &BankRead) -> serde_json::Result<Value> {
    let mut object = serde_json::to_value(BankView::from(report))?;
    let checks: Vec<_> = read.checks.iter().map(CheckView::from).collect();
    object["checks"] = serde_json::to_value(checks)?;
    Ok(object)
}

pub(super) fn clean((report, read): &(BankReport, BankRead)) -> bool {
    report.findings.is_empty() && report.bank_quarantined == 0 && read.checks.iter().all(|it| it.held)
}

pub(super) fn print(report: &BankReport, read: &BankRead) {
    let view = BankView::from(report);
    let mut states = table(&["payouts against the bank", "count"]);
    for (name, count) in &view.states {
        states.add_row([name.clone(), count.to_string()]);
    }
    for (name, count) in &view.findings {
        states.add_row([format!("finding {name}"), count.to_string()]);
    }
    say!("{states}");
    say!(
        "{} bank lines, {} quarantined, {} not booked yet, {} of others",
        view.bank_lines,
        view.bank_quarantined,
        view.not_booked,
        view.of_others
    );
    let masker = Masker::builder().build();
    for finding in report.findings.iter().take(5) {
        let payout = finding.payout_id.as_deref().unwrap_or("-");
        let line = format!("{} {payout}: {}", finding.finding_type, finding.detail);
        say!("finding: {}", masker.mask(&line));
    }
    for row in read.quarantined.iter().take(5) {
        let line = format!("line {}: {}", row.line_no, row.reason);
        say!("quarantined: {}", masker.mask(&line));
    }
    print_checks(&read.checks);
}
