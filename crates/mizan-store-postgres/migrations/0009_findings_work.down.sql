DROP TABLE recon_days, finding_adjustments, finding_events;
ALTER TABLE reconciliation_findings DROP COLUMN settled_by, DROP COLUMN assigned_to;
DROP INDEX ix_findings_event;
