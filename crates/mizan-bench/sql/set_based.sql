-- As many transfers as a bulk request of Mizan in one statement: what SQL alone can do when nothing has to be
-- decided transfer by transfer. No verdicts, no overdraft check but the constraint, which fails the whole batch.
BEGIN;
WITH wanted AS MATERIALIZED (
    SELECT n, flip, bench_id((random() * 4611686018427387000)::bigint) AS id,
           :a_from::bigint + floor(random() * (:a_to::bigint - :a_from::bigint + 1))::bigint AS a,
           :b_from::bigint + floor(random() * (:b_to::bigint - :b_from::bigint + 1))::bigint AS b,
           1 + floor(random() * 500)::bigint AS amount
    FROM (SELECT n, random() < 0.5 AS flip FROM generate_series(1, :batch::integer) AS n) AS drawn
), locked AS MATERIALIZED (
    SELECT account_id FROM balances
    WHERE tenant_id = :tenant::integer AND account_id IN (SELECT a FROM wanted UNION SELECT b FROM wanted)
    ORDER BY account_id FOR NO KEY UPDATE
), numbered AS MATERIALIZED (
    SELECT nextval('journal_numbers') AS seq, wanted.* FROM wanted, (SELECT count(*) FROM locked) AS all_locked
), fresh AS (
    INSERT INTO transactions (tenant_id, transaction_id, fingerprint, legs, first_seq, last_seq)
    SELECT :tenant::integer, id, decode('000102030405060708090a0b0c0d0e0f', 'hex'), 1, seq, seq FROM numbered
    ON CONFLICT ON CONSTRAINT pk_transactions DO NOTHING
    RETURNING first_seq
), posted AS (
    INSERT INTO journal (seq, tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, fingerprint, posted_at)
    SELECT seq, :tenant::integer, id, 0, 'transfer', CASE WHEN flip THEN b ELSE a END, CASE WHEN flip THEN a ELSE b END, amount, 'TRY',
           decode('000102030405060708090a0b0c0d0e0f', 'hex'), now()
    FROM numbered JOIN fresh ON first_seq = seq
    RETURNING debit_account_id, credit_account_id, amount
), deltas AS (
    SELECT account_id, sum(delta)::bigint AS delta
    FROM (SELECT debit_account_id AS account_id, -amount AS delta FROM posted
          UNION ALL SELECT credit_account_id, amount FROM posted) AS sides
    GROUP BY account_id
)
UPDATE balances b SET posted = b.posted + d.delta, version = b.version + 1
FROM deltas d, (SELECT count(*) FROM locked) AS all_locked
WHERE b.account_id = d.account_id AND b.tenant_id = :tenant::integer;
COMMIT;
