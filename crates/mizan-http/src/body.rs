//! JSON bodies: read within bounds, understood strictly, and kept as they came for the fingerprint of a key.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use crate::auth::Signed;
use crate::error::{ApiError, codes};
use crate::room::Taken;
use crate::state::Edge;

/// A JSON body.
pub(crate) struct Sent<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
    _room: Taken,
}

/// A JSON body that may be left out.
pub(crate) struct MaybeSent<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
    _room: Taken,
}

/// The JSON body of a bulk posting, which may be larger.
pub(crate) struct BulkSent<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
    _room: Taken,
}

impl<T: DeserializeOwned> FromRequest<Edge> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        let (value, bytes, taken) = json(request, edge, edge.limits.body).await?;
        Ok(Self {
            value,
            bytes,
            _room: taken,
        })
    }
}

impl<T: DeserializeOwned> FromRequest<Edge> for BulkSent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        let (value, bytes, taken) = json(request, edge, edge.limits.bulk_body).await?;
        Ok(Self {
            value,
            bytes,
            _room: taken,
        })
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Edge> for MaybeSent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let taken = room(edge, &head, edge.limits.body)?;
        let bytes = read(&head.headers, body, edge.limits.body, edge.limits.body_patience).await?;
        let value = if bytes.is_empty() {
            T::default()
        } else {
            check_media_type(&head.headers)?;
            parse(&bytes)?
        };
        Ok(Self {
            value,
            bytes,
            _room: taken,
        })
    }
}

async fn json<T: DeserializeOwned>(
    request: Request,
    edge: &Edge,
    limit: usize,
) -> Result<(T, Bytes, Taken), ApiError> {
    let (head, body) = request.into_parts();
    check_media_type(&head.headers)?;
    let room = room(edge, &head, limit)?;
    let bytes = read(&head.headers, body, limit, edge.limits.body_patience).await?;
    Ok((parse(&bytes)?, bytes, room))
}

/// Room for a body, before any of it is read: as much as it announces, or the most that it may be.
fn room(edge: &Edge, head: &Parts, limit: usize) -> Result<Taken, ApiError> {
    let tenant = head.extensions.get::<Signed>().map(|it| it.caller.tenant);
    let announced = announced(&head.headers).and_then(|it| usize::try_from(it).ok());
    edge.bodies.take(tenant, announced.unwrap_or(limit).min(limit))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::plain(&codes::UNSUPPORTED_MEDIA_TYPE))
    }
}

/// Reads a body of at most `limit` bytes, for at most `patience`. Never holds more than that.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(&codes::BODY_TOO_LARGE, format!("at most {limit} bytes"));
    let announced = announced(headers);
    if announced.is_some_and(|it| it > limit as u64) {
        return Err(too_large());
    }
    let collected = async {
        let mut stream = body.into_data_stream();
        let mut all = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| ApiError::new(&codes::BAD_REQUEST, "the body broke off"))?;
            if all.len() + chunk.len() > limit {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    };
    tokio::time::timeout(patience, collected)
        .await
        .unwrap_or_else(|_| Err(ApiError::plain(&codes::BODY_TOO_SLOW)))
}

/// Understands a body. What is no JSON is 400; JSON of another shape is 422 and names the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if has_nul(bytes) {
        return Err(ApiError::new(
            &codes::MALFORMED_JSON,
            "a text may not contain U+0000",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        refused(&path, error.inner())
    })?;
    reader.end().map_err(|error| refused("", &error))?;
    Ok(value)
}

/// Whether a body escapes the character that no database keeps in a text.
fn has_nul(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|it| *it == b'\\') {
        if rest[at..].starts_with(b"\\u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

fn refused(path: &str, error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        let place = format!("line {}, column {}", error.line(), error.column());
        return ApiError::new(&codes::MALFORMED_JSON, format!("the body is not JSON at {place}"));
    }
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    // "unknown field `x`, …", "missing field `x`" and "duplicate field `x`" are found at the object around it.
    let quoted = reason.split('`').nth(1).filter(|_| reason.contains(" field `"));
    let field = match (path, quoted) {
        ("." | "", Some(field)) => field.to_owned(),
        (path, Some(field)) if !path.ends_with(field) => format!("{path}.{field}"),
        (path, _) => path.to_owned(),
    };
    let reason = if reason.starts_with("unknown field") {
        "unknown field"
    } else {
        reason
    };
    ApiError::invalid(&field, reason)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        email: String,
        #[expect(dead_code, reason = "only whether it can be read matters")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        count: u8,
    }

    fn check(body: &[u8], code: &str, field: &str) {
        let error = parse::<Form>(body).expect_err("refused");
        let shown = format!("{error:?}");
        assert_eq!(error.code().code, code, "{shown}");
        assert!(
            field.is_empty() || shown.contains(&format!("String(\"{field}\")")),
            "{field}: {shown}"
        );
    }

    #[test]
    fn a_body_is_refused_with_the_field_that_is_wrong() {
        check(b"", "MALFORMED_JSON", "");
        check(b"{\"email\":", "MALFORMED_JSON", "");
        check(b"{\"email\":\"a\"} x", "MALFORMED_JSON", "");
        check(b"{\"email\":\"\xff\"}", "MALFORMED_JSON", "");
        check(b"{\"email\":\"a\\u0000\"}", "MALFORMED_JSON", "");
        check(b"[]", "VALIDATION_FAILED", "");
        check(b"{}", "VALIDATION_FAILED", "email");
        check(b"{\"email\":5}", "VALIDATION_FAILED", "email");
        check(
            b"{\"email\":\"a\",\"role\":\"owner\"}",
            "VALIDATION_FAILED",
            "role",
        );
        check(b"{\"email\":\"a\",\"email\":\"b\"}", "VALIDATION_FAILED", "email");
        check(
            b"{\"email\":\"a\",\"inner\":{\"count\":256}}",
            "VALIDATION_FAILED",
            "inner.count",
        );
        check(
            b"{\"email\":\"a\",\"inner\":{}}",
            "VALIDATION_FAILED",
            "inner.count",
        );
        assert!(parse::<Form>(b"{\"email\":\"a\",\"inner\":{\"count\":255}}").is_ok());
        assert!(
            parse::<Form>(b"{\"email\":\"\\\\u0000\"}").is_ok(),
            "an escaped backslash, not a NUL"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_or_slow_body_is_refused_within_bounds() {
        let patience = Duration::from_secs(10);
        let headers = HeaderMap::new();
        let read = |body| read(&headers, body, 8, patience);
        assert_eq!(read(Body::from("12345678")).await.unwrap(), "12345678");
        assert_eq!(
            read(Body::from("123456789")).await.unwrap_err().code(),
            &codes::BODY_TOO_LARGE
        );
        let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("xx"));
        assert_eq!(
            read(Body::from_stream(endless)).await.unwrap_err().code(),
            &codes::BODY_TOO_LARGE
        );
        let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(
            read(Body::from_stream(silent)).await.unwrap_err().code(),
            &codes::BODY_TOO_SLOW
        );
    }
}
