DROP TABLE recon_runs;
