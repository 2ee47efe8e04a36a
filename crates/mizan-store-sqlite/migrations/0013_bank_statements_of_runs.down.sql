ALTER TABLE recon_runs DROP COLUMN bank_statement_id;
