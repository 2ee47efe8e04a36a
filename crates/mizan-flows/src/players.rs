//! Players: registering, listing, and the review of their documents.

use mizan_core::{PlayerId, TenantId};
use mizan_payments::kyc::KycStatus;
use mizan_store::players::{NewPlayer, Player, PlayerFilter};
use mizan_store::{Page, Paged};

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result};

/// Reads an email: one `@` with something on both sides, no white space, at most 254 characters; lower case.
pub(crate) fn check_email(text: &str) -> Result<String> {
    let text = text.trim().to_lowercase();
    let good = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && text.len() <= 254
    });
    if good && !text.contains(|it: char| it.is_whitespace() || it.is_control()) {
        Ok(text)
    } else {
        Err(FlowError::invalid("email", "this is not an email address"))
    }
}

/// Registers a player with a tenant.
pub async fn register(
    app: &App,
    tenant: TenantId,
    request_id: Option<String>,
    email: &str,
    username: &str,
    password: &str,
) -> Result<PlayerId> {
    let email = check_email(email)?;
    let username = username.trim();
    let printable = !username.contains(char::is_control);
    if !(1..=64).contains(&username.chars().count()) || !printable {
        return Err(FlowError::invalid("username", "use 1 to 64 printable characters"));
    }
    let password_hash = app.passwords.hash(password).await?;
    let new = NewPlayer {
        id: PlayerId::new(),
        email,
        username: username.to_owned(),
        password_hash,
        created_at: app.now(),
    };
    let mut tx = app.store.begin(tenant).await?;
    if !tx.insert_player(&new).await? {
        return Err(FlowError::Taken("email"));
    }
    let caller = Caller {
        tenant,
        actor: mizan_payments::Actor::Player(new.id),
        request_id,
    };
    let change = Change {
        action: "player.register",
        subject_type: "player",
        subject_id: new.id.to_string(),
        ..Change::default()
    };
    audit::write(&mut *tx, &caller, app.now(), change).await?;
    tx.commit().await?;
    Ok(new.id)
}

pub async fn get(app: &App, caller: &Caller, id: PlayerId) -> Result<Player> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.player(id).await?.ok_or(FlowError::NotFound("player"))
}

pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &PlayerFilter,
    page: &Page<PlayerId>,
) -> Result<Paged<Player, PlayerId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.players(filter, page).await?)
}

/// Records the result of a review of documents.
pub async fn review_kyc(app: &App, caller: &Caller, id: PlayerId, status: KycStatus) -> Result<Player> {
    let mut tx = app.store.begin(caller.tenant).await?;
    let now = app.now();
    let before = tx
        .set_kyc(id, status, now)
        .await?
        .ok_or(FlowError::NotFound("player"))?;
    if before != status {
        let change = Change {
            action: "kyc.review",
            subject_type: "player",
            subject_id: id.to_string(),
            from: Some(before.as_str().to_owned()),
            to: Some(status.as_str().to_owned()),
            ..Change::default()
        };
        audit::write(&mut *tx, caller, now, change).await?;
    }
    let player = tx.player(id).await?.ok_or(FlowError::NotFound("player"))?;
    tx.commit().await?;
    Ok(player)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_checked_and_lowered() {
        assert_eq!(check_email(" Ada@Example.com ").unwrap(), "ada@example.com");
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a\n@c",
            &format!("{}@b", "a".repeat(260)),
        ] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }
}
