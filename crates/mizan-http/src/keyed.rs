//! `Idempotency-Key`: reading the header, and answering a keyed request.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mizan_core::TransactionId;
use mizan_flows::{Keyed, Reply};

use crate::error::{ApiError, codes};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request that moves money. `route` is the method and path, and whom it is about: a key counts per
/// route and subject.
pub(crate) fn required(
    headers: &HeaderMap,
    route: &str,
    subject: impl ToString,
    body: &[u8],
) -> Result<Keyed, ApiError> {
    let key = header(headers)?.ok_or_else(|| ApiError::plain(&codes::IDEMPOTENCY_KEY_REQUIRED))?;
    keyed(route, subject, key, body)
}

/// The key of a step whose effects are keyed by their subject anyway. Without the header a new one is made, so
/// that every request is decided anew.
pub(crate) fn optional(
    headers: &HeaderMap,
    route: &str,
    subject: impl ToString,
    body: &[u8],
) -> Result<Keyed, ApiError> {
    match header(headers)? {
        Some(key) => keyed(route, subject, key, body),
        None => keyed(route, subject, &format!("auto-{}", TransactionId::new()), body),
    }
}

fn keyed(route: &str, subject: impl ToString, key: &str, body: &[u8]) -> Result<Keyed, ApiError> {
    let subject = subject.to_string();
    let scope = if subject.is_empty() {
        route.to_owned()
    } else {
        format!("{route} {subject}")
    };
    Ok(Keyed::new(&scope, key, body)?)
}

fn header(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let invalid = |reason| ApiError::invalid("Idempotency-Key", reason);
    let mut all = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(invalid("send the header once")),
        (Some(value), None) => {
            let text = value
                .to_str()
                .map_err(|_| invalid("use 1 to 255 visible ASCII characters"))?;
            Ok(Some(text).filter(|it| !it.is_empty()))
        }
    }
}

/// Answers byte for byte what the story said.
pub(crate) fn answer(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = (status, reply.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if reply.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(keys: &[&'static str]) -> HeaderMap {
        keys.iter()
            .map(|it| (IDEMPOTENCY_KEY, HeaderValue::from_static(it)))
            .collect()
    }

    #[test]
    fn a_key_is_required_once_and_visible() {
        let read = |keys: &[&'static str]| required(&headers(keys), "POST /x", "", b"{}");
        assert_eq!(read(&["a"]).unwrap().key.key, "a");
        assert_eq!(read(&[]).unwrap_err().code(), &codes::IDEMPOTENCY_KEY_REQUIRED);
        assert_eq!(read(&[""]).unwrap_err().code(), &codes::IDEMPOTENCY_KEY_REQUIRED);
        assert_eq!(read(&["a", "b"]).unwrap_err().code(), &codes::VALIDATION_FAILED);
        assert_eq!(read(&["a b"]).unwrap_err().code(), &codes::VALIDATION_FAILED);
    }

    #[test]
    fn the_same_key_about_another_subject_is_another_key() {
        let of = |subject: &str| {
            required(&headers(&["a"]), "POST /x/{id}", subject, b"")
                .unwrap()
                .key
        };
        assert_ne!(of("1"), of("2"));
        assert_eq!(of("1"), of("1"));
    }

    #[test]
    fn a_made_up_key_is_never_the_same() {
        let make = || optional(&HeaderMap::new(), "POST /x", "", b"").unwrap().key;
        assert_ne!(make(), make());
    }
}
