SELECT coalesce(string_agg(state || '=' || n, ' ' ORDER BY state), '') FROM (
    SELECT state, count(*) AS n FROM webhook_events GROUP BY state) AS counted
