//! Readers of statements: a file in, rows and quarantined rows out, one at a time.

pub mod adyen;
mod blocks;
pub mod camt053;
mod cell;
pub mod check;
mod columns;
pub mod declared;
pub mod detect;
pub mod encoding;
mod fault;
pub mod generic;
pub mod map_file;
pub mod mt940;
pub mod ndjson;
pub mod open;
#[cfg(feature = "parquet")]
pub mod parquet;
mod records;
mod row;
pub mod stripe;
mod table;
mod text_lines;
pub mod view;

pub use check::Check;
pub use detect::Format;
pub use generic::{ColumnMap, GenericReader, SignConvention};
pub use map_file::FileMap;
pub use open::{Opened, Opening};

use crate::line::{Line, LineFields};
use crate::packed::LineBatch;

/// What a reader made of one row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Line(Line),
    Quarantined(Quarantined),
}

/// A row that could not be read. It harms no other row, and is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Where the row begins; the header is line 1.
    pub line_no: u64,
    /// The column at fault, as the file names it; None where the row as a whole is.
    pub column: Option<String>,
    pub reason: String,
    /// The beginning of the row as it stands in the file. Not masked: treat it like the file itself.
    pub raw_excerpt: String,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    #[error("the file is empty; expected a header line with {expected}")]
    Empty { expected: String },
    #[error("the file is not text: {reason}")]
    NotText { reason: &'static str },
    #[error("the file is not of the {format} format: no column {missing}; expected {expected}; seen {seen}")]
    MissingColumns {
        format: &'static str,
        missing: String,
        expected: String,
        seen: String,
    },
    #[error("the file names the column '{column}' twice")]
    RepeatedColumn { column: String },
    #[error("this is a {}, not {}: say --format {seen}", .seen.title(), .declared)]
    AnotherFormat { seen: Format, declared: Format },
    #[error("the file is not of the {format} format: {reason}")]
    NotOfFormat { format: &'static str, reason: String },
    #[error(
        "this is a Parquet file, which this program was built without: build it with the feature parquet \
         (cargo build --features mizan/parquet), or save the file as CSV"
    )]
    ParquetIsOff,
    #[error("the file breaks off at line {line_no}, inside of {inside}")]
    Truncated { line_no: u64, inside: String },
    #[error("the file has more than {limit} entries")]
    TooManyRows { limit: usize },
    #[error("rows that were kept aside came back damaged")]
    Damaged,
    #[error("the other side of the stream is gone")]
    BrokenOff {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the header line is longer than {limit} bytes")]
    HeaderTooLong { limit: usize },
    #[error("the file could not be read at line {line_no}")]
    Io {
        line_no: u64,
        #[source]
        source: std::io::Error,
    },
}

/// Takes what a reader makes of a side, without an allocation per row.
pub trait Rows {
    fn line(&mut self, fields: &LineFields<'_>);

    fn quarantined(&mut self, row: Quarantined);
}

/// A part of a side that any thread can read. It is handed its rows' taker, and knows where its rows stand.
pub type Share = Box<dyn FnOnce(&mut dyn Rows) -> Result<(), StatementError> + Send>;

/// Rows that a share holds where the reader does not say otherwise.
const SHARE: usize = 4_096;

/// A side of a run: a share at a time, so that a file never has to fit into memory.
///
/// A reader has to have [`Self::next_row`]. One for large files also cuts its input into shares, so that reading
/// is spread over all cores: either into pieces that are parsed where they are taken, or into a [`LineBatch`].
pub trait LineSource: Send {
    /// Tells this side from other files; part of the made-up event id of a row that has none.
    fn name(&self) -> &str;

    /// The next row, or None at the end.
    fn next_row(&mut self) -> Result<Option<Row>, StatementError>;

    /// The next part of the side, or None at the end. A caller uses either this or [`Self::next_row`].
    fn next_share(&mut self) -> Result<Option<Share>, StatementError> {
        let (mut lines, mut quarantined) = (LineBatch::default(), Vec::new());
        while lines.len() + quarantined.len() < SHARE {
            match self.next_row()? {
                Some(Row::Line(line)) => lines.push(&line.fields()),
                Some(Row::Quarantined(row)) => quarantined.push(row),
                None if lines.is_empty() && quarantined.is_empty() => return Ok(None),
                None => break,
            }
        }
        Ok(Some(Box::new(move |rows| {
            for row in quarantined {
                rows.quarantined(row);
            }
            lines.replay(rows)
        })))
    }

    /// Columns of the file that nothing reads.
    fn ignored_columns(&self) -> &[String] {
        &[]
    }

    /// Sums and counts of the file against what was read; complete once the file was read to its end.
    fn checks(&self) -> Vec<Check> {
        Vec::new()
    }
}

/// Rows that are in the program already: from the store, or from a provider's export.
#[derive(Debug)]
pub struct Lines<I> {
    name: String,
    lines: I,
}

impl<I: Iterator<Item = Line>> Lines<I> {
    pub fn new(name: impl Into<String>, lines: impl IntoIterator<IntoIter = I>) -> Self {
        Self {
            name: name.into(),
            lines: lines.into_iter(),
        }
    }
}

impl<I: Iterator<Item = Line> + Send> LineSource for Lines<I> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        Ok(self.lines.next().map(Row::Line))
    }
}

/// Batches of rows as they come from somewhere else, such as a store.
pub struct Batches<F> {
    name: String,
    next: F,
    /// Rows of a batch for who asks for them one by one.
    rows: std::vec::IntoIter<Line>,
}

impl<F> Batches<F>
where
    F: FnMut() -> Result<Option<LineBatch>, StatementError> + Send,
{
    pub fn new(name: impl Into<String>, next: F) -> Self {
        Self {
            name: name.into(),
            next,
            rows: Vec::new().into_iter(),
        }
    }
}

impl<F> LineSource for Batches<F>
where
    F: FnMut() -> Result<Option<LineBatch>, StatementError> + Send,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        loop {
            if let Some(line) = self.rows.next() {
                return Ok(Some(Row::Line(line)));
            }
            let Some(batch) = (self.next)()? else {
                return Ok(None);
            };
            let mut read = StatementRead::default();
            batch.replay(&mut read)?;
            self.rows = read.lines.into_iter();
        }
    }

    fn next_share(&mut self) -> Result<Option<Share>, StatementError> {
        let batch = (self.next)()?;
        Ok(batch.map(|batch| -> Share { Box::new(move |rows| batch.replay(rows)) }))
    }
}

/// A whole file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementRead {
    pub lines: Vec<Line>,
    pub quarantined: Vec<Quarantined>,
    pub ignored_columns: Vec<String>,
}

impl Rows for StatementRead {
    fn line(&mut self, fields: &LineFields<'_>) {
        self.lines.push(Line::new(*fields));
    }

    fn quarantined(&mut self, row: Quarantined) {
        self.quarantined.push(row);
    }
}

impl StatementRead {
    /// Reads to the end by shares, one after the other.
    pub fn by_shares(source: &mut dyn LineSource) -> Result<Self, StatementError> {
        let mut read = Self::default();
        while let Some(share) = source.next_share()? {
            share(&mut read)?;
        }
        read.ignored_columns = source.ignored_columns().to_vec();
        Ok(read)
    }

    /// Reads to the end.
    pub fn all(source: &mut dyn LineSource) -> Result<Self, StatementError> {
        let mut read = Self::default();
        while let Some(row) = source.next_row()? {
            match row {
                Row::Line(line) => read.lines.push(line),
                Row::Quarantined(row) => read.quarantined.push(row),
            }
        }
        read.ignored_columns = source.ignored_columns().to_vec();
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
