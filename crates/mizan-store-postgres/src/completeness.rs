//! What runs made of each day.

use async_trait::async_trait;
use chrono::NaiveDate;
use mizan_core::{ProviderKey, TimeWindow, Timestamp};
use mizan_store::completeness::{Completeness, DayCovered, DayVolume};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    KEEP = "INSERT INTO recon_days (tenant_id, run_id, provider, window_start, window_end, day, currency, volume,
                                matched, finished_at)
         SELECT $1, rows.* FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::date[],
             $7::text[], $8::bigint[], $9::bigint[], $10::timestamptz[]) AS rows";
    VOLUME = "SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, currency, sum(amount)::bigint AS volume
         FROM provider_effects
         WHERE tenant_id = $1 AND provider = $2 AND occurred_at >= $3 AND occurred_at < $4
         GROUP BY 1, 2 ORDER BY 1, 2";
    COVERED = "SELECT run_id, provider, window_start, window_end, day, currency, volume, matched, finished_at
         FROM recon_days
         WHERE tenant_id = $1 AND ($2::text IS NULL OR provider = $2) AND day >= $3 AND day < $4
         ORDER BY provider, currency, day, finished_at, run_id";
}

fn volume(row: &Row) -> Result<DayVolume> {
    let record = Record::new(row, "provider_effects", "currency");
    Ok(DayVolume {
        day: record.get("day")?,
        currency: record.word("currency")?,
        volume: record.get("volume")?,
    })
}

fn covered(row: &Row) -> Result<DayCovered> {
    let record = Record::new(row, "recon_days", "run_id");
    let (start, end): (Timestamp, Timestamp) = (record.get("window_start")?, record.get("window_end")?);
    Ok(DayCovered {
        run: record.id("run_id")?,
        provider: record.word("provider")?,
        window: TimeWindow::new(start, end).map_err(|error| record.corrupt("window_end", &error))?,
        day: record.get("day")?,
        currency: record.word("currency")?,
        volume: record.get("volume")?,
        matched: record.get("matched")?,
        finished_at: record.get("finished_at")?,
    })
}

#[async_trait]
impl Completeness for PgTx {
    async fn keep_covered(&mut self, days: &[DayCovered]) -> Result<()> {
        if days.is_empty() {
            return Ok(());
        }
        let runs: Vec<Uuid> = days.iter().map(|it| it.run.0).collect();
        let providers: Vec<&str> = days.iter().map(|it| it.provider.as_str()).collect();
        let starts: Vec<Timestamp> = days.iter().map(|it| it.window.start()).collect();
        let ends: Vec<Timestamp> = days.iter().map(|it| it.window.end()).collect();
        let dates: Vec<NaiveDate> = days.iter().map(|it| it.day).collect();
        let currencies: Vec<&str> = days.iter().map(|it| it.currency.code()).collect();
        let volumes: Vec<i64> = days.iter().map(|it| it.volume).collect();
        let matched: Vec<i64> = days.iter().map(|it| it.matched).collect();
        let finished: Vec<Timestamp> = days.iter().map(|it| it.finished_at).collect();
        #[rustfmt::skip]
        let kept = self.session.execute(KEEP, &[
            &self.tenant, &runs, &providers, &starts, &ends, &dates, &currencies, &volumes, &matched, &finished,
        ]).await?;
        StoreError::expect_rows("completeness::KEEP", days.len() as u64, kept)
    }

    async fn ledger_volume(&mut self, provider: &ProviderKey, window: TimeWindow) -> Result<Vec<DayVolume>> {
        let (start, end) = (window.start(), window.end());
        let rows = self
            .session
            .rows(VOLUME, &[&self.tenant, &provider.as_str(), &start, &end])
            .await?;
        rows.iter().map(volume).collect()
    }

    async fn covered(
        &mut self,
        provider: Option<&ProviderKey>,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<DayCovered>> {
        let provider = provider.map(ProviderKey::as_str);
        let rows = self
            .session
            .rows(COVERED, &[&self.tenant, &provider, &from, &until])
            .await?;
        rows.iter().map(covered).collect()
    }
}
