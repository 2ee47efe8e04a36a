//! The transaction of one tenant. Each noun implements its trait on it.

use async_trait::async_trait;
use mizan_core::TenantId;
use mizan_store::{Result, Tx};
use rusqlite::Connection;

use crate::session::Session;

pub(crate) struct SqliteTx {
    tenant: TenantId,
    session: Session,
}

impl SqliteTx {
    pub fn new(tenant: TenantId, session: Session) -> Self {
        Self { tenant, session }
    }

    /// Works inside the transaction. The work is given the tenant's number, which every statement filters by.
    pub async fn within<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection, i32) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let tenant = self.tenant.0;
        self.session.call(move |db| work(db, tenant)).await
    }
}

#[async_trait]
impl Tx for SqliteTx {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.session.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.session.rollback().await
    }
}
