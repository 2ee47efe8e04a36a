//! Corrections of the ledger that findings lead to.

use async_trait::async_trait;
use mizan_core::{AccountId, AdjustmentId, FindingId};
use mizan_store::finding_adjustments::{AdjustmentState, FindingAdjustment, FindingAdjustments};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! adjustment_columns {
    () => {
        "id, finding_id, debit_account_id, credit_account_id, amount, currency, reason, state, proposed_by, \
         proposed_at, decided_by, decided_at, decision_reason, transaction_id"
    };
}
macro_rules! adjustment_filter {
    () => {
        "FROM finding_adjustments
         WHERE tenant_id = $1
           AND ($2::uuid IS NULL OR finding_id = $2)
           AND ($3::text IS NULL OR state = $3)"
    };
}

statements! {
    INSERT = concat!("INSERT INTO finding_adjustments (tenant_id, ", adjustment_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (finding_id) WHERE state = 'proposed' DO NOTHING");
    BY_ID = concat!("SELECT ", adjustment_columns!(), " FROM finding_adjustments WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", adjustment_columns!(), " FROM finding_adjustments
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    UPDATE = "UPDATE finding_adjustments
         SET state = $3, decided_by = $4, decided_at = $5, decision_reason = $6, transaction_id = $7
         WHERE tenant_id = $1 AND id = $2";
    LIST = concat!("SELECT ", adjustment_columns!(), " ", adjustment_filter!(), "
           AND ($4::uuid IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5 OFFSET $6");
    COUNT = concat!("SELECT count(*) ", adjustment_filter!());
}

fn adjustment(row: &Row) -> Result<FindingAdjustment> {
    let record = Record::new(row, "finding_adjustments", "id");
    Ok(FindingAdjustment {
        id: record.id("id")?,
        finding: record.id("finding_id")?,
        debit: AccountId(record.get("debit_account_id")?),
        credit: AccountId(record.get("credit_account_id")?),
        amount: record.money()?,
        reason: record.get("reason")?,
        state: record.word("state")?,
        proposed_by: record.get("proposed_by")?,
        proposed_at: record.get("proposed_at")?,
        decided_by: record.get("decided_by")?,
        decided_at: record.get("decided_at")?,
        decision_reason: record.get("decision_reason")?,
        transaction: record.maybe_id("transaction_id")?,
    })
}

#[async_trait]
impl FindingAdjustments for PgTx {
    async fn insert_adjustment(&mut self, it: &FindingAdjustment) -> Result<bool> {
        let (state, currency) = (it.state.as_str(), it.amount.currency.code());
        let transaction = it.transaction.map(|it| it.0);
        #[rustfmt::skip]
        let inserted = self.session.execute(INSERT, &[
            &self.tenant, &it.id.0, &it.finding.0, &it.debit.0, &it.credit.0, &it.amount.minor, &currency,
            &it.reason, &state, &it.proposed_by, &it.proposed_at, &it.decided_by, &it.decided_at,
            &it.decision_reason, &transaction,
        ]).await?;
        Ok(inserted == 1)
    }

    async fn adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(adjustment).transpose()
    }

    async fn lock_adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(adjustment).transpose()
    }

    async fn update_adjustment(&mut self, it: &FindingAdjustment) -> Result<()> {
        let (state, transaction) = (it.state.as_str(), it.transaction.map(|it| it.0));
        #[rustfmt::skip]
        let updated = self.session.execute(UPDATE, &[
            &self.tenant, &it.id.0, &state, &it.decided_by, &it.decided_at, &it.decision_reason, &transaction,
        ]).await?;
        StoreError::expect_rows("finding_adjustments::UPDATE", 1, updated)
    }

    async fn adjustments(
        &mut self,
        finding: Option<FindingId>,
        state: Option<AdjustmentState>,
        page: &Page<AdjustmentId>,
    ) -> Result<Paged<FindingAdjustment, AdjustmentId>> {
        let finding = finding.map(|it| it.0);
        let state = state.map(AdjustmentState::as_str);
        let filters: [(Param<'_>, Type); 3] = [
            (&self.tenant, Type::INT4),
            (&finding, Type::UUID),
            (&state, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, adjustment, |it| it.id)
            .await
    }
}
