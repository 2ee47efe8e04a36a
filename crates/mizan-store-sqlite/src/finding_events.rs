//! The timeline of findings.

use async_trait::async_trait;
use mizan_core::FindingId;
use mizan_store::finding_events::{FindingEvent, FindingEvents};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp};
use crate::paging::by_number;
use crate::statement::{all, count, execute_one, statements};
use crate::tx::SqliteTx;

statements! {
    APPEND_EVENT = "
        INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    EVENTS = "
        SELECT id, finding_id, kind, actor, from_value, to_value, text, at
        FROM finding_events
        WHERE tenant_id = ?1 AND finding_id = ?2 AND id < ?3
        ORDER BY id DESC LIMIT ?4 OFFSET ?5";

    COUNT_EVENTS = "SELECT count(*) FROM finding_events WHERE tenant_id = ?1 AND finding_id = ?2";
}

#[async_trait]
impl FindingEvents for SqliteTx {
    async fn append_finding_event(&mut self, event: &FindingEvent) -> Result<()> {
        let it = event.clone();
        self.within(move |db, tenant| {
            let params = params![
                tenant,
                id_text(it.finding.0),
                it.kind.as_str(),
                it.actor,
                it.from,
                it.to,
                it.text,
                stamp(it.at)
            ];
            execute_one(db, &APPEND_EVENT, params)
        })
        .await
    }

    async fn finding_events(
        &mut self,
        finding: FindingId,
        page: &Page<i64>,
    ) -> Result<Paged<FindingEvent, i64>> {
        let page = *page;
        self.within(move |db, tenant| {
            let at = by_number(&page, |it| *it);
            let finding = id_text(finding.0);
            let params = params![tenant, finding, at.before, at.limit, at.offset];
            let rows = all(db, &EVENTS, params, "finding_events", event_row)?;
            let counted = || count(db, &COUNT_EVENTS, params![tenant, finding]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn event_row(row: &mut Cells<'_>) -> Result<FindingEvent> {
    Ok(FindingEvent {
        id: row.get("id")?,
        finding: row.id("finding_id")?,
        kind: row.parsed("kind")?,
        actor: row.get("actor")?,
        from: row.get("from_value")?,
        to: row.get("to_value")?,
        text: row.get("text")?,
        at: row.time("at")?,
    })
}
