-- What people need to work through findings: who has one, what was said and done, and corrections of the ledger.
ALTER TABLE reconciliation_findings ADD COLUMN assigned_to TEXT REFERENCES staff (id);
ALTER TABLE reconciliation_findings ADD COLUMN settled_by TEXT CHECK (length(settled_by) = 36);
CREATE INDEX ix_findings_assigned ON reconciliation_findings (tenant_id, assigned_to, id) WHERE assigned_to IS NOT NULL;
CREATE INDEX ix_findings_event ON reconciliation_findings (tenant_id, provider_event_id);

CREATE TABLE finding_events (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant_id  INTEGER NOT NULL REFERENCES tenants (id),
    finding_id TEXT    NOT NULL REFERENCES reconciliation_findings (id),
    kind       TEXT    NOT NULL CONSTRAINT ck_finding_events_kind CHECK (kind IN ('comment', 'status', 'assignment', 'adjustment')),
    actor      TEXT    NOT NULL,
    from_value TEXT,
    to_value   TEXT,
    text       TEXT,
    at         TEXT    NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_finding_events ON finding_events (finding_id, id);

CREATE TABLE finding_adjustments (
    id                TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    finding_id        TEXT    NOT NULL REFERENCES reconciliation_findings (id),
    debit_account_id  INTEGER NOT NULL REFERENCES accounts (id),
    credit_account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount            INTEGER NOT NULL CONSTRAINT ck_finding_adjustments_amount CHECK (amount > 0),
    currency          TEXT    NOT NULL,
    reason            TEXT    NOT NULL,
    state             TEXT    NOT NULL CONSTRAINT ck_finding_adjustments_state CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by       TEXT    NOT NULL,
    proposed_at       TEXT    NOT NULL CHECK (proposed_at GLOB '????-??-??T??:??:??.??????Z'),
    decided_by        TEXT,
    decided_at        TEXT    CHECK (decided_at GLOB '????-??-??T??:??:??.??????Z'),
    decision_reason   TEXT,
    transaction_id    TEXT    CHECK (length(transaction_id) = 36),
    CONSTRAINT ck_finding_adjustments_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT ck_finding_adjustments_two_people CHECK (state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)),
    CONSTRAINT ck_finding_adjustments_posted CHECK ((state = 'approved') = (transaction_id IS NOT NULL))
) STRICT;
-- One open proposal a finding.
CREATE UNIQUE INDEX uq_finding_adjustments_open ON finding_adjustments (finding_id) WHERE state = 'proposed';
CREATE INDEX ix_finding_adjustments_finding ON finding_adjustments (finding_id, id);
CREATE INDEX ix_finding_adjustments_state ON finding_adjustments (tenant_id, state, id);

-- What each run made of each day.
CREATE TABLE recon_days (
    run_id       TEXT    NOT NULL REFERENCES recon_runs (id),
    tenant_id    INTEGER NOT NULL REFERENCES tenants (id),
    provider     TEXT    NOT NULL REFERENCES provider_connections (provider),
    window_start TEXT    NOT NULL CHECK (window_start GLOB '????-??-??T??:??:??.??????Z'),
    window_end   TEXT    NOT NULL CHECK (window_end GLOB '????-??-??T??:??:??.??????Z'),
    day          TEXT    NOT NULL CHECK (day GLOB '????-??-??'),
    currency     TEXT    NOT NULL,
    volume       INTEGER NOT NULL,
    matched      INTEGER NOT NULL,
    finished_at  TEXT    NOT NULL CHECK (finished_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT pk_recon_days PRIMARY KEY (run_id, day, currency),
    CONSTRAINT ck_recon_days_matched CHECK (matched BETWEEN 0 AND volume)
) STRICT;
CREATE INDEX ix_recon_days ON recon_days (tenant_id, day, provider);
