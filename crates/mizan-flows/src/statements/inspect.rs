//! Reading a new statement to its end: is it what it says, how many rows, and which could not be read.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use mizan_mask::Masker;
use mizan_recon::LineFields;
use mizan_recon::bank::{BankRow, BankSource};
use mizan_recon::spreadsheet::disarm;
use mizan_recon::statement::open::{Opened, Opening, open_file};
use mizan_recon::statement::view::CheckView;
use mizan_recon::statement::{Check, FileMap, Format, LineSource, Quarantined, Rows, StatementError};
use serde_json::Value;
use tempfile::{NamedTempFile, TempPath};

use crate::error::with_causes;
use crate::objects::ObjectError;
use crate::{FlowError, Result};

/// What was found in a file.
pub(super) struct Read {
    pub format: Format,
    pub rows: u64,
    pub quarantined: u64,
    /// The rows that could not be read, as CSV: line, column, reason, and the masked beginning of the row.
    pub quarantine: Option<TempPath>,
    /// What the file says of itself against what was read.
    pub checks: Value,
}

/// Blocks; the caller gives it a thread that may.
pub(super) fn inspect(
    path: &Path,
    name: &str,
    format: Option<Format>,
    map: Option<FileMap>,
    spool: &Path,
) -> Result<Read> {
    let at_fault = |source| ObjectError::Spool {
        dir: spool.to_owned(),
        source,
    };
    let opening = Opening {
        format,
        map,
        ..Opening::default()
    };
    let file = File::open(path).map_err(at_fault)?;
    let opened = open_file(name, file, &opening).map_err(refused)?;
    let format = opened.format();
    let mut count = Count::new(spool);
    let checks = match opened {
        Opened::Lines(_, mut source) => all_lines(&mut *source, &mut count)?,
        Opened::Bank(_, mut source) => all_entries(&mut *source, &mut count)?,
    };
    if count.rows + count.quarantined == 0 {
        return Err(FlowError::StatementRefused("the file has no rows".into()));
    }
    let (rows, quarantined) = (count.rows, count.quarantined);
    let quarantine = count.finish().map_err(at_fault)?;
    let checks = checks.iter().map(CheckView::from).collect::<Vec<_>>();
    Ok(Read {
        format,
        rows,
        quarantined,
        quarantine,
        checks: serde_json::to_value(checks).unwrap_or_default(),
    })
}

/// By shares: nobody here needs a row by itself.
fn all_lines(source: &mut dyn LineSource, count: &mut Count<'_>) -> Result<Vec<Check>> {
    while let Some(share) = source.next_share().map_err(refused)? {
        share(count).map_err(refused)?;
    }
    Ok(source.checks())
}

fn all_entries(source: &mut dyn BankSource, count: &mut Count<'_>) -> Result<Vec<Check>> {
    while let Some(row) = source.next_row().map_err(refused)? {
        match row {
            BankRow::Line(_) => count.rows += 1,
            BankRow::Quarantined(row) => count.aside(&row),
        }
    }
    Ok(source.checks().to_vec())
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refused(error: StatementError) -> FlowError {
    FlowError::StatementRefused(with_causes(&error))
}

/// Counts rows, and writes down those that could not be read.
struct Count<'a> {
    rows: u64,
    quarantined: u64,
    spool: &'a Path,
    masker: Masker,
    out: Option<Out>,
    failed: Option<io::Error>,
}

impl Rows for Count<'_> {
    fn line(&mut self, _: &LineFields<'_>) {
        self.rows += 1;
    }

    fn quarantined(&mut self, row: Quarantined) {
        self.aside(&row);
    }
}

type Out = csv::Writer<BufWriter<NamedTempFile>>;

impl<'a> Count<'a> {
    fn new(spool: &'a Path) -> Self {
        Self {
            rows: 0,
            quarantined: 0,
            spool,
            masker: Masker::builder().build(),
            out: None,
            failed: None,
        }
    }

    fn aside(&mut self, row: &Quarantined) {
        self.quarantined += 1;
        if self.failed.is_none()
            && let Err(error) = self.note(row)
        {
            self.failed = Some(error);
        }
    }

    fn note(&mut self, row: &Quarantined) -> io::Result<()> {
        let out = if let Some(out) = &mut self.out {
            out
        } else {
            let file = NamedTempFile::new_in(self.spool)?;
            let mut out = csv::Writer::from_writer(BufWriter::new(file));
            out.write_record(["line", "column", "reason", "row"])?;
            self.out.insert(out)
        };
        let column = row.column.as_deref().unwrap_or_default();
        let excerpt = self.masker.mask(&row.raw_excerpt).to_string();
        out.write_record([
            row.line_no.to_string().as_str(),
            &disarm(column),
            &row.reason,
            &disarm(&excerpt),
        ])?;
        Ok(())
    }

    fn finish(self) -> io::Result<Option<TempPath>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(out) = self.out else { return Ok(None) };
        let mut file = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.flush()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        Ok(Some(file.into_temp_path()))
    }
}
