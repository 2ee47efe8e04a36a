//! `mizan ledger`: verifies every invariant, exports the journal, and moves what is old to an archive.

mod archive;
mod partitions;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use mizan_core::SystemClock;
use mizan_flows::ledger_verify::{self, Shelf};
use mizan_flows::seal;
use mizan_ledger::chain::{Head, JournalRow};
use mizan_store::Store;

use super::exit::{self, Exit};
use super::recon::spinner;
use crate::wire::{self, anchor};

#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Checks every invariant of the ledger and recomputes the chain of sealed blocks.
    ///
    /// Exit 0 when everything holds, 1 when something does not; what does not is named row by row.
    Verify(VerifyArgs),
    /// Writes the journal of all tenants as CSV or NDJSON.
    Export(ExportArgs),
    /// Lists the partitions of the journal with their rows, size and state.
    Partitions(partitions::PartitionsArgs),
    /// Moves sealed partitions into Parquet files, which `verify` still covers.
    ///
    /// Each is written, read back and compared with the rows and the chain before it is dropped. Stopped anywhere, it
    /// can be run again.
    Archive(archive::ArchiveArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Starts the chain at this block; earlier blocks were verified before.
    #[arg(long, value_name = "BLOCK", default_value_t = 0)]
    since: i64,
    /// The file with the end of the chain that was kept outside the database, in place of MIZAN_ANCHOR_FILE.
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Seals complete rows first, so that the next verification covers them.
    #[arg(long)]
    seal: bool,
    /// Where the files of `ledger archive` are now, in place of where they were written.
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExportFormat {
    Csv,
    Ndjson,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[arg(long, value_enum, default_value = "csv")]
    format: ExportFormat,
    /// Where to write; standard output without it.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Starts after this journal row.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: i64,
}

pub async fn run(args: LedgerArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    let masker = wire::masker();
    wire::logging::start_quiet(&loaded.settings.log, &masker);
    let store = wire::stores::open(&loaded.settings)?;
    match args.command {
        LedgerCommand::Verify(args) => {
            let beside = anchor::place(&loaded.settings);
            verify(&*store, &args, beside.as_deref()).await
        }
        LedgerCommand::Export(args) => export(&*store, &args).await,
        LedgerCommand::Partitions(args) => partitions::run(&*store, &args).await,
        LedgerCommand::Archive(args) => archive::run(&*store, &args).await,
    }
}

async fn verify(store: &dyn Store, args: &VerifyArgs, beside: Option<&Path>) -> anyhow::Result<Exit> {
    let known = match (&args.anchor, beside) {
        (Some(path), _) => {
            Some(anchor::read(path)?.with_context(|| format!("{} is not there", path.display()))?)
        }
        (None, Some(path)) => anchor::read(path)?,
        (None, None) => None,
    };
    if args.seal {
        let sealed = seal::seal_all(store, &SystemClock).await?;
        let path = args.anchor.as_deref().or(beside);
        if let (Some(head), Some(path)) = (sealed, path) {
            anchor::write(path, &head)?;
        }
    }
    let bar = spinner("verifying");
    let format = wire::archive::format();
    let shelf = Shelf {
        format: format.as_deref(),
        directory: args.archive.as_deref(),
    };
    let result =
        ledger_verify::verify(store, known, args.since, shelf, |rows| bar.set_position(rows)).await?;
    bar.finish_and_clear();
    if args.json {
        say!("{}", serde_json::to_string(&result)?);
    } else {
        for check in &result.checks {
            say!(
                "{} {}",
                if check.holds { "ok    " } else { "BROKEN" },
                check.invariant
            );
            for broken in check.broken.iter().take(20) {
                say!("       {broken}");
            }
            if check.broken.len() > 20 {
                say!("       and {} more", check.broken.len() - 20);
            }
        }
        for range in &result.unverified {
            say!("NOT VERIFIED {range}");
        }
        say!(
            "{} journal rows, {} of them read from an archive, {} sealed in {} blocks{}",
            result.journal_rows,
            result.archived_rows,
            result.sealed_rows,
            result.blocks,
            known.map_or(String::new(), |it: Head| format!(
                "; anchor at block {}",
                it.block
            )),
        );
    }
    Ok(if result.holds { exit::DONE } else { exit::NO })
}

async fn export(store: &dyn Store, args: &ExportArgs) -> anyhow::Result<Exit> {
    let out: Box<dyn Write + Send> = match &args.out {
        Some(path) => Box::new(
            std::fs::File::create(path).with_context(|| format!("{} cannot be written", path.display()))?,
        ),
        None => Box::new(std::io::stdout()),
    };
    let mut out = BufWriter::new(out);
    let mut writer = matches!(args.format, ExportFormat::Csv).then(|| {
        csv::WriterBuilder::new()
            .has_headers(true)
            .from_writer(Vec::new())
    });
    let mut platform = store.platform().await?;
    let (mut after, mut count) = (args.after, 0_u64);
    loop {
        let rows = platform.journal_rows(after, i64::MAX, 5_000).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        count += rows.len() as u64;
        for row in &rows {
            let line = ExportLine::of(row);
            if let Some(writer) = &mut writer {
                writer.serialize(line)?;
            } else {
                serde_json::to_writer(&mut out, &line)?;
                out.write_all(b"\n")?;
            }
        }
        if let Some(writer) = &mut writer {
            writer.flush()?;
            out.write_all(writer.get_ref())?;
            *writer = csv::WriterBuilder::new()
                .has_headers(false)
                .from_writer(Vec::new());
        }
    }
    out.flush().context("the export cannot be written to its end")?;
    platform.rollback().await?;
    complain!("{count} journal rows exported");
    Ok(exit::DONE)
}

/// One journal row for the world outside: minor units as text, so that no reader makes floats of them.
#[derive(Debug, serde::Serialize)]
struct ExportLine {
    seq: i64,
    tenant: i32,
    transaction_id: String,
    leg: i16,
    kind: String,
    debit_account_id: i64,
    credit_account_id: i64,
    amount_minor: String,
    currency: String,
    reverses: Option<String>,
    reference: Option<String>,
    posted_at: String,
}

impl ExportLine {
    fn of(row: &JournalRow) -> Self {
        Self {
            seq: row.seq,
            tenant: row.tenant.0,
            transaction_id: row.transaction.to_string(),
            leg: row.leg,
            kind: row.kind.clone(),
            debit_account_id: row.debit.0,
            credit_account_id: row.credit.0,
            amount_minor: row.amount.to_string(),
            currency: row.currency.clone(),
            reverses: row.reverses.map(|it| it.to_string()),
            reference: row.reference.clone(),
            posted_at: row.posted_at.to_rfc3339(),
        }
    }
}
