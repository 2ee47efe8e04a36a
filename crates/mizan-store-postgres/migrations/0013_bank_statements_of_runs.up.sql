-- The bank statement in which a run looks for the payouts of its statement.
ALTER TABLE recon_runs ADD COLUMN bank_statement_id uuid;
