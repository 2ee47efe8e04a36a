CREATE TABLE reconciliation_findings (
    id                uuid        PRIMARY KEY,
    tenant_id         integer     NOT NULL REFERENCES tenants (id),
    provider          text        NOT NULL REFERENCES provider_connections (provider),
    provider_event_id text        NOT NULL,
    provider_ref      text,
    finding_type      text        NOT NULL CONSTRAINT ck_findings_type CHECK (finding_type IN (
                          'missing_in_ledger', 'missing_in_psp', 'amount_mismatch', 'currency_mismatch', 'status_mismatch',
                          'duplicate_in_psp', 'duplicate_in_ledger', 'fee_mismatch', 'ambiguous_match', 'missing_in_bank',
                          'payout_mismatch')),
    severity          text        NOT NULL CONSTRAINT ck_findings_severity CHECK (severity IN ('INFO', 'WARN', 'ERROR', 'CRITICAL')),
    status            text        NOT NULL CONSTRAINT ck_findings_status CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'IGNORED')),
    currency          text,
    statement_amount  bigint,
    ledger_amount     bigint,
    transaction_id    uuid,
    details           text        NOT NULL,
    run_id            uuid        REFERENCES recon_runs (id),
    last_run_id       uuid        REFERENCES recon_runs (id),
    occurred_at       timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    status_by         text,
    status_reason     text,
    CONSTRAINT uq_recon_provider_event_type UNIQUE (provider, provider_event_id, finding_type)
);
CREATE INDEX ix_findings_tenant ON reconciliation_findings (tenant_id, id);
CREATE INDEX ix_findings_status ON reconciliation_findings (tenant_id, status, id);
CREATE INDEX ix_findings_run ON reconciliation_findings (last_run_id);
CREATE INDEX ix_findings_window ON reconciliation_findings (tenant_id, provider, occurred_at) WHERE status IN ('OPEN', 'ACKNOWLEDGED');
