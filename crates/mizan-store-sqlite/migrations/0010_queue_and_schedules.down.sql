DROP TABLE recon_schedules;
DROP INDEX ix_outbox_unrelayed;
ALTER TABLE outbox DROP COLUMN lost;
ALTER TABLE outbox DROP COLUMN relayed_at;
