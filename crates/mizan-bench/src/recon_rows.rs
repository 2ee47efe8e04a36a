//! Two sides of a reconciliation, with known differences: as files, or with the ledger's side in a store.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta};
use futures::future::try_join_all;
use mizan_core::{Clock, Currency, Money, ProviderKey, SystemClock, TenantId, Timestamp, TransactionId};
use mizan_store::Store;
use mizan_store::effects::{EffectKind, ProviderEffect};

/// Shares no factor with a round number, so it visits every row once in another order.
const STEP: u64 = 7_368_787;
/// Of each thousand rows: the ones that are only in the ledger, only in the statement, and different.
const ONLY_IN_LEDGER: u64 = 1;
const ONLY_IN_STATEMENT: u64 = 2;
const DIFFERENT: u64 = 3;
/// Rows of one transaction on their way into a store, and transactions at a time.
const BATCH: u64 = 10_000;
const WRITERS: u64 = 2;
/// The window that all rows are in.
pub const FROM: &str = "2026-01-01T00:00:00Z";
pub const TO: &str = "2026-02-01T00:00:00Z";

/// So many rows on both sides together.
#[derive(Debug, Clone, Copy)]
pub struct Rows(pub u64);

impl Rows {
    /// What is to be found.
    pub fn differences(self) -> u64 {
        let of = |place| self.0 / 1_000 + u64::from(self.0 % 1_000 > place);
        of(ONLY_IN_LEDGER) + of(ONLY_IN_STATEMENT) + of(DIFFERENT)
    }

    pub fn write_statement(self, path: &Path) -> anyhow::Result<()> {
        let mut file = create(path)?;
        writeln!(
            file,
            "provider_event_id,provider_ref,type,amount,currency,status,occurred_at"
        )?;
        for number in (0..self.0).filter(|it| it % 1_000 != ONLY_IN_LEDGER) {
            line(&mut file, number, minor(number))?;
            file.write_all(b"\n")?;
        }
        Ok(file.flush()?)
    }

    pub fn write_ledger(self, path: &Path) -> anyhow::Result<()> {
        let mut file = create(path)?;
        writeln!(
            file,
            "provider_event_id,provider_ref,type,amount,currency,status,occurred_at,transaction_id"
        )?;
        for (number, minor) in (0..self.0).filter_map(|it| self.in_ledger(it)) {
            line(&mut file, number, minor)?;
            writeln!(file, ",tx_{number:012}")?;
        }
        Ok(file.flush()?)
    }

    /// Puts the ledger's side into a store, where `mockpsp` must be known.
    pub async fn fill(self, store: &dyn Store) -> anyhow::Result<()> {
        let mut platform = store.platform().await?;
        let (tenant, _) = platform
            .ensure_tenant(&"default".parse()?, "default", SystemClock.now())
            .await?;
        platform.commit().await?;
        let writers = (0..WRITERS).map(|writer| self.fill_share(store, tenant.id, writer));
        try_join_all(writers).await.map(drop)
    }

    async fn fill_share(self, store: &dyn Store, tenant: TenantId, writer: u64) -> anyhow::Result<()> {
        let provider: ProviderKey = "mockpsp".parse()?;
        let created_at = SystemClock.now();
        let mut first = writer * BATCH;
        while first < self.0 {
            let places = first..self.0.min(first + BATCH);
            let effects = places.filter_map(|it| self.in_ledger(it)).map(|(number, minor)| {
                Ok(ProviderEffect {
                    provider: provider.clone(),
                    provider_event_id: format!("evt_{number:012}"),
                    provider_ref: Some(format!("pay_{number:012}")),
                    kind: EffectKind::Deposit,
                    amount: Money {
                        minor: i64::try_from(minor)?,
                        currency: Currency::TRY,
                    },
                    occurred_at: at(number)?,
                    transaction: TransactionId::new(),
                    created_at,
                })
            });
            let effects = effects.collect::<anyhow::Result<Vec<_>>>()?;
            let mut tx = store.begin(tenant).await?;
            let new = tx.insert_effects(&effects).await?;
            tx.commit().await?;
            ensure!(new == effects.len() as u64, "only {new} rows went in");
            first += BATCH * WRITERS;
        }
        Ok(())
    }

    /// The row at a place of the ledger, if there is one, and its amount there.
    fn in_ledger(self, place: u64) -> Option<(u64, u64)> {
        let number = place.wrapping_mul(STEP) % self.0;
        match number % 1_000 {
            ONLY_IN_STATEMENT => None,
            DIFFERENT => Some((number, minor(number) + 1)),
            _ => Some((number, minor(number))),
        }
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}

fn minor(number: u64) -> u64 {
    100 + number * 7_919 % 1_000_000
}

/// Second and day of January, from 0.
fn second(number: u64) -> (u64, u64) {
    (number % 86_400, number / 86_400 % 28)
}

fn at(number: u64) -> anyhow::Result<Timestamp> {
    let (second, day) = second(number);
    let seconds = TimeDelta::seconds(i64::try_from(day * 86_400 + second)?);
    let start = DateTime::parse_from_rfc3339(FROM)?.to_utc();
    start
        .checked_add_signed(seconds)
        .context("a day of January is a time")
}

fn line(file: &mut impl Write, number: u64, minor: u64) -> std::io::Result<()> {
    let (second, day) = second(number);
    write!(
        file,
        "evt_{number:012},pay_{number:012},deposit,{}.{:02},TRY,settled,2026-01-{:02}T{:02}:{:02}:{:02}Z",
        minor / 100,
        minor % 100,
        1 + day,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differences_are_as_many_as_are_said() {
        for rows in [1_000, 1_001, 1_003, 2_500, 10_000].map(Rows) {
            let directory = tempfile::tempdir().unwrap();
            let [theirs, ours] = ["a", "b"].map(|it| directory.path().join(it));
            rows.write_statement(&theirs).unwrap();
            rows.write_ledger(&ours).unwrap();
            let read = |path: &Path, width: usize| -> std::collections::BTreeSet<String> {
                let text = std::fs::read_to_string(path).unwrap();
                let cut = |it: &str| {
                    it.splitn(width + 1, ',')
                        .take(width)
                        .collect::<Vec<_>>()
                        .join(",")
                };
                text.lines().skip(1).map(cut).collect()
            };
            let (theirs, ours) = (read(&theirs, 7), read(&ours, 7));
            let id = |it: &String| it[..16].to_owned();
            let differ: std::collections::BTreeSet<_> = theirs.symmetric_difference(&ours).map(id).collect();
            assert_eq!(differ.len() as u64, rows.differences(), "{rows:?}");
        }
    }
}
