//! What the journal says: balances are the sum of entries, sums are 0, running balances follow.

use mizan_store::Result;
use mizan_store::verify::Broken;
use rusqlite::Connection;

use super::account;
use crate::accounts::history::wide;
use crate::statement::{all, statements};

statements! {
    /// Candidates: an overflow on the way makes the comparison inexact, so the caller compares once more.
    BROKEN_BALANCES = "
        WITH moved AS (
            SELECT account_id, sum(amount >> 32) AS upper, sum(amount & 4294967295) AS lower
            FROM (SELECT credit_account_id AS account_id, amount FROM journal
                  UNION ALL
                  SELECT debit_account_id, -amount FROM journal)
            GROUP BY account_id)
        SELECT a.id, a.code, a.currency, t.key, b.posted, coalesce(m.upper, 0), coalesce(m.lower, 0)
        FROM accounts a
        JOIN tenants t ON t.id = a.tenant_id
        LEFT JOIN balances b ON b.account_id = a.id
        LEFT JOIN moved m ON m.account_id = a.id
        WHERE b.posted IS NOT coalesce(m.upper * 4294967296 + m.lower, 0)
        ORDER BY a.id LIMIT 1000";

    SUMS_NOT_ZERO = "
        SELECT t.key, a.currency, sum(b.posted >> 32), sum(b.posted & 4294967295)
        FROM balances b
        JOIN accounts a ON a.id = b.account_id
        JOIN tenants t ON t.id = a.tenant_id
        GROUP BY t.id, a.currency
        HAVING sum(b.posted >> 32) * 4294967296 + sum(b.posted & 4294967295) <> 0
        ORDER BY t.key, a.currency LIMIT 1000";

    ROWS_OUT_OF_PLACE = "
        SELECT j.seq, j.transaction_id, j.tenant_id, j.currency, d.tenant_id, d.currency, c.tenant_id, c.currency
        FROM journal j
        LEFT JOIN accounts d ON d.id = j.debit_account_id
        LEFT JOIN accounts c ON c.id = j.credit_account_id
        WHERE d.tenant_id IS NOT j.tenant_id OR d.currency IS NOT j.currency
           OR c.tenant_id IS NOT j.tenant_id OR c.currency IS NOT j.currency
        ORDER BY j.seq LIMIT 1000";

    /// An account starts at 0, so what a row says the account holds is the sum of everything up to it. Where a row
    /// is changed, all rows after it are off; only the first one is named.
    BROKEN_RUNNING_BALANCES = "
        WITH entry AS (
            SELECT credit_account_id AS account_id, seq, transaction_id, amount, credit_after AS after FROM journal
            UNION ALL
            SELECT debit_account_id, seq, transaction_id, -amount, debit_after FROM journal),
        running AS (
            SELECT account_id, seq, transaction_id, after,
                   sum(amount >> 32) OVER upto AS upper, sum(amount & 4294967295) OVER upto AS lower
            FROM entry
            WINDOW upto AS (PARTITION BY account_id ORDER BY seq)),
        broken AS (
            SELECT account_id, min(seq) AS seq, transaction_id, after, upper, lower
            FROM running
            WHERE after <> upper * 4294967296 + lower
            GROUP BY account_id)
        SELECT k.seq, k.transaction_id, k.account_id, a.code, a.currency, t.key, k.after, k.upper, k.lower
        FROM broken k
        LEFT JOIN accounts a ON a.id = k.account_id
        LEFT JOIN tenants t ON t.id = a.tenant_id
        ORDER BY k.seq LIMIT 1000";
}

pub(super) fn broken_balances(db: &Connection) -> Result<Vec<Broken>> {
    let rows = all(db, &BROKEN_BALANCES, [], "balances", |row| {
        let what = account(
            row.get("id")?,
            &[row.get("code")?, row.get("currency")?, row.get("key")?],
        );
        let posted: Option<i64> = row.get("posted")?;
        let entries = wide(row.get("amount")?, row.get("amount")?);
        let broken = posted.map(i128::from) != Some(entries);
        Ok(broken.then(|| Broken {
            invariant: "balance_equals_entries",
            what,
            expected: entries.to_string(),
            found: posted.map_or_else(|| "no balance".into(), |it| it.to_string()),
        }))
    })?;
    Ok(rows.into_iter().flatten().collect())
}

pub(super) fn sums_that_are_not_zero(db: &Connection) -> Result<Vec<Broken>> {
    let rows = all(db, &SUMS_NOT_ZERO, [], "balances", |row| {
        let [tenant, currency]: [String; 2] = [row.get("key")?, row.get("currency")?];
        let sum = wide(row.get("posted")?, row.get("posted")?);
        Ok((sum != 0).then(|| Broken {
            invariant: "sums_to_zero",
            what: format!("all {currency} balances of tenant {tenant}"),
            expected: "0".into(),
            found: sum.to_string(),
        }))
    })?;
    Ok(rows.into_iter().flatten().collect())
}

pub(super) fn rows_out_of_place(db: &Connection) -> Result<Vec<Broken>> {
    type Place = (Option<i64>, Option<String>);
    let words = |(tenant, currency): Place| match (tenant, currency) {
        (Some(tenant), Some(currency)) => format!("tenant {tenant} {currency}"),
        _ => "no account".into(),
    };
    all(db, &ROWS_OUT_OF_PLACE, [], "journal", |row| {
        let seq: i64 = row.get("seq")?;
        let transaction: String = row.get("transaction_id")?;
        let mut place = || -> Result<Place> { Ok((row.get("tenant_id")?, row.get("currency")?)) };
        let (own, debit, credit) = (place()?, place()?, place()?);
        Ok(Broken {
            invariant: "sums_to_zero",
            what: format!("journal row {seq} (transaction {transaction})"),
            expected: format!("both accounts of {}", words(own)),
            found: format!("debit {}, credit {}", words(debit), words(credit)),
        })
    })
}

pub(super) fn broken_running_balances(db: &Connection) -> Result<Vec<Broken>> {
    let rows = all(db, &BROKEN_RUNNING_BALANCES, [], "journal", |row| {
        let seq: i64 = row.get("seq")?;
        let transaction: String = row.get("transaction_id")?;
        let id: i64 = row.get("account_id")?;
        let mut word = |column| Ok(row.get::<Option<String>>(column)?.unwrap_or_else(|| "?".into()));
        let of = account(id, &[word("code")?, word("currency")?, word("key")?]);
        let after: i64 = row.get("after")?;
        let sum = wide(row.get("amount")?, row.get("amount")?);
        Ok((i128::from(after) != sum).then(|| Broken {
            invariant: "running_balance",
            what: format!("journal row {seq} (transaction {transaction}) on {of}"),
            expected: sum.to_string(),
            found: after.to_string(),
        }))
    })?;
    Ok(rows.into_iter().flatten().collect())
}
