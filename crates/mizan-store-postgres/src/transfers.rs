//! The hot path: locking balances and appending to the journal.
//!
//! The order of locks, for every writer: a withdrawal or deposit first (by its flow), then the shared posting
//! lock, then balances by ascending account id in one plain scan, then, when the journal is written, the
//! balances that nobody had to read (clearing accounts), again ascending. What is read for a decision is read in
//! a later statement than the lock, so READ COMMITTED shows what the last holder committed.

mod append;
mod batches;

use async_trait::async_trait;
use futures::future::try_join;
use mizan_core::{AccountId, Minor, TransactionId};
use mizan_ledger::Known;
use mizan_store::transfers::{PostingBatch, StoredTransaction, Transfers};
use mizan_store::{Result, StoreError};
use uuid::Uuid;

use self::append::{count, lines};
use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

/// From here on a binary COPY is quicker than one INSERT.
const COPY_FROM: usize = 129;

macro_rules! journal_columns {
    () => {
        "(tenant_id, seq, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, \
          debit_after, credit_after, reverses, reference, metadata, fingerprint, posted_at)"
    };
}

use journal_columns;

statements! {
    /// Held, shared, by everyone who may append to the journal. The sealer takes it alone for a moment: then no
    /// row with a lower `seq` than it sees can still appear.
    LOCK_POSTING = "SELECT pg_advisory_xact_lock_shared(5207341889001)";
    LOCK_BALANCES = "SELECT account_id, posted FROM balances
         WHERE tenant_id = $1 AND account_id = ANY($2)
         ORDER BY account_id FOR NO KEY UPDATE";
    /// One look at the key for each id, spelled out: with `= ANY($2)` and no statistics yet, the planner reads all
    /// of the tenant's rows and compares each with each id.
    KNOWN = "SELECT found.transaction_id, found.fingerprint FROM unnest($2::uuid[]) AS wanted (id)
         CROSS JOIN LATERAL (
             SELECT transaction_id, fingerprint FROM transactions
             WHERE tenant_id = $1 AND transaction_id = wanted.id LIMIT 1) AS found";
    /// Drawn while the balances are locked, so that an account's rows are numbered in the order of their commits.
    DRAW_NUMBERS = "SELECT array_agg(nextval('journal_numbers')) AS numbers FROM generate_series(1, $1::bigint)";
    INSERT_JOURNAL = concat!("WITH legs AS MATERIALIZED (
             SELECT * FROM unnest(
                 $2::bigint[], $3::uuid[], $4::smallint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                 $9::text[], $10::bigint[], $11::bigint[], $12::uuid[], $13::text[], $14::text[], $15::bytea[])
                 AS legs (seq, transaction_id, leg, kind, debit, credit, amount, currency, debit_after, credit_after,
                          reverses, reference, metadata, fingerprint)
         ), whole AS (
             INSERT INTO transactions (tenant_id, transaction_id, fingerprint, legs, first_seq, last_seq)
             SELECT $1, transaction_id, fingerprint, count(*), min(seq), max(seq)
             FROM legs GROUP BY transaction_id, fingerprint)
         INSERT INTO journal ", journal_columns!(), " SELECT $1, legs.*, $16::timestamptz FROM legs");
    UPDATE_BALANCES = "UPDATE balances b SET posted = b.posted + d.delta, version = b.version + 1
         FROM unnest($2::bigint[], $3::bigint[]) AS d (account_id, delta)
         WHERE b.account_id = d.account_id AND b.tenant_id = $1";
    CLAIM_REVERSAL = "INSERT INTO reversals (tenant_id, original_id, reversal_id) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT pk_reversals DO NOTHING";
}

#[async_trait]
impl Transfers for PgTx {
    async fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Minor)>> {
        self.numbers.clear();
        let ids: Vec<i64> = accounts.iter().map(|it| it.0).collect();
        if ids.is_empty() {
            self.session.rows(LOCK_POSTING, &[]).await?;
            return Ok(Vec::new());
        }
        self.session.begin().await?;
        self.session.prepare(&[LOCK_POSTING, LOCK_BALANCES]).await?;
        // Both leave in one go, in this order.
        let (_, locked) = try_join(self.session.rows(LOCK_POSTING, &[]), self.lock_these(&ids)).await?;
        self.note_locked(&ids);
        Ok(locked)
    }

    async fn known_transactions(&mut self, ids: &[TransactionId], rows: usize) -> Result<Known> {
        self.session.begin().await?;
        self.session.prepare(&[KNOWN, DRAW_NUMBERS]).await?;
        // Both leave in one go.
        let (known, numbers) = try_join(self.known_of(ids), self.draw_numbers(rows)).await?;
        self.numbers = numbers;
        Ok(known)
    }

    async fn write_postings(&mut self, batch: &PostingBatch<'_>) -> Result<()> {
        let numbers = self.take_numbers(count(batch)).await?;
        let lines = lines(batch, &numbers)?;
        self.append(&lines, batch.posted_at).await?;
        let changes = Changes::of(&batch.deltas, &self.locked)?;
        self.lock_open(&changes).await?;
        self.change_balances(&changes).await
    }

    async fn transaction(&mut self, id: TransactionId) -> Result<Option<StoredTransaction>> {
        self.journal_transaction(id).await
    }

    async fn claim_reversal(&mut self, original: TransactionId, reversal: TransactionId) -> Result<bool> {
        let claimed = self
            .session
            .execute(CLAIM_REVERSAL, &[&self.tenant, &original.0, &reversal.0])
            .await?;
        Ok(claimed == 1)
    }
}

impl PgTx {
    /// So many numbers for journal rows, ascending. Others may draw some in between.
    async fn draw_numbers(&self, count: usize) -> Result<Vec<i64>> {
        let count = i64::try_from(count).map_err(|_| StoreError::Overflow)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let row = self.session.one(DRAW_NUMBERS, &[&count]).await?;
        Record::new(&row, "journal", "numbers").get("numbers")
    }

    /// The numbers that were drawn since the balances were locked. They are good for one batch.
    async fn take_numbers(&mut self, count: usize) -> Result<Vec<i64>> {
        let drawn = std::mem::take(&mut self.numbers);
        if drawn.len() < count {
            return self.draw_numbers(count).await;
        }
        Ok(drawn)
    }

    /// The UPDATE takes rows in the order of its plan. Two or more that are not locked yet could meet a rival's in
    /// the other order, so they are locked in order first; one alone cannot.
    async fn lock_open(&self, changes: &Changes) -> Result<()> {
        if changes.open.len() > 1 {
            self.session
                .rows(LOCK_BALANCES, &[&self.tenant, &changes.open])
                .await?;
        }
        Ok(())
    }

    async fn change_balances(&self, changes: &Changes) -> Result<()> {
        if changes.ids.is_empty() {
            return Ok(());
        }
        let touched = self
            .session
            .execute(UPDATE_BALANCES, &[&self.tenant, &changes.ids, &changes.deltas])
            .await?;
        StoreError::expect_rows("UPDATE_BALANCES", changes.ids.len() as u64, touched)
    }

    /// Those that exist of the sorted ids, locked.
    async fn lock_these(&self, ids: &[i64]) -> Result<Vec<(AccountId, Minor)>> {
        let rows = self.session.rows(LOCK_BALANCES, &[&self.tenant, &ids]).await?;
        rows.iter()
            .map(|row| {
                let record = Record::new(row, "balances", "account_id");
                Ok((AccountId(record.get("account_id")?), record.get("posted")?))
            })
            .collect()
    }

    fn note_locked(&mut self, ids: &[i64]) {
        self.locked.extend(ids);
        self.locked.sort_unstable();
    }

    async fn known_of(&self, ids: &[TransactionId]) -> Result<Known> {
        let ids: Vec<Uuid> = ids.iter().map(|it| it.0).collect();
        let rows = self.session.rows(KNOWN, &[&self.tenant, &ids]).await?;
        rows.iter()
            .map(|row| {
                let record = Record::new(row, "transactions", "transaction_id");
                Ok((record.id("transaction_id")?, record.bytes("fingerprint")?))
            })
            .collect()
    }
}

/// What happens to the balances.
struct Changes {
    ids: Vec<i64>,
    deltas: Vec<i64>,
    /// Those that are not locked yet, in order.
    open: Vec<i64>,
}

impl Changes {
    fn of(deltas: &[(AccountId, i128)], locked: &[i64]) -> Result<Self> {
        let ids: Vec<i64> = deltas.iter().map(|(account, _)| account.0).collect();
        let amounts = deltas
            .iter()
            .map(|(_, delta)| i64::try_from(*delta).map_err(|_| StoreError::Overflow));
        let open = ids.iter().copied().filter(|it| locked.binary_search(it).is_err());
        Ok(Self {
            open: open.collect(),
            deltas: amounts.collect::<Result<_>>()?,
            ids,
        })
    }
}
