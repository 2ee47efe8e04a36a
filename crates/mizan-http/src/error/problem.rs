//! Writing the body of an error, and giving one to errors that come from a library.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use mizan_mask::Masker;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ApiError, Code, codes};

/// A detail may quote what was sent. Errors are kept by proxies and clients, so what looks like the number of a card
/// or an account, or like a credential, is not quoted.
static QUOTED: LazyLock<Masker> = LazyLock::new(|| Masker::builder().build());

const MEDIA_TYPE: &str = "application/problem+json";

/// An error, in the form of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:mizan:error:` and the code in lower case.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, the same for every occurrence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Stable; programs decide by this.
    pub error_code: &'static str,
    /// Names the request in our logs.
    pub request_id: String,
    /// Members of some codes: `field`, `current_state`, `short_minor_units`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extras: Map<String, Value>,
}

/// Writes the body of an error. What a library answered with (an unknown route, a wrong method) becomes a problem
/// as well; its headers stay.
pub(crate) fn finish(mut response: Response, request_id: &str) -> Response {
    let error = response.extensions_mut().remove::<ApiError>();
    let error = match error {
        Some(error) => error,
        None if is_foreign(&response) => match of_status(response.status()) {
            Some(code) => ApiError::plain(code),
            None => return response,
        },
        None => return response,
    };
    let code = error.0.code;
    let problem = Problem {
        kind: format!("urn:mizan:error:{}", code.code.to_lowercase()),
        title: code.title,
        status: code.status,
        detail: quoted(&error.0.detail),
        error_code: code.code,
        request_id: request_id.to_owned(),
        extras: error.0.extras.clone().into_iter().map(member).collect(),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    *response.status_mut() = error.status();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response.headers_mut().remove(CONTENT_LENGTH);
    if leaves_the_body_unread(code) {
        // The connection ends with the rest of the body on it. Said aloud, so that no client sends its next request there.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    *response.body_mut() = Body::from(body);
    response
}

fn leaves_the_body_unread(code: &Code) -> bool {
    matches!(code.status, 408 | 413 | 415 | 429)
}

fn quoted(text: &str) -> String {
    QUOTED.mask(text).into_string()
}

fn member((name, value): (String, Value)) -> (String, Value) {
    match value {
        Value::String(text) => (name, quoted(&text).into()),
        other => (name, other),
    }
}

/// An error status whose body is not ours.
fn is_foreign(response: &Response) -> bool {
    let status = response.status();
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("json"));
    (status.is_client_error() || status.is_server_error()) && !json
}

fn of_status(status: StatusCode) -> Option<&'static Code> {
    Some(match status {
        StatusCode::NOT_FOUND => &codes::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => &codes::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE => &codes::BODY_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &codes::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::REQUEST_TIMEOUT => &codes::BODY_TOO_SLOW,
        status if status.is_server_error() => &codes::INTERNAL,
        status if status.is_client_error() => &codes::BAD_REQUEST,
        _ => return None,
    })
}
