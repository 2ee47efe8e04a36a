//! Staff and API keys of a tenant.

use mizan_core::{ApiKeyId, StaffId};
use mizan_mask::Secret;
use mizan_payments::Role;
use mizan_store::api_keys::ApiKey;
use mizan_store::staff::{NewStaff, Staff};
use mizan_store::{Page, Paged};
use sha2::{Digest, Sha256};

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result, players};

/// Makes a member of staff. `platform` makes the platform owner, who may act for any tenant.
pub async fn create(
    app: &App,
    caller: &Caller,
    email: &str,
    password: &str,
    role: Role,
    platform: bool,
) -> Result<StaffId> {
    if !Role::STAFF.contains(&role) {
        return Err(FlowError::invalid("role", "use owner, finance, ops or auditor"));
    }
    let email = players::check_email(email)?;
    let password_hash = app.passwords.hash(password).await?;
    let new = NewStaff {
        id: StaffId::new(),
        email,
        password_hash,
        role,
        platform,
        created_at: app.now(),
    };
    let mut tx = app.store.begin(caller.tenant).await?;
    if !tx.insert_staff(&new).await? {
        return Err(FlowError::Taken("email"));
    }
    let change = Change {
        action: "staff.create",
        subject_type: "staff",
        subject_id: new.id.to_string(),
        to: Some(role.as_str().to_owned()),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, app.now(), change).await?;
    tx.commit().await?;
    Ok(new.id)
}

pub async fn list(app: &App, caller: &Caller, page: &Page<StaffId>) -> Result<Paged<Staff, StaffId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.staff_list(page).await?)
}

/// Disables or enables a member of staff; open sessions end with it.
pub async fn set_disabled(app: &App, caller: &Caller, id: StaffId, disabled: bool) -> Result<()> {
    if caller.actor
        == (mizan_payments::Actor::Staff {
            id,
            role: Role::Owner,
        })
        && disabled
    {
        return Err(FlowError::invalid(
            "id",
            "an owner cannot disable the own account",
        ));
    }
    let mut tx = app.store.begin(caller.tenant).await?;
    if !tx.set_staff_disabled(id, disabled.then(|| app.now())).await? {
        return Err(FlowError::NotFound("staff member"));
    }
    let change = Change {
        action: if disabled { "staff.disable" } else { "staff.enable" },
        subject_type: "staff",
        subject_id: id.to_string(),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, app.now(), change).await?;
    tx.commit().await?;
    app.sessions.enabled.clear();
    Ok(())
}

/// The scopes that an API key may have.
pub const SCOPES: [&str; 4] = ["ledger:read", "ledger:write", "recon:read", "recon:write"];

/// Makes an API key. The whole key is shown once and kept as a hash.
pub async fn create_api_key(
    app: &App,
    caller: &Caller,
    name: &str,
    scopes: Vec<String>,
) -> Result<(ApiKey, Secret)> {
    if name.is_empty() || name.len() > 100 {
        return Err(FlowError::invalid("name", "use 1 to 100 characters"));
    }
    if scopes.is_empty() || scopes.iter().any(|it| !SCOPES.contains(&it.as_str())) {
        return Err(FlowError::invalid(
            "scopes",
            format!("use one or more of {}", SCOPES.join(", ")),
        ));
    }
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(String::new(), |text, it| text + &format!("{it:02x}"))
    };
    let prefix = hex(&rand::random::<[u8; 6]>());
    let whole = format!("mzk_{prefix}_{}", hex(&rand::random::<[u8; 32]>()));
    let key = ApiKey {
        id: ApiKeyId::new(),
        tenant: caller.tenant,
        name: name.to_owned(),
        prefix,
        hash: Sha256::digest(whole.as_bytes()).into(),
        scopes,
        created_at: app.now(),
        revoked_at: None,
    };
    let mut tx = app.store.begin(caller.tenant).await?;
    if !tx.insert_api_key(&key).await? {
        return Err(FlowError::Taken("prefix"));
    }
    let change = Change {
        action: "api_key.create",
        subject_type: "api_key",
        subject_id: key.id.to_string(),
        details: Some(serde_json::json!({ "name": key.name, "scopes": key.scopes })),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, app.now(), change).await?;
    tx.commit().await?;
    Ok((key, Secret::new(whole)))
}

pub async fn api_keys(app: &App, caller: &Caller, page: &Page<ApiKeyId>) -> Result<Paged<ApiKey, ApiKeyId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.api_keys(page).await?)
}

pub async fn revoke_api_key(app: &App, caller: &Caller, id: ApiKeyId) -> Result<()> {
    let mut tx = app.store.begin(caller.tenant).await?;
    if !tx.revoke_api_key(id, app.now()).await? {
        return Err(FlowError::NotFound("API key"));
    }
    let change = Change {
        action: "api_key.revoke",
        subject_type: "api_key",
        subject_id: id.to_string(),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, app.now(), change).await?;
    tx.commit().await?;
    app.sessions.api_keys.clear();
    Ok(())
}
