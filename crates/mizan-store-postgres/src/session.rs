//! One open transaction on one pooled connection: how statements are run, and how it ends.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use futures::future::try_join;
use mizan_store::{Page, Paged, Result, StoreError};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, RowStream};

use crate::error::{is_stale_plan, store_error};
use crate::listing::{Bounds, Key};
use crate::pool::{BEGIN_WRITE, Lease};

/// How long an undone transaction may take to undo itself before its connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(5);

pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A transaction. Dropping it undoes it; its connection goes back into the pool only once that has happened.
pub(crate) struct Session {
    pub(crate) lease: Lease,
    /// How long one statement may take before the server counts as gone.
    pub(crate) patience: Option<Duration>,
    /// One of the `BEGIN_…`. It is sent with, or before, the first statement.
    pub(crate) how: &'static str,
    pub(crate) begun: AtomicBool,
    /// A statement failed: PostgreSQL would answer COMMIT with a silent ROLLBACK.
    pub(crate) failed: AtomicBool,
    /// The server did not answer: nothing more can be asked on this connection.
    pub(crate) stuck: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("a statement of this transaction failed, so all of it was undone")]
struct Undone;

impl Session {
    pub(crate) fn client(&self) -> &Object {
        self.lease.client()
    }

    /// Sends BEGIN, unless it was sent. Whatever is sent after the first poll of this is in the transaction; what
    /// writes must not be sent before it is answered, for it would stay if BEGIN failed.
    pub(crate) async fn begin(&self) -> Result<()> {
        if self.begun.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.bounded(self.client().batch_execute(self.how)).await
    }

    /// Runs something in the transaction, bounded in time, and remembers if it failed.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T> {
        if self.how == BEGIN_WRITE {
            self.begin().await?;
            return self.bounded(work).await;
        }
        // Nothing is written, so both leave in one go.
        Ok(try_join(self.begin(), self.bounded(work)).await?.1)
    }

    /// Prepares statements that are to leave in one go: one that had to be prepared first would be overtaken.
    pub(crate) async fn prepare(&self, statements: &[&'static str]) -> Result<()> {
        for sql in statements {
            self.bounded(self.client().prepare_cached(sql)).await?;
        }
        Ok(())
    }

    async fn bounded<T>(&self, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T> {
        let outcome = match self.patience {
            None => work.await,
            Some(limit) => match timeout(limit, work).await {
                Ok(outcome) => outcome,
                Err(elapsed) => {
                    self.stuck.store(true, Ordering::Relaxed);
                    return Err(StoreError::Unavailable(Box::new(elapsed)));
                }
            },
        };
        outcome.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            if is_stale_plan(&error) {
                self.client().statement_cache.clear();
            }
            store_error(error)
        })
    }

    pub(crate) async fn rows(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.run(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query(&statement, params).await
        })
        .await
    }

    /// The rows as they come, in the binary format, with no bound on how long the reader takes. A reader that
    /// stops early drops the rest.
    pub(crate) async fn stream(
        &self,
        unbound: &'static str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<RowStream> {
        self.run(async {
            self.client().batch_execute(unbound).await?;
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query_raw(&statement, params.iter().copied()).await
        })
        .await
    }

    /// The first row, if there is any.
    pub(crate) async fn row(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// The one row that a statement always has.
    pub(crate) async fn one(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Row> {
        self.run(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query_one(&statement, params).await
        })
        .await
    }

    /// How many rows a statement touched.
    pub(crate) async fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        self.run(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().execute(&statement, params).await
        })
        .await
    }

    /// A page of a list. The statement takes the filters first, then the key to go on after, the limit and the
    /// offset; `count` takes the filters alone. Both are planned anew with the values at hand, so that a filter
    /// which is absent (`$2 IS NULL OR …`) costs nothing and a present one finds its index.
    pub(crate) async fn page<T, K: Key>(
        &self,
        list: &'static str,
        count: &'static str,
        filters: &[(Param<'_>, Type)],
        page: &Page<K>,
        read: fn(&Row) -> Result<T>,
        key: fn(&T) -> K,
    ) -> Result<Paged<T, K>> {
        let bounds = Bounds::of(page);
        let mut params = filters.to_vec();
        params.push((&bounds.after, K::TYPE));
        params.push((&bounds.fetch, Type::INT8));
        params.push((&bounds.offset, Type::INT8));
        let rows = self.run(self.client().query_typed(list, &params)).await?;
        let items = rows.iter().map(read).collect::<Result<Vec<T>>>()?;
        let total = if page.with_total {
            let counted = self.run(self.client().query_typed_one(count, filters)).await?;
            Some(counted.get::<_, i64>(0).unsigned_abs())
        } else {
            None
        };
        Ok(Paged::of(items, page, total, key))
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            self.rollback().await?;
            return Err(StoreError::Database(Box::new(Undone)));
        }
        if self.begun.load(Ordering::Relaxed) {
            self.bounded(self.client().batch_execute("COMMIT")).await?;
        }
        self.lease.take().give_back();
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        if self.stuck.load(Ordering::Relaxed) {
            return Ok(()); // the connection is closed instead, which undoes as well
        }
        if self.begun.load(Ordering::Relaxed) {
            self.bounded(self.client().batch_execute("ROLLBACK")).await?;
        }
        self.lease.take().give_back();
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let lease = self.lease.take();
        if lease.is_empty() {
            return;
        }
        if !self.begun.load(Ordering::Relaxed) && !self.failed.load(Ordering::Relaxed) {
            lease.give_back();
            return;
        }
        let open = !self.stuck.load(Ordering::Relaxed);
        if let (true, Ok(runtime)) = (open, Handle::try_current()) {
            runtime.spawn(async move {
                let undone = timeout(ROLLBACK_LIMIT, lease.client().batch_execute("ROLLBACK")).await;
                if matches!(undone, Ok(Ok(()))) {
                    lease.give_back();
                }
            });
        }
    }
}
