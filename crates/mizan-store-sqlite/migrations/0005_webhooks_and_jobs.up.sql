-- The raw inbox: what a provider sent, byte for byte, before anything is done with it.
CREATE TABLE webhook_events (
    id                TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    provider          TEXT    NOT NULL REFERENCES provider_connections (provider),
    provider_event_id TEXT    NOT NULL,
    event_type        TEXT    NOT NULL,
    headers           TEXT    NOT NULL,
    body              BLOB    NOT NULL,
    signature         TEXT    NOT NULL CONSTRAINT ck_webhooks_signature CHECK (signature IN ('valid', 'unverified')),
    state             TEXT    NOT NULL CONSTRAINT ck_webhooks_state CHECK (state IN (
                          'received', 'applied', 'ignored', 'parked', 'failed', 'unverified')),
    parked_on         TEXT,
    error             TEXT,
    attempts          INTEGER NOT NULL DEFAULT 0,
    request_id        TEXT,
    received_at       TEXT    NOT NULL CHECK (received_at GLOB '????-??-??T??:??:??.??????Z'),
    applied_at        TEXT    CHECK (applied_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
-- Layer 3 of idempotency. An unverified event must not take the place of the real one.
CREATE UNIQUE INDEX uq_webhooks_event ON webhook_events (provider, provider_event_id) WHERE signature = 'valid';
CREATE INDEX ix_webhooks_tenant ON webhook_events (tenant_id, id);
CREATE INDEX ix_webhooks_state ON webhook_events (tenant_id, state, id);
CREATE INDEX ix_webhooks_provider ON webhook_events (tenant_id, provider, id);
CREATE INDEX ix_webhooks_parked ON webhook_events (tenant_id, parked_on) WHERE state = 'parked';

-- What Mizan believes happened at a provider: the ledger's side of a reconciliation. One row per money effect.
CREATE TABLE provider_effects (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    provider          TEXT    NOT NULL REFERENCES provider_connections (provider),
    provider_event_id TEXT    NOT NULL,
    provider_ref      TEXT,
    kind              TEXT    NOT NULL CONSTRAINT ck_effects_kind CHECK (kind IN ('deposit', 'withdraw', 'refund', 'chargeback')),
    amount            INTEGER NOT NULL CONSTRAINT ck_effects_amount CHECK (typeof(amount) = 'integer' AND amount > 0),
    currency          TEXT    NOT NULL,
    occurred_at       TEXT    NOT NULL CHECK (occurred_at GLOB '????-??-??T??:??:??.??????Z'),
    transaction_id    TEXT    NOT NULL CHECK (length(transaction_id) = 36 AND transaction_id = lower(transaction_id)),
    created_at        TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT uq_effects_event UNIQUE (provider, provider_event_id)
) STRICT;
CREATE INDEX ix_effects_window ON provider_effects (tenant_id, provider, occurred_at, id);

-- Jobs leave through here, in the transaction of the change that asks for them.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id   INTEGER NOT NULL REFERENCES tenants (id),
    kind        TEXT    NOT NULL,
    job         TEXT    NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'ready' CONSTRAINT ck_outbox_state CHECK (state IN ('ready', 'done', 'dead')),
    run_at      TEXT    NOT NULL CHECK (run_at GLOB '????-??-??T??:??:??.??????Z'),
    attempts    INTEGER NOT NULL DEFAULT 0,
    token       INTEGER NOT NULL DEFAULT 0,
    lease_until TEXT    CHECK (lease_until GLOB '????-??-??T??:??:??.??????Z'),
    worker      TEXT,
    error       TEXT,
    request_id  TEXT,
    created_at  TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    finished_at TEXT    CHECK (finished_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_outbox_ready ON outbox (run_at, id) WHERE state = 'ready';
CREATE INDEX ix_outbox_dead ON outbox (tenant_id, id) WHERE state = 'dead';
CREATE INDEX ix_outbox_finished ON outbox (finished_at) WHERE state = 'done';
