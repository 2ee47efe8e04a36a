//! Reading the journal: an account's entries and past balances, and whole transactions.

use mizan_core::{AccountId, Currency, Minor, Timestamp, TransactionId};
use mizan_ledger::{PostingKind, Transfer};
use mizan_store::accounts::Entry;
use mizan_store::transfers::StoredTransaction;
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    /// What was archived is carried forward in one sum, so it can be told for times after all of it only.
    BALANCE_AT = "SELECT (
             coalesce((SELECT posted FROM archived_balances WHERE account_id = $2), 0)
           + (SELECT coalesce(sum(amount), 0) FROM journal
              WHERE tenant_id = $1 AND credit_account_id = $2 AND posted_at <= $3)
           - (SELECT coalesce(sum(amount), 0) FROM journal
              WHERE tenant_id = $1 AND debit_account_id = $2 AND posted_at <= $3)
         )::bigint AS balance";
    /// The end of the archive for an account that has entries in it.
    IN_ARCHIVE = "SELECT a.to_seq, a.last_at
         FROM archived_balances b
         CROSS JOIN (SELECT max(to_seq) AS to_seq, max(last_at) AS last_at FROM journal_archives) AS a
         JOIN accounts o ON o.id = b.account_id AND o.tenant_id = $1
         WHERE b.account_id = $2";
    /// Both sides read no more than the page from their own index, however long the account's history is.
    ENTRIES = "SELECT * FROM (
             (SELECT seq, transaction_id, leg, kind, -amount AS amount, currency, debit_after AS balance_after,
                     credit_account_id AS counterpart, reference, posted_at
              FROM journal
              WHERE tenant_id = $1 AND debit_account_id = $2 AND ($3::bigint IS NULL OR seq < $3)
              ORDER BY seq DESC LIMIT $4::bigint + $5::bigint)
             UNION ALL
             (SELECT seq, transaction_id, leg, kind, amount, currency, credit_after,
                     debit_account_id, reference, posted_at
              FROM journal
              WHERE tenant_id = $1 AND credit_account_id = $2 AND ($3::bigint IS NULL OR seq < $3)
              ORDER BY seq DESC LIMIT $4::bigint + $5::bigint)
         ) AS entries
         ORDER BY seq DESC LIMIT $4 OFFSET $5";
    COUNT_ENTRIES = "SELECT coalesce((SELECT entries FROM archived_balances WHERE account_id = $2), 0)
              + (SELECT count(*) FROM journal WHERE tenant_id = $1 AND debit_account_id = $2)
              + (SELECT count(*) FROM journal WHERE tenant_id = $1 AND credit_account_id = $2)";
    RANGE = "SELECT t.first_seq, t.last_seq, t.legs, (SELECT max(to_seq) FROM journal_archives) AS archived
         FROM transactions t WHERE t.tenant_id = $1 AND t.transaction_id = $2";
    TRANSACTION = "SELECT seq, kind, debit_account_id, credit_account_id, amount, currency, reverses, reference,
                metadata, fingerprint, posted_at,
                (SELECT r.reversal_id FROM reversals r
                 WHERE r.tenant_id = j.tenant_id AND r.original_id = j.transaction_id) AS reversed_by
         FROM journal j
         WHERE tenant_id = $1 AND transaction_id = $2 AND seq BETWEEN $3 AND $4 ORDER BY leg";
}

fn posting_kind(record: &Record<'_>) -> Result<PostingKind> {
    PostingKind::parse(record.get("kind")?).map_err(|error| record.corrupt("kind", &error))
}

fn entry(row: &Row) -> Result<Entry> {
    let record = Record::new(row, "journal", "seq");
    let currency: Currency = record.word("currency")?;
    Ok(Entry {
        seq: record.get("seq")?,
        transaction: record.id("transaction_id")?,
        leg: record.get("leg")?,
        kind: posting_kind(&record)?,
        amount: record.get("amount")?,
        currency,
        balance_after: record.get("balance_after")?,
        counterpart: AccountId(record.get("counterpart")?),
        reference: record.get("reference")?,
        posted_at: record.get("posted_at")?,
    })
}

fn leg(row: &Row) -> Result<Transfer> {
    let record = Record::new(row, "journal", "seq");
    Ok(Transfer {
        debit: AccountId(record.get("debit_account_id")?),
        credit: AccountId(record.get("credit_account_id")?),
        amount: record.money()?,
    })
}

/// The archived entries of an account.
struct InArchive {
    last_at: Timestamp,
    error: StoreError,
}

fn in_archive(row: &Row) -> Result<InArchive> {
    let record = Record::new(row, "archived_balances", "to_seq");
    let up_to = record.get("to_seq")?;
    Ok(InArchive {
        last_at: record.get("last_at")?,
        error: StoreError::Archived { up_to },
    })
}

impl PgTx {
    async fn in_archive(&self, account: AccountId) -> Result<Option<InArchive>> {
        let row = self.session.row(IN_ARCHIVE, &[&self.tenant, &account.0]).await?;
        row.as_ref().map(in_archive).transpose()
    }

    pub(crate) async fn journal_balance_at(&self, account: AccountId, at: Timestamp) -> Result<Minor> {
        if let Some(archive) = self.in_archive(account).await?
            && at < archive.last_at
        {
            return Err(archive.error);
        }
        let row = self
            .session
            .one(BALANCE_AT, &[&self.tenant, &account.0, &at])
            .await?;
        Record::new(&row, "journal", "balance").get("balance")
    }

    pub(crate) async fn journal_entries(
        &self,
        account: AccountId,
        page: &Page<i64>,
    ) -> Result<Paged<Entry, i64>> {
        let filters: [(Param<'_>, Type); 2] = [(&self.tenant, Type::INT4), (&account.0, Type::INT8)];
        let mut paged = self
            .session
            .page(ENTRIES, COUNT_ENTRIES, &filters, page, entry, |it| it.seq)
            .await?;
        if paged.next.is_none()
            && let Some(archive) = self.in_archive(account).await?
        {
            // The history does not end here, so the page must not look as if it did.
            let Some(last) = paged.items.last() else {
                return Err(archive.error);
            };
            paged.next = Some(last.seq);
        }
        Ok(paged)
    }

    pub(crate) async fn journal_transaction(&self, id: TransactionId) -> Result<Option<StoredTransaction>> {
        let Some(range) = self.session.row(RANGE, &[&self.tenant, &id.0]).await? else {
            return Ok(None);
        };
        let range = Record::new(&range, "transactions", "first_seq");
        let (first_seq, last_seq): (i64, i64) = (range.get("first_seq")?, range.get("last_seq")?);
        if let Some(up_to) = range.get::<Option<i64>>("archived")?
            && first_seq <= up_to
        {
            return Err(StoreError::Archived { up_to });
        }
        let rows = self
            .session
            .rows(TRANSACTION, &[&self.tenant, &id.0, &first_seq, &last_seq])
            .await?;
        let Some(first) = rows.first() else {
            return Err(range.corrupt("first_seq", &"the journal has no row of it"));
        };
        let record = Record::new(first, "journal", "seq");
        Ok(Some(StoredTransaction {
            id,
            kind: posting_kind(&record)?,
            legs: rows.iter().map(leg).collect::<Result<_>>()?,
            reverses: record.maybe_id("reverses")?,
            reversed_by: record.maybe_id("reversed_by")?,
            reference: record.get("reference")?,
            metadata: record.get("metadata")?,
            fingerprint: record.bytes("fingerprint")?,
            posted_at: record.get("posted_at")?,
        }))
    }
}
