//! What happened on an account: its entries, and its balance at a time.

use mizan_core::{AccountId, Minor, Timestamp};
use mizan_ledger::PostingKind;
use mizan_store::accounts::Entry;
use mizan_store::{Page, Paged, Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::{Cells, stamp};
use crate::paging::by_number;
use crate::statement::{all, count, first, statements};

statements! {
    /// Two walks down an index each, merged in order of `seq`. No row is in both: its two accounts differ.
    LIST_ENTRIES = "
        SELECT seq, transaction_id, leg, kind, -amount AS amount, currency, debit_after AS balance_after,
               credit_account_id AS counterpart, reference, posted_at
        FROM journal
        WHERE debit_account_id = ?1 AND tenant_id = ?2 AND seq < ?3
        UNION ALL
        SELECT seq, transaction_id, leg, kind, amount, currency, credit_after,
               debit_account_id, reference, posted_at
        FROM journal
        WHERE credit_account_id = ?1 AND tenant_id = ?2 AND seq < ?3
        ORDER BY 1 DESC LIMIT ?4 OFFSET ?5";

    COUNT_ENTRIES = "
        SELECT (SELECT count(*) FROM journal WHERE debit_account_id = ?1 AND tenant_id = ?2)
             + (SELECT count(*) FROM journal WHERE credit_account_id = ?1 AND tenant_id = ?2)";

    /// Sums of the upper and the lower 32 bits: neither can leave 64 bits, as the sum of amounts could on its way.
    BALANCE_AT = "
        SELECT coalesce(sum(amount >> 32), 0), coalesce(sum(amount & 4294967295), 0)
        FROM (SELECT amount FROM journal
              WHERE credit_account_id = ?1 AND tenant_id = ?2 AND posted_at <= ?3
              UNION ALL
              SELECT -amount FROM journal
              WHERE debit_account_id = ?1 AND tenant_id = ?2 AND posted_at <= ?3)";
}

pub(super) fn entries(
    db: &Connection,
    tenant: i32,
    account: AccountId,
    page: &Page<i64>,
) -> Result<Paged<Entry, i64>> {
    let at = by_number(page, |it| *it);
    let params = params![account.0, tenant, at.before, at.limit, at.offset];
    let rows = all(db, &LIST_ENTRIES, params, "journal", entry_row)?;
    let counted = || count(db, &COUNT_ENTRIES, params![account.0, tenant]);
    let total = page.with_total.then(counted).transpose()?;
    Ok(Paged::of(rows, page, total, |it| it.seq))
}

pub(super) fn balance_at(db: &Connection, tenant: i32, account: AccountId, at: Timestamp) -> Result<Minor> {
    let params = params![account.0, tenant, stamp(at)];
    let sum = first(db, &BALANCE_AT, params, "journal", |row| {
        Ok(wide(row.get("amount")?, row.get("amount")?))
    })?;
    Minor::try_from(sum.unwrap_or_default()).map_err(|_| StoreError::Overflow)
}

/// Puts the sums of upper and lower halves together.
pub(crate) fn wide(upper: i64, lower: i64) -> i128 {
    (i128::from(upper) << 32) + i128::from(lower)
}

fn entry_row(row: &mut Cells<'_>) -> Result<Entry> {
    Ok(Entry {
        seq: row.get("seq")?,
        transaction: row.id("transaction_id")?,
        leg: row.get("leg")?,
        kind: row.read("kind", |text: String| PostingKind::parse(&text))?,
        amount: row.get("amount")?,
        currency: row.parsed("currency")?,
        balance_after: row.get("balance_after")?,
        counterpart: AccountId(row.get("counterpart")?),
        reference: row.get("reference")?,
        posted_at: row.time("posted_at")?,
    })
}
