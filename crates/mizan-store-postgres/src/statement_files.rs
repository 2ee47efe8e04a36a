//! Statements that were uploaded.

use async_trait::async_trait;
use mizan_core::{ProviderKey, StatementId, TimeWindow, Timestamp};
use mizan_store::statements::{Inserted, Statements, StoredStatement};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! file_columns {
    () => {
        "id, provider, name, version, format, sha256, bytes, object_key, quarantine_key, map, period_start, \
         period_end, rows_read, rows_quarantined, checks, uploaded_by, created_at"
    };
}

statements! {
    /// Rivals for the next version of a name wait for each other.
    LOCK_CONNECTION = "SELECT 1 FROM provider_connections WHERE tenant_id = $1 AND provider = $2 FOR NO KEY UPDATE";
    INSERT = concat!("INSERT INTO statements (tenant_id, ", file_columns!(), ")
         SELECT $1, $2, $3, $4, coalesce(max(version), 0) + 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                $17
         FROM statements WHERE tenant_id = $1 AND provider = $3 AND name = $4
         RETURNING version");
    BY_ID = concat!("SELECT ", file_columns!(), " FROM statements WHERE tenant_id = $1 AND id = $2");
    BY_SHA256 = concat!("SELECT ", file_columns!(), " FROM statements
         WHERE tenant_id = $1 AND provider = $2 AND sha256 = $3");
    LIST = concat!("SELECT ", file_columns!(), " FROM statements
         WHERE tenant_id = $1 AND ($2::text IS NULL OR provider = $2) AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4 OFFSET $5");
    COUNT = "SELECT count(*) FROM statements WHERE tenant_id = $1 AND ($2::text IS NULL OR provider = $2)";
}

fn file(row: &Row) -> Result<StoredStatement> {
    let record = Record::new(row, "statements", "id");
    let start: Option<Timestamp> = record.get("period_start")?;
    let period = start
        .zip(record.get("period_end")?)
        .map(|(start, end)| TimeWindow::new(start, end))
        .transpose()
        .map_err(|error| record.corrupt("period_end", &error))?;
    Ok(StoredStatement {
        id: record.id("id")?,
        provider: record.word("provider")?,
        name: record.get("name")?,
        version: record.get("version")?,
        format: record.get("format")?,
        sha256: record.get("sha256")?,
        bytes: record.get("bytes")?,
        object_key: record.get("object_key")?,
        quarantine_key: record.get("quarantine_key")?,
        map: record.get("map")?,
        period,
        rows_read: record.get("rows_read")?,
        rows_quarantined: record.get("rows_quarantined")?,
        checks: record.get("checks")?,
        uploaded_by: record.get("uploaded_by")?,
        created_at: record.get("created_at")?,
    })
}

#[async_trait]
impl Statements for PgTx {
    async fn insert_statement(&mut self, it: &StoredStatement) -> Result<Inserted> {
        let provider = it.provider.as_str();
        self.session
            .rows(LOCK_CONNECTION, &[&self.tenant, &provider])
            .await?;
        if let Some(known) = self.statement_by_sha256(&it.provider, &it.sha256).await? {
            return Ok(Inserted::Known(Box::new(known)));
        }
        let (start, end) = (it.period.map(TimeWindow::start), it.period.map(TimeWindow::end));
        #[rustfmt::skip]
        let row = self.session.one(INSERT, &[
            &self.tenant, &it.id.0, &provider, &it.name, &it.format, &it.sha256, &it.bytes, &it.object_key,
            &it.quarantine_key, &it.map, &start, &end, &it.rows_read, &it.rows_quarantined, &it.checks,
            &it.uploaded_by, &it.created_at,
        ]).await?;
        let version = row
            .try_get("version")
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok(Inserted::As(version))
    }

    async fn statement(&mut self, id: StatementId) -> Result<Option<StoredStatement>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(file).transpose()
    }

    async fn statement_by_sha256(
        &mut self,
        provider: &ProviderKey,
        sha256: &str,
    ) -> Result<Option<StoredStatement>> {
        let row = self
            .session
            .row(BY_SHA256, &[&self.tenant, &provider.as_str(), &sha256])
            .await?;
        row.as_ref().map(file).transpose()
    }

    async fn statements(
        &mut self,
        provider: Option<&ProviderKey>,
        page: &Page<StatementId>,
    ) -> Result<Paged<StoredStatement, StatementId>> {
        let provider = provider.map(ProviderKey::as_str);
        let filters: [(Param<'_>, Type); 2] = [(&self.tenant, Type::INT4), (&provider, Type::TEXT)];
        self.session
            .page(LIST, COUNT, &filters, page, file, |it| it.id)
            .await
    }
}
