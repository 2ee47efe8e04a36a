//! Corrections of the ledger that findings lead to.

use async_trait::async_trait;
use mizan_core::{AccountId, AdjustmentId, FindingId};
use mizan_store::finding_adjustments::{AdjustmentState, FindingAdjustment, FindingAdjustments};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    PROPOSE = "
        INSERT INTO finding_adjustments (
            id, tenant_id, finding_id, debit_account_id, credit_account_id, amount, currency, reason, state,
            proposed_by, proposed_at, decided_by, decided_at, decision_reason, transaction_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT (finding_id) WHERE state = 'proposed' DO NOTHING";

    ADJUSTMENT = "
        SELECT id, finding_id, debit_account_id, credit_account_id, amount, currency, reason, state, proposed_by,
               proposed_at, decided_by, decided_at, decision_reason, transaction_id
        FROM finding_adjustments
        WHERE id = ?1 AND tenant_id = ?2";

    DECIDE = "
        UPDATE finding_adjustments
        SET state = ?3, decided_by = ?4, decided_at = ?5, decision_reason = ?6, transaction_id = ?7
        WHERE id = ?1 AND tenant_id = ?2";

    ADJUSTMENTS = "
        SELECT id, finding_id, debit_account_id, credit_account_id, amount, currency, reason, state, proposed_by,
               proposed_at, decided_by, decided_at, decision_reason, transaction_id
        FROM finding_adjustments
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR finding_id = ?3)
          AND (?4 IS NULL OR state = ?4)
        ORDER BY id DESC LIMIT ?5 OFFSET ?6";

    COUNT_ADJUSTMENTS = "
        SELECT count(*)
        FROM finding_adjustments
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR finding_id = ?2)
          AND (?3 IS NULL OR state = ?3)";
}

#[async_trait]
impl FindingAdjustments for SqliteTx {
    async fn insert_adjustment(&mut self, adjustment: &FindingAdjustment) -> Result<bool> {
        let it = adjustment.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                id_text(it.finding.0),
                it.debit.0,
                it.credit.0,
                it.amount.minor,
                it.amount.currency.code(),
                it.reason,
                it.state.as_str(),
                it.proposed_by,
                stamp(it.proposed_at),
                it.decided_by,
                stamp_opt(it.decided_at),
                it.decision_reason,
                it.transaction.map(|it| id_text(it.0))
            ];
            Ok(execute(db, &PROPOSE, params)? == 1)
        })
        .await
    }

    async fn lock_adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>> {
        self.adjustment(id).await
    }

    async fn adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant];
            first(db, &ADJUSTMENT, params, "finding_adjustments", adjustment_row)
        })
        .await
    }

    async fn update_adjustment(&mut self, adjustment: &FindingAdjustment) -> Result<()> {
        let it = adjustment.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                it.state.as_str(),
                it.decided_by,
                stamp_opt(it.decided_at),
                it.decision_reason,
                it.transaction.map(|it| id_text(it.0))
            ];
            execute_one(db, &DECIDE, params)
        })
        .await
    }

    async fn adjustments(
        &mut self,
        finding: Option<FindingId>,
        state: Option<AdjustmentState>,
        page: &Page<AdjustmentId>,
    ) -> Result<Paged<FindingAdjustment, AdjustmentId>> {
        let page = *page;
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let finding = finding.map(|it| id_text(it.0));
            let state = state.map(AdjustmentState::as_str);
            let params = params![tenant, at.before, finding, state, at.limit, at.offset];
            let rows = all(db, &ADJUSTMENTS, params, "finding_adjustments", adjustment_row)?;
            let counted = || count(db, &COUNT_ADJUSTMENTS, params![tenant, finding, state]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn adjustment_row(row: &mut Cells<'_>) -> Result<FindingAdjustment> {
    Ok(FindingAdjustment {
        id: row.id("id")?,
        finding: row.id("finding_id")?,
        debit: AccountId(row.get("debit_account_id")?),
        credit: AccountId(row.get("credit_account_id")?),
        amount: row.money("amount")?,
        reason: row.get("reason")?,
        state: row.parsed("state")?,
        proposed_by: row.get("proposed_by")?,
        proposed_at: row.time("proposed_at")?,
        decided_by: row.get("decided_by")?,
        decided_at: row.time_opt("decided_at")?,
        decision_reason: row.get("decision_reason")?,
        transaction: row.id_opt("transaction_id")?,
    })
}
