//! What the composition root hands over, and what the edge itself keeps in memory.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use mizan_core::{TenantId, TenantKey};
use mizan_flows::{App, tenants};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::health::Readiness;
use crate::room::Room;
use crate::throttle::{Rejections, SignIns};

/// Which build this is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VersionInfo {
    pub version: String,
    pub git_sha: String,
    /// RFC 3339.
    pub build_time: String,
}

/// Bounds of a request. The defaults are those of the contract.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a JSON body.
    pub body: usize,
    /// Bytes of a bulk posting.
    pub bulk_body: usize,
    /// Bytes of a webhook.
    pub webhook_body: usize,
    /// Bytes of a statement; it is never held in memory.
    pub statement_bytes: u64,
    /// How long a sender may take for the body.
    pub body_patience: Duration,
    /// How long a request may take as a whole.
    pub request: Duration,
    /// Requests under way at a time; one tenant alone may have half of them.
    pub under_way: usize,
    /// Bytes of bodies in memory at a time; one tenant alone may have half of them.
    pub bodies: usize,
    /// Rejected webhooks a minute from one address for one connection; after that none is read.
    pub webhook_rejections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 2 << 20,
            bulk_body: 8 << 20,
            webhook_body: 1 << 20,
            statement_bytes: 64 << 30,
            body_patience: Duration::from_secs(10),
            request: Duration::from_secs(30),
            under_way: 4_096,
            bodies: 128 << 20,
            webhook_rejections: 600,
        }
    }
}

/// What [`crate::router`] needs.
pub struct HttpState {
    pub app: Arc<App>,
    pub ready: Arc<Readiness>,
    pub version: VersionInfo,
    /// `ENV`, as shown by `/api/health`.
    pub environment: String,
    /// The origins that browsers may call from; nothing else is echoed.
    pub cors: Vec<String>,
    /// Rendered at `/metrics`; without it the path is not found.
    pub metrics: Option<PrometheusHandle>,
    /// Cancelled when the process is told to stop: from then on `/api/ready` fails.
    pub draining: CancellationToken,
    pub limits: Limits,
}

/// The state of all handlers.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

pub(crate) struct Inner {
    http: HttpState,
    pub(crate) sign_ins: SignIns,
    pub(crate) rejections: Rejections,
    /// For requests of those who are signed in.
    pub(crate) requests: Room,
    /// For bodies, in bytes.
    pub(crate) bodies: Room,
    /// Keys of tenants never change.
    names: RwLock<HashMap<TenantId, TenantKey>>,
}

impl Edge {
    pub(crate) fn new(http: HttpState) -> Self {
        let rejections = Rejections::new(http.limits.webhook_rejections);
        let (requests, bodies) = (http.limits.under_way, http.limits.bodies);
        Self(Arc::new(Inner {
            requests: Room::new("requests", requests),
            bodies: Room::new("bodies", bodies),
            http,
            sign_ins: SignIns::default(),
            rejections,
            names: RwLock::default(),
        }))
    }

    /// What people call a tenant.
    pub(crate) async fn tenant_key(&self, id: TenantId) -> Result<TenantKey, ApiError> {
        let known = self
            .names
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let key = tenants::by_id(&self.app, id).await?.key;
        self.names
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, key.clone());
        Ok(key)
    }
}

impl Deref for Edge {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = HttpState;

    fn deref(&self) -> &HttpState {
        &self.http
    }
}
