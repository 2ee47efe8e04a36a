-- Who there is: tenants, their staff, their players, their API keys, and the keys that sign tokens.
--
-- Every table is STRICT. Ids are lower-case hyphenated text; times are UTC text of one width, so that they sort
-- as text; booleans are 0 and 1.
CREATE TABLE tenants (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT    NOT NULL CONSTRAINT uq_tenants_key UNIQUE
                         CONSTRAINT ck_tenants_key CHECK (length(key) BETWEEN 1 AND 63 AND key GLOB '[a-z0-9]*' AND key NOT GLOB '*[^a-z0-9_-]*'),
    name         TEXT    NOT NULL,
    kyc_required INTEGER NOT NULL DEFAULT 0 CHECK (kyc_required IN (0, 1)),
    created_at   TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE TABLE staff (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    email         TEXT    NOT NULL CONSTRAINT uq_staff_email UNIQUE
                          CONSTRAINT ck_staff_email CHECK (email = lower(email)),
    password_hash TEXT    NOT NULL,
    role          TEXT    NOT NULL CONSTRAINT ck_staff_role CHECK (role IN ('owner', 'finance', 'ops', 'auditor')),
    platform      INTEGER NOT NULL DEFAULT 0 CHECK (platform IN (0, 1)),
    disabled_at   TEXT    CHECK (disabled_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at    TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_staff_tenant ON staff (tenant_id, id);

CREATE TABLE players (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    email         TEXT    NOT NULL CONSTRAINT ck_players_email CHECK (email = lower(email)),
    username      TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    kyc_status    TEXT    NOT NULL DEFAULT 'none'
                          CONSTRAINT ck_players_kyc CHECK (kyc_status IN ('none', 'pending', 'approved', 'rejected')),
    kyc_reviewed_at TEXT  CHECK (kyc_reviewed_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at    TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT uq_players_email UNIQUE (tenant_id, email)
) STRICT;
CREATE INDEX ix_players_tenant ON players (tenant_id, id);
CREATE INDEX ix_players_email ON players (email);

CREATE TABLE api_keys (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36 AND id = lower(id)),
    tenant_id  INTEGER NOT NULL REFERENCES tenants (id),
    name       TEXT    NOT NULL,
    prefix     TEXT    NOT NULL CONSTRAINT uq_api_keys_prefix UNIQUE,
    hash       BLOB    NOT NULL CONSTRAINT ck_api_keys_hash CHECK (length(hash) = 32),
    -- A JSON list of texts.
    scopes     TEXT    NOT NULL CONSTRAINT ck_api_keys_scopes CHECK (json_valid(scopes)),
    created_at TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    revoked_at TEXT    CHECK (revoked_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_api_keys_tenant ON api_keys (tenant_id, id);

CREATE TABLE signing_keys (
    kid        TEXT    NOT NULL PRIMARY KEY,
    secret     BLOB    NOT NULL CONSTRAINT ck_signing_keys_secret CHECK (length(secret) >= 32),
    created_at TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    retired_at TEXT    CHECK (retired_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE TABLE provider_connections (
    provider         TEXT    NOT NULL PRIMARY KEY CONSTRAINT ck_connections_provider CHECK (length(provider) BETWEEN 1 AND 63 AND provider GLOB '[a-z0-9]*' AND provider NOT GLOB '*[^a-z0-9_-]*'),
    tenant_id        INTEGER NOT NULL REFERENCES tenants (id),
    kind             TEXT    NOT NULL,
    merchant_account TEXT,
    base_url         TEXT,
    created_at       TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_connections_tenant ON provider_connections (tenant_id, provider);
