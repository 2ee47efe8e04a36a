-- What people need to work through findings: who has one, what was said and done, and corrections of the ledger.
ALTER TABLE reconciliation_findings
    ADD COLUMN assigned_to uuid REFERENCES staff (id),
    ADD COLUMN settled_by  uuid;
CREATE INDEX ix_findings_assigned ON reconciliation_findings (tenant_id, assigned_to, id) WHERE assigned_to IS NOT NULL;
CREATE INDEX ix_findings_event ON reconciliation_findings (tenant_id, provider_event_id);

CREATE TABLE finding_events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  integer     NOT NULL REFERENCES tenants (id),
    finding_id uuid        NOT NULL REFERENCES reconciliation_findings (id),
    kind       text        NOT NULL CONSTRAINT ck_finding_events_kind CHECK (kind IN ('comment', 'status', 'assignment', 'adjustment')),
    actor      text        NOT NULL,
    from_value text,
    to_value   text,
    text       text,
    at         timestamptz NOT NULL
);
CREATE INDEX ix_finding_events ON finding_events (finding_id, id);

CREATE TABLE finding_adjustments (
    id                uuid        PRIMARY KEY,
    tenant_id         integer     NOT NULL REFERENCES tenants (id),
    finding_id        uuid        NOT NULL REFERENCES reconciliation_findings (id),
    debit_account_id  bigint      NOT NULL REFERENCES accounts (id),
    credit_account_id bigint      NOT NULL REFERENCES accounts (id),
    amount            bigint      NOT NULL CONSTRAINT ck_finding_adjustments_amount CHECK (amount > 0),
    currency          text        NOT NULL,
    reason            text        NOT NULL,
    state             text        NOT NULL CONSTRAINT ck_finding_adjustments_state CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by       text        NOT NULL,
    proposed_at       timestamptz NOT NULL,
    decided_by        text,
    decided_at        timestamptz,
    decision_reason   text,
    transaction_id    uuid,
    CONSTRAINT ck_finding_adjustments_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT ck_finding_adjustments_two_people CHECK (state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)),
    CONSTRAINT ck_finding_adjustments_posted CHECK ((state = 'approved') = (transaction_id IS NOT NULL))
);
-- One open proposal a finding.
CREATE UNIQUE INDEX uq_finding_adjustments_open ON finding_adjustments (finding_id) WHERE state = 'proposed';
CREATE INDEX ix_finding_adjustments_finding ON finding_adjustments (finding_id, id);
CREATE INDEX ix_finding_adjustments_state ON finding_adjustments (tenant_id, state, id);

-- What each run made of each day.
CREATE TABLE recon_days (
    run_id       uuid        NOT NULL REFERENCES recon_runs (id),
    tenant_id    integer     NOT NULL REFERENCES tenants (id),
    provider     text        NOT NULL REFERENCES provider_connections (provider),
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL,
    day          date        NOT NULL,
    currency     text        NOT NULL,
    volume       bigint      NOT NULL,
    matched      bigint      NOT NULL,
    finished_at  timestamptz NOT NULL,
    CONSTRAINT pk_recon_days PRIMARY KEY (run_id, day, currency),
    CONSTRAINT ck_recon_days_matched CHECK (matched BETWEEN 0 AND volume)
);
CREATE INDEX ix_recon_days ON recon_days (tenant_id, day, provider);

-- Append only, for the role that the service works as.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON finding_events, recon_days FROM mizan_app;
    END IF;
END
$$;
