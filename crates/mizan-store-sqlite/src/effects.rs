//! What Mizan believes happened at a provider.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{ProviderKey, TimeWindow};
use mizan_store::Result;
use mizan_store::effects::{EffectCursor, EffectKind, Effects, ProviderEffect};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp};
use crate::statement::{all, execute, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_EFFECT = "
        INSERT INTO provider_effects (tenant_id, provider, provider_event_id, provider_ref, kind, amount, currency,
                                      occurred_at, transaction_id, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (provider, provider_event_id) DO NOTHING";

    EFFECT = "
        SELECT id, provider, provider_event_id, provider_ref, kind, amount, currency, occurred_at, transaction_id,
               created_at
        FROM provider_effects
        WHERE provider = ?1 AND provider_event_id = ?2 AND tenant_id = ?3";

    /// A window starts after the row before its first one: no id is below 1.
    EFFECTS_IN = "
        SELECT id, provider, provider_event_id, provider_ref, kind, amount, currency, occurred_at, transaction_id,
               created_at
        FROM provider_effects
        WHERE tenant_id = ?1 AND provider = ?2 AND (occurred_at, id) > (?3, ?4) AND occurred_at < ?5
        ORDER BY occurred_at, id LIMIT ?6";
}

#[async_trait]
impl Effects for SqliteTx {
    async fn insert_effect(&mut self, effect: &ProviderEffect) -> Result<bool> {
        Ok(self.insert_effects(std::slice::from_ref(effect)).await? == 1)
    }

    async fn insert_effects(&mut self, effects: &[ProviderEffect]) -> Result<u64> {
        let effects = effects.to_vec();
        self.within(move |db, tenant| {
            let mut inserted = 0;
            for it in &effects {
                inserted += insert(db, tenant, it)?;
            }
            Ok(inserted)
        })
        .await
    }

    async fn with_effect(
        &mut self,
        events: &[(ProviderKey, String)],
    ) -> Result<HashSet<(ProviderKey, String)>> {
        let events = events.to_vec();
        self.within(move |db, tenant| {
            let mut found = HashSet::new();
            for (provider, event) in events {
                let params = params![provider.as_str(), event, tenant];
                if first(db, &EFFECT, params, "provider_effects", effect_row)?.is_some() {
                    found.insert((provider, event));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn effect(&mut self, provider: &ProviderKey, event_id: &str) -> Result<Option<ProviderEffect>> {
        let (provider, event_id) = (provider.clone(), event_id.to_owned());
        self.within(move |db, tenant| {
            let params = params![provider.as_str(), event_id, tenant];
            first(db, &EFFECT, params, "provider_effects", |row| {
                effect_row(row).map(|it| it.1)
            })
        })
        .await
    }

    async fn effects_in(
        &mut self,
        provider: &ProviderKey,
        window: TimeWindow,
        after: Option<EffectCursor>,
        limit: u32,
    ) -> Result<(Vec<ProviderEffect>, Option<EffectCursor>)> {
        let provider = provider.clone();
        self.within(move |db, tenant| {
            let (at, id) = after.map_or((window.start(), 0), |it| (it.occurred_at, it.id));
            let params = params![
                tenant,
                provider.as_str(),
                stamp(at),
                id,
                stamp(window.end()),
                limit
            ];
            let rows = all(db, &EFFECTS_IN, params, "provider_effects", effect_row)?;
            let full = rows.len() == limit as usize;
            let next = rows.last().filter(|_| full).map(|(id, last)| EffectCursor {
                occurred_at: last.occurred_at,
                id: *id,
            });
            Ok((rows.into_iter().map(|it| it.1).collect(), next))
        })
        .await
    }
}

fn insert(db: &Connection, tenant: i32, it: &ProviderEffect) -> Result<u64> {
    let params = params![
        tenant,
        it.provider.as_str(),
        it.provider_event_id,
        it.provider_ref,
        it.kind.as_str(),
        it.amount.minor,
        it.amount.currency.code(),
        stamp(it.occurred_at),
        id_text(it.transaction.0),
        stamp(it.created_at)
    ];
    execute(db, &INSERT_EFFECT, params)
}

fn effect_row(row: &mut Cells<'_>) -> Result<(i64, ProviderEffect)> {
    let id = row.get("id")?;
    let effect = ProviderEffect {
        provider: row.parsed("provider")?,
        provider_event_id: row.get("provider_event_id")?,
        provider_ref: row.get("provider_ref")?,
        kind: row.read("kind", |word: String| kind(&word))?,
        amount: row.money("amount")?,
        occurred_at: row.time("occurred_at")?,
        transaction: row.id("transaction_id")?,
        created_at: row.time("created_at")?,
    };
    Ok((id, effect))
}

fn kind(word: &str) -> Result<EffectKind, &'static str> {
    EffectKind::ALL
        .into_iter()
        .find(|it| it.as_str() == word)
        .ok_or("unknown kind")
}
