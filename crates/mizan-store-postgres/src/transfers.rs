//! The hot path: locking balances and appending to the journal.
//!
//! The order of locks, for every writer: a withdrawal or deposit first (by its flow), then the shared posting
//! lock, then balances by ascending account id in one plain scan, then, when the journal is written, the
//! balances that nobody had to read (clearing accounts), again ascending. What is read for a decision is read in
//! a later statement than the lock, so READ COMMITTED shows what the last holder committed.

mod batches;

use std::pin::pin;

use async_trait::async_trait;
use futures::future::try_join;
use mizan_core::{AccountId, Minor, Timestamp, TransactionId};
use mizan_ledger::Known;
use mizan_ledger::posting::PostedLeg;
use mizan_ledger::{NewTransaction, Transfer};
use mizan_store::transfers::{PostingBatch, StoredTransaction, Transfers};
use mizan_store::{Result, StoreError};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

/// From here on a binary COPY is quicker than one INSERT.
const COPY_FROM: usize = 17;

macro_rules! journal_columns {
    () => {
        "(tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, \
          debit_after, credit_after, reverses, reference, metadata, fingerprint, posted_at)"
    };
}

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
             SELECT transaction_id, fingerprint FROM journal
             WHERE tenant_id = $1 AND transaction_id = wanted.id AND leg = 0 LIMIT 1) AS found";
    INSERT_JOURNAL = concat!("INSERT INTO journal ", journal_columns!(), "
         SELECT $1, rows.*, $15::timestamptz FROM unnest(
             $2::uuid[], $3::smallint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
             $9::bigint[], $10::bigint[], $11::uuid[], $12::text[], $13::text[], $14::bytea[]) AS rows");
    UPDATE_BALANCES = "UPDATE balances b SET posted = b.posted + d.delta, version = b.version + 1
         FROM unnest($2::bigint[], $3::bigint[]) AS d (account_id, delta)
         WHERE b.account_id = d.account_id AND b.tenant_id = $1";
    CLAIM_REVERSAL = "INSERT INTO reversals (tenant_id, original_id, reversal_id) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT pk_reversals DO NOTHING";
}

/// Not among the prepared statements of the test: it takes its rows from the client.
const COPY_JOURNAL: &str = concat!("COPY journal ", journal_columns!(), " FROM STDIN (FORMAT BINARY)");

const COPY_TYPES: [Type; 15] = [
    Type::INT4,
    Type::UUID,
    Type::INT2,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::BYTEA,
    Type::TIMESTAMPTZ,
];

/// One journal row that is about to be written.
struct Line<'a> {
    transaction: &'a NewTransaction,
    leg: i16,
    posted: &'a PostedLeg,
    currency: &'a str,
    reverses: Option<Uuid>,
    fingerprint: [u8; 16],
}

impl Line<'_> {
    fn transfer(&self) -> &Transfer {
        &self.posted.transfer
    }
}

fn lines<'a>(batch: &PostingBatch<'a>) -> Result<Vec<Line<'a>>> {
    let mut lines = Vec::with_capacity(batch.transactions.iter().map(|(_, legs)| legs.len()).sum());
    for &(transaction, legs) in &batch.transactions {
        let fingerprint = transaction.fingerprint();
        for (place, posted) in legs.iter().enumerate() {
            lines.push(Line {
                transaction,
                leg: i16::try_from(place).map_err(|_| StoreError::Overflow)?,
                posted,
                currency: posted.transfer.amount.currency.code(),
                reverses: transaction.reverses.map(|it| it.0),
                fingerprint,
            });
        }
    }
    Ok(lines)
}

#[async_trait]
impl Transfers for PgTx {
    async fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Minor)>> {
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

    async fn known_transactions(&mut self, ids: &[TransactionId]) -> Result<Known> {
        self.known_of(ids).await
    }

    async fn write_postings(&mut self, batch: &PostingBatch<'_>) -> Result<()> {
        let lines = lines(batch)?;
        let written = match lines.len() {
            0 => 0,
            1..COPY_FROM => self.insert_journal(&lines, batch.posted_at).await?,
            _ => self.copy_journal(&lines, batch.posted_at).await?,
        };
        StoreError::expect_rows("INSERT_JOURNAL", lines.len() as u64, written)?;
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
    async fn insert_journal(&self, lines: &[Line<'_>], posted_at: Timestamp) -> Result<u64> {
        let ids: Vec<Uuid> = lines.iter().map(|it| it.transaction.id.0).collect();
        let legs: Vec<i16> = lines.iter().map(|it| it.leg).collect();
        let kinds: Vec<&str> = lines.iter().map(|it| it.transaction.kind.as_str()).collect();
        let debits: Vec<i64> = lines.iter().map(|it| it.transfer().debit.0).collect();
        let credits: Vec<i64> = lines.iter().map(|it| it.transfer().credit.0).collect();
        let amounts: Vec<i64> = lines.iter().map(|it| it.transfer().amount.minor).collect();
        let currencies: Vec<&str> = lines.iter().map(|it| it.currency).collect();
        let debits_after: Vec<Option<i64>> = lines.iter().map(|it| it.posted.debit_after).collect();
        let credits_after: Vec<Option<i64>> = lines.iter().map(|it| it.posted.credit_after).collect();
        let reverses: Vec<Option<Uuid>> = lines.iter().map(|it| it.reverses).collect();
        let references: Vec<Option<&str>> = lines
            .iter()
            .map(|it| it.transaction.reference.as_deref())
            .collect();
        let metadata: Vec<Option<&str>> = lines
            .iter()
            .map(|it| it.transaction.metadata.as_deref())
            .collect();
        let fingerprints: Vec<&[u8]> = lines.iter().map(|it| it.fingerprint.as_slice()).collect();
        self.session
            .execute(
                INSERT_JOURNAL,
                &[
                    &self.tenant,
                    &ids,
                    &legs,
                    &kinds,
                    &debits,
                    &credits,
                    &amounts,
                    &currencies,
                    &debits_after,
                    &credits_after,
                    &reverses,
                    &references,
                    &metadata,
                    &fingerprints,
                    &posted_at,
                ],
            )
            .await
    }

    async fn copy_journal(&self, lines: &[Line<'_>], posted_at: Timestamp) -> Result<u64> {
        self.session
            .run(async {
                let client = self.session.client();
                let statement = client.prepare_cached(COPY_JOURNAL).await?;
                let sink = client.copy_in(&statement).await?;
                let mut rows = pin!(BinaryCopyInWriter::new(sink, &COPY_TYPES));
                for line in lines {
                    let transfer = line.transfer();
                    rows.as_mut()
                        .write(&[
                            &self.tenant,
                            &line.transaction.id.0,
                            &line.leg,
                            &line.transaction.kind.as_str(),
                            &transfer.debit.0,
                            &transfer.credit.0,
                            &transfer.amount.minor,
                            &line.currency,
                            &line.posted.debit_after,
                            &line.posted.credit_after,
                            &line.reverses,
                            &line.transaction.reference,
                            &line.transaction.metadata,
                            &line.fingerprint.as_slice(),
                            &posted_at,
                        ])
                        .await?;
                }
                rows.finish().await
            })
            .await
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
                let record = Record::new(row, "journal", "transaction_id");
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
