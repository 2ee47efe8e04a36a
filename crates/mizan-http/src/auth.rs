//! Who asks: the access token or API key of a request, its permission, and the tenant that it is for.

use axum::extract::{FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mizan_core::{PlayerId, TenantKey};
use mizan_flows::{Caller, login, tenants};
use mizan_payments::{Actor, Role};

use crate::error::{ApiError, codes};
use crate::frame::Notes;
use crate::permissions::Permission;
use crate::request_id::RequestId;
use crate::room::Taken;
use crate::state::Edge;

pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
pub(crate) const X_TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// A caller who was let in by [`guard`].
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) caller: Caller,
    tenant: TenantKey,
    platform: bool,
}

impl Signed {
    /// The player, where only players are let in.
    pub(crate) fn player(&self) -> Result<PlayerId, ApiError> {
        match self.caller.actor {
            Actor::Player(id) => Ok(id),
            _ => Err(ApiError::plain(&codes::FORBIDDEN)),
        }
    }

    /// Acts for the tenant with a key: the own one, or any for the platform owner.
    pub(crate) async fn acting_for(self, edge: &Edge, key: Option<&str>) -> Result<Self, ApiError> {
        let Some(key) = key.filter(|it| *it != self.tenant.as_str()) else {
            return Ok(self);
        };
        if !self.platform {
            return Err(ApiError::new(
                &codes::FORBIDDEN,
                "only the platform owner acts for another tenant",
            ));
        }
        let key: TenantKey = key.parse().map_err(|_| ApiError::not_found("tenant"))?;
        let tenant = tenants::by_key(&edge.app, &key).await?;
        let caller = Caller {
            tenant: tenant.id,
            ..self.caller
        };
        Ok(Self {
            caller,
            tenant: tenant.key,
            platform: true,
        })
    }
}

/// Lets a request through that has the permission, with a [`Signed`] for its handler. Runs before a body is read.
pub(crate) async fn guard(permission: Permission, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    match admit(permission, &head).await {
        Ok((signed, _place)) => {
            head.extensions.insert(signed);
            next.run(Request::from_parts(head, body)).await
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(permission: Permission, head: &Parts) -> Result<(Signed, Taken), ApiError> {
    let extensions = &head.extensions;
    let edge = extensions
        .get::<Edge>()
        .ok_or_else(|| ApiError::plain(&codes::INTERNAL))?;
    let credential = credential(&head.headers)?;
    let (session, scopes) = login::authenticate(&edge.app, credential).await?;
    let role = session
        .actor
        .role()
        .ok_or_else(|| ApiError::plain(&codes::FORBIDDEN))?;
    let tenant = edge.tenant_key(session.tenant).await?;
    let platform = session.platform && role == Role::Owner;
    if let Some(notes) = extensions.get::<Notes>() {
        notes.tenant(&tenant);
    }
    if !permission.allows(role, &scopes, platform) {
        return Err(ApiError::plain(&codes::FORBIDDEN));
    }
    let caller = Caller {
        tenant: session.tenant,
        actor: session.actor,
        request_id: extensions.get::<RequestId>().map(|it| it.0.to_string()),
    };
    let signed = Signed {
        caller,
        tenant,
        platform,
    };
    let place = edge.requests.take(Some(session.tenant), 1)?;
    Ok((
        signed.acting_for(edge, wanted_tenant(&head.headers)?).await?,
        place,
    ))
}

/// A bearer token, or an API key in either header.
fn credential(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || ApiError::plain(&codes::NOT_AUTHENTICATED);
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value
            .to_str()
            .ok()
            .and_then(|it| it.split_once(' '))
            .ok_or_else(missing)?;
        return if scheme.eq_ignore_ascii_case("bearer") {
            Ok(token.trim())
        } else {
            Err(missing())
        };
    }
    let key = headers.get(X_API_KEY).and_then(|it| it.to_str().ok());
    key.filter(|it| it.starts_with("mzk_")).ok_or_else(missing)
}

fn wanted_tenant(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    headers
        .get(X_TENANT)
        .map(|it| it.to_str().map_err(|_| ApiError::not_found("tenant")))
        .transpose()
}

impl FromRequestParts<Edge> for Signed {
    type Rejection = ApiError;

    /// A route that nobody guards lets nobody in.
    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::plain(&codes::FORBIDDEN))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_comes_as_bearer_and_a_key_in_either_header() {
        let check = |name: HeaderName, value: &'static str, expected: Option<&str>| {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(credential(&headers).ok(), expected, "{value}");
        };
        check(AUTHORIZATION, "Bearer abc", Some("abc"));
        check(AUTHORIZATION, "bearer mzk_a_b", Some("mzk_a_b"));
        check(AUTHORIZATION, "Basic abc", None);
        check(AUTHORIZATION, "abc", None);
        check(X_API_KEY, "mzk_a_b", Some("mzk_a_b"));
        check(X_API_KEY, "abc", None);
        assert_eq!(
            credential(&HeaderMap::new()).unwrap_err().code(),
            &codes::NOT_AUTHENTICATED
        );
    }
}
