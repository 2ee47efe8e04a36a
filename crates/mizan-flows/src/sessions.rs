//! Access tokens: short-lived JWTs, signed with keys that are kept in the database and can be rotated.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mizan_core::{PlayerId, StaffId, TenantId, Timestamp};
use mizan_mask::Secret;
use mizan_payments::{Actor, Role};
use mizan_store::Store;
use mizan_store::api_keys::ApiKey;
use mizan_store::platform::SigningKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;
use uuid::Uuid;

use crate::recent::Recent;
use crate::{FlowError, Result};

const ISSUER: &str = "mizan";
/// The key id of `JWT_SECRET`, where one is set.
const CONFIGURED: &str = "configured";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    /// The number of the tenant.
    tid: i32,
    role: String,
    /// Whether the subject is the platform owner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plt: bool,
    iat: i64,
    exp: i64,
}

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub tenant: TenantId,
    pub actor: Actor,
    pub platform: bool,
    pub expires_at: Timestamp,
}

/// A new token.
#[derive(Debug)]
pub struct Token {
    pub text: Secret,
    pub expires_in_s: i64,
}

/// How long tokens live, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub staff_s: i64,
    pub player_s: i64,
}

impl Lifetimes {
    fn of(self, role: Role) -> i64 {
        if role == Role::Player {
            self.player_s
        } else {
            self.staff_s
        }
    }

    fn longest(self) -> i64 {
        self.staff_s.max(self.player_s)
    }
}

/// Issues and checks access tokens.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn Store>,
    /// Set by `JWT_SECRET`; then the database's keys are not used.
    configured: Option<Arc<Secret>>,
    lifetimes: Lifetimes,
    cache: Arc<RwLock<Vec<SigningKey>>>,
    /// Staff that was enabled a moment ago.
    pub(crate) enabled: Arc<Recent<StaffId, ()>>,
    /// Tokens that were good a moment ago, by their hash.
    checked: Arc<Recent<[u8; 32], Session>>,
    /// API keys that were good a moment ago, by prefix.
    pub(crate) api_keys: Arc<Recent<String, ApiKey>>,
}

impl Sessions {
    pub fn new(store: Arc<dyn Store>, configured: Option<Secret>, lifetimes: Lifetimes) -> Self {
        Self {
            store,
            configured: configured.map(Arc::new),
            lifetimes,
            cache: Arc::default(),
            enabled: Arc::default(),
            checked: Arc::default(),
            api_keys: Arc::default(),
        }
    }

    /// How long a service may act on one look-up of its key.
    pub fn staff_lifetime_s(&self) -> i64 {
        self.lifetimes.staff_s
    }

    /// Makes the first signing key, if there is none. Replicas that start at once agree on one.
    pub async fn ensure_key(&self, now: Timestamp) -> Result<()> {
        if self.configured.is_none() {
            let mut platform = self.store.platform().await?;
            platform.insert_signing_key(&new_key(now), true).await?;
            platform.commit().await?;
        }
        Ok(())
    }

    /// Signs new tokens with a new key from now on. Older keys go on verifying until their last token has
    /// expired; those that are past that are forgotten.
    pub async fn rotate(&self, now: Timestamp) -> Result<String> {
        let key = new_key(now);
        let kid = key.kid.clone();
        let mut platform = self.store.platform().await?;
        platform.insert_signing_key(&key, false).await?;
        platform.retire_other_signing_keys(&kid, now).await?;
        let expired = now - chrono::TimeDelta::seconds(self.lifetimes.longest());
        platform.delete_signing_keys_retired_before(expired).await?;
        platform.commit().await?;
        self.cache.write().await.clear();
        self.checked.clear();
        Ok(kid)
    }

    pub(crate) async fn issue_staff(
        &self,
        tenant: TenantId,
        id: StaffId,
        role: Role,
        platform: bool,
        now: Timestamp,
    ) -> Result<Token> {
        self.issue(tenant, id.0, role, platform, now).await
    }

    pub(crate) async fn issue_player(&self, tenant: TenantId, id: PlayerId, now: Timestamp) -> Result<Token> {
        self.issue(tenant, id.0, Role::Player, false, now).await
    }

    async fn issue(
        &self,
        tenant: TenantId,
        sub: Uuid,
        role: Role,
        plt: bool,
        now: Timestamp,
    ) -> Result<Token> {
        let iat = now.timestamp();
        let lifetime_s = self.lifetimes.of(role);
        let claims = Claims {
            iss: ISSUER.into(),
            sub,
            tid: tenant.0,
            role: role.as_str().into(),
            plt,
            iat,
            exp: iat + lifetime_s,
        };
        let (kid, key) = self.signing_key().await?;
        let header = Header {
            kid: Some(kid),
            ..Header::new(Algorithm::HS256)
        };
        let text = jsonwebtoken::encode(&header, &claims, &key).map_err(|_| FlowError::Interrupted)?;
        Ok(Token {
            text: Secret::new(text),
            expires_in_s: lifetime_s,
        })
    }

    /// Reads a token; everything that is wrong with it is the same answer.
    pub async fn check(&self, token: &str, now: Timestamp) -> Result<Session> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(session) = self.checked.get(&digest, now)
            && session.expires_at > now
        {
            return Ok(session);
        }
        let session = self.verify(token, now).await?;
        self.checked.keep(digest, session.clone(), now);
        Ok(session)
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Session> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| FlowError::NotSignedIn)?;
        let kid = header.kid.ok_or(FlowError::NotSignedIn)?;
        let key = self.verifying_key(&kid, now).await?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false; // checked below, against our own clock
        let claims: Claims = jsonwebtoken::decode(token, &key, &validation)
            .map_err(|_| FlowError::NotSignedIn)?
            .claims;
        let expires_at = Timestamp::from_timestamp(claims.exp, 0).ok_or(FlowError::NotSignedIn)?;
        if expires_at <= now || claims.iat > now.timestamp() + 60 {
            return Err(FlowError::NotSignedIn);
        }
        let role: Role = claims.role.parse().map_err(|_| FlowError::NotSignedIn)?;
        let actor = match role {
            Role::Player => Actor::Player(claims.sub.into()),
            Role::Service => return Err(FlowError::NotSignedIn),
            role => Actor::Staff {
                id: claims.sub.into(),
                role,
            },
        };
        Ok(Session {
            tenant: TenantId(claims.tid),
            actor,
            platform: claims.plt,
            expires_at,
        })
    }

    async fn signing_key(&self) -> Result<(String, EncodingKey)> {
        if let Some(secret) = &self.configured {
            return Ok((
                CONFIGURED.into(),
                EncodingKey::from_secret(secret.reveal().as_bytes()),
            ));
        }
        // Always read: another replica may have rotated the keys, and signing in is rare and slow anyway.
        let keys = self.reload().await?;
        let key = keys
            .iter()
            .rfind(|it| it.retired_at.is_none())
            .ok_or(FlowError::Interrupted)?;
        Ok((key.kid.clone(), EncodingKey::from_secret(&key.secret)))
    }

    async fn verifying_key(&self, kid: &str, now: Timestamp) -> Result<DecodingKey> {
        if let Some(secret) = &self.configured {
            return match kid {
                CONFIGURED => Ok(DecodingKey::from_secret(secret.reveal().as_bytes())),
                _ => Err(FlowError::NotSignedIn),
            };
        }
        let known = self.cache.read().await.iter().find(|it| it.kid == kid).cloned();
        let key = match known {
            Some(key) => key,
            None => self
                .reload()
                .await?
                .into_iter()
                .find(|it| it.kid == kid)
                .ok_or(FlowError::NotSignedIn)?,
        };
        let last = key
            .retired_at
            .map(|it| it + chrono::TimeDelta::seconds(self.lifetimes.longest()));
        if last.is_some_and(|it| it < now) {
            return Err(FlowError::NotSignedIn);
        }
        Ok(DecodingKey::from_secret(&key.secret))
    }

    async fn reload(&self) -> Result<Vec<SigningKey>> {
        let mut platform = self.store.platform().await?;
        let keys = platform.signing_keys().await?;
        platform.rollback().await?;
        self.cache.write().await.clone_from(&keys);
        Ok(keys)
    }
}

fn new_key(now: Timestamp) -> SigningKey {
    let secret: [u8; 32] = rand::random();
    let id: [u8; 6] = rand::random();
    let kid = id
        .iter()
        .fold(String::new(), |text, it| text + &format!("{it:02x}"));
    SigningKey {
        kid,
        secret: secret.to_vec(),
        created_at: now,
        retired_at: None,
    }
}
