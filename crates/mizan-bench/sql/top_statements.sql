SELECT format('%7s ms %8s calls %9s ms each %7s rows  %s', round(total_exec_time), calls, round(mean_exec_time::numeric, 3), rows,
              left(regexp_replace(query, '\s+', ' ', 'g'), 110))
FROM pg_stat_statements WHERE query !~ 'pg_stat_statements' ORDER BY total_exec_time DESC LIMIT 14
