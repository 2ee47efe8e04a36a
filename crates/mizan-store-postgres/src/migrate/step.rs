//! One step: its SQL and its record in one transaction, or statement by statement where the file asks for it.

use std::time::Duration;

use mizan_store::migrate::{MigrateError, Step, runs_outside_transaction, split};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::{DIALECT, lock, refused};

/// What [`DIALECT`] sets.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
const SET_LOCK_TIMEOUT: &str = "SET lock_timeout = '3s'";
const RESET_LOCK_TIMEOUT: &str = "RESET lock_timeout";

/// Other sessions that hold locks on tables of this schema, the longest transaction first.
const BLOCKERS: &str = "\
SELECT a.pid,
       coalesce(nullif(a.application_name, ''), 'no application name'),
       coalesce(a.state, 'state not visible'),
       string_agg(DISTINCT c.relname::text, ', ')
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.granted
  AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname = current_schema()
  AND c.relkind IN ('r', 'p', 'v')
GROUP BY a.pid, a.application_name, a.state, a.xact_start
ORDER BY a.xact_start
LIMIT 3";

pub(super) async fn run(client: &Client, step: &Step) -> Result<(), MigrateError> {
    if runs_outside_transaction(step.sql()) {
        return one_by_one(client, step).await;
    }
    client.batch_execute(DIALECT.begin).await.map_err(refused)?;
    let outcome = in_transaction(client, step).await;
    if outcome.is_err() && !client.is_closed() {
        client.batch_execute("ROLLBACK").await.map_err(refused)?;
    }
    match outcome {
        Err(Failure::Sql(error)) => Err(explain(client, step, error).await),
        Err(Failure::Other(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

enum Failure {
    Sql(Error),
    Other(MigrateError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

async fn in_transaction(client: &Client, step: &Step) -> Result<(), Failure> {
    lock::check_still_mine(client).await.map_err(Failure::Other)?;
    client.batch_execute(step.sql()).await?;
    client.batch_execute(&DIALECT.record(step)).await?;
    client.batch_execute(DIALECT.commit).await?;
    Ok(())
}

/// `CREATE INDEX CONCURRENTLY` and its like: several statements sent as one would share a transaction.
async fn one_by_one(client: &Client, step: &Step) -> Result<(), MigrateError> {
    lock::check_still_mine(client).await?;
    client.batch_execute(SET_LOCK_TIMEOUT).await.map_err(refused)?;
    let statements = split(step.sql());
    for (index, statement) in statements.iter().enumerate() {
        if let Err(source) = client.batch_execute(statement).await {
            client.batch_execute(RESET_LOCK_TIMEOUT).await.map_err(refused)?;
            return Err(MigrateError::Statement {
                step: step.to_string(),
                number: index + 1,
                count: statements.len(),
                statement: (*statement).to_owned(),
                source: Box::new(source),
            });
        }
    }
    client.batch_execute(RESET_LOCK_TIMEOUT).await.map_err(refused)?;
    client.batch_execute(&DIALECT.record(step)).await.map_err(refused)
}

async fn explain(client: &Client, step: &Step, error: Error) -> MigrateError {
    if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
        return match error.code() {
            Some(_) => MigrateError::Step {
                step: step.to_string(),
                source: Box::new(error),
            },
            None => MigrateError::Unreachable(Box::new(error)),
        };
    }
    let sessions = match client.query(BLOCKERS, &[]).await {
        Ok(rows) => rows,
        Err(error) => return refused(error),
    };
    let mut words: Vec<_> = sessions
        .iter()
        .map(|row| {
            let (pid, name, state, tables): (i32, String, String, String) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            format!("pid {pid} ({name}, {state}) holds {tables}")
        })
        .collect();
    if words.is_empty() {
        words.push("who held it is gone".to_owned());
    }
    MigrateError::Busy {
        step: step.to_string(),
        waited: LOCK_TIMEOUT,
        blockers: words.join("; "),
    }
}
