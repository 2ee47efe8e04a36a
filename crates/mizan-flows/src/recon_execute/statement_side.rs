//! The statement's side of a run: a file that was uploaded, or what the provider exports for the window.

use std::fs::File;
use std::io::Cursor;

use mizan_core::TimeWindow;
use mizan_recon::statement::adyen::Amounts;
use mizan_recon::statement::open::{Opened, Opening, open, open_file};
use mizan_recon::statement::{LineSource, StatementError};
use mizan_store::recon_runs::ReconRun;

use crate::error::with_causes;
use crate::objects::LocalCopy;
use crate::{App, Caller, FlowError, Result, statements};

/// The bytes, and how they are read.
pub(super) struct StatementSide {
    /// Tells it from other files; part of the made-up event id of a row that has none.
    name: String,
    bytes: Bytes,
    opening: Opening,
}

enum Bytes {
    Kept(LocalCopy),
    Exported(Vec<u8>),
}

impl StatementSide {
    /// Asks the provider, or brings the uploaded file back.
    pub(super) async fn fetch(
        app: &App,
        caller: &Caller,
        run: &ReconRun,
        reading: TimeWindow,
    ) -> Result<Self> {
        let mut tx = app.store.read(caller.tenant).await?;
        let (connection, provider) = app.provider(&mut *tx, &run.provider).await?;
        tx.rollback().await?;
        let Some(id) = run.statement else {
            let exported = provider.statement(reading).await?;
            return Ok(Self {
                name: format!("{}-{}", connection.provider, run.id),
                bytes: Bytes::Exported(exported.bytes),
                opening: Opening {
                    format: Some(mizan_recon::statement::Format::Generic),
                    ..Opening::default()
                },
            });
        };
        let statement = statements::get(app, caller, id.into()).await?;
        Ok(Self {
            // The same file gives the same ids, whichever run reads it.
            name: format!("{}-{}", connection.provider, statement.sha256),
            bytes: Bytes::Kept(statements::fetch(app, &statement).await?),
            opening: statements::opening(app, &statement)?,
        })
    }

    /// Opens it. Blocks, and the file has to stay until its rows are read: keep `self`.
    pub(super) fn open(&self, amounts: Amounts) -> Result<Box<dyn LineSource + '_>> {
        let opening = &Opening {
            amounts,
            ..self.opening.clone()
        };
        let opened = match &self.bytes {
            Bytes::Kept(copy) => {
                let file = File::open(copy.path())
                    .map_err(|source| unreadable(&StatementError::Io { line_no: 1, source }))?;
                open_file(&self.name, file, opening)
            }
            Bytes::Exported(bytes) => open(&self.name, Cursor::new(bytes.as_slice()), opening),
        };
        match opened.map_err(|it| unreadable(&it))? {
            Opened::Lines(_, source) => Ok(source),
            Opened::Bank(format, _) => Err(FlowError::invalid(
                "statement",
                format_args!(
                    "this is a bank statement ({format}): name it as bank_statement_id, beside the provider's statement"
                ),
            )),
        }
    }
}

/// With its causes, which say where in the file.
pub(super) fn unreadable(error: &dyn std::error::Error) -> FlowError {
    FlowError::invalid("statement", with_causes(error))
}
