-- Statements that were uploaded. Their bytes are in the object store.
CREATE TABLE statements (
    id               TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id        INTEGER NOT NULL REFERENCES tenants (id),
    provider         TEXT    NOT NULL REFERENCES provider_connections (provider),
    name             TEXT    NOT NULL,
    version          INTEGER NOT NULL CONSTRAINT ck_statements_version CHECK (version > 0),
    format           TEXT    NOT NULL,
    sha256           TEXT    NOT NULL CONSTRAINT ck_statements_sha256 CHECK (length(sha256) = 64),
    bytes            INTEGER NOT NULL,
    object_key       TEXT    NOT NULL,
    quarantine_key   TEXT,
    map              TEXT,
    period_start     TEXT    CHECK (period_start GLOB '????-??-??T??:??:??.??????Z'),
    period_end       TEXT    CHECK (period_end GLOB '????-??-??T??:??:??.??????Z'),
    rows_read        INTEGER NOT NULL,
    rows_quarantined INTEGER NOT NULL,
    checks           TEXT    NOT NULL,
    uploaded_by      TEXT    NOT NULL,
    created_at       TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT ck_statements_period CHECK ((period_start IS NULL) = (period_end IS NULL) AND (period_end IS NULL OR period_end > period_start)),
    CONSTRAINT uq_statements_bytes UNIQUE (tenant_id, provider, sha256),
    CONSTRAINT uq_statements_version UNIQUE (tenant_id, provider, name, version)
) STRICT;
CREATE INDEX ix_statements_tenant ON statements (tenant_id, id);
CREATE INDEX ix_statements_provider ON statements (tenant_id, provider, id);
