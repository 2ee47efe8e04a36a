//! The invariants, each as one set-based question about all tenants. The SQL words the answers, so that a
//! question can be pasted into psql and says the same there.

use async_trait::async_trait;
use mizan_store::Result;
use mizan_store::verify::{Broken, Verify};

use crate::PostgresStore;
use crate::pool::BEGIN_VERIFY;
use crate::record::Record;
use crate::statements::statements;

macro_rules! account_in_words {
    () => {
        "'account ' || a.id || ' (' || a.code || ' ' || a.currency || ') of tenant ' || t.key"
    };
}

statements! {
    COUNT_JOURNAL = "SELECT count(*) AS rows FROM journal";
    BALANCES = concat!("WITH moved AS (
             SELECT account_id, sum(amount) AS total FROM (
                 SELECT credit_account_id AS account_id, amount FROM journal
                 UNION ALL SELECT debit_account_id, -amount FROM journal
                 UNION ALL SELECT account_id, posted FROM archived_balances) AS entries
             GROUP BY account_id)
         SELECT ", account_in_words!(), " AS what,
                coalesce(m.total, 0)::text AS expected, coalesce(b.posted::text, 'no balance') AS found
         FROM accounts a
         JOIN tenants t ON t.id = a.tenant_id
         LEFT JOIN balances b ON b.account_id = a.id
         LEFT JOIN moved m ON m.account_id = a.id
         WHERE b.posted IS DISTINCT FROM coalesce(m.total, 0)
         ORDER BY a.id LIMIT 1000");
    SUMS = "SELECT 'all ' || a.currency || ' balances of tenant ' || t.key AS what,
                '0' AS expected, sum(b.posted)::text AS found
         FROM balances b JOIN accounts a ON a.id = b.account_id JOIN tenants t ON t.id = a.tenant_id
         GROUP BY t.key, a.currency HAVING sum(b.posted) <> 0
         ORDER BY t.key, a.currency LIMIT 1000";
    FOREIGN_ACCOUNTS = "SELECT 'journal row ' || j.seq || ' (transaction ' || j.transaction_id || ')' AS what,
                'accounts of tenant ' || j.tenant_id || ' in ' || j.currency AS expected,
                'account ' || j.debit_account_id || ' of tenant ' || coalesce(d.tenant_id::text, '-') || ' in '
                    || coalesce(d.currency, '-') || ', account ' || j.credit_account_id || ' of tenant '
                    || coalesce(c.tenant_id::text, '-') || ' in ' || coalesce(c.currency, '-') AS found
         FROM journal j
         LEFT JOIN accounts d ON d.id = j.debit_account_id
         LEFT JOIN accounts c ON c.id = j.credit_account_id
         WHERE (d.tenant_id, d.currency) IS DISTINCT FROM (j.tenant_id, j.currency)
            OR (c.tenant_id, c.currency) IS DISTINCT FROM (j.tenant_id, j.currency)
         ORDER BY j.seq LIMIT 1000";
    NEGATIVE_WALLETS = concat!("SELECT ", account_in_words!(), " AS what,
                'at least 0' AS expected, b.posted::text AS found
         FROM accounts a JOIN balances b ON b.account_id = a.id JOIN tenants t ON t.id = a.tenant_id
         WHERE a.kind IN ('available', 'held', 'bonus') AND b.posted < 0
         ORDER BY a.id LIMIT 1000");
    HOLDS = "WITH open AS (
             SELECT tenant_id, player_id, currency, sum(amount) AS total FROM withdrawals
             WHERE state NOT IN ('rejected', 'cancelled', 'paid')
             GROUP BY tenant_id, player_id, currency
         ), held AS (
             SELECT a.tenant_id, a.player_id, a.currency, sum(b.posted) AS total
             FROM accounts a JOIN balances b ON b.account_id = a.id
             WHERE a.kind = 'held' GROUP BY a.tenant_id, a.player_id, a.currency)
         SELECT currency || ' wallet of player ' || player_id || ' of tenant ' || t.key AS what,
                coalesce(open.total, 0)::text AS expected, coalesce(held.total, 0)::text AS found
         FROM open FULL JOIN held USING (tenant_id, player_id, currency)
         JOIN tenants t ON t.id = tenant_id
         WHERE coalesce(open.total, 0) <> coalesce(held.total, 0)
         ORDER BY t.key, player_id, currency LIMIT 1000";
    /// Money that comes in debits the provider's clearing account; money that goes back or out credits it. Whoever
    /// reads the archive asks about the effects of transactions in it.
    EFFECTS = "WITH moved AS (
             SELECT e.id, count(j.seq) AS legs,
                    sum(CASE WHEN c.id = j.credit_account_id THEN j.amount ELSE -j.amount END)
                        FILTER (WHERE c.id IN (j.credit_account_id, j.debit_account_id)) AS total
             FROM provider_effects e
             LEFT JOIN accounts c ON c.tenant_id = e.tenant_id AND c.code = 'psp_clearing:' || e.provider
                                 AND c.currency = e.currency
             LEFT JOIN transactions w ON w.tenant_id = e.tenant_id AND w.transaction_id = e.transaction_id
             LEFT JOIN journal j ON j.seq BETWEEN w.first_seq AND w.last_seq
                                AND j.tenant_id = e.tenant_id AND j.transaction_id = e.transaction_id
             WHERE w.first_seq IS NULL
                OR w.first_seq > coalesce((SELECT max(to_seq) FROM journal_archives), -1)
             GROUP BY e.id)
         SELECT 'effect of event ' || e.provider_event_id || ' of ' || e.provider || ' (transaction '
                    || e.transaction_id || ') of tenant ' || t.key AS what,
                (CASE e.kind WHEN 'deposit' THEN -e.amount ELSE e.amount END) || ' on psp_clearing:' || e.provider
                    || ' ' || e.currency AS expected,
                CASE WHEN m.legs = 0 THEN 'no such transaction' ELSE coalesce(m.total, 0)::text END AS found
         FROM provider_effects e
         JOIN moved m USING (id)
         JOIN tenants t ON t.id = e.tenant_id
         WHERE m.total IS DISTINCT FROM CASE e.kind WHEN 'deposit' THEN -e.amount ELSE e.amount END
         ORDER BY e.id LIMIT 1000";
    SHARED_EFFECTS = "SELECT 'transaction ' || e.transaction_id || ' of tenant ' || t.key AS what,
                '1 effect' AS expected, count(*) || ' effects' AS found
         FROM provider_effects e JOIN tenants t ON t.id = e.tenant_id
         GROUP BY t.key, e.transaction_id HAVING count(*) > 1
         ORDER BY t.key, e.transaction_id LIMIT 1000";
    /// Writers hold the balance while they draw `seq`, so an account's rows are numbered as they were decided.
    RUNNING_BALANCES = concat!("WITH entries AS (
             SELECT credit_account_id AS account_id, seq, transaction_id, amount AS change, credit_after AS after
             FROM journal
             UNION ALL
             SELECT debit_account_id, seq, transaction_id, -amount, debit_after FROM journal
             UNION ALL
             SELECT account_id, -1, NULL, posted, NULL FROM archived_balances
         ), running AS (
             SELECT account_id, seq, transaction_id, after,
                    sum(change) OVER (PARTITION BY account_id ORDER BY seq ROWS UNBOUNDED PRECEDING) AS total
             FROM entries
         ), first AS (
             SELECT DISTINCT ON (account_id) account_id, seq, transaction_id, after, total
             FROM running WHERE after <> total ORDER BY account_id, seq)
         SELECT 'journal row ' || f.seq || ' (transaction ' || f.transaction_id || ') on ' || ", account_in_words!(), " AS what,
                f.total::text AS expected, f.after::text AS found
         FROM first f JOIN accounts a ON a.id = f.account_id JOIN tenants t ON t.id = a.tenant_id
         ORDER BY f.seq LIMIT 1000");
    /// The row that each transaction has besides its legs makes its id unique and finds it.
    TRANSACTIONS = "WITH posted AS (
             SELECT tenant_id, transaction_id, count(*) AS legs, min(seq) AS first_seq, max(seq) AS last_seq,
                    min(encode(fingerprint, 'hex')) AS fingerprint
             FROM journal GROUP BY tenant_id, transaction_id
         ), known AS (
             SELECT tenant_id, transaction_id, legs, first_seq, last_seq, encode(fingerprint, 'hex') AS fingerprint
             FROM transactions
             WHERE first_seq > coalesce((SELECT max(to_seq) FROM journal_archives), -1))
         SELECT 'transaction ' || transaction_id || ' of tenant ' || tenant_id AS what,
                coalesce(p.legs || ' legs, rows ' || p.first_seq || ' to ' || p.last_seq, 'no journal row') AS expected,
                coalesce(k.legs || ' legs, rows ' || k.first_seq || ' to ' || k.last_seq, 'not known') AS found
         FROM posted p FULL JOIN known k USING (tenant_id, transaction_id)
         WHERE (p.legs, p.first_seq, p.last_seq, p.fingerprint)
               IS DISTINCT FROM (k.legs, k.first_seq, k.last_seq, k.fingerprint)
         ORDER BY tenant_id, transaction_id LIMIT 1000";
}

impl PostgresStore {
    /// Asks every question of one invariant in one snapshot.
    async fn broken(&self, invariant: &'static str, questions: &[&'static str]) -> Result<Vec<Broken>> {
        let session = self.pool.begin(BEGIN_VERIFY).await?;
        let mut broken = Vec::new();
        for question in questions {
            for row in session.rows(question, &[]).await? {
                let record = Record::new(&row, invariant, "what");
                broken.push(Broken {
                    invariant,
                    what: record.get("what")?,
                    expected: record.get("expected")?,
                    found: record.get("found")?,
                });
            }
        }
        session.rollback().await?;
        broken.truncate(1_000);
        Ok(broken)
    }
}

#[async_trait]
impl Verify for PostgresStore {
    async fn count_journal(&self) -> Result<u64> {
        let session = self.pool.begin(BEGIN_VERIFY).await?;
        let row = session.one(COUNT_JOURNAL, &[]).await?;
        session.rollback().await?;
        let count: i64 = Record::new(&row, "journal", "rows").get("rows")?;
        Ok(count.unsigned_abs())
    }

    async fn broken_balances(&self) -> Result<Vec<Broken>> {
        self.broken("balance_equals_entries", &[BALANCES]).await
    }

    async fn broken_sums(&self) -> Result<Vec<Broken>> {
        self.broken("sums_to_zero", &[SUMS, FOREIGN_ACCOUNTS]).await
    }

    async fn negative_wallets(&self) -> Result<Vec<Broken>> {
        self.broken("wallet_not_negative", &[NEGATIVE_WALLETS]).await
    }

    async fn broken_holds(&self) -> Result<Vec<Broken>> {
        self.broken("held_equals_open_withdrawals", &[HOLDS]).await
    }

    async fn broken_effects(&self) -> Result<Vec<Broken>> {
        self.broken("one_effect_per_event", &[EFFECTS, SHARED_EFFECTS])
            .await
    }

    async fn broken_transactions(&self) -> Result<Vec<Broken>> {
        self.broken("transactions_match_rows", &[TRANSACTIONS]).await
    }

    async fn broken_running_balances(&self) -> Result<Vec<Broken>> {
        self.broken("running_balance", &[RUNNING_BALANCES]).await
    }
}
