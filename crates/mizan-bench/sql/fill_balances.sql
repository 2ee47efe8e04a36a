-- What the rows from {from} on moved, which sql/fill_journal.sql left out of the balances.
UPDATE balances b SET posted = b.posted + moved.delta, version = b.version + 1
FROM (
    SELECT account, sum(amount) AS delta FROM (
        SELECT credit_account_id AS account, amount FROM journal WHERE seq >= {from}
        UNION ALL SELECT debit_account_id, -amount FROM journal WHERE seq >= {from}) AS legs
    GROUP BY account) AS moved
WHERE b.account_id = moved.account
