//! Overrides of rollout flags.

use async_trait::async_trait;
use mizan_store::Result;
use mizan_store::flags::{FlagOverride, Flags};
use rusqlite::params;

use crate::cells::{Cells, stamp};
use crate::statement::{all, execute_one, statements};
use crate::tx::SqliteTx;

statements! {
    FLAG_OVERRIDES = "
        SELECT flag, value, reason, set_by, set_at
        FROM flag_overrides
        WHERE tenant_id = ?1
        ORDER BY flag";

    SET_FLAG_OVERRIDE = "
        INSERT INTO flag_overrides (tenant_id, flag, value, reason, set_by, set_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (tenant_id, flag) DO UPDATE
        SET value = excluded.value, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at";
}

#[async_trait]
impl Flags for SqliteTx {
    async fn flag_overrides(&mut self) -> Result<Vec<FlagOverride>> {
        self.within(|db, tenant| all(db, &FLAG_OVERRIDES, [tenant], "flag_overrides", flag_row))
            .await
    }

    async fn set_flag_override(&mut self, flag: &FlagOverride) -> Result<()> {
        let it = flag.clone();
        self.within(move |db, tenant| {
            let params = params![
                tenant,
                it.flag.as_str(),
                it.value,
                it.reason,
                it.set_by,
                stamp(it.set_at)
            ];
            execute_one(db, &SET_FLAG_OVERRIDE, params)
        })
        .await
    }
}

fn flag_row(row: &mut Cells<'_>) -> Result<FlagOverride> {
    Ok(FlagOverride {
        flag: row.parsed("flag")?,
        value: row.get("value")?,
        reason: row.get("reason")?,
        set_by: row.get("set_by")?,
        set_at: row.time("set_at")?,
    })
}
