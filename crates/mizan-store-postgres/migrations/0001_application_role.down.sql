-- The role itself stays: other databases of the server may use it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON TABLES FROM mizan_app', current_schema());
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON SEQUENCES FROM mizan_app', current_schema());
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM mizan_app', current_schema());
    END IF;
END
$$;
