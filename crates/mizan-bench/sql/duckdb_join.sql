COPY (
    SELECT coalesce(s.provider_event_id, l.provider_event_id) AS provider_event_id,
           CASE WHEN l.provider_event_id IS NULL THEN 'missing_in_ledger'
                WHEN s.provider_event_id IS NULL THEN 'missing_in_psp'
                ELSE 'amount_mismatch' END AS finding,
           s.amount AS statement_amount, l.amount AS ledger_amount, coalesce(s.currency, l.currency) AS currency
    FROM read_csv('{statement}', header = true, columns = {'provider_event_id': 'VARCHAR', 'provider_ref': 'VARCHAR',
             'type': 'VARCHAR', 'amount': 'DECIMAL(18, 2)', 'currency': 'VARCHAR', 'status': 'VARCHAR', 'occurred_at': 'TIMESTAMPTZ'}) AS s
    FULL OUTER JOIN read_csv('{ledger}', header = true, columns = {'provider_event_id': 'VARCHAR', 'provider_ref': 'VARCHAR',
             'type': 'VARCHAR', 'amount': 'DECIMAL(18, 2)', 'currency': 'VARCHAR', 'status': 'VARCHAR', 'occurred_at': 'TIMESTAMPTZ',
             'transaction_id': 'VARCHAR'}) AS l
        ON s.provider_event_id = l.provider_event_id
    WHERE s.provider_event_id IS NULL OR l.provider_event_id IS NULL
       OR s.amount <> l.amount OR s.currency <> l.currency OR s.status <> l.status OR s.type <> l.type
) TO '{out}' (HEADER, DELIMITER ',')
