//! Signing in. A wrong password and an unknown account are the same answer, and take as long.

use mizan_core::{PlayerId, TenantKey};
use mizan_payments::{Actor, Role};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::sessions::{Session, Token};
use crate::{App, FlowError, Result};

/// Signs a member of staff in.
pub async fn staff(app: &App, email: &str, password: &str) -> Result<(Token, Role)> {
    let email = email.trim().to_lowercase();
    let mut platform = app.store.platform().await?;
    let found = platform.staff_by_email(&email).await?;
    platform.rollback().await?;
    let hash = found.as_ref().map(|(_, hash)| hash.as_str());
    let fits = app.passwords.verify(password, hash).await?;
    match found {
        Some((staff, _)) if fits && staff.disabled_at.is_none() => {
            let token = app
                .sessions
                .issue_staff(staff.tenant, staff.id, staff.role, staff.platform, app.now())
                .await?;
            Ok((token, staff.role))
        }
        _ => Err(FlowError::BadCredentials),
    }
}

/// Signs a player in. Emails are unique per tenant: where two tenants have the same one, the caller says which.
pub async fn player(
    app: &App,
    email: &str,
    password: &str,
    tenant: Option<&TenantKey>,
) -> Result<(Token, PlayerId)> {
    let email = email.trim().to_lowercase();
    let mut platform = app.store.platform().await?;
    let wanted = match tenant {
        Some(key) => platform.tenant_by_key(key).await?.map(|it| it.id),
        None => None,
    };
    let mut found = platform.players_by_email(&email).await?;
    platform.rollback().await?;
    if tenant.is_some() {
        found.retain(|(id, _, _)| Some(*id) == wanted);
    }
    if found.len() > 1 {
        return Err(FlowError::invalid(
            "tenant_id",
            "several operators have this email: name one",
        ));
    }
    let hash = found.first().map(|(_, _, hash)| hash.as_str());
    let fits = app.passwords.verify(password, hash).await?;
    match found.first() {
        Some((tenant, player, _)) if fits => {
            let token = app.sessions.issue_player(*tenant, player.id, app.now()).await?;
            Ok((token, player.id))
        }
        _ => Err(FlowError::BadCredentials),
    }
}

/// Reads a bearer token or an API key. A member of staff must still be enabled, and an API key not revoked: a
/// token alone does not prove it. What was looked up within the last second is not looked up again.
pub async fn authenticate(app: &App, bearer: &str) -> Result<(Session, Vec<String>)> {
    if let Some(rest) = bearer.strip_prefix("mzk_") {
        return api_key(app, bearer, rest).await;
    }
    let session = app.sessions.check(bearer, app.now()).await?;
    let now = app.now();
    if let Actor::Staff { id, .. } = session.actor
        && app.sessions.enabled.get(&id, now).is_none()
    {
        let mut tx = app.store.read(session.tenant).await?;
        let staff = tx.staff(id).await?;
        tx.rollback().await?;
        if staff.is_none_or(|it| it.disabled_at.is_some()) {
            return Err(FlowError::NotSignedIn);
        }
        app.sessions.enabled.keep(id, (), now);
    }
    Ok((session, Vec::new()))
}

async fn api_key(app: &App, whole: &str, rest: &str) -> Result<(Session, Vec<String>)> {
    let (prefix, _) = rest.split_once('_').ok_or(FlowError::NotSignedIn)?;
    let now = app.now();
    let key = if let Some(key) = app.sessions.api_keys.get(&prefix.to_owned(), now) {
        key
    } else {
        let mut platform = app.store.platform().await?;
        let key = platform.api_key_by_prefix(prefix).await?;
        platform.rollback().await?;
        let key = key.ok_or(FlowError::NotSignedIn)?;
        app.sessions.api_keys.keep(prefix.to_owned(), key.clone(), now);
        key
    };
    let hash: [u8; 32] = Sha256::digest(whole.as_bytes()).into();
    if !bool::from(hash.ct_eq(&key.hash)) || key.revoked_at.is_some() {
        return Err(FlowError::NotSignedIn);
    }
    let session = Session {
        tenant: key.tenant,
        actor: Actor::Service(key.id),
        platform: false,
        expires_at: app.now() + chrono::TimeDelta::seconds(app.sessions.staff_lifetime_s()),
    };
    Ok((session, key.scopes))
}
