//! A transaction of one tenant. Every statement is given the tenant's number as `$1`.

use async_trait::async_trait;
use mizan_core::TenantId;
use mizan_store::{Result, Tx};

use crate::pool::SessionPool;
use crate::session::Session;

pub(crate) struct PgTx {
    pub(crate) session: Session,
    pub(crate) tenant: i32,
    /// The balances that this transaction has locked, sorted.
    pub(crate) locked: Vec<i64>,
    /// Numbers drawn for journal rows since the last balance was locked, ascending.
    pub(crate) numbers: Vec<i64>,
    /// For what must be done outside the transaction.
    pub(crate) pool: SessionPool,
}

impl PgTx {
    pub(crate) fn new(session: Session, pool: SessionPool, tenant: TenantId) -> Self {
        Self {
            session,
            tenant: tenant.0,
            locked: Vec::new(),
            numbers: Vec::new(),
            pool,
        }
    }
}

#[async_trait]
impl Tx for PgTx {
    fn tenant(&self) -> TenantId {
        TenantId(self.tenant)
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.session.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.session.rollback().await
    }
}
