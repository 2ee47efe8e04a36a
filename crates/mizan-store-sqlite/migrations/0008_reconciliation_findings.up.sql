CREATE TABLE reconciliation_findings (
    id                TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    provider          TEXT    NOT NULL REFERENCES provider_connections (provider),
    provider_event_id TEXT    NOT NULL,
    provider_ref      TEXT,
    finding_type      TEXT    NOT NULL CONSTRAINT ck_findings_type CHECK (finding_type IN (
                          'missing_in_ledger', 'missing_in_psp', 'amount_mismatch', 'currency_mismatch', 'status_mismatch',
                          'duplicate_in_psp', 'duplicate_in_ledger', 'fee_mismatch', 'ambiguous_match', 'missing_in_bank',
                          'payout_mismatch')),
    severity          TEXT    NOT NULL CONSTRAINT ck_findings_severity CHECK (severity IN ('INFO', 'WARN', 'ERROR', 'CRITICAL')),
    status            TEXT    NOT NULL CONSTRAINT ck_findings_status CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'IGNORED')),
    currency          TEXT,
    statement_amount  INTEGER,
    ledger_amount     INTEGER,
    transaction_id    TEXT    CHECK (length(transaction_id) = 36),
    details           TEXT    NOT NULL,
    run_id            TEXT    REFERENCES recon_runs (id),
    last_run_id       TEXT    REFERENCES recon_runs (id),
    occurred_at       TEXT    CHECK (occurred_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at        TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at        TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),
    status_by         TEXT,
    status_reason     TEXT,
    CONSTRAINT uq_recon_provider_event_type UNIQUE (provider, provider_event_id, finding_type)
) STRICT;
CREATE INDEX ix_findings_tenant ON reconciliation_findings (tenant_id, id);
CREATE INDEX ix_findings_status ON reconciliation_findings (tenant_id, status, id);
CREATE INDEX ix_findings_run ON reconciliation_findings (last_run_id);
CREATE INDEX ix_findings_window ON reconciliation_findings (tenant_id, provider, occurred_at) WHERE status IN ('OPEN', 'ACKNOWLEDGED');
