//! The journal. The exclusive lock of the transaction is what locks balances; batches are written in one go.

use async_trait::async_trait;
use mizan_core::{AccountId, Minor, Money, TransactionId};
use mizan_ledger::{Known, PostingKind, Transfer};
use mizan_store::transfers::{PostingBatch, StoredTransaction, Transfers};
use mizan_store::{Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp};
use crate::error::refused;
use crate::statement::{all, execute, first, prepare, statements};
use crate::tx::SqliteTx;

statements! {
    /// No FOR UPDATE is needed: the transaction began IMMEDIATE, so nobody else writes until it ends.
    BALANCE = "SELECT account_id, posted FROM balances WHERE account_id = ?1 AND tenant_id = ?2";

    FINGERPRINT = "
        SELECT transaction_id, fingerprint
        FROM journal
        WHERE tenant_id = ?1 AND transaction_id = ?2
        ORDER BY leg LIMIT 1";

    INSERT_JOURNAL = "
        INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount,
                             currency, debit_after, credit_after, reverses, reference, metadata, fingerprint,
                             posted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT (tenant_id, transaction_id, leg) DO NOTHING";

    /// The change comes in two halves, because the whole may be wider than one number, and each step towards
    /// a sum that fits fits as well. A sum that does not fit becomes a REAL, which the column refuses.
    CHANGE_BALANCE = "
        UPDATE balances SET posted = posted + ?3 + ?4, version = version + 1
        WHERE account_id = ?1 AND tenant_id = ?2";

    TRANSACTION = "
        SELECT j.seq, j.kind, j.debit_account_id, j.credit_account_id, j.amount, j.currency, j.reverses,
               r.reversal_id, j.reference, j.metadata, j.fingerprint, j.posted_at
        FROM journal j
        LEFT JOIN reversals r ON r.tenant_id = j.tenant_id AND r.original_id = j.transaction_id
        WHERE j.tenant_id = ?1 AND j.transaction_id = ?2
        ORDER BY j.leg";

    INSERT_REVERSAL = "
        INSERT INTO reversals (tenant_id, original_id, reversal_id)
        VALUES (?1, ?2, ?3)
        ON CONFLICT (tenant_id, original_id) DO NOTHING";
}

#[async_trait]
impl Transfers for SqliteTx {
    async fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Minor)>> {
        let accounts = accounts.to_vec();
        self.within(move |db, tenant| {
            let mut found = Vec::with_capacity(accounts.len());
            for account in accounts {
                found.extend(first(
                    db,
                    &BALANCE,
                    params![account.0, tenant],
                    "balances",
                    |row| Ok((AccountId(row.get("account_id")?), row.get("posted")?)),
                )?);
            }
            Ok(found)
        })
        .await
    }

    async fn known_transactions(&mut self, ids: &[TransactionId], _rows: usize) -> Result<Known> {
        let ids = ids.to_vec();
        self.within(move |db, tenant| {
            let mut known = Known::new();
            for id in ids {
                known.extend(first(
                    db,
                    &FINGERPRINT,
                    params![tenant, id_text(id.0)],
                    "journal",
                    |row| Ok((row.id("transaction_id")?, row.bytes("fingerprint")?)),
                )?);
            }
            Ok(known)
        })
        .await
    }

    async fn write_postings(&mut self, batch: &PostingBatch<'_>) -> Result<()> {
        let (rows, deltas) = (journal_rows(batch)?, batch.deltas.clone());
        self.within(move |db, tenant| {
            append(db, tenant, &rows)?;
            change_balances(db, tenant, &deltas)
        })
        .await
    }

    async fn transaction(&mut self, id: TransactionId) -> Result<Option<StoredTransaction>> {
        self.within(move |db, tenant| {
            let params = params![tenant, id_text(id.0)];
            let legs = all(db, &TRANSACTION, params, "journal", |row| leg_row(id, row))?;
            Ok(legs.into_iter().reduce(|mut whole, leg| {
                whole.legs.extend(leg.legs);
                whole
            }))
        })
        .await
    }

    async fn claim_reversal(&mut self, original: TransactionId, reversal: TransactionId) -> Result<bool> {
        self.within(move |db, tenant| {
            let params = params![tenant, id_text(original.0), id_text(reversal.0)];
            Ok(execute(db, &INSERT_REVERSAL, params)? == 1)
        })
        .await
    }
}

/// A journal row on its way to the thread of the database.
struct NewRow {
    transaction: String,
    leg: i16,
    kind: PostingKind,
    transfer: Transfer,
    debit_after: Option<Minor>,
    credit_after: Option<Minor>,
    reverses: Option<String>,
    reference: Option<String>,
    metadata: Option<String>,
    fingerprint: [u8; 16],
    posted_at: String,
}

fn journal_rows(batch: &PostingBatch<'_>) -> Result<Vec<NewRow>> {
    let posted_at = stamp(batch.posted_at);
    let mut rows = Vec::with_capacity(batch.transactions.iter().map(|it| it.1.len()).sum());
    for (transaction, legs) in &batch.transactions {
        let fingerprint = transaction.fingerprint();
        for (leg, posted) in legs.iter().enumerate() {
            rows.push(NewRow {
                transaction: id_text(transaction.id.0),
                leg: i16::try_from(leg).map_err(|_| StoreError::Constraint {
                    table: "journal".into(),
                    constraint: "a transaction has at most 32768 legs".into(),
                })?,
                kind: transaction.kind.clone(),
                transfer: posted.transfer,
                debit_after: posted.debit_after,
                credit_after: posted.credit_after,
                reverses: transaction.reverses.map(|it| id_text(it.0)),
                reference: transaction.reference.clone(),
                metadata: transaction.metadata.clone(),
                fingerprint,
                posted_at: posted_at.clone(),
            });
        }
    }
    Ok(rows)
}

fn append(db: &Connection, tenant: i32, rows: &[NewRow]) -> Result<()> {
    let mut insert = prepare(db, &INSERT_JOURNAL)?;
    for row in rows {
        let written = insert.execute(params![
            tenant,
            row.transaction,
            row.leg,
            row.kind.as_str(),
            row.transfer.debit.0,
            row.transfer.credit.0,
            row.transfer.amount.minor,
            row.transfer.amount.currency.code(),
            row.debit_after,
            row.credit_after,
            row.reverses,
            row.reference,
            row.metadata,
            row.fingerprint,
            row.posted_at
        ]);
        if written.map_err(|error| refused(&INSERT_JOURNAL, error))? == 0 {
            return Err(StoreError::Collision {
                what: format!("transaction {} is in the journal already", row.transaction),
            });
        }
    }
    Ok(())
}

fn change_balances(db: &Connection, tenant: i32, deltas: &[(AccountId, i128)]) -> Result<()> {
    let mut change = prepare(db, &CHANGE_BALANCE)?;
    for (account, delta) in deltas {
        let half = |it: i128| Minor::try_from(it).map_err(|_| StoreError::Overflow);
        let (one, other) = (half(delta / 2)?, half(delta - delta / 2)?);
        let touched = change
            .execute(params![account.0, tenant, one, other])
            .map_err(|error| refused(&CHANGE_BALANCE, error))?;
        StoreError::expect_rows(CHANGE_BALANCE.name, 1, touched as u64)?;
    }
    Ok(())
}

/// One row of a transaction, as a transaction with one leg.
fn leg_row(id: TransactionId, row: &mut Cells<'_>) -> Result<StoredTransaction> {
    row.get::<i64>("seq")?;
    let kind = row.read("kind", |text: String| PostingKind::parse(&text))?;
    let (debit, credit) = (row.get("debit_account_id")?, row.get("credit_account_id")?);
    let amount: Money = row.money("amount")?;
    Ok(StoredTransaction {
        id,
        kind,
        legs: vec![Transfer {
            debit: AccountId(debit),
            credit: AccountId(credit),
            amount,
        }],
        reverses: row.id_opt("reverses")?,
        reversed_by: row.id_opt("reversal_id")?,
        reference: row.get("reference")?,
        metadata: row.get("metadata")?,
        fingerprint: row.bytes("fingerprint")?,
        posted_at: row.time("posted_at")?,
    })
}
