-- The double-entry ledger. Rows of the journal are appended, never changed.
CREATE TABLE accounts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id),
    code            TEXT    NOT NULL CONSTRAINT ck_accounts_code CHECK (length(code) BETWEEN 1 AND 128 AND code NOT GLOB '*[^A-Za-z0-9_.:-]*'),
    kind            TEXT    NOT NULL CONSTRAINT ck_accounts_kind CHECK (kind IN (
                        'available', 'held', 'bonus', 'receivable', 'psp_clearing', 'payouts_in_transit',
                        'fees', 'adjustments', 'opening_balances', 'world', 'custom')),
    currency        TEXT    NOT NULL CONSTRAINT ck_accounts_currency CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    player_id       TEXT    REFERENCES players (id),
    may_go_negative INTEGER NOT NULL CHECK (may_go_negative IN (0, 1)),
    created_at      TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT uq_accounts_code UNIQUE (tenant_id, code, currency),
    CONSTRAINT ck_accounts_wallet CHECK (kind NOT IN ('available', 'held', 'bonus') OR (player_id IS NOT NULL AND NOT may_go_negative))
) STRICT;
CREATE INDEX ix_accounts_tenant ON accounts (tenant_id, id);
CREATE INDEX ix_accounts_player ON accounts (player_id) WHERE player_id IS NOT NULL;

-- The materialised balance of each account: credits less debits, in minor units. A sum that leaves the range of
-- 64 bits becomes a REAL in SQLite; a STRICT table refuses to keep it.
CREATE TABLE balances (
    account_id      INTEGER PRIMARY KEY REFERENCES accounts (id),
    tenant_id       INTEGER NOT NULL,
    posted          INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_balances_posted CHECK (typeof(posted) = 'integer'),
    may_go_negative INTEGER NOT NULL CHECK (may_go_negative IN (0, 1)),
    version         INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT ck_balances_not_negative CHECK (posted >= 0 OR may_go_negative)
) STRICT;

-- The journal: one row per transfer. `seq` is the row's own key and never given out twice, so the table needs no
-- index on it.
CREATE TABLE journal (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id         INTEGER NOT NULL,
    transaction_id    TEXT    NOT NULL CHECK (length(transaction_id) = 36 AND transaction_id = lower(transaction_id)),
    leg               INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    debit_account_id  INTEGER NOT NULL,
    credit_account_id INTEGER NOT NULL,
    amount            INTEGER NOT NULL CONSTRAINT ck_journal_amount CHECK (typeof(amount) = 'integer' AND amount > 0),
    currency          TEXT    NOT NULL,
    debit_after       INTEGER,
    credit_after      INTEGER,
    reverses          TEXT    CHECK (length(reverses) = 36),
    reference         TEXT,
    metadata          TEXT,
    fingerprint       BLOB    NOT NULL,
    posted_at         TEXT    NOT NULL CHECK (posted_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT pk_journal UNIQUE (tenant_id, transaction_id, leg),
    CONSTRAINT ck_journal_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT ck_journal_leg CHECK (leg >= 0)
) STRICT;
CREATE INDEX ix_journal_debit ON journal (debit_account_id, seq);
CREATE INDEX ix_journal_credit ON journal (credit_account_id, seq);

-- A transaction is reversed once.
CREATE TABLE reversals (
    tenant_id   INTEGER NOT NULL,
    original_id TEXT    NOT NULL CHECK (length(original_id) = 36 AND original_id = lower(original_id)),
    reversal_id TEXT    NOT NULL CHECK (length(reversal_id) = 36 AND reversal_id = lower(reversal_id)),
    CONSTRAINT pk_reversals PRIMARY KEY (tenant_id, original_id)
) STRICT, WITHOUT ROWID;

-- The tamper-evidence chain. `leaves` holds 24 bytes per row: seq (big endian) and a hash of 16 bytes.
CREATE TABLE chain_blocks (
    no        INTEGER NOT NULL PRIMARY KEY,
    from_seq  INTEGER NOT NULL,
    to_seq    INTEGER NOT NULL,
    leaves    BLOB    NOT NULL,
    previous  BLOB    NOT NULL CONSTRAINT ck_chain_previous CHECK (length(previous) = 32),
    hash      BLOB    NOT NULL CONSTRAINT ck_chain_hash CHECK (length(hash) = 32),
    sealed_at TEXT    NOT NULL CHECK (sealed_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

-- One row per wallet, the way people ask for it.
CREATE VIEW wallet_balances AS
SELECT a.tenant_id,
       a.player_id,
       a.currency,
       ab.posted                             AS available,
       coalesce(hb.posted, 0)                AS held,
       ab.version + coalesce(hb.version, 0)  AS version
FROM accounts a
JOIN balances ab ON ab.account_id = a.id
LEFT JOIN accounts h ON h.tenant_id = a.tenant_id AND h.code = 'wallet:' || a.player_id || ':held' AND h.currency = a.currency
LEFT JOIN balances hb ON hb.account_id = h.id
WHERE a.kind = 'available';

-- Layer 1 of idempotency: a key of a tenant and a route, with the reply that was given.
CREATE TABLE idempotency_keys (
    tenant_id   INTEGER NOT NULL,
    route       TEXT    NOT NULL,
    key         TEXT    NOT NULL CONSTRAINT ck_idempotency_key CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB    NOT NULL,
    status      INTEGER,
    reply       TEXT,
    created_at  TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, route, key)
) STRICT;
CREATE INDEX ix_idempotency_created ON idempotency_keys (created_at);
