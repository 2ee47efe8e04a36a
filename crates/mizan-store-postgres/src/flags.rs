//! Overrides of rollout flags.

use async_trait::async_trait;
use mizan_store::flags::{FlagOverride, Flags};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    LIST = "SELECT flag, value, reason, set_by, set_at FROM flag_overrides WHERE tenant_id = $1 ORDER BY flag";
    SET = "INSERT INTO flag_overrides (tenant_id, flag, value, reason, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT pk_flag_overrides
         DO UPDATE SET value = excluded.value, reason = excluded.reason, set_by = excluded.set_by,
                       set_at = excluded.set_at";
}

fn flag_override(row: &Row) -> Result<FlagOverride> {
    let record = Record::new(row, "flag_overrides", "flag");
    Ok(FlagOverride {
        flag: record.word("flag")?,
        value: record.get("value")?,
        reason: record.get("reason")?,
        set_by: record.get("set_by")?,
        set_at: record.get("set_at")?,
    })
}

#[async_trait]
impl Flags for PgTx {
    async fn flag_overrides(&mut self) -> Result<Vec<FlagOverride>> {
        let rows = self.session.rows(LIST, &[&self.tenant]).await?;
        rows.iter().map(flag_override).collect()
    }

    async fn set_flag_override(&mut self, flag: &FlagOverride) -> Result<()> {
        let set = self
            .session
            .execute(
                SET,
                &[
                    &self.tenant,
                    &flag.flag.as_str(),
                    &flag.value,
                    &flag.reason,
                    &flag.set_by,
                    &flag.set_at,
                ],
            )
            .await?;
        StoreError::expect_rows("flags::SET", 1, set)
    }
}
