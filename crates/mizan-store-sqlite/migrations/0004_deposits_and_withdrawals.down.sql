DROP TABLE payout_attempts;
DROP TABLE withdrawals;
DROP TABLE deposits;
