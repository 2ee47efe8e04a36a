-- Who there is: tenants, their staff, their players, their API keys, and the keys that sign tokens.
CREATE TABLE tenants (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text        NOT NULL CONSTRAINT uq_tenants_key UNIQUE
                             CONSTRAINT ck_tenants_key CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name         text        NOT NULL,
    kyc_required boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL
);

CREATE TABLE staff (
    id            uuid        PRIMARY KEY,
    tenant_id     integer     NOT NULL REFERENCES tenants (id),
    email         text        NOT NULL CONSTRAINT uq_staff_email UNIQUE
                              CONSTRAINT ck_staff_email CHECK (email = lower(email)),
    password_hash text        NOT NULL,
    role          text        NOT NULL CONSTRAINT ck_staff_role CHECK (role IN ('owner', 'finance', 'ops', 'auditor')),
    platform      boolean     NOT NULL DEFAULT false,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL
);
CREATE INDEX ix_staff_tenant ON staff (tenant_id, id);

CREATE TABLE players (
    id            uuid        PRIMARY KEY,
    tenant_id     integer     NOT NULL REFERENCES tenants (id),
    email         text        NOT NULL CONSTRAINT ck_players_email CHECK (email = lower(email)),
    username      text        NOT NULL,
    password_hash text        NOT NULL,
    kyc_status    text        NOT NULL DEFAULT 'none'
                              CONSTRAINT ck_players_kyc CHECK (kyc_status IN ('none', 'pending', 'approved', 'rejected')),
    kyc_reviewed_at timestamptz,
    created_at    timestamptz NOT NULL,
    CONSTRAINT uq_players_email UNIQUE (tenant_id, email)
);
CREATE INDEX ix_players_tenant ON players (tenant_id, id);
CREATE INDEX ix_players_email ON players (email);

CREATE TABLE api_keys (
    id         uuid        PRIMARY KEY,
    tenant_id  integer     NOT NULL REFERENCES tenants (id),
    name       text        NOT NULL,
    prefix     text        NOT NULL CONSTRAINT uq_api_keys_prefix UNIQUE,
    hash       bytea       NOT NULL CONSTRAINT ck_api_keys_hash CHECK (octet_length(hash) = 32),
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX ix_api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE signing_keys (
    kid        text        PRIMARY KEY,
    secret     bytea       NOT NULL CONSTRAINT ck_signing_keys_secret CHECK (octet_length(secret) >= 32),
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);

CREATE TABLE provider_connections (
    provider         text        PRIMARY KEY CONSTRAINT ck_connections_provider CHECK (provider ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    tenant_id        integer     NOT NULL REFERENCES tenants (id),
    kind             text        NOT NULL,
    merchant_account text,
    base_url         text,
    created_at       timestamptz NOT NULL
);
CREATE INDEX ix_connections_tenant ON provider_connections (tenant_id, provider);
