//! Staff of a tenant.

use async_trait::async_trait;
use mizan_core::{StaffId, TenantId, Timestamp};
use mizan_payments::Role;

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    pub id: StaffId,
    pub tenant: TenantId,
    /// Lower case; unique in the installation.
    pub email: String,
    pub role: Role,
    /// The platform owner, who may act for any tenant.
    pub platform: bool,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct NewStaff {
    pub id: StaffId,
    pub email: String,
    /// An argon2 hash in PHC form.
    pub password_hash: String,
    pub role: Role,
    pub platform: bool,
    pub created_at: Timestamp,
}

#[async_trait]
pub trait StaffRows {
    /// Inserts a member of the tenant's staff; `false` if the email is taken, in whatever tenant.
    async fn insert_staff(&mut self, staff: &NewStaff) -> Result<bool>;

    async fn staff(&mut self, id: StaffId) -> Result<Option<Staff>>;

    /// Newest first.
    async fn staff_list(&mut self, page: &Page<StaffId>) -> Result<Paged<Staff, StaffId>>;

    /// Disables or enables; `false` if there is no such member.
    async fn set_staff_disabled(&mut self, id: StaffId, at: Option<Timestamp>) -> Result<bool>;
}
