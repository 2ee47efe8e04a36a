DROP TABLE recon_days;
DROP TABLE finding_adjustments;
DROP TABLE finding_events;
DROP INDEX ix_findings_event;
DROP INDEX ix_findings_assigned;
ALTER TABLE reconciliation_findings DROP COLUMN settled_by;
ALTER TABLE reconciliation_findings DROP COLUMN assigned_to;
