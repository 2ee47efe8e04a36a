-- The service works as mizan_app, which may append to the journal but never change or delete a row of it.
-- Roles belong to the whole server, so the role may be there already; a database user that may not make roles
-- gets a notice, and `mizan doctor` says that the journal is not protected by a role.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        CREATE ROLE mizan_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN RAISE NOTICE 'role mizan_app cannot be made by %', current_user;
END
$$;

-- What later migrations create belongs to the role as well, except what they take back.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app') THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO mizan_app', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mizan_app', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO mizan_app', current_schema());
    IF NOT pg_has_role(current_user, 'mizan_app', 'MEMBER') THEN
        EXECUTE format('GRANT mizan_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'role mizan_app cannot be granted by %', current_user;
END
$$;
