//! `mizan ledger archive`: sealed partitions into Parquet files.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mizan_core::SystemClock;
use mizan_flows::ledger_archive::{self, ArchiveError, Before, Moved};
use mizan_store::partitions::Partition;
use mizan_store::{Engine, Store, StoreError};

use crate::cli::exit::{self, Exit};
use crate::wire;

/// How often a partition is tried whose tables are in use.
const TRIES: usize = 5;

#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// Partitions whose rows are all below this number, or were all posted before this day (UTC), as 2026-01-31.
    #[arg(long, value_name = "SEQ|DATE", value_parser = before)]
    before: Before,
    /// The directory of the files and of `manifest.ndjson`. Made if it is not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Names what would go, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    #[arg(long)]
    json: bool,
}

fn before(text: &str) -> Result<Before, String> {
    if let Ok(seq) = text.parse() {
        return Ok(Before::Seq(seq));
    }
    let day: NaiveDate = text
        .parse()
        .map_err(|_| "neither a row number nor a day like 2026-01-31".to_owned())?;
    Ok(Before::Time(day.and_time(NaiveTime::MIN).and_utc()))
}

pub async fn run(store: &dyn Store, args: &ArchiveArgs) -> anyhow::Result<Exit> {
    if store.engine() == Engine::Sqlite {
        bail!("SQLite keeps the journal in one table: there are no partitions to archive");
    }
    let partitions = ledger_archive::candidates(store, args.before).await?;
    let moved = if args.dry_run {
        partitions.iter().map(|it| planned(it, args)).collect()
    } else {
        move_all(store, args, &partitions).await?
    };
    if args.json {
        say!("{}", serde_json::to_string(&moved)?);
        return Ok(exit::DONE);
    }
    let verb = if args.dry_run { "would go to" } else { "went to" };
    for it in &moved {
        say!(
            "rows {} to {} ({}) {verb} {}",
            it.from_seq,
            it.to_seq,
            it.rows,
            it.file
        );
    }
    if moved.is_empty() {
        say!("no sealed partition is that old");
    }
    Ok(exit::DONE)
}

fn planned(partition: &Partition, args: &ArchiveArgs) -> Moved {
    Moved {
        partition: partition.name.clone(),
        from_seq: partition.from_seq,
        to_seq: partition.to_seq,
        rows: partition.rows,
        file: ledger_archive::file_of(partition, &args.to).display().to_string(),
        sha256: None,
    }
}

async fn move_all(
    store: &dyn Store,
    args: &ArchiveArgs,
    partitions: &[Partition],
) -> anyhow::Result<Vec<Moved>> {
    let format = wire::archive::format().context(wire::archive::MISSING)?;
    let made = std::fs::create_dir_all(&args.to).and_then(|()| args.to.canonicalize());
    let directory = made.with_context(|| format!("{} cannot be written to", args.to.display()))?;
    let bar = bar(partitions);
    let mut moved = Vec::new();
    for partition in partitions {
        bar.set_message(partition.name.clone());
        let mut tries = 0;
        moved.push(loop {
            tries += 1;
            let began = bar.position();
            let mut progress = |rows| bar.inc(rows);
            match ledger_archive::archive(
                store,
                &SystemClock,
                &*format,
                partition,
                &directory,
                &mut progress,
            )
            .await
            {
                Ok(moved) => break moved,
                // Postings under way kept it from being detached in time. Nothing was changed.
                Err(ArchiveError::Store(StoreError::Collision { .. })) if tries < TRIES => {
                    bar.set_position(began);
                }
                Err(error) => return Err(error).with_context(|| partition.name.clone()),
            }
        });
    }
    bar.finish_and_clear();
    Ok(moved)
}

/// Every row is written and compared.
fn bar(partitions: &[Partition]) -> ProgressBar {
    let rows: u64 = partitions.iter().map(|it| it.rows).sum();
    let bar = ProgressBar::new(2 * rows);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
        bar.set_style(style);
    }
    bar
}
