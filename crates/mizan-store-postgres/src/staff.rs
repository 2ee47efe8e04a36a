//! Staff.

use async_trait::async_trait;
use mizan_core::{StaffId, TenantId, Timestamp};
use mizan_store::staff::{NewStaff, Staff, StaffRows};
use mizan_store::{Page, Paged, Result};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    INSERT = "INSERT INTO staff (tenant_id, id, email, password_hash, role, platform, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT uq_staff_email DO NOTHING";
    BY_ID = "SELECT id, tenant_id, email, role, platform, disabled_at, created_at FROM staff
         WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT id, tenant_id, email, role, platform, disabled_at, created_at FROM staff
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3 OFFSET $4";
    COUNT = "SELECT count(*) FROM staff WHERE tenant_id = $1";
    SET_DISABLED = "UPDATE staff SET disabled_at = $3 WHERE tenant_id = $1 AND id = $2";
    HAS_OWNER = "SELECT EXISTS (SELECT FROM staff WHERE role = 'owner') AS has_owner";
    /// In any tenant: emails of staff are unique in the installation.
    BY_EMAIL = "SELECT id, tenant_id, email, role, platform, disabled_at, created_at, password_hash FROM staff
         WHERE email = $1";
}

fn staff(row: &Row) -> Result<Staff> {
    let record = Record::new(row, "staff", "id");
    Ok(Staff {
        id: record.id("id")?,
        tenant: TenantId(record.get("tenant_id")?),
        email: record.get("email")?,
        role: record.word("role")?,
        platform: record.get("platform")?,
        disabled_at: record.get("disabled_at")?,
        created_at: record.get("created_at")?,
    })
}

pub(crate) async fn has_owner(session: &Session) -> Result<bool> {
    let row = session.one(HAS_OWNER, &[]).await?;
    Record::new(&row, "staff", "has_owner").get("has_owner")
}

pub(crate) async fn by_email(session: &Session, email: &str) -> Result<Option<(Staff, String)>> {
    let row = session.row(BY_EMAIL, &[&email]).await?;
    row.map(|row| {
        Ok((
            staff(&row)?,
            Record::new(&row, "staff", "id").get("password_hash")?,
        ))
    })
    .transpose()
}

#[async_trait]
impl StaffRows for PgTx {
    async fn insert_staff(&mut self, new: &NewStaff) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &new.email,
                    &new.password_hash,
                    &new.role.as_str(),
                    &new.platform,
                    &new.created_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn staff(&mut self, id: StaffId) -> Result<Option<Staff>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(staff).transpose()
    }

    async fn staff_list(&mut self, page: &Page<StaffId>) -> Result<Paged<Staff, StaffId>> {
        self.session
            .page(LIST, COUNT, &[(&self.tenant, Type::INT4)], page, staff, |it| {
                it.id
            })
            .await
    }

    async fn set_staff_disabled(&mut self, id: StaffId, at: Option<Timestamp>) -> Result<bool> {
        let set = self
            .session
            .execute(SET_DISABLED, &[&self.tenant, &id.0, &at])
            .await?;
        Ok(set == 1)
    }
}
