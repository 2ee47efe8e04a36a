CREATE TABLE deposits (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id    INTEGER NOT NULL REFERENCES tenants (id),
    player_id    TEXT    NOT NULL REFERENCES players (id),
    amount       INTEGER NOT NULL CONSTRAINT ck_deposits_amount CHECK (typeof(amount) = 'integer' AND amount > 0),
    currency     TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    provider     TEXT    REFERENCES provider_connections (provider),
    provider_ref TEXT,
    state        TEXT    NOT NULL CONSTRAINT ck_deposits_state CHECK (state IN (
                     'initiated', 'authorized', 'failed', 'captured', 'refunded', 'charged_back')),
    refunded     INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_deposits_refunded CHECK (refunded >= 0),
    charged_back INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_deposits_charged_back CHECK (charged_back >= 0),
    created_at   TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    captured_at  TEXT    CHECK (captured_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at   TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT uq_deposits_provider_ref UNIQUE (provider, provider_ref),
    CONSTRAINT ck_deposits_given_back CHECK (refunded + charged_back <= amount)
) STRICT;
CREATE INDEX ix_deposits_tenant ON deposits (tenant_id, id);
CREATE INDEX ix_deposits_player ON deposits (tenant_id, player_id, id);

CREATE TABLE withdrawals (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    player_id     TEXT    NOT NULL REFERENCES players (id),
    amount        INTEGER NOT NULL CONSTRAINT ck_withdrawals_amount CHECK (typeof(amount) = 'integer' AND amount > 0),
    currency      TEXT    NOT NULL,
    method        TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    state         TEXT    NOT NULL CONSTRAINT ck_withdrawals_state CHECK (state IN (
                      'requested', 'approved', 'rejected', 'cancelled', 'payout_pending', 'payout_unknown',
                      'payout_failed', 'paid')),
    provider      TEXT    REFERENCES provider_connections (provider),
    balance_after INTEGER NOT NULL CONSTRAINT ck_withdrawals_balance_after CHECK (balance_after >= 0),
    requested_by  TEXT    NOT NULL,
    reviewed_by   TEXT,
    reviewed_at   TEXT    CHECK (reviewed_at GLOB '????-??-??T??:??:??.??????Z'),
    reason        TEXT,
    paid_at       TEXT    CHECK (paid_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at    TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at    TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_withdrawals_tenant ON withdrawals (tenant_id, id);
CREATE INDEX ix_withdrawals_state ON withdrawals (tenant_id, state, id);
CREATE INDEX ix_withdrawals_player ON withdrawals (tenant_id, player_id, id);
CREATE INDEX ix_withdrawals_provider ON withdrawals (tenant_id, provider, id) WHERE provider IS NOT NULL;
CREATE INDEX ix_withdrawals_open ON withdrawals (player_id, currency) WHERE state NOT IN ('rejected', 'cancelled', 'paid');

CREATE TABLE payout_attempts (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    withdrawal_id TEXT    NOT NULL REFERENCES withdrawals (id),
    number        INTEGER NOT NULL CONSTRAINT ck_attempts_number CHECK (number > 0),
    provider      TEXT    NOT NULL REFERENCES provider_connections (provider),
    provider_key  TEXT    NOT NULL,
    provider_ref  TEXT,
    state         TEXT    NOT NULL CONSTRAINT ck_attempts_state CHECK (state IN ('open', 'paid', 'failed')),
    error         TEXT,
    created_at    TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at    TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT uq_attempts_number UNIQUE (withdrawal_id, number),
    CONSTRAINT uq_attempts_provider_key UNIQUE (provider, provider_key)
) STRICT;
-- One open attempt per withdrawal, and one that paid.
CREATE UNIQUE INDEX uq_attempts_open ON payout_attempts (withdrawal_id) WHERE state = 'open';
CREATE UNIQUE INDEX uq_attempts_paid ON payout_attempts (withdrawal_id) WHERE state = 'paid';
