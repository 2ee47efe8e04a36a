CREATE TABLE audit_log (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id    INTEGER NOT NULL REFERENCES tenants (id),
    at           TEXT    NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
    actor        TEXT    NOT NULL,
    actor_role   TEXT,
    action       TEXT    NOT NULL,
    subject_type TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    from_state   TEXT,
    to_state     TEXT,
    reason       TEXT,
    request_id   TEXT,
    details      TEXT
) STRICT;
CREATE INDEX ix_audit_tenant ON audit_log (tenant_id, id);
CREATE INDEX ix_audit_subject ON audit_log (tenant_id, subject_type, subject_id, id);

CREATE TABLE flag_overrides (
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    flag      TEXT    NOT NULL,
    value     INTEGER NOT NULL CHECK (value IN (0, 1)),
    reason    TEXT    NOT NULL,
    set_by    TEXT    NOT NULL,
    set_at    TEXT    NOT NULL CHECK (set_at GLOB '????-??-??T??:??:??.??????Z'),
    CONSTRAINT pk_flag_overrides PRIMARY KEY (tenant_id, flag)
) STRICT, WITHOUT ROWID;
