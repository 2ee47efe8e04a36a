-- Statements that were uploaded. Their bytes are in the object store.
CREATE TABLE statements (
    id               uuid        PRIMARY KEY,
    tenant_id        integer     NOT NULL REFERENCES tenants (id),
    provider         text        NOT NULL REFERENCES provider_connections (provider),
    name             text        NOT NULL,
    version          integer     NOT NULL CONSTRAINT ck_statements_version CHECK (version > 0),
    format           text        NOT NULL,
    sha256           text        NOT NULL CONSTRAINT ck_statements_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes            bigint      NOT NULL,
    object_key       text        NOT NULL,
    quarantine_key   text,
    map              text,
    period_start     timestamptz,
    period_end       timestamptz,
    rows_read        bigint      NOT NULL,
    rows_quarantined bigint      NOT NULL,
    checks           text        NOT NULL,
    uploaded_by      text        NOT NULL,
    created_at       timestamptz NOT NULL,
    CONSTRAINT ck_statements_period CHECK ((period_start IS NULL) = (period_end IS NULL) AND period_end > period_start),
    CONSTRAINT uq_statements_bytes UNIQUE (tenant_id, provider, sha256),
    CONSTRAINT uq_statements_version UNIQUE (tenant_id, provider, name, version)
);
CREATE INDEX ix_statements_tenant ON statements (tenant_id, id);
CREATE INDEX ix_statements_provider ON statements (tenant_id, provider, id);
