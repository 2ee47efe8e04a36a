//! The timeline of findings.

use async_trait::async_trait;
use mizan_core::FindingId;
use mizan_store::finding_events::{FindingEvent, FindingEvents};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    APPEND = "INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "SELECT id, finding_id, kind, actor, from_value, to_value, text, at FROM finding_events
         WHERE tenant_id = $1 AND finding_id = $2 AND ($3::bigint IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4 OFFSET $5";
    COUNT = "SELECT count(*) FROM finding_events WHERE tenant_id = $1 AND finding_id = $2";
}

fn event(row: &Row) -> Result<FindingEvent> {
    let record = Record::new(row, "finding_events", "id");
    Ok(FindingEvent {
        id: record.get("id")?,
        finding: record.id("finding_id")?,
        kind: record.word("kind")?,
        actor: record.get("actor")?,
        from: record.get("from_value")?,
        to: record.get("to_value")?,
        text: record.get("text")?,
        at: record.get("at")?,
    })
}

#[async_trait]
impl FindingEvents for PgTx {
    async fn append_finding_event(&mut self, it: &FindingEvent) -> Result<()> {
        let kind = it.kind.as_str();
        #[rustfmt::skip]
        let appended = self.session.execute(APPEND, &[
            &self.tenant, &it.finding.0, &kind, &it.actor, &it.from, &it.to, &it.text, &it.at,
        ]).await?;
        StoreError::expect_rows("finding_events::APPEND", 1, appended)
    }

    async fn finding_events(
        &mut self,
        finding: FindingId,
        page: &Page<i64>,
    ) -> Result<Paged<FindingEvent, i64>> {
        let filters: [(Param<'_>, Type); 2] = [(&self.tenant, Type::INT4), (&finding.0, Type::UUID)];
        self.session
            .page(LIST, COUNT, &filters, page, event, |it| it.id)
            .await
    }
}
