//! The outbox: jobs as rows of the transaction that asks for them.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::outbox::{Held, NewJob, Outbox};
use mizan_store::{Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::stamp;
use crate::statement::{execute, execute_one, statements, value};
use crate::tx::SqliteTx;

statements! {
    END_HELD = "
        UPDATE outbox SET state = 'done', finished_at = ?4, lease_until = NULL, worker = NULL, error = NULL
        WHERE id = ?1 AND token = ?2 AND tenant_id = ?3 AND state = 'ready' AND lease_until IS NOT NULL";

    INSERT_JOB = "
        INSERT INTO outbox (tenant_id, kind, job, run_at, request_id, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    HOLD_JOB = "
        SELECT EXISTS (
            SELECT 1 FROM outbox
            WHERE tenant_id = ?1 AND id = ?2 AND token = ?3 AND state = 'ready' AND lease_until IS NOT NULL)";
}

#[async_trait]
impl Outbox for SqliteTx {
    async fn enqueue(&mut self, job: &NewJob) -> Result<()> {
        self.enqueue_all(std::slice::from_ref(job)).await
    }

    async fn enqueue_all(&mut self, jobs: &[NewJob]) -> Result<()> {
        let jobs = jobs.to_vec();
        self.within(move |db, tenant| jobs.iter().try_for_each(|it| insert(db, tenant, it)))
            .await
    }

    async fn end_done(&mut self, held: &[Held], at: Timestamp) -> Result<u64> {
        let held = held.to_vec();
        self.within(move |db, tenant| {
            let mut ended = 0;
            for it in held {
                ended += execute(db, &END_HELD, params![it.id, it.token, tenant, stamp(at)])?;
            }
            Ok(ended)
        })
        .await
    }

    async fn hold_job(&mut self, id: i64, token: i64) -> Result<bool> {
        self.within(move |db, tenant| value(db, &HOLD_JOB, params![tenant, id, token]))
            .await
    }
}

fn insert(db: &Connection, tenant: i32, job: &NewJob) -> Result<()> {
    let json = serde_json::to_string(&job.job).map_err(|error| StoreError::Database(error.into()))?;
    let params = params![
        tenant,
        job.job.kind(),
        json,
        stamp(job.run_at),
        job.request_id,
        stamp(job.created_at)
    ];
    execute_one(db, &INSERT_JOB, params)
}
