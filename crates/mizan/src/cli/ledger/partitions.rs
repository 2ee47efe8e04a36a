//! `mizan ledger partitions`: the parts of the journal, those in the database and those in the archive.

use clap::Args;
use comfy_table::{Table, presets};
use mizan_core::Timestamp;
use mizan_store::partitions::{Archived, Partition};
use mizan_store::{Engine, Store};

use crate::cli::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct PartitionsArgs {
    #[arg(long)]
    json: bool,
}

#[derive(Debug, serde::Serialize)]
struct Line {
    name: String,
    from_seq: i64,
    to_seq: i64,
    rows: u64,
    bytes: u64,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    state: &'static str,
}

impl From<Partition> for Line {
    fn from(it: Partition) -> Self {
        Self {
            name: it.name,
            from_seq: it.from_seq,
            to_seq: it.to_seq,
            rows: it.rows,
            bytes: it.bytes,
            first_at: it.first_at,
            last_at: it.last_at,
            state: it.state.as_str(),
        }
    }
}

impl From<Archived> for Line {
    fn from(it: Archived) -> Self {
        Self {
            name: it.file,
            from_seq: it.from_seq,
            to_seq: it.to_seq,
            rows: it.rows,
            bytes: it.bytes,
            first_at: Some(it.first_at),
            last_at: Some(it.last_at),
            state: "archived",
        }
    }
}

pub async fn run(store: &dyn Store, args: &PartitionsArgs) -> anyhow::Result<Exit> {
    let mut platform = store.platform().await?;
    let mut lines: Vec<Line> = platform.archives().await?.into_iter().map(Line::from).collect();
    lines.extend(platform.partitions().await?.into_iter().map(Line::from));
    platform.rollback().await?;
    if args.json {
        say!("{}", serde_json::to_string(&lines)?);
        return Ok(exit::DONE);
    }
    if store.engine() == Engine::Sqlite {
        say!("SQLite keeps the journal in one table: there are no partitions");
        return Ok(exit::DONE);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["partition", "from", "to", "rows", "bytes", "last row at", "state"]);
    for it in lines {
        table.add_row([
            it.name,
            it.from_seq.to_string(),
            it.to_seq.to_string(),
            it.rows.to_string(),
            it.bytes.to_string(),
            it.last_at
                .map_or(String::new(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string()),
            it.state.to_owned(),
        ]);
    }
    say!("{table}");
    Ok(exit::DONE)
}
