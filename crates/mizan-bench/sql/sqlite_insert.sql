INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, fingerprint, posted_at)
VALUES (?1, ?2, 0, 'transfer', ?3, ?4, ?5, 'TRY', ?6, ?7)
