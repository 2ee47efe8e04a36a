-- What the row-at-a-time yardstick needs besides the migrated schema: a time-ordered id like the ones that
-- Mizan's callers send, stable within a transaction, so that a script can look for it and then insert it.
CREATE OR REPLACE FUNCTION bench_id(random bigint) RETURNS uuid
LANGUAGE sql STABLE
AS $$
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7000'
            || lpad(to_hex(random), 16, '0'))::uuid
$$
