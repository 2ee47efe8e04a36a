//! The control sum of the report: what a batch pays out is the sum of its rows.

use std::collections::BTreeMap;

use mizan_core::Currency;
use mizan_core::money::major;

use crate::statement::check::Check;

/// The most batches that are kept apart; a file with more is not checked, and says so.
const MOST: usize = 100_000;

/// Sums per batch and currency.
#[derive(Debug, Default)]
pub(super) struct Batches {
    sums: BTreeMap<(String, Currency), Sums>,
    too_many: bool,
}

#[derive(Debug, Default)]
struct Sums {
    rows: u64,
    net_minor: i128,
    paid_minor: Option<i128>,
}

impl Batches {
    pub(super) fn row(&mut self, batch: &str, currency: Currency, net_minor: i128) {
        if let Some(sums) = self.of(batch, currency) {
            sums.rows += 1;
            sums.net_minor += net_minor;
        }
    }

    /// A payout of the batch; the opposite of what the row does to the balance.
    pub(super) fn paid(&mut self, batch: &str, currency: Currency, paid_minor: i128) {
        if let Some(sums) = self.of(batch, currency) {
            *sums.paid_minor.get_or_insert(0) += paid_minor;
        }
    }

    fn of(&mut self, batch: &str, currency: Currency) -> Option<&mut Sums> {
        let key = (batch.to_owned(), currency);
        if self.sums.len() >= MOST && !self.sums.contains_key(&key) {
            self.too_many = true;
            return None;
        }
        Some(self.sums.entry(key).or_default())
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        if self.too_many {
            let detail = format!("more than {MOST} batches: their sums were not compared");
            return vec![Check::new("payout of each batch", false, detail)];
        }
        let named = self.sums.iter();
        named
            .filter_map(|((batch, currency), sums)| {
                let paid = sums.paid_minor?;
                let [paid_out, summed] = [paid, sums.net_minor].map(|it| major(it, *currency));
                Some(Check::new(
                    format!("payout of batch {batch}"),
                    paid == sums.net_minor,
                    format!("paid {paid_out}, {} rows sum to {summed} {currency}", sums.rows),
                ))
            })
            .collect()
    }
}
