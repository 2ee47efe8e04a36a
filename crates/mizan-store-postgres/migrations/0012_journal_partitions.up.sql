-- The journal in ranges of seq, so that indexes stay small and what is old can go to an archive. The rows that are
-- there stay where they are: their table becomes the first partition.
ALTER TABLE journal ALTER COLUMN seq DROP IDENTITY;
ALTER TABLE journal RENAME TO journal_000000000001;
ALTER TABLE journal_000000000001 DROP CONSTRAINT pk_journal;
ALTER INDEX ix_journal_debit RENAME TO journal_000000000001_debit;
ALTER INDEX ix_journal_credit RENAME TO journal_000000000001_credit;
DROP INDEX ix_journal_seq;
ALTER TABLE journal_000000000001 ADD CONSTRAINT journal_000000000001_pkey PRIMARY KEY (seq);

CREATE TABLE journal (
    LIKE journal_000000000001 INCLUDING CONSTRAINTS,
    CONSTRAINT pk_journal PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
CREATE INDEX ix_journal_debit ON journal (debit_account_id, seq);
CREATE INDEX ix_journal_credit ON journal (credit_account_id, seq);

-- Numbers are drawn while the balances are locked, so that they grow per account in the order of commits.
CREATE SEQUENCE journal_numbers OWNED BY journal.seq;
ALTER TABLE journal ALTER COLUMN seq SET DEFAULT nextval('journal_numbers');

-- One row per transaction: its id is unique over all partitions, and stays known when its rows are in an archive.
CREATE TABLE transactions (
    first_seq      bigint   NOT NULL,
    last_seq       bigint   NOT NULL,
    transaction_id uuid     NOT NULL,
    tenant_id      integer  NOT NULL,
    legs           smallint NOT NULL CONSTRAINT ck_transactions_legs CHECK (legs > 0),
    fingerprint    bytea    NOT NULL,
    CONSTRAINT ck_transactions_range CHECK (last_seq - first_seq >= legs - 1)
);
INSERT INTO transactions (first_seq, last_seq, transaction_id, tenant_id, legs, fingerprint)
SELECT min(seq), max(seq), transaction_id, tenant_id, count(*), (array_agg(fingerprint ORDER BY leg))[1]
FROM journal_000000000001 GROUP BY tenant_id, transaction_id;
ALTER TABLE transactions ADD CONSTRAINT pk_transactions PRIMARY KEY (tenant_id, transaction_id);

-- What went to an archive: one row per partition that is no longer here.
CREATE TABLE journal_archives (
    from_seq    bigint      PRIMARY KEY,
    to_seq      bigint      NOT NULL CONSTRAINT uq_archives_to_seq UNIQUE,
    rows        bigint      NOT NULL CONSTRAINT ck_archives_rows CHECK (rows >= 0),
    file        text        NOT NULL,
    sha256      bytea       NOT NULL CONSTRAINT ck_archives_sha256 CHECK (octet_length(sha256) = 32),
    bytes       bigint      NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    first_block bigint      NOT NULL,
    last_block  bigint      NOT NULL,
    archived_at timestamptz NOT NULL,
    CONSTRAINT ck_archives_range CHECK (to_seq >= from_seq)
);

-- What archived rows add up to for each account, and how many entries of it they are.
CREATE TABLE archived_balances (
    account_id bigint PRIMARY KEY REFERENCES accounts (id),
    posted     bigint NOT NULL,
    entries    bigint NOT NULL
);

-- The partitions as the catalogue has them; `to_seq` is the first number after the partition.
CREATE FUNCTION journal_partitions() RETURNS TABLE (name text, from_seq bigint, to_seq bigint, bytes bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.relname::text,
           substring(b.bound FROM 'FROM \(''?(-?[0-9]+)')::bigint,
           substring(b.bound FROM 'TO \(''?(-?[0-9]+)')::bigint,
           pg_total_relation_size(c.oid)
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bound)
    WHERE i.inhparent = to_regclass('journal')
$$;

-- Makes partitions of `size` numbers until `ahead` of them lie beyond the last number that was drawn. It runs as the
-- owner of the tables, because the service may not make any; what it makes can be reached through the journal only.
CREATE FUNCTION journal_make_partitions(size bigint, ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    last_number bigint;
    free        integer;
    next_from   bigint;
    next_to     bigint;
    made        integer := 0;
BEGIN
    IF size < 1 OR ahead NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'partitions of % numbers, % ahead: out of range', size, ahead USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(5207341889003);
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO last_number FROM journal_numbers;
    LOOP
        SELECT count(*) FILTER (WHERE p.from_seq > last_number),
               greatest(max(p.to_seq), (SELECT max(a.to_seq) + 1 FROM journal_archives a), 1)
        INTO free, next_from
        FROM journal_partitions() p;
        EXIT WHEN free >= ahead;
        next_to := ((next_from - 1) / size + 1) * size + 1;
        EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                       'journal_' || lpad(next_from::text, 12, '0'));
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
            EXECUTE format('REVOKE ALL ON %I FROM mizan_app', 'journal_' || lpad(next_from::text, 12, '0'));
        END IF;
        EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                       'journal_' || lpad(next_from::text, 12, '0'), next_from, next_to);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Takes away the oldest partition, and only if all of it is sealed and recorded as archived. The owner calls it.
CREATE FUNCTION journal_drop_partition(gone text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    oldest record;
BEGIN
    SELECT * INTO oldest FROM journal_partitions() p ORDER BY p.to_seq LIMIT 1;
    IF oldest.name IS DISTINCT FROM gone THEN
        RAISE EXCEPTION '% is not the oldest partition of the journal', gone;
    END IF;
    IF oldest.to_seq - 1 > (SELECT coalesce(max(to_seq), -1) FROM chain_blocks)
        OR NOT EXISTS (SELECT FROM journal_archives a WHERE a.to_seq = oldest.to_seq - 1) THEN
        RAISE EXCEPTION '% is not sealed and recorded in journal_archives', gone;
    END IF;
    EXECUTE format('ALTER TABLE journal DETACH PARTITION %I', gone);
    EXECUTE format('DROP TABLE %I', gone);
END
$$;

DO $$
DECLARE
    fixed_path text := format('SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'ALTER FUNCTION journal_partitions() ' || fixed_path;
    EXECUTE 'ALTER FUNCTION journal_make_partitions(bigint, integer) ' || fixed_path;
    EXECUTE 'ALTER FUNCTION journal_drop_partition(text) ' || fixed_path;
    REVOKE EXECUTE ON FUNCTION journal_make_partitions(bigint, integer), journal_drop_partition(text) FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        GRANT EXECUTE ON FUNCTION journal_make_partitions(bigint, integer) TO mizan_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON journal, transactions FROM mizan_app;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON journal_archives, archived_balances FROM mizan_app;
        REVOKE ALL ON journal_000000000001 FROM mizan_app;
    END IF;
END
$$;

-- An empty table is not worth keeping as a partition.
DO $$
DECLARE
    last_number bigint;
BEGIN
    SELECT max(seq) INTO last_number FROM journal_000000000001;
    IF last_number IS NULL THEN
        DROP TABLE journal_000000000001;
    ELSE
        PERFORM setval('journal_numbers', last_number);
        EXECUTE format('ALTER TABLE journal ATTACH PARTITION journal_000000000001 FOR VALUES FROM (MINVALUE) TO (%s)',
                       last_number + 1);
    END IF;
    PERFORM journal_make_partitions(5000000, 2);
END
$$;
