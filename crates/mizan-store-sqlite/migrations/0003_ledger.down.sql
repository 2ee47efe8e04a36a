DROP TABLE idempotency_keys;
DROP VIEW wallet_balances;
DROP TABLE chain_blocks;
DROP TABLE reversals;
DROP TABLE journal;
DROP TABLE balances;
DROP TABLE accounts;
