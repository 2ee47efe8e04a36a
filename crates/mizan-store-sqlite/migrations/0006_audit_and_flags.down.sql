DROP TABLE flag_overrides;
DROP TABLE audit_log;
