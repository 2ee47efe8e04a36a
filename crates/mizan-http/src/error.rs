//! Errors as clients see them: `application/problem+json` (RFC 9457) with a stable `error_code`.
//!
//! [`codes`] is the table; [`flow`] gives each error of a story its row. An [`ApiError`] travels as an extension
//! of its response, and [`crate::frame`] writes the body, because only there the request id is known.

pub mod codes;
mod flow;
mod problem;

use std::sync::Arc;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

pub use codes::{Code, catalogue, catalogue_markdown};
pub use problem::Problem;
pub(crate) use problem::finish;

/// What went wrong, in words for the caller: nothing of it tells of the inside.
#[derive(Debug, Clone)]
pub struct ApiError(Arc<Content>);

#[derive(Debug, Clone)]
struct Content {
    code: &'static Code,
    detail: String,
    extras: Map<String, Value>,
    retry_after_s: Option<u32>,
}

impl ApiError {
    pub fn new(code: &'static Code, detail: impl ToString) -> Self {
        Self(Arc::new(Content {
            code,
            detail: detail.to_string(),
            extras: Map::new(),
            retry_after_s: None,
        }))
    }

    /// A code whose title says it all.
    pub fn plain(code: &'static Code) -> Self {
        Self::new(code, code.meaning)
    }

    /// A field of the request that cannot be taken.
    pub fn invalid(field: &str, reason: impl ToString) -> Self {
        Self::new(&codes::VALIDATION_FAILED, reason).with("field", field)
    }

    pub fn not_found(noun: &str) -> Self {
        Self::new(codes::not_found(noun), format!("there is no such {noun}"))
    }

    /// Too much is under way or waiting; nothing was done.
    pub(crate) fn too_busy() -> Self {
        Self::plain(&codes::TOO_BUSY).retry_after(1)
    }

    /// Adds a member to the problem.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        Arc::make_mut(&mut self.0)
            .extras
            .insert(name.to_owned(), value.into());
        self
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        Arc::make_mut(&mut self.0).retry_after_s = Some(seconds);
        self
    }

    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED && self.0.code.code == codes::NOT_AUTHENTICATED.code {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
