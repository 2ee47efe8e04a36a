-- Redis carries the ids of due jobs to workers; the row stays the truth. `relayed_at` is when its id was last given to Redis.
-- `lost` counts leases that ran out: a job that takes its workers down with it is given up.
ALTER TABLE outbox ADD COLUMN relayed_at TEXT CHECK (relayed_at GLOB '????-??-??T??:??:??.??????Z');
ALTER TABLE outbox ADD COLUMN lost INTEGER;
CREATE INDEX ix_outbox_unrelayed ON outbox (run_at, id) WHERE state = 'ready' AND relayed_at IS NULL;

-- Runs that are made by the clock. The cron expression gives the borders of the windows, in the time zone; a window is
-- reconciled so many seconds after it has ended. `done_until` is the end of the last window that got its run.
CREATE TABLE recon_schedules (
    provider         TEXT    NOT NULL PRIMARY KEY REFERENCES provider_connections (provider),
    tenant_id        INTEGER NOT NULL REFERENCES tenants (id),
    cron             TEXT    NOT NULL,
    time_zone        TEXT    NOT NULL,
    settlement_lag_s INTEGER NOT NULL CONSTRAINT ck_schedules_lag CHECK (settlement_lag_s >= 0),
    catch_up         INTEGER NOT NULL CONSTRAINT ck_schedules_catch_up CHECK (catch_up > 0),
    done_until       TEXT    NOT NULL CHECK (done_until GLOB '????-??-??T??:??:??.??????Z'),
    next_due_at      TEXT    NOT NULL CHECK (next_due_at GLOB '????-??-??T??:??:??.??????Z'),
    created_by       TEXT    NOT NULL,
    created_at       TEXT    NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    updated_at       TEXT    NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX ix_schedules_due ON recon_schedules (next_due_at);
