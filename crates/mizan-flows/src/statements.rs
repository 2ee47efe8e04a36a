//! Statements that people upload: read once on the way in, kept with their bytes, used by runs.

mod inspect;

use mizan_core::{ProviderKey, StatementId, TimeWindow};
use mizan_recon::statement::{FileMap, Format};
use mizan_store::statements::{Inserted, StoredStatement};
use mizan_store::{Page, Paged};
use tempfile::TempPath;

use crate::audit::{self, Change};
use crate::objects::LocalCopy;
use crate::{App, Caller, FlowError, Result};

/// A file that has arrived and waits in the spool.
#[derive(Debug)]
pub struct Upload {
    pub file: TempPath,
    /// The file's own name.
    pub name: String,
    pub provider: ProviderKey,
    /// None: found out from its beginning.
    pub format: Option<Format>,
    /// How it names its columns and writes its values (TOML); the provider's own map if left out.
    pub map: Option<String>,
    pub period: Option<TimeWindow>,
    /// Lower-case hex.
    pub sha256: String,
    pub bytes: u64,
}

/// What became of an upload.
#[derive(Debug)]
pub enum Accepted {
    New(StoredStatement),
    /// These bytes are kept already; nothing was done.
    Known(StoredStatement),
}

/// Reads a statement to its end and keeps it. A file that is not of its format is refused, and nothing of it kept.
pub async fn accept(app: &App, caller: &Caller, upload: Upload) -> Result<Accepted> {
    if upload.name.is_empty() || upload.name.len() > 255 || upload.name.chars().any(char::is_control) {
        return Err(FlowError::invalid("file", "its name has to have 1 to 255 bytes"));
    }
    let mut tx = app.store.read(caller.tenant).await?;
    app.provider(&mut *tx, &upload.provider).await?;
    let known = tx.statement_by_sha256(&upload.provider, &upload.sha256).await?;
    tx.rollback().await?;
    if let Some(known) = known {
        return Ok(Accepted::Known(known));
    }

    let map = match &upload.map {
        Some(text) => Some(FileMap::parse(text).map_err(|it| FlowError::invalid("map", it))?),
        None => app.recon.map(&upload.provider),
    };
    let spool = app.objects.spool().to_owned();
    let (path, name, format) = (upload.file.to_path_buf(), upload.name.clone(), upload.format);
    let read = tokio::task::spawn_blocking(move || inspect::inspect(&path, &name, format, map, &spool))
        .await
        .map_err(|_| FlowError::Interrupted)??;

    let object_key = key(caller, &upload);
    app.objects.put(&object_key, &upload.file).await?;
    let mut quarantine_key = None;
    if let Some(rows) = &read.quarantine {
        let key = format!("{object_key}.quarantine.csv");
        app.objects.put(&key, rows).await?;
        quarantine_key = Some(key);
    }
    keep(app, caller, &upload, &read, object_key, quarantine_key).await
}

fn key(caller: &Caller, upload: &Upload) -> String {
    format!(
        "statements/{}/{}/{}",
        caller.tenant.0, upload.provider, upload.sha256
    )
}

async fn keep(
    app: &App,
    caller: &Caller,
    upload: &Upload,
    read: &inspect::Read,
    object_key: String,
    quarantine_key: Option<String>,
) -> Result<Accepted> {
    let now = app.now();
    let count = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let mut statement = StoredStatement {
        id: StatementId::new(),
        provider: upload.provider.clone(),
        name: upload.name.clone(),
        version: 1,
        format: read.format.as_str().to_owned(),
        sha256: upload.sha256.clone(),
        bytes: count(upload.bytes),
        object_key,
        quarantine_key,
        map: upload.map.clone(),
        period: upload.period,
        rows_read: count(read.rows),
        rows_quarantined: count(read.quarantined),
        checks: read.checks.to_string(),
        uploaded_by: caller.actor.to_string(),
        created_at: now,
    };
    let mut tx = app.store.begin(caller.tenant).await?;
    match tx.insert_statement(&statement).await? {
        Inserted::Known(known) => return Ok(Accepted::Known(*known)),
        Inserted::As(version) => statement.version = version,
    }
    let change = Change {
        action: "statement.upload",
        subject_type: "statement",
        subject_id: statement.id.to_string(),
        details: Some(serde_json::json!({
            "provider": statement.provider, "name": statement.name, "version": statement.version,
            "sha256": statement.sha256, "format": statement.format, "rows_read": statement.rows_read,
            "rows_quarantined": statement.rows_quarantined,
        })),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    tracing::info!(statement = %statement.id, provider = %statement.provider, format = statement.format,
        rows_read = statement.rows_read, rows_quarantined = statement.rows_quarantined, "statement kept");
    Ok(Accepted::New(statement))
}

pub async fn get(app: &App, caller: &Caller, id: StatementId) -> Result<StoredStatement> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.statement(id).await?.ok_or(FlowError::NotFound("statement"))
}

pub async fn list(
    app: &App,
    caller: &Caller,
    provider: Option<&ProviderKey>,
    page: &Page<StatementId>,
) -> Result<Paged<StoredStatement, StatementId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.statements(provider, page).await?)
}

/// The rows that could not be read, as a CSV file; `None` if every row could be.
pub async fn quarantine(app: &App, caller: &Caller, id: StatementId) -> Result<Option<LocalCopy>> {
    let statement = get(app, caller, id).await?;
    match &statement.quarantine_key {
        Some(key) => Ok(Some(app.objects.fetch(key).await?)),
        None => Ok(None),
    }
}

/// The bytes of a statement, for a run.
pub(crate) async fn fetch(app: &App, statement: &StoredStatement) -> Result<LocalCopy> {
    Ok(app.objects.fetch(&statement.object_key).await?)
}

/// How a statement is read: as it was when it was accepted.
pub(crate) fn opening(
    app: &App,
    statement: &StoredStatement,
) -> Result<mizan_recon::statement::open::Opening> {
    let map = match &statement.map {
        Some(text) => Some(FileMap::parse(text).map_err(|it| FlowError::invalid("map", it))?),
        None => app.recon.map(&statement.provider),
    };
    let format = statement
        .format
        .parse::<Format>()
        .map_err(|_| FlowError::invalid("statement_id", "its format is not known to this version"))?;
    Ok(mizan_recon::statement::open::Opening {
        format: Some(format),
        map,
        ..Default::default()
    })
}
