-- Redis carries the ids of due jobs to workers; the row stays the truth. `relayed_at` is when its id was last given to Redis.
-- `lost` counts leases that ran out: a job that takes its workers down with it is given up.
ALTER TABLE outbox ADD COLUMN relayed_at timestamptz, ADD COLUMN lost integer;
CREATE INDEX ix_outbox_unrelayed ON outbox (run_at, id) WHERE state = 'ready' AND relayed_at IS NULL;

-- Runs that are made by the clock. The cron expression gives the borders of the windows, in the time zone; a window is
-- reconciled so many seconds after it has ended. `done_until` is the end of the last window that got its run.
CREATE TABLE recon_schedules (
    provider         text        PRIMARY KEY REFERENCES provider_connections (provider),
    tenant_id        integer     NOT NULL REFERENCES tenants (id),
    cron             text        NOT NULL,
    time_zone        text        NOT NULL,
    settlement_lag_s integer     NOT NULL CONSTRAINT ck_schedules_lag CHECK (settlement_lag_s >= 0),
    catch_up         integer     NOT NULL CONSTRAINT ck_schedules_catch_up CHECK (catch_up > 0),
    done_until       timestamptz NOT NULL,
    next_due_at      timestamptz NOT NULL,
    created_by       text        NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX ix_schedules_due ON recon_schedules (next_due_at);
