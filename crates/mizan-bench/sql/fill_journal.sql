-- {rows} more transfers between the accounts bench:00000 to bench:09999, as the fast path writes them but without
-- running balances; sql/fill_balances.sql adds up afterwards what they moved.
WITH bench AS MATERIALIZED (
    SELECT array_agg(id ORDER BY code) AS ids, min(tenant_id) AS tenant
    FROM accounts WHERE code LIKE 'bench:0____' AND code < 'bench:10000'
), drawn AS MATERIALIZED (
    SELECT nextval('journal_numbers') AS seq FROM generate_series(1, {rows})
), legs AS MATERIALIZED (
    SELECT seq, (hashint8(seq) & 2147483647) % 5000 AS one, (hashint8(-seq) & 2147483647) % 5000 AS other,
           1 + (hashint8(seq + 1) & 2147483647) % 500 AS amount,
           (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '70008'
            || lpad(to_hex(seq), 15, '0'))::uuid AS id
    FROM drawn
), whole AS (
    INSERT INTO transactions (tenant_id, transaction_id, fingerprint, legs, first_seq, last_seq)
    SELECT bench.tenant, id, uuid_send(id), 1, seq, seq FROM legs, bench
)
INSERT INTO journal (tenant_id, seq, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency,
                     fingerprint, posted_at)
SELECT bench.tenant, seq, id, 0, 'transfer',
       bench.ids[1 + CASE WHEN seq % 2 = 0 THEN one ELSE 5000 + other END],
       bench.ids[1 + CASE WHEN seq % 2 = 0 THEN 5000 + other ELSE one END],
       amount, 'TRY', uuid_send(id), now()
FROM legs, bench
