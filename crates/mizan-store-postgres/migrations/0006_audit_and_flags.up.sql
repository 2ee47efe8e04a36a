CREATE TABLE audit_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    integer     NOT NULL REFERENCES tenants (id),
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,
    actor_role   text,
    action       text        NOT NULL,
    subject_type text        NOT NULL,
    subject_id   text        NOT NULL,
    from_state   text,
    to_state     text,
    reason       text,
    request_id   text,
    details      text
);
CREATE INDEX ix_audit_tenant ON audit_log (tenant_id, id);
CREATE INDEX ix_audit_subject ON audit_log (tenant_id, subject_type, subject_id, id);

CREATE TABLE flag_overrides (
    tenant_id integer     NOT NULL REFERENCES tenants (id),
    flag      text        NOT NULL,
    value     boolean     NOT NULL,
    reason    text        NOT NULL,
    set_by    text        NOT NULL,
    set_at    timestamptz NOT NULL,
    CONSTRAINT pk_flag_overrides PRIMARY KEY (tenant_id, flag)
);

-- Append only, for the role that the service works as.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM mizan_app;
    END IF;
END
$$;
