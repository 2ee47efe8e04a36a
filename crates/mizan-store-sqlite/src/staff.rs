//! Staff of a tenant.

use async_trait::async_trait;
use mizan_core::{StaffId, TenantId, Timestamp};
use mizan_store::staff::{NewStaff, Staff, StaffRows};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, first, statements};
use crate::tx::SqliteTx;

statements! {
    /// The email is unique in the installation: it alone says whose staff signs in.
    INSERT_STAFF = "
        INSERT INTO staff (id, tenant_id, email, password_hash, role, platform, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (email) DO NOTHING";

    STAFF = "
        SELECT id, tenant_id, email, role, platform, disabled_at, created_at
        FROM staff
        WHERE id = ?1 AND tenant_id = ?2";

    LIST_STAFF = "
        SELECT id, tenant_id, email, role, platform, disabled_at, created_at
        FROM staff
        WHERE tenant_id = ?1 AND id < ?2
        ORDER BY id DESC LIMIT ?3 OFFSET ?4";

    COUNT_STAFF = "SELECT count(*) FROM staff WHERE tenant_id = ?1";

    SET_STAFF_DISABLED = "UPDATE staff SET disabled_at = ?3 WHERE id = ?1 AND tenant_id = ?2";
}

#[async_trait]
impl StaffRows for SqliteTx {
    async fn insert_staff(&mut self, staff: &NewStaff) -> Result<bool> {
        let staff = staff.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(staff.id.0),
                tenant,
                staff.email,
                staff.password_hash,
                staff.role.as_str(),
                staff.platform,
                stamp(staff.created_at)
            ];
            Ok(execute(db, &INSERT_STAFF, params)? == 1)
        })
        .await
    }

    async fn staff(&mut self, id: StaffId) -> Result<Option<Staff>> {
        self.within(move |db, tenant| first(db, &STAFF, params![id_text(id.0), tenant], "staff", staff_row))
            .await
    }

    async fn staff_list(&mut self, page: &Page<StaffId>) -> Result<Paged<Staff, StaffId>> {
        let page = *page;
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let params = params![tenant, at.before, at.limit, at.offset];
            let rows = all(db, &LIST_STAFF, params, "staff", staff_row)?;
            let counted = || count(db, &COUNT_STAFF, [tenant]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }

    async fn set_staff_disabled(&mut self, id: StaffId, at: Option<Timestamp>) -> Result<bool> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant, stamp_opt(at)];
            Ok(execute(db, &SET_STAFF_DISABLED, params)? == 1)
        })
        .await
    }
}

/// Reads `id, tenant_id, email, role, platform, disabled_at, created_at`.
pub(crate) fn staff_row(row: &mut Cells<'_>) -> Result<Staff> {
    Ok(Staff {
        id: row.id("id")?,
        tenant: TenantId(row.get("tenant_id")?),
        email: row.get("email")?,
        role: row.parsed("role")?,
        platform: row.get("platform")?,
        disabled_at: row.time_opt("disabled_at")?,
        created_at: row.time("created_at")?,
    })
}
