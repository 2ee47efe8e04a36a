-- The raw inbox: what a provider sent, byte for byte, before anything is done with it.
CREATE TABLE webhook_events (
    id                uuid        PRIMARY KEY,
    tenant_id         integer     NOT NULL REFERENCES tenants (id),
    provider          text        NOT NULL REFERENCES provider_connections (provider),
    provider_event_id text        NOT NULL,
    event_type        text        NOT NULL,
    headers           text        NOT NULL,
    body              bytea       NOT NULL,
    signature         text        NOT NULL CONSTRAINT ck_webhooks_signature CHECK (signature IN ('valid', 'unverified')),
    state             text        NOT NULL CONSTRAINT ck_webhooks_state CHECK (state IN (
                          'received', 'applied', 'ignored', 'parked', 'failed', 'unverified')),
    parked_on         text,
    error             text,
    attempts          integer     NOT NULL DEFAULT 0,
    request_id        text,
    received_at       timestamptz NOT NULL,
    applied_at        timestamptz
);
-- Layer 3 of idempotency. An unverified event must not take the place of the real one.
CREATE UNIQUE INDEX uq_webhooks_event ON webhook_events (provider, provider_event_id) WHERE signature = 'valid';
CREATE INDEX ix_webhooks_tenant ON webhook_events (tenant_id, id);
CREATE INDEX ix_webhooks_state ON webhook_events (tenant_id, state, id);
CREATE INDEX ix_webhooks_provider ON webhook_events (tenant_id, provider, id);
CREATE INDEX ix_webhooks_parked ON webhook_events (tenant_id, parked_on) WHERE state = 'parked';

-- What Mizan believes happened at a provider: the ledger's side of a reconciliation. One row per money effect.
CREATE TABLE provider_effects (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id         integer     NOT NULL REFERENCES tenants (id),
    provider          text        NOT NULL REFERENCES provider_connections (provider),
    provider_event_id text        NOT NULL,
    provider_ref      text,
    kind              text        NOT NULL CONSTRAINT ck_effects_kind CHECK (kind IN ('deposit', 'withdraw', 'refund', 'chargeback')),
    amount            bigint      NOT NULL CONSTRAINT ck_effects_amount CHECK (amount > 0),
    currency          text        NOT NULL,
    occurred_at       timestamptz NOT NULL,
    transaction_id    uuid        NOT NULL,
    created_at        timestamptz NOT NULL,
    CONSTRAINT uq_effects_event UNIQUE (provider, provider_event_id)
);
CREATE INDEX ix_effects_window ON provider_effects (tenant_id, provider, occurred_at, id);

-- Jobs leave through here, in the transaction of the change that asks for them.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   integer     NOT NULL REFERENCES tenants (id),
    kind        text        NOT NULL,
    job         text        NOT NULL,
    state       text        NOT NULL DEFAULT 'ready' CONSTRAINT ck_outbox_state CHECK (state IN ('ready', 'done', 'dead')),
    run_at      timestamptz NOT NULL,
    attempts    integer     NOT NULL DEFAULT 0,
    token       bigint      NOT NULL DEFAULT 0,
    lease_until timestamptz,
    worker      text,
    error       text,
    request_id  text,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX ix_outbox_ready ON outbox (run_at, id) WHERE state = 'ready';
CREATE INDEX ix_outbox_dead ON outbox (tenant_id, id) WHERE state = 'dead';
CREATE INDEX ix_outbox_finished ON outbox (finished_at) WHERE state = 'done';

-- Append only, for the role that the service works as.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON provider_effects FROM mizan_app;
    END IF;
END
$$;
