//! Appending to the journal: a few rows in one INSERT, many by a binary COPY, each transaction with a row of its own.

use std::pin::pin;

use mizan_core::Timestamp;
use mizan_ledger::posting::PostedLeg;
use mizan_ledger::{NewTransaction, Transfer};
use mizan_store::transfers::PostingBatch;
use mizan_store::{Result, StoreError};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{COPY_FROM, INSERT_JOURNAL, journal_columns};
use crate::error::lacks_partition;
use crate::partitions;
use crate::tx::PgTx;

/// Not among the prepared statements of the test: it takes its rows from the client.
const COPY_JOURNAL: &str = concat!("COPY journal ", journal_columns!(), " FROM STDIN (FORMAT BINARY)");

const COPY_TYPES: [Type; 16] = [
    Type::INT4,
    Type::INT8,
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

/// The same for the row that each transaction has besides its legs.
const COPY_TRANSACTIONS: &str =
    "COPY transactions (tenant_id, transaction_id, fingerprint, legs, first_seq, last_seq)
    FROM STDIN (FORMAT BINARY)";
const TRANSACTION_TYPES: [Type; 6] = [
    Type::INT4,
    Type::UUID,
    Type::BYTEA,
    Type::INT2,
    Type::INT8,
    Type::INT8,
];

/// One journal row that is about to be written.
pub(super) struct Line<'a> {
    seq: i64,
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

/// How many rows a batch has.
pub(super) fn count(batch: &PostingBatch<'_>) -> usize {
    batch.transactions.iter().map(|(_, legs)| legs.len()).sum()
}

/// The rows of a batch, numbered in their order; there are at least as many numbers.
pub(super) fn lines<'a>(batch: &PostingBatch<'a>, numbers: &[i64]) -> Result<Vec<Line<'a>>> {
    let mut lines = Vec::with_capacity(numbers.len());
    let mut numbers = numbers.iter();
    for &(transaction, legs) in &batch.transactions {
        let fingerprint = transaction.fingerprint();
        for (place, posted) in legs.iter().enumerate() {
            lines.push(Line {
                seq: *numbers.next().ok_or(StoreError::Overflow)?,
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

impl PgTx {
    /// Appends rows to the journal, each transaction with its own row.
    pub(super) async fn append(&self, lines: &[Line<'_>], posted_at: Timestamp) -> Result<()> {
        let written = match lines.len() {
            0 => Ok(0),
            1..COPY_FROM => self.insert_journal(lines, posted_at).await,
            _ => self.copy_journal(lines, posted_at).await,
        };
        match written {
            Err(StoreError::Database(error)) if error.downcast_ref().is_some_and(lacks_partition) => {
                Err(self.make_room(lines.len()).await?)
            }
            written => StoreError::expect_rows("INSERT_JOURNAL", lines.len() as u64, written?),
        }
    }

    /// The journal has no partition for the numbers that were drawn. Makes it, outside this transaction, which has
    /// failed; the story is told again and finds it.
    async fn make_room(&self, rows: usize) -> Result<StoreError> {
        let made = partitions::make_for(&self.pool, rows).await?;
        tracing::warn!(
            made,
            "the journal had no partition left, which housekeeping makes ahead"
        );
        Ok(StoreError::Collision {
            what: "the journal had no partition left".to_owned(),
        })
    }

    async fn insert_journal(&self, lines: &[Line<'_>], posted_at: Timestamp) -> Result<u64> {
        let seqs: Vec<i64> = lines.iter().map(|it| it.seq).collect();
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
                    &seqs,
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
        self.copy_transactions(lines).await?;
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
                            &line.seq,
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

    /// Ids that a rival took are found here, before the journal is written.
    async fn copy_transactions(&self, lines: &[Line<'_>]) -> Result<()> {
        self.session
            .run(async {
                let client = self.session.client();
                let statement = client.prepare_cached(COPY_TRANSACTIONS).await?;
                let sink = client.copy_in(&statement).await?;
                let mut rows = pin!(BinaryCopyInWriter::new(sink, &TRANSACTION_TYPES));
                for legs in lines.chunk_by(|one, next| next.leg > one.leg) {
                    let ([first, ..], [.., last]) = (legs, legs) else {
                        continue;
                    };
                    rows.as_mut()
                        .write(&[
                            &self.tenant,
                            &first.transaction.id.0,
                            &first.fingerprint.as_slice(),
                            &(last.leg + 1),
                            &first.seq,
                            &last.seq,
                        ])
                        .await?;
                }
                rows.finish().await
            })
            .await
            .map(drop)
    }
}
