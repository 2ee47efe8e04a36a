CREATE TABLE recon_runs (
    id              TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id),
    provider        TEXT    NOT NULL REFERENCES provider_connections (provider),
    window_start    TEXT    NOT NULL CHECK (window_start GLOB '????-??-??T??:??:??.??????Z'),
    window_end      TEXT    NOT NULL CHECK (window_end GLOB '????-??-??T??:??:??.??????Z'),
    dry_run         INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    statement_id    TEXT    CHECK (length(statement_id) = 36),
    idempotency_key TEXT,
    fingerprint     BLOB    NOT NULL,
    status          TEXT    NOT NULL CONSTRAINT ck_runs_status CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    stats_json      TEXT,
    error_json      TEXT,
    created_by      TEXT    NOT NULL,
    created_at      TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at      TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),
    started_at      TEXT    CHECK (started_at GLOB '????-??-??T??:??:??.??????Z'),
    finished_at     TEXT    CHECK (finished_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT ck_runs_window CHECK (window_end > window_start),
    CONSTRAINT uq_runs_idempotency UNIQUE (tenant_id, provider, idempotency_key)
) STRICT;
CREATE INDEX ix_runs_tenant ON recon_runs (tenant_id, id);
CREATE INDEX ix_runs_status ON recon_runs (tenant_id, status, id);
