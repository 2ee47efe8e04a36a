//! The kind of file that archives are made of: Parquet, where the binary was built with it.

/// What to do about a binary that was built without it.
pub const MISSING: &str = "this mizan was built without Parquet; build it with \
                           `cargo build --release -p mizan --features parquet`";

#[cfg(not(feature = "parquet"))]
pub fn format() -> Option<std::sync::Arc<dyn mizan_flows::ledger_archive::RowFormat>> {
    None
}

#[cfg(feature = "parquet")]
pub use parquet::format;

#[cfg(feature = "parquet")]
mod parquet {
    use std::fs::File;
    use std::io::{Error, Result};
    use std::sync::Arc;

    use mizan_flows::ledger_archive::{RowFormat, RowReader, RowWriter};
    use mizan_ledger::chain::JournalRow;

    struct Parquet;
    struct Writer(mizan_archive::Writer);
    struct Reader(mizan_archive::Reader);

    #[expect(
        clippy::unnecessary_wraps,
        reason = "a binary without Parquet has the same function and no format"
    )]
    pub fn format() -> Option<Arc<dyn RowFormat>> {
        Some(Arc::new(Parquet))
    }

    impl RowFormat for Parquet {
        fn create(&self, file: File) -> Result<Box<dyn RowWriter>> {
            let writer = mizan_archive::Writer::new(file).map_err(Error::other)?;
            Ok(Box::new(Writer(writer)))
        }

        fn open(&self, file: File) -> Result<Box<dyn RowReader>> {
            let reader = mizan_archive::Reader::new(file).map_err(Error::other)?;
            Ok(Box::new(Reader(reader)))
        }
    }

    impl RowWriter for Writer {
        fn append(&mut self, rows: &[JournalRow]) -> Result<()> {
            self.0.append(rows).map_err(Error::other)
        }

        fn finish(self: Box<Self>) -> Result<File> {
            self.0.finish().map_err(Error::other)
        }
    }

    impl RowReader for Reader {
        fn next_rows(&mut self) -> Result<Option<Vec<JournalRow>>> {
            self.0.next_rows().map_err(Error::other)
        }
    }
}
