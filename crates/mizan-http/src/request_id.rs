//! Request ids: a caller's own is kept if it is harmless, else one is made.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use mizan_core::TransactionId;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: in the reply, in problems, in logs and on jobs.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

impl RequestId {
    /// Takes 1 to 128 visible ASCII characters, or makes an id.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|it| it.to_str().ok());
        let good = |it: &&str| (1..=128).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_graphic());
        match given.filter(good) {
            Some(id) => Self(id.into()),
            // The typed ids are the program's one source of new ids.
            None => Self(TransactionId::new().0.simple().to_string().into()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

impl From<RequestId> for Option<String> {
    fn from(id: RequestId) -> Self {
        Some(id.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_harmless_ids_are_taken() {
        let taken = |id: &[u8]| {
            let value = HeaderValue::from_bytes(id).unwrap();
            RequestId::of(&HeaderMap::from_iter([(X_REQUEST_ID, value)]))
                .0
                .as_bytes()
                == id
        };
        assert!(taken(b"abc-123"));
        assert!(taken(&[b'a'; 128]));
        for bad in [&b""[..], b"a b", &[b'a'; 129], b"\xc3\xa7"] {
            assert!(!taken(bad), "{bad:?}");
        }
    }
}
