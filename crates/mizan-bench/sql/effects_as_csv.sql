COPY (
    SELECT provider_event_id, provider_ref, kind AS type, (amount / 100.0)::numeric(18, 2) AS amount, currency,
           'settled' AS status, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS occurred_at,
           transaction_id
    FROM provider_effects
    WHERE provider = 'mockpsp' AND occurred_at >= '2026-01-01T00:00:00Z' AND occurred_at < '2026-02-01T00:00:00Z'
) TO STDOUT (FORMAT csv, HEADER)
