//! Provider effects: the ledger's side of a reconciliation.

use std::collections::HashSet;
use std::pin::pin;

use async_trait::async_trait;
use futures::StreamExt;
use mizan_core::{Currency, ProviderKey, TimeWindow};
use mizan_recon::{LineBatch, LineFields, LineKind, LineStatus};
use mizan_store::Result;
use mizan_store::effects::{BATCH, EffectCursor, EffectKind, EffectSink, Effects, ProviderEffect};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::store_error;
use crate::record::{Record, column};
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! effect_columns {
    () => {
        "provider, provider_event_id, provider_ref, kind, amount, currency, occurred_at, transaction_id, created_at"
    };
}

statements! {
    INSERT = concat!("INSERT INTO provider_effects (tenant_id, ", effect_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT ON CONSTRAINT uq_effects_event DO NOTHING");
    INSERT_ALL = concat!("INSERT INTO provider_effects (tenant_id, ", effect_columns!(), ")
         SELECT $1, rows.* FROM unnest(
             $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[], $9::uuid[],
             $10::timestamptz[]) AS rows
         ON CONFLICT ON CONSTRAINT uq_effects_event DO NOTHING");
    /// The tenant is compared outside of the look-up: inside, and with no statistics yet, the planner takes the
    /// index of windows, which knows the provider and not the event, and reads all that the provider ever did.
    WITH_EFFECT = "SELECT e.id, e.provider, e.provider_event_id
         FROM unnest($2::text[], $3::text[]) AS wanted (provider, event)
         CROSS JOIN LATERAL (
             SELECT id, tenant_id, provider, provider_event_id FROM provider_effects
             WHERE provider = wanted.provider AND provider_event_id = wanted.event LIMIT 1) AS e
         WHERE e.tenant_id = $1";
    OF_EVENT = concat!("SELECT id, ", effect_columns!(), " FROM provider_effects
         WHERE tenant_id = $1 AND provider = $2 AND provider_event_id = $3");
    /// Goes on after ($3, $4). Ids are positive, so a scan that begins at (start, 0) sees the whole start.
    IN_WINDOW = concat!("SELECT id, ", effect_columns!(), " FROM provider_effects
         WHERE tenant_id = $1 AND provider = $2 AND (occurred_at, id) > ($3, $4) AND occurred_at < $5
         ORDER BY occurred_at, id LIMIT $6");
    /// Everything at once, for a reader that takes it row by row.
    ALL_IN_WINDOW = "SELECT provider_event_id, provider_ref, kind, amount, currency, occurred_at, transaction_id
         FROM provider_effects
         WHERE tenant_id = $1 AND provider = $2 AND occurred_at >= $3 AND occurred_at < $4
         ORDER BY occurred_at, id";
}

/// A stream takes as long as its reader does, so the bound of one statement is lifted for its transaction.
const UNHURRIED: &str = "SET LOCAL statement_timeout = 0";

/// Reads a column by its place: a stream of millions has no time for names. A value that cannot be read is
/// named as everywhere else.
fn at<'a, T: FromSql<'a>>(row: &'a Row, place: usize, name: &'static str) -> Result<T> {
    let corrupt = |error: tokio_postgres::Error| {
        Record::new(row, "provider_effects", "provider_event_id").corrupt(name, &error)
    };
    row.try_get(place).map_err(corrupt)
}

/// The kinds and currencies of the rows before: a window has few of them.
#[derive(Default)]
struct Known {
    kinds: Vec<(String, LineKind)>,
    currencies: Vec<(String, Currency)>,
}

fn known<T: Copy>(known: &mut Vec<(String, T)>, text: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some((_, value)) = known.iter().find(|it| it.0 == text) {
        return Ok(*value);
    }
    let value = read()?;
    known.push((text.to_owned(), value));
    Ok(value)
}

impl Known {
    fn push(&mut self, batch: &mut LineBatch, row_no: u64, row: &Row) -> Result<()> {
        let record = || Record::new(row, "provider_effects", "provider_event_id");
        let kind: &str = at(row, 2, "kind")?;
        let kind = known(&mut self.kinds, kind, || {
            let found = EffectKind::ALL.into_iter().find(|it| it.as_str() == kind);
            found
                .map(EffectKind::line_kind)
                .ok_or_else(|| record().corrupt("kind", &"unknown word"))
        })?;
        let currency: &str = at(row, 4, "currency")?;
        let currency = known(&mut self.currencies, currency, || record().word("currency"))?;
        let transaction: Uuid = at(row, 6, "transaction_id")?;
        batch.push(&LineFields {
            row_no,
            event_id: Some(at(row, 0, "provider_event_id")?),
            reference: at(row, 1, "provider_ref")?,
            kind,
            amount_minor: at(row, 3, "amount")?,
            fee_minor: None,
            currency,
            status: LineStatus::Settled,
            occurred_at: at(row, 5, "occurred_at")?,
            payout_id: None,
            transaction_id: Some(transaction.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        });
        Ok(())
    }
}

fn effect(row: &Row) -> Result<ProviderEffect> {
    let record = Record::new(row, "provider_effects", "id");
    let kind: &str = record.get("kind")?;
    Ok(ProviderEffect {
        provider: record.word("provider")?,
        provider_event_id: record.get("provider_event_id")?,
        provider_ref: record.get("provider_ref")?,
        kind: EffectKind::ALL
            .into_iter()
            .find(|it| it.as_str() == kind)
            .ok_or_else(|| record.corrupt("kind", &"unknown word"))?,
        amount: record.money()?,
        occurred_at: record.get("occurred_at")?,
        transaction: record.id("transaction_id")?,
        created_at: record.get("created_at")?,
    })
}

fn cursor(row: &Row) -> Result<EffectCursor> {
    let record = Record::new(row, "provider_effects", "id");
    Ok(EffectCursor {
        occurred_at: record.get("occurred_at")?,
        id: record.get("id")?,
    })
}

#[async_trait]
impl Effects for PgTx {
    async fn insert_effect(&mut self, new: &ProviderEffect) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.provider.as_str(),
                    &new.provider_event_id,
                    &new.provider_ref,
                    &new.kind.as_str(),
                    &new.amount.minor,
                    &new.amount.currency.code(),
                    &new.occurred_at,
                    &new.transaction.0,
                    &new.created_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn insert_effects(&mut self, new: &[ProviderEffect]) -> Result<u64> {
        self.session
            .execute(
                INSERT_ALL,
                &[
                    &self.tenant,
                    &column(new, |it| it.provider.as_str()),
                    &column(new, |it| it.provider_event_id.as_str()),
                    &column(new, |it| it.provider_ref.as_deref()),
                    &column(new, |it| it.kind.as_str()),
                    &column(new, |it| it.amount.minor),
                    &column(new, |it| it.amount.currency.code()),
                    &column(new, |it| it.occurred_at),
                    &column(new, |it| it.transaction.0),
                    &column(new, |it| it.created_at),
                ],
            )
            .await
    }

    async fn with_effect(
        &mut self,
        events: &[(ProviderKey, String)],
    ) -> Result<HashSet<(ProviderKey, String)>> {
        let providers = column(events, |it| it.0.as_str());
        let ids = column(events, |it| it.1.as_str());
        let rows = self
            .session
            .rows(WITH_EFFECT, &[&self.tenant, &providers, &ids])
            .await?;
        rows.iter()
            .map(|row| {
                let record = Record::new(row, "provider_effects", "id");
                Ok((record.word("provider")?, record.get("provider_event_id")?))
            })
            .collect()
    }

    async fn effect(&mut self, provider: &ProviderKey, event_id: &str) -> Result<Option<ProviderEffect>> {
        let row = self
            .session
            .row(OF_EVENT, &[&self.tenant, &provider.as_str(), &event_id])
            .await?;
        row.as_ref().map(effect).transpose()
    }

    async fn effects_in(
        &mut self,
        provider: &ProviderKey,
        window: TimeWindow,
        after: Option<EffectCursor>,
        limit: u32,
    ) -> Result<(Vec<ProviderEffect>, Option<EffectCursor>)> {
        let after = after.unwrap_or(EffectCursor {
            occurred_at: window.start(),
            id: 0,
        });
        let rows = self
            .session
            .rows(
                IN_WINDOW,
                &[
                    &self.tenant,
                    &provider.as_str(),
                    &after.occurred_at,
                    &after.id,
                    &window.end(),
                    &i64::from(limit),
                ],
            )
            .await?;
        let effects = rows.iter().map(effect).collect::<Result<Vec<_>>>()?;
        let full = rows.len() >= limit as usize;
        let next = rows.last().filter(|_| full).map(cursor).transpose()?;
        Ok((effects, next))
    }

    async fn stream_effects(
        &mut self,
        provider: &ProviderKey,
        window: TimeWindow,
        to: &mut dyn EffectSink,
    ) -> Result<()> {
        let params: [Param<'_>; 4] = [&self.tenant, &provider.as_str(), &window.start(), &window.end()];
        let rows = self.session.stream(UNHURRIED, ALL_IN_WINDOW, &params).await?;
        let mut rows = pin!(rows);
        let (mut batch, mut row_no, mut words) = (LineBatch::default(), 0, Known::default());
        while let Some(row) = rows.next().await {
            row_no += 1;
            words.push(&mut batch, row_no, &row.map_err(store_error)?)?;
            if batch.len() >= BATCH as usize && !to.take(std::mem::take(&mut batch)).await {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            to.take(batch).await;
        }
        Ok(())
    }
}
