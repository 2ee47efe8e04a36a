CREATE TABLE deposits (
    id           uuid        PRIMARY KEY,
    tenant_id    integer     NOT NULL REFERENCES tenants (id),
    player_id    uuid        NOT NULL REFERENCES players (id),
    amount       bigint      NOT NULL CONSTRAINT ck_deposits_amount CHECK (amount > 0),
    currency     text        NOT NULL,
    method       text        NOT NULL,
    provider     text        REFERENCES provider_connections (provider),
    provider_ref text,
    state        text        NOT NULL CONSTRAINT ck_deposits_state CHECK (state IN (
                     'initiated', 'authorized', 'failed', 'captured', 'refunded', 'charged_back')),
    refunded     bigint      NOT NULL DEFAULT 0 CONSTRAINT ck_deposits_refunded CHECK (refunded >= 0),
    charged_back bigint      NOT NULL DEFAULT 0 CONSTRAINT ck_deposits_charged_back CHECK (charged_back >= 0),
    created_at   timestamptz NOT NULL,
    captured_at  timestamptz,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT uq_deposits_provider_ref UNIQUE (provider, provider_ref),
    CONSTRAINT ck_deposits_given_back CHECK (refunded + charged_back <= amount)
);
CREATE INDEX ix_deposits_tenant ON deposits (tenant_id, id);
CREATE INDEX ix_deposits_player ON deposits (tenant_id, player_id, id);

CREATE TABLE withdrawals (
    id            uuid        PRIMARY KEY,
    tenant_id     integer     NOT NULL REFERENCES tenants (id),
    player_id     uuid        NOT NULL REFERENCES players (id),
    amount        bigint      NOT NULL CONSTRAINT ck_withdrawals_amount CHECK (amount > 0),
    currency      text        NOT NULL,
    method        text        NOT NULL,
    address       text        NOT NULL,
    state         text        NOT NULL CONSTRAINT ck_withdrawals_state CHECK (state IN (
                      'requested', 'approved', 'rejected', 'cancelled', 'payout_pending', 'payout_unknown',
                      'payout_failed', 'paid')),
    provider      text        REFERENCES provider_connections (provider),
    balance_after bigint      NOT NULL CONSTRAINT ck_withdrawals_balance_after CHECK (balance_after >= 0),
    requested_by  text        NOT NULL,
    reviewed_by   text,
    reviewed_at   timestamptz,
    reason        text,
    paid_at       timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE INDEX ix_withdrawals_tenant ON withdrawals (tenant_id, id);
CREATE INDEX ix_withdrawals_state ON withdrawals (tenant_id, state, id);
CREATE INDEX ix_withdrawals_player ON withdrawals (tenant_id, player_id, id);
CREATE INDEX ix_withdrawals_provider ON withdrawals (tenant_id, provider, id) WHERE provider IS NOT NULL;
CREATE INDEX ix_withdrawals_open ON withdrawals (player_id, currency) WHERE state NOT IN ('rejected', 'cancelled', 'paid');

CREATE TABLE payout_attempts (
    id            uuid        PRIMARY KEY,
    tenant_id     integer     NOT NULL REFERENCES tenants (id),
    withdrawal_id uuid        NOT NULL REFERENCES withdrawals (id),
    number        integer     NOT NULL CONSTRAINT ck_attempts_number CHECK (number > 0),
    provider      text        NOT NULL REFERENCES provider_connections (provider),
    provider_key  text        NOT NULL,
    provider_ref  text,
    state         text        NOT NULL CONSTRAINT ck_attempts_state CHECK (state IN ('open', 'paid', 'failed')),
    error         text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT uq_attempts_number UNIQUE (withdrawal_id, number),
    CONSTRAINT uq_attempts_provider_key UNIQUE (provider, provider_key)
);
-- One open attempt per withdrawal, and one that paid.
CREATE UNIQUE INDEX uq_attempts_open ON payout_attempts (withdrawal_id) WHERE state = 'open';
CREATE UNIQUE INDEX uq_attempts_paid ON payout_attempts (withdrawal_id) WHERE state = 'paid';
