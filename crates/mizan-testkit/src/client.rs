//! The tester: an HTTP client with verbs, pointed at one running application.
//!
//! Verbs of the domain (`app.deposit(…)`) are further `impl TestApp` blocks, each in the file of its noun.

use std::fmt::Debug;

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap, redirect::Policy};
use serde_json::Value;

/// One application under test and, optionally, who is asking.
///
/// A verb panics when no HTTP reply arrives at all; every reply, of whatever status, is a [`Reply`].
#[derive(Debug, Clone)]
pub struct TestApp {
    base_url: String,
    token: Option<String>,
    client: Client,
}

impl TestApp {
    /// `base_url` such as `http://127.0.0.1:8001`; paths are appended to it. Follows no redirects.
    pub fn new(base_url: impl Into<String>) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        Self {
            base_url,
            token: None,
            client: client.expect("a client without special settings"),
        }
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The bearer token of who is asking.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same application, asked by the holder of this bearer token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// The same application, asked by nobody in particular.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(impl AsRef<str>, impl AsRef<str>)]) -> Reply {
        self.send(with_headers(self.request(Method::GET, path), headers))
            .await
    }

    pub async fn post(&self, path: &str, json: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&json)).await
    }

    pub async fn post_with(
        &self,
        path: &str,
        json: Value,
        headers: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Reply {
        self.send(with_headers(
            self.request(Method::POST, path).json(&json),
            headers,
        ))
        .await
    }

    /// Posts these very bytes: a webhook's signature covers them. No content type unless `headers` has one.
    pub async fn post_bytes(
        &self,
        path: &str,
        body: impl Into<Vec<u8>>,
        headers: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Reply {
        self.send(with_headers(
            self.request(Method::POST, path).body(body.into()),
            headers,
        ))
        .await
    }

    pub async fn put(&self, path: &str, json: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&json)).await
    }

    /// For what no verb covers: build on it, then [`TestApp::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        match self.try_send(request).await {
            Ok(reply) => reply,
            Err(error) => panic!("no reply from {}: {error:?}", self.base_url),
        }
    }

    /// As [`TestApp::send`], for tests in which the application is allowed to be gone.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let reply = request.send().await?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let text = reply.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply {
            status,
            headers,
            body,
            text,
        })
    }
}

fn with_headers(request: RequestBuilder, headers: &[(impl AsRef<str>, impl AsRef<str>)]) -> RequestBuilder {
    headers.iter().fold(request, |it, (name, value)| {
        it.header(name.as_ref(), value.as_ref())
    })
}

/// What the application answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` when the text is not JSON.
    pub body: Value,
    pub text: String,
}

impl Reply {
    /// Panics with the whole reply unless the status is this one.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "asserting is use enough")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Panics unless the reply is this status with this `error_code`.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "asserting is use enough")]
    pub fn expect_error(self, status: u16, error_code: &str) -> Self {
        assert_eq!(
            (self.status, self.error_code()),
            (status, error_code),
            "{}",
            self.text
        );
        self
    }

    /// The `error_code` of the body, or an empty text.
    pub fn error_code(&self) -> &str {
        self.body["error_code"].as_str().unwrap_or_default()
    }

    /// The text of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
