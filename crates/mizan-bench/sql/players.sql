-- A thousand players who may be sent money; none of them can sign in.
INSERT INTO players (id, tenant_id, email, username, password_hash, created_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, t.id, 'player-' || n || '@example.com',
       'player ' || n, 'none', now()
FROM generate_series(0, 999) AS n, tenants t WHERE t.key = 'default'
