//! The files of `mizan recon match`: opened in the format that was declared or found, with the map that goes with it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use mizan_recon::RuleSet;
use mizan_recon::bank::{BankRead, BankReport, Batch, Batches, LoneRows, match_bank};
use mizan_recon::statement::adyen::Amounts;
use mizan_recon::statement::open::{Opened, Opening, open_file};
use mizan_recon::statement::{FileMap, Format, LineSource, Row};

/// A format, or `auto`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatArg {
    /// Found out from the beginning of the file.
    Auto,
    /// CSV with Mizan's own columns, or those of --map.
    Generic,
    /// Stripe's itemized payout reconciliation report.
    Stripe,
    /// Adyen's settlement details report.
    Adyen,
    /// ISO 20022 bank statement: compares payouts with the bank.
    Camt053,
    /// SWIFT bank statement: compares payouts with the bank.
    Mt940,
    /// One JSON object a line.
    Ndjson,
    /// Columns of a Parquet file, named by --map; for programs that were built with the feature parquet.
    Parquet,
}

impl FormatArg {
    fn declared(self) -> Option<Format> {
        Some(match self {
            Self::Auto => return None,
            Self::Generic => Format::Generic,
            Self::Stripe => Format::Stripe,
            Self::Adyen => Format::Adyen,
            Self::Camt053 => Format::Camt053,
            Self::Mt940 => Format::Mt940,
            Self::Ndjson => Format::Ndjson,
            Self::Parquet => Format::Parquet,
        })
    }
}

/// What to read.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The provider's statement, or a bank statement.
    #[arg(long)]
    pub statement: PathBuf,
    /// The ledger extract, in the generic format.
    #[arg(long)]
    pub ledger: PathBuf,
    /// The format of the statement.
    #[arg(long, value_enum, default_value = "auto")]
    format: FormatArg,
    /// How the statement names its columns and writes its values (TOML).
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// A bank statement (camt.053 or MT940) in which the payouts of the statement have to be.
    #[arg(long, value_name = "FILE")]
    pub bank: Option<PathBuf>,
}

impl FileArgs {
    /// Opens the statement.
    pub fn statement(&self, amounts: Amounts) -> anyhow::Result<Opened<'static>> {
        let map = self.map.as_deref().map(read_map).transpose()?;
        let opening = Opening {
            format: self.format.declared(),
            map,
            amounts,
        };
        opened(&self.statement, &opening)
    }

    /// Opens the ledger extract.
    pub fn ledger(&self) -> anyhow::Result<Box<dyn LineSource>> {
        let opening = Opening {
            format: Some(Format::Generic),
            ..Opening::default()
        };
        match opened(&self.ledger, &opening)? {
            Opened::Lines(_, source) => Ok(source),
            Opened::Bank(format, _) => anyhow::bail!("{} is read as {format}", self.ledger.display()),
        }
    }

    /// Compares the payouts of the statement with a bank statement.
    pub fn with_bank(&self, path: &Path, rules: &RuleSet) -> anyhow::Result<(BankReport, BankRead)> {
        let Opened::Bank(_, mut bank) = opened(path, &Opening::default())? else {
            anyhow::bail!(
                "{} is no bank statement: camt.053 or MT940 is expected",
                path.display()
            );
        };
        let Opened::Lines(_, mut statement) = self.statement(Amounts::Settled)? else {
            anyhow::bail!("the statement is a bank statement itself: leave --bank out");
        };
        let batches = batches(&mut *statement, LoneRows::NotPaidOut)?;
        let bank = BankRead::all(&mut *bank).with_context(|| path.display().to_string())?;
        Ok((match_bank(batches, &bank, &rules.bank, &rules.rules), bank))
    }

    /// Compares the payouts of the ledger extract with a bank statement.
    pub fn bank_alone(
        &self,
        source: &mut dyn mizan_recon::bank::BankSource,
        rules: &RuleSet,
    ) -> anyhow::Result<(BankReport, BankRead)> {
        let batches = batches(&mut *self.ledger()?, LoneRows::Each)?;
        let bank = BankRead::all(source).with_context(|| self.statement.display().to_string())?;
        Ok((match_bank(batches, &bank, &rules.bank, &rules.rules), bank))
    }
}

fn opened(path: &Path, opening: &Opening) -> anyhow::Result<Opened<'static>> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let name = path
        .file_name()
        .map_or_else(String::new, |it| it.to_string_lossy().into_owned());
    open_file(&name, file, opening).with_context(|| path.display().to_string())
}

fn read_map(path: &Path) -> anyhow::Result<FileMap> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    FileMap::parse(&text).with_context(|| path.display().to_string())
}

fn batches(source: &mut dyn LineSource, lone: LoneRows) -> anyhow::Result<Vec<Batch>> {
    let mut batches = Batches::new(lone);
    while let Some(row) = source.next_row()? {
        // What cannot be read was quarantined by the match itself, or makes its payout differ.
        if let Row::Line(line) = row {
            batches.add(&line);
        }
    }
    anyhow::ensure!(
        !batches.too_many,
        "the statement has more payouts than can be compared ({})",
        mizan_recon::bank::batch::MOST_BATCHES
    );
    Ok(batches.finish())
}
