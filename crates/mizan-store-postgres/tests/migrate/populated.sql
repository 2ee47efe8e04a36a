-- At least one row in each table, with a ledger that adds up: 100.00 in, 30.00 held.
INSERT INTO tenants (key, name, kyc_required, created_at) VALUES ('acme', 'Acme', false, '2026-01-02T03:04:05.000000Z');
INSERT INTO staff (id, tenant_id, email, password_hash, role, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 1, 'owner@example.com', 'x', 'owner', '2026-01-02T03:04:05.000000Z');
INSERT INTO players (id, tenant_id, email, username, password_hash, created_at)
VALUES ('00000000-0000-7000-8000-000000000002', 1, 'player@example.com', 'player', 'x', '2026-01-02T03:04:05.000000Z');
INSERT INTO api_keys (id, tenant_id, name, prefix, hash, scopes, created_at)
VALUES ('00000000-0000-7000-8000-000000000003', 1, 'shop', 'mz_1', decode(repeat('ab', 32), 'hex'), '{ledger}', '2026-01-02T03:04:05.000000Z');
INSERT INTO signing_keys (kid, secret, created_at) VALUES ('k1', decode(repeat('ab', 32), 'hex'), '2026-01-02T03:04:05.000000Z');
INSERT INTO provider_connections (provider, tenant_id, kind, created_at) VALUES ('mockpsp', 1, 'mockpsp', '2026-01-02T03:04:05.000000Z');
INSERT INTO accounts (tenant_id, code, kind, currency, player_id, may_go_negative, created_at) VALUES
    (1, 'wallet:00000000-0000-7000-8000-000000000002:available', 'available', 'TRY', '00000000-0000-7000-8000-000000000002', false, '2026-01-02T03:04:05.000000Z'),
    (1, 'wallet:00000000-0000-7000-8000-000000000002:held', 'held', 'TRY', '00000000-0000-7000-8000-000000000002', false, '2026-01-02T03:04:05.000000Z'),
    (1, 'psp:mockpsp', 'psp_clearing', 'TRY', NULL, true, '2026-01-02T03:04:05.000000Z');
INSERT INTO balances (account_id, tenant_id, posted, may_go_negative, version) VALUES
    (1, 1, 7000, false, 2), (2, 1, 3000, false, 1), (3, 1, -10000, true, 1);
INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency, fingerprint, posted_at) VALUES
    (1, '00000000-0000-7000-8000-000000000010', 0, 'deposit', 3, 1, 10000, 'TRY', decode('ab', 'hex'), '2026-01-02T03:04:05.000000Z'),
    (1, '00000000-0000-7000-8000-000000000011', 0, 'withdraw_hold', 1, 2, 3000, 'TRY', decode('ab', 'hex'), '2026-01-02T03:04:06.000000Z');
INSERT INTO transactions (first_seq, last_seq, transaction_id, tenant_id, legs, fingerprint) VALUES
    (1, 1, '00000000-0000-7000-8000-000000000010', 1, 1, decode('ab', 'hex')),
    (2, 2, '00000000-0000-7000-8000-000000000011', 1, 1, decode('ab', 'hex'));
INSERT INTO reversals (tenant_id, original_id, reversal_id)
VALUES (1, '00000000-0000-7000-8000-000000000010', '00000000-0000-7000-8000-000000000012');
INSERT INTO chain_blocks (no, from_seq, to_seq, leaves, previous, hash, sealed_at)
VALUES (1, 1, 2, decode(repeat('ab', 48), 'hex'), decode(repeat('00', 32), 'hex'), decode(repeat('ab', 32), 'hex'), '2026-01-02T03:04:05.000000Z');
INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, status, reply, created_at)
VALUES (1, 'POST /x', 'k', decode('ab', 'hex'), 200, '{}', '2026-01-02T03:04:05.000000Z');
INSERT INTO deposits (id, tenant_id, player_id, amount, currency, method, provider, provider_ref, state, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000020', 1, '00000000-0000-7000-8000-000000000002', 10000, 'TRY', 'card', 'mockpsp', 'ref1', 'captured', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO withdrawals (id, tenant_id, player_id, amount, currency, method, address, state, provider, balance_after, requested_by, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000021', 1, '00000000-0000-7000-8000-000000000002', 3000, 'TRY', 'iban', 'TR00', 'payout_pending', 'mockpsp', 7000, 'player', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO payout_attempts (id, tenant_id, withdrawal_id, number, provider, provider_key, state, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000022', 1, '00000000-0000-7000-8000-000000000021', 1, 'mockpsp', 'key1', 'open', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO webhook_events (id, tenant_id, provider, provider_event_id, event_type, headers, body, signature, state, received_at)
VALUES ('00000000-0000-7000-8000-000000000023', 1, 'mockpsp', 'evt1', 'deposit_captured', '{}', decode('ab', 'hex'), 'valid', 'applied', '2026-01-02T03:04:05.000000Z');
INSERT INTO provider_effects (tenant_id, provider, provider_event_id, kind, amount, currency, occurred_at, transaction_id, created_at)
VALUES (1, 'mockpsp', 'evt1', 'deposit', 10000, 'TRY', '2026-01-02T03:04:05.000000Z', '00000000-0000-7000-8000-000000000010', '2026-01-02T03:04:05.000000Z');
INSERT INTO outbox (tenant_id, kind, job, run_at, created_at)
VALUES (1, 'payout', '{}', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO audit_log (tenant_id, at, actor, action, subject_type, subject_id)
VALUES (1, '2026-01-02T03:04:05.000000Z', 'owner@example.com', 'review', 'withdrawal', '1');
INSERT INTO flag_overrides (tenant_id, flag, value, reason, set_by, set_at)
VALUES (1, 'LEDGER_ENFORCE_BALANCE', true, 'pilot', 'owner@example.com', '2026-01-02T03:04:05.000000Z');
INSERT INTO recon_runs (id, tenant_id, provider, window_start, window_end, dry_run, fingerprint, status, created_by, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000030', 1, 'mockpsp', '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z', false, decode('ab', 'hex'), 'completed', 'ops', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO reconciliation_findings (id, tenant_id, provider, provider_event_id, finding_type, severity, status, details, run_id, last_run_id, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000031', 1, 'mockpsp', 'evt2', 'missing_in_ledger', 'ERROR', 'OPEN', '{}', '00000000-0000-7000-8000-000000000030', '00000000-0000-7000-8000-000000000030', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO finding_events (tenant_id, finding_id, kind, actor, text, at)
VALUES (1, '00000000-0000-7000-8000-000000000031', 'comment', 'staff:00000000-0000-7000-8000-000000000001', 'asked the PSP', '2026-01-02T03:04:05.000000Z');
INSERT INTO finding_adjustments (id, tenant_id, finding_id, debit_account_id, credit_account_id, amount, currency, reason, state, proposed_by, proposed_at)
VALUES ('00000000-0000-7000-8000-000000000032', 1, '00000000-0000-7000-8000-000000000031', 3, 1, 100, 'TRY', 'agreed', 'proposed', 'staff:00000000-0000-7000-8000-000000000001', '2026-01-02T03:04:05.000000Z');
INSERT INTO recon_days (run_id, tenant_id, provider, window_start, window_end, day, currency, volume, matched, finished_at)
VALUES ('00000000-0000-7000-8000-000000000030', 1, 'mockpsp', '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z', '2026-01-01', 'TRY', 10000, 10000, '2026-01-02T03:04:05.000000Z');
INSERT INTO recon_schedules (provider, tenant_id, cron, time_zone, settlement_lag_s, catch_up, done_until, next_due_at, created_by, created_at, updated_at)
VALUES ('mockpsp', 1, '0 0 * * *', 'Europe/Istanbul', 3600, 7, '2026-01-01T21:00:00.000000Z', '2026-01-02T22:00:00.000000Z', 'ops', '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z');
INSERT INTO statements (id, tenant_id, provider, name, version, format, sha256, bytes, object_key, rows_read, rows_quarantined, checks, uploaded_by, created_at)
VALUES ('00000000-0000-7000-8000-000000000033', 1, 'mockpsp', 'january.csv', 1, 'generic', 'abababababababababababababababababababababababababababababababab', 1, 'statements/1/ab', 1, 0, '[]', 'ops', '2026-01-02T03:04:05.000000Z');
