//! The arguments of `mizan migrate`.

use std::str::FromStr;

use clap::{Args, Subcommand};
use mizan_store::migrate::{Target, TargetError};

#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(subcommand)]
    pub(super) command: MigrateCommand,
    /// Prints one JSON object instead of lines.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// How many seconds to wait for another migration run before giving up.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub(super) lock_timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Applies what is missing, up to a revision: head, +N or an id.
    ///
    /// Each revision runs in a transaction of its own. Where something of the same name is there already, it
    /// stops: with STAMP when it is the very same, with CONFLICT when it is not (exit 1).
    Upgrade(MoveArgs),
    /// Takes revisions back, down to one: -N, an id, or base. Prints what it drops and does not ask.
    Downgrade(MoveArgs),
    /// Says which revision is applied.
    Current(CurrentArgs),
    /// Lists the revisions of this binary, newest first.
    History(HistoryArgs),
    /// Says the newest revision of this binary.
    Heads,
    /// Records a revision as applied without running anything.
    Stamp(StampArgs),
    /// Compares the schema with what the applied revisions leave behind; exit 1 when they differ.
    Check,
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// head, base, +N, -N, an id such as 0004, or the beginning of one; with --sql also FROM:TO.
    #[arg(value_name = "REVISION", allow_negative_numbers = true)]
    pub(super) range: Range,
    /// Prints the SQL instead, without touching the database; from base, unless FROM:TO says where from.
    #[arg(long)]
    pub(super) sql: bool,
}

#[derive(Debug, Args)]
pub(super) struct CurrentArgs {
    /// Exit 0 at head, 1 behind, 2 ahead, 3 diverged, 4 cannot tell.
    #[arg(long)]
    pub(super) check_heads: bool,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// With checksums, and when each was applied.
    #[arg(long, short)]
    pub(super) verbose: bool,
}

#[derive(Debug, Args)]
pub(super) struct StampArgs {
    /// head, base, an id such as 0004, or the beginning of one.
    #[arg(value_name = "REVISION")]
    pub(super) target: Target,
    /// Records it although the schema is not what that revision leaves behind.
    #[arg(long)]
    pub(super) force: bool,
    /// Prints the SQL instead, without touching the database.
    #[arg(long)]
    pub(super) sql: bool,
}

/// `TO`, or `FROM:TO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Option<Target>,
    pub(super) to: Target,
}

impl FromStr for Range {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Ok(match text.split_once(':') {
            Some((from, to)) => Self {
                from: Some(from.parse()?),
                to: to.parse()?,
            },
            None => Self {
                from: None,
                to: text.parse()?,
            },
        })
    }
}
