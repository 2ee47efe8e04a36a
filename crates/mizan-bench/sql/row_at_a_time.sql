-- One transfer a transaction, as most ledgers on PostgreSQL do it: lock both balances, look for the key, insert
-- the entry with its key, change two balances. It stores no reply and no balance after, so it writes less than Mizan does.
\set a random(:a_from, :a_to)
\set b random(:b_from, :b_to)
\set amount random(1, 500)
\set flip random(0, 1)
\set debit CASE WHEN :flip = 0 THEN :a ELSE :b END
\set credit CASE WHEN :flip = 0 THEN :b ELSE :a END
\set key random(1, 4611686018427387904)
BEGIN;
SELECT account_id, posted FROM balances WHERE tenant_id = :tenant AND account_id IN (:a, :b) ORDER BY account_id FOR NO KEY UPDATE;
SELECT fingerprint FROM transactions WHERE tenant_id = :tenant AND transaction_id = bench_id(:key);
WITH entry AS (INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, fingerprint, posted_at) VALUES (:tenant, bench_id(:key), 0, 'transfer', :debit, :credit, :amount, 'TRY', decode('000102030405060708090a0b0c0d0e0f', 'hex'), now()) RETURNING seq, transaction_id, fingerprint) INSERT INTO transactions (tenant_id, transaction_id, fingerprint, legs, first_seq, last_seq) SELECT :tenant, transaction_id, fingerprint, 1, seq, seq FROM entry;
UPDATE balances SET posted = posted - :amount, version = version + 1 WHERE account_id = :debit AND tenant_id = :tenant;
UPDATE balances SET posted = posted + :amount, version = version + 1 WHERE account_id = :credit AND tenant_id = :tenant;
COMMIT;
