//! `mizan recon`: matches two files without any server, or runs a reconciliation of a provider.

mod bank;
mod files;
mod progress;
mod run;
mod schedule;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use mizan_config::memory_limit;
use mizan_core::Currency;
use mizan_mask::Masker;
use mizan_recon::engine::Report;
use mizan_recon::legs::LegStats;
use mizan_recon::spreadsheet::disarm;
use mizan_recon::statement::Check;
use mizan_recon::statement::adyen::Amounts;
use mizan_recon::statement::open::Opened;
use mizan_recon::statement::view::CheckView;
use mizan_recon::view::{FindingView, QuarantinedView, SummaryView};
use mizan_recon::{Job, Limits, LineSource, MatchEngine, NativeEngine, RuleFile, RuleSet, Watch, legs};

use self::progress::Shown;
use super::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct ReconArgs {
    #[command(subcommand)]
    command: ReconCommand,
}

#[derive(Debug, Subcommand)]
enum ReconCommand {
    /// Matches a statement with a ledger extract, without any server.
    ///
    /// Exit 0 when the files could be compared, whatever was found; with --fail-on-findings, 1 when they differ.
    Match(MatchArgs),
    /// Reconciles a provider in a window, on the configured database.
    ///
    /// With a queue a worker runs it, and --wait shows how it gets on; without one it runs here, to its end.
    Run(run::RunArgs),
    /// The runs that are made by the clock.
    Schedule(schedule::ScheduleArgs),
}

#[derive(Debug, Args)]
struct MatchArgs {
    #[command(flatten)]
    files: files::FileArgs,
    /// What counts as the same for this provider (TOML); without it, everything has to agree exactly.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Differences up to this many minor units match, per currency: `TRY=5`. May be repeated.
    #[arg(long, value_name = "CURRENCY=MINOR", value_parser = tolerance)]
    tolerance: Vec<(Currency, u64)>,
    /// Writes every finding to this file, one JSON object a line.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Writes every row that could not be read to this file, one JSON object a line.
    #[arg(long)]
    quarantine: Option<PathBuf>,
    /// Writes the rows of every pair that agrees to this file, as `statement_row,ledger_row,rule`, in no particular order.
    #[arg(long)]
    pairs: Option<PathBuf>,
    /// How many threads; as many as there are cores without it.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// How much memory rows may take, such as 512MiB; what does not fit waits on disk.
    #[arg(long, env = "RECON_MEMORY_LIMIT", default_value = "512MiB", value_parser = memory_limit)]
    memory_limit: usize,
    /// Where rows wait that do not fit into memory; the system's directory for temporary files without it.
    #[arg(long, env = "RECON_SPILL_DIR")]
    spill_dir: Option<PathBuf>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Exit 1 when there is any finding or quarantined row.
    #[arg(long)]
    fail_on_findings: bool,
}

fn tolerance(text: &str) -> Result<(Currency, u64), String> {
    let (currency, minor) = text.split_once('=').ok_or("write it as TRY=5")?;
    let currency = currency.parse::<Currency>().map_err(|it| it.to_string())?;
    let minor = minor
        .parse()
        .map_err(|_| "the tolerance is a whole number of minor units".to_owned())?;
    Ok((currency, minor))
}

pub async fn run(args: ReconArgs) -> anyhow::Result<Exit> {
    match args.command {
        ReconCommand::Match(args) => tokio::task::spawn_blocking(move || match_two(&args))
            .await
            .context("the match was interrupted")?,
        ReconCommand::Run(args) => run::run(args).await,
        ReconCommand::Schedule(args) => schedule::run(args).await,
    }
}

impl MatchArgs {
    /// The rule file, and what the command line says besides.
    fn rules(&self) -> anyhow::Result<RuleSet> {
        let mut set = match &self.rules {
            None => RuleSet::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                RuleFile::parse(&text).with_context(|| path.display().to_string())?
            }
        };
        for (currency, minor) in &self.tolerance {
            set.rules = set.rules.with_tolerance(*currency, *minor);
        }
        Ok(set)
    }

    fn exit(&self, clean: bool) -> Exit {
        if self.fail_on_findings && !clean {
            exit::NO
        } else {
            exit::DONE
        }
    }
}

/// Runs the engine within the limits of the command line, and shows how far it is.
fn matched(
    args: &MatchArgs,
    statement: &mut dyn LineSource,
    ledger: &mut dyn LineSource,
    rules: &RuleSet,
) -> anyhow::Result<(Report, Vec<LegStats>, Duration)> {
    let engine = NativeEngine::new(Limits {
        memory: args.memory_limit,
        threads: args.threads,
        spill_dir: args.spill_dir.clone().unwrap_or_else(std::env::temp_dir),
    });
    let mut pairs = args.pairs.as_deref().map(create).transpose()?;
    if let Some(pairs) = &mut pairs {
        pairs.write_all(b"statement_row,ledger_row,rule\n")?;
    }
    let shown = Shown::new();
    let progress = |it| shown.tell(it);
    let job = Job {
        watch: Watch {
            progress: Some(&progress),
            cancelled: None,
        },
        pairs: pairs.as_mut().map(|it| it as &mut (dyn Write + Send)),
        ..Job::new(statement, ledger, &rules.rules)
    };
    let mut report = engine.run(job)?;
    let legs = legs::apply(&mut report, &rules.legs, &rules.rules);
    let duration = shown.finish();
    if let Some(pairs) = pairs {
        write_legs(pairs, &legs).context("the pairs cannot be written")?;
    }
    Ok((report, legs, duration))
}

/// What the legs of the rule file brought together: of a group every row with its sum.
fn write_legs(pairs: BufWriter<File>, legs: &[LegStats]) -> anyhow::Result<()> {
    let mut pairs = csv::Writer::from_writer(pairs);
    for leg in legs {
        let rule = disarm(&leg.name);
        for (statement, ledger) in &leg.together {
            for one in statement {
                for other in ledger {
                    pairs.write_record([one.to_string().as_str(), &other.to_string(), &rule])?;
                }
            }
        }
    }
    Ok(pairs.flush()?)
}

fn match_two(args: &MatchArgs) -> anyhow::Result<Exit> {
    let rules = args.rules()?;
    let (format, mut statement) = match args.files.statement(Amounts::Gross)? {
        Opened::Bank(format, mut source) => {
            return bank::alone(args, &rules, format, &mut *source, &spinner("matching"));
        }
        Opened::Lines(format, source) => (format, source),
    };
    let mut ledger = args.files.ledger()?;
    let (report, legs, duration) = matched(args, &mut *statement, &mut *ledger, &rules)?;
    let checks = statement.checks();
    let bank = args.files.bank.as_deref();
    let bank = bank.map(|it| args.files.with_bank(it, &rules)).transpose()?;
    if let Some(path) = &args.out {
        let findings = report
            .findings
            .iter()
            .map(FindingView::from)
            .map(serde_json::to_value);
        let of_bank = bank.iter().flat_map(|it| bank::findings(&it.0));
        write_lines(
            path,
            findings
                .chain(of_bank)
                .collect::<Result<Vec<_>, _>>()?
                .into_iter(),
        )?;
    }
    if let Some(path) = &args.quarantine {
        let of_bank = bank.iter().flat_map(|it| &it.1.quarantined);
        let both = report
            .statement_quarantine
            .iter()
            .chain(&report.ledger_quarantine);
        write_lines(path, both.chain(of_bank).map(QuarantinedView::from))?;
    }
    let summary = SummaryView::from(&report.summary);
    if args.json {
        let mut object = measured(&summary, &report, duration);
        object["format"] = format.as_str().into();
        object["rule_legs"] = serde_json::to_value(&legs)?;
        object["checks"] = serde_json::to_value(checks.iter().map(CheckView::from).collect::<Vec<_>>())?;
        if let Some((report, read)) = &bank {
            object["bank"] = bank::object(report, read)?;
        }
        say!("{object}");
    } else {
        say!("format {format}");
        print_report(&summary, &report);
        for leg in &legs {
            say!(
                "rule '{}': {} matched, {} ambiguous",
                leg.name,
                leg.matched,
                leg.ambiguous
            );
        }
        print_checks(&checks);
        if let Some((report, read)) = &bank {
            bank::print(report, read);
        }
    }
    let quarantined = summary.statement_quarantined + summary.ledger_quarantined;
    let clean = summary.findings_total == 0 && quarantined == 0 && checks.iter().all(|it| it.held);
    Ok(args.exit(clean && bank.as_ref().is_none_or(bank::clean)))
}

/// Checks that failed, of what a file says of itself.
fn print_checks(checks: &[Check]) {
    let masker = Masker::builder().build();
    let failed: Vec<_> = checks.iter().filter(|it| !it.held).collect();
    say!(
        "checks of the file: {} hold, {} do not",
        checks.len() - failed.len(),
        failed.len()
    );
    for check in failed.iter().take(5) {
        say!(
            "check: {}",
            masker.mask(&format!("{}: {}", check.what, check.detail))
        );
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}

/// The summary, and what the run took.
fn measured(summary: &SummaryView, report: &Report, duration: Duration) -> serde_json::Value {
    let rows = u128::from(summary.statement_rows + summary.ledger_rows);
    let mut all = serde_json::json!(summary);
    all["duration_ms"] = serde_json::json!(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    let rate = rows * 1_000_000 / duration.as_micros().max(1);
    all["rows_per_second"] = serde_json::json!(u64::try_from(rate).unwrap_or(u64::MAX));
    all["spilled_bytes"] = serde_json::json!(report.spilled_bytes);
    all["peak_memory_bytes"] = serde_json::json!(progress::peak_memory());
    all
}

fn write_lines<T: serde::Serialize>(path: &Path, all: impl Iterator<Item = T>) -> anyhow::Result<()> {
    let mut out = create(path)?;
    for one in all {
        serde_json::to_writer(&mut out, &one)?;
        out.write_all(b"\n")?;
    }
    out.flush()
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn print_report(summary: &SummaryView, report: &Report) {
    let mut rows = table(&["", "statement", "ledger"]);
    let row = |name: &str, a: u64, b: u64| [name.to_owned(), a.to_string(), b.to_string()];
    rows.add_row(row("rows read", summary.statement_rows, summary.ledger_rows));
    rows.add_row(row(
        "quarantined",
        summary.statement_quarantined,
        summary.ledger_quarantined,
    ));
    say!("{rows}\nmatched {}\n", summary.matched);
    if summary.findings.is_empty() {
        say!("No findings: both sides agree.");
    } else {
        let mut findings = table(&["finding", "count"]);
        for (name, count) in &summary.findings {
            findings.add_row([name.clone(), count.to_string()]);
        }
        say!("{findings}");
    }
    let masker = Masker::builder().build();
    for quarantined in report
        .statement_quarantine
        .iter()
        .chain(&report.ledger_quarantine)
        .take(5)
    {
        let column = quarantined.column.as_deref().unwrap_or("-");
        let line = format!(
            "line {}, column {column}: {}",
            quarantined.line_no, quarantined.reason
        );
        say!("quarantined: {}", masker.mask(&line));
    }
    say!("digest {}", summary.digest);
}

/// A table whose columns after the first are numbers.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A spinner on a terminal, nothing elsewhere.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
