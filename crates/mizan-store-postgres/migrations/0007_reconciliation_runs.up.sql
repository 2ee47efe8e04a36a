CREATE TABLE recon_runs (
    id              uuid        PRIMARY KEY,
    tenant_id       integer     NOT NULL REFERENCES tenants (id),
    provider        text        NOT NULL REFERENCES provider_connections (provider),
    window_start    timestamptz NOT NULL,
    window_end      timestamptz NOT NULL,
    dry_run         boolean     NOT NULL,
    statement_id    uuid,
    idempotency_key text,
    fingerprint     bytea       NOT NULL,
    status          text        NOT NULL CONSTRAINT ck_runs_status CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    attempts        integer     NOT NULL DEFAULT 0,
    stats_json      text,
    error_json      text,
    created_by      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz,
    CONSTRAINT ck_runs_window CHECK (window_end > window_start),
    CONSTRAINT uq_runs_idempotency UNIQUE (tenant_id, provider, idempotency_key)
);
CREATE INDEX ix_runs_tenant ON recon_runs (tenant_id, id);
CREATE INDEX ix_runs_status ON recon_runs (tenant_id, status, id);
