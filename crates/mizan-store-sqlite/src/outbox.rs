//! The outbox: jobs as rows of the transaction that asks for them.

use async_trait::async_trait;
use mizan_store::outbox::{NewJob, Outbox};
use mizan_store::{Result, StoreError};
use rusqlite::params;

use crate::cells::stamp;
use crate::statement::{execute_one, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_JOB = "
        INSERT INTO outbox (tenant_id, kind, job, run_at, request_id, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
}

#[async_trait]
impl Outbox for SqliteTx {
    async fn enqueue(&mut self, job: &NewJob) -> Result<()> {
        let job = job.clone();
        let json = serde_json::to_string(&job.job).map_err(|error| StoreError::Database(error.into()))?;
        self.within(move |db, tenant| {
            let params = params![
                tenant,
                job.job.kind(),
                json,
                stamp(job.run_at),
                job.request_id,
                stamp(job.created_at)
            ];
            execute_one(db, &INSERT_JOB, params)
        })
        .await
    }
}
