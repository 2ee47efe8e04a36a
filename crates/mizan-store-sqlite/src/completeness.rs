//! What runs made of each day.

use async_trait::async_trait;
use chrono::NaiveDate;
use mizan_core::{ProviderKey, TimeWindow};
use mizan_store::Result;
use mizan_store::completeness::{Completeness, DayCovered, DayVolume};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp};
use crate::statement::{all, execute_one, statements};
use crate::tx::SqliteTx;

statements! {
    KEEP_DAY = "
        INSERT INTO recon_days (run_id, tenant_id, provider, window_start, window_end, day, currency, volume, matched,
                                finished_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

    LEDGER_VOLUME = "
        SELECT substr(occurred_at, 1, 10) AS day, currency, sum(amount)
        FROM provider_effects
        WHERE tenant_id = ?1 AND provider = ?2 AND occurred_at >= ?3 AND occurred_at < ?4
        GROUP BY 1, 2 ORDER BY 1, 2";

    COVERED_DAYS = "
        SELECT run_id, provider, window_start, window_end, day, currency, volume, matched, finished_at
        FROM recon_days
        WHERE tenant_id = ?1 AND (?2 IS NULL OR provider = ?2) AND day >= ?3 AND day < ?4
        ORDER BY provider, currency, day, finished_at, run_id";
}

#[async_trait]
impl Completeness for SqliteTx {
    async fn keep_covered(&mut self, days: &[DayCovered]) -> Result<()> {
        let days = days.to_vec();
        self.within(move |db, tenant| {
            for it in &days {
                let params = params![
                    id_text(it.run.0),
                    tenant,
                    it.provider.as_str(),
                    stamp(it.window.start()),
                    stamp(it.window.end()),
                    it.day.to_string(),
                    it.currency.code(),
                    it.volume,
                    it.matched,
                    stamp(it.finished_at)
                ];
                execute_one(db, &KEEP_DAY, params)?;
            }
            Ok(())
        })
        .await
    }

    async fn ledger_volume(&mut self, provider: &ProviderKey, window: TimeWindow) -> Result<Vec<DayVolume>> {
        let provider = provider.clone();
        self.within(move |db, tenant| {
            let params = params![
                tenant,
                provider.as_str(),
                stamp(window.start()),
                stamp(window.end())
            ];
            all(db, &LEDGER_VOLUME, params, "provider_effects", |row| {
                Ok(DayVolume {
                    day: row.parsed("day")?,
                    currency: row.parsed("currency")?,
                    volume: row.get("volume")?,
                })
            })
        })
        .await
    }

    async fn covered(
        &mut self,
        provider: Option<&ProviderKey>,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<DayCovered>> {
        let provider = provider.map(|it| it.as_str().to_owned());
        self.within(move |db, tenant| {
            let params = params![tenant, provider, from.to_string(), until.to_string()];
            all(db, &COVERED_DAYS, params, "recon_days", covered_row)
        })
        .await
    }
}

fn covered_row(row: &mut Cells<'_>) -> Result<DayCovered> {
    let run = row.id("run_id")?;
    let provider = row.parsed("provider")?;
    let (start, end) = (row.time("window_start")?, row.time("window_end")?);
    let window = TimeWindow::new(start, end).map_err(|error| row.corrupt("window_end", error))?;
    Ok(DayCovered {
        run,
        provider,
        window,
        day: row.parsed("day")?,
        currency: row.parsed("currency")?,
        volume: row.get("volume")?,
        matched: row.get("matched")?,
        finished_at: row.time("finished_at")?,
    })
}
