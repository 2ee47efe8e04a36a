//! Statements that were uploaded.

use async_trait::async_trait;
use mizan_core::{ProviderKey, StatementId, TimeWindow};
use mizan_store::statements::{Inserted, Statements, StoredStatement};
use mizan_store::{Page, Paged, Result};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute_one, first, statements, value};
use crate::tx::SqliteTx;

statements! {
    NEXT_VERSION = "
        SELECT coalesce(max(version), 0) + 1 FROM statements WHERE tenant_id = ?1 AND provider = ?2 AND name = ?3";

    INSERT_STATEMENT = "
        INSERT INTO statements (
            id, tenant_id, provider, name, version, format, sha256, bytes, object_key, quarantine_key, map,
            period_start, period_end, rows_read, rows_quarantined, checks, uploaded_by, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

    STATEMENT = "
        SELECT id, provider, name, version, format, sha256, bytes, object_key, quarantine_key, map, period_start,
               period_end, rows_read, rows_quarantined, checks, uploaded_by, created_at
        FROM statements
        WHERE id = ?1 AND tenant_id = ?2";

    STATEMENT_BY_SHA256 = "
        SELECT id, provider, name, version, format, sha256, bytes, object_key, quarantine_key, map, period_start,
               period_end, rows_read, rows_quarantined, checks, uploaded_by, created_at
        FROM statements
        WHERE tenant_id = ?1 AND provider = ?2 AND sha256 = ?3";

    LIST_STATEMENTS = "
        SELECT id, provider, name, version, format, sha256, bytes, object_key, quarantine_key, map, period_start,
               period_end, rows_read, rows_quarantined, checks, uploaded_by, created_at
        FROM statements
        WHERE tenant_id = ?1 AND id < ?2 AND (?3 IS NULL OR provider = ?3)
        ORDER BY id DESC LIMIT ?4 OFFSET ?5";

    COUNT_STATEMENTS = "SELECT count(*) FROM statements WHERE tenant_id = ?1 AND (?2 IS NULL OR provider = ?2)";
}

#[async_trait]
impl Statements for SqliteTx {
    async fn insert_statement(&mut self, statement: &StoredStatement) -> Result<Inserted> {
        let it = statement.clone();
        self.within(move |db, tenant| {
            if let Some(known) = by_sha256(db, tenant, &it.provider, &it.sha256)? {
                return Ok(Inserted::Known(Box::new(known)));
            }
            let named = params![tenant, it.provider.as_str(), it.name];
            let version: i32 = value(db, &NEXT_VERSION, named)?;
            let params = params![
                id_text(it.id.0),
                tenant,
                it.provider.as_str(),
                it.name,
                version,
                it.format,
                it.sha256,
                it.bytes,
                it.object_key,
                it.quarantine_key,
                it.map,
                stamp_opt(it.period.map(TimeWindow::start)),
                stamp_opt(it.period.map(TimeWindow::end)),
                it.rows_read,
                it.rows_quarantined,
                it.checks,
                it.uploaded_by,
                stamp(it.created_at)
            ];
            execute_one(db, &INSERT_STATEMENT, params)?;
            Ok(Inserted::As(version))
        })
        .await
    }

    async fn statement(&mut self, id: StatementId) -> Result<Option<StoredStatement>> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant];
            first(db, &STATEMENT, params, "statements", statement_row)
        })
        .await
    }

    async fn statement_by_sha256(
        &mut self,
        provider: &ProviderKey,
        sha256: &str,
    ) -> Result<Option<StoredStatement>> {
        let (provider, sha256) = (provider.clone(), sha256.to_owned());
        self.within(move |db, tenant| by_sha256(db, tenant, &provider, &sha256))
            .await
    }

    async fn statements(
        &mut self,
        provider: Option<&ProviderKey>,
        page: &Page<StatementId>,
    ) -> Result<Paged<StoredStatement, StatementId>> {
        let (provider, page) = (provider.map(|it| it.as_str().to_owned()), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let params = params![tenant, at.before, provider, at.limit, at.offset];
            let rows = all(db, &LIST_STATEMENTS, params, "statements", statement_row)?;
            let counted = || count(db, &COUNT_STATEMENTS, params![tenant, provider]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn by_sha256(
    db: &Connection,
    tenant: i32,
    provider: &ProviderKey,
    sha256: &str,
) -> Result<Option<StoredStatement>> {
    let params = params![tenant, provider.as_str(), sha256];
    first(db, &STATEMENT_BY_SHA256, params, "statements", statement_row)
}

fn statement_row(row: &mut Cells<'_>) -> Result<StoredStatement> {
    let id = row.id("id")?;
    let provider = row.parsed("provider")?;
    let name = row.get("name")?;
    let version = row.get("version")?;
    let format = row.get("format")?;
    let sha256 = row.get("sha256")?;
    let bytes = row.get("bytes")?;
    let object_key = row.get("object_key")?;
    let quarantine_key = row.get("quarantine_key")?;
    let map = row.get("map")?;
    let (start, end) = (row.time_opt("period_start")?, row.time_opt("period_end")?);
    let period = start
        .zip(end)
        .map(|(start, end)| TimeWindow::new(start, end))
        .transpose()
        .map_err(|error| row.corrupt("period_end", error))?;
    Ok(StoredStatement {
        id,
        provider,
        name,
        version,
        format,
        sha256,
        bytes,
        object_key,
        quarantine_key,
        map,
        period,
        rows_read: row.get("rows_read")?,
        rows_quarantined: row.get("rows_quarantined")?,
        checks: row.get("checks")?,
        uploaded_by: row.get("uploaded_by")?,
        created_at: row.time("created_at")?,
    })
}
