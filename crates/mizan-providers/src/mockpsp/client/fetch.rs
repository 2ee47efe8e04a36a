//! One bounded call, and the same call repeated where that is safe. Errors name no URL.

use std::time::Duration;

use mizan_payments::provider::ProviderError;
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::mockpsp::backoff::Backoff;

/// A whole answer, whatever its status.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// What `Retry-After` asks for, if it does so in seconds.
    retry_after: Option<Duration>,
}

/// Sends once and reads the answer to its end, all of it within `timeout`.
pub(super) async fn once(
    call: RequestBuilder,
    timeout: Duration,
    longest: usize,
) -> Result<Answer, ProviderError> {
    let response = call
        .timeout(timeout)
        .send()
        .await
        .map_err(|error| ProviderError::Unreachable(cause(&error).to_owned()))?;
    let (status, retry_after) = (response.status(), retry_after(&response));
    Ok(Answer {
        status,
        body: read(response, longest).await?,
        retry_after,
    })
}

/// Repeats a call that changes nothing, until it is answered with 2xx or with a refusal.
pub(super) async fn with_retries(
    call: impl Fn() -> Result<RequestBuilder, ProviderError>,
    timeout: Duration,
    longest: usize,
    backoff: Backoff,
    entropy: fn() -> u64,
) -> Result<Answer, ProviderError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let (error, asked) = match once(call()?, timeout, longest).await {
            Ok(answer) if answer.status.is_success() => return Ok(answer),
            Ok(answer) if !may_pass(answer.status) => {
                return Err(ProviderError::Status(answer.status.as_u16()));
            }
            Ok(answer) => (ProviderError::Status(answer.status.as_u16()), answer.retry_after),
            // It will be as long the next time.
            Err(error @ ProviderError::Unreadable(_)) => return Err(error),
            Err(error) => (error, None),
        };
        let Some(wait) = backoff.wait(tried, entropy(), asked) else {
            return Err(error);
        };
        tracing::debug!(tried, %error, wait_ms = wait.as_millis(), "the provider is asked again");
        tokio::time::sleep(wait).await;
    }
}

/// Whether the same call may be answered differently in a moment.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

async fn read(mut response: Response, longest: usize) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= longest => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                return Err(ProviderError::Unreadable(format!(
                    "it is longer than {longest} bytes"
                )));
            }
            Ok(None) => return Ok(body),
            Err(error) => return Err(ProviderError::Unreachable(cause(&error).to_owned())),
        }
    }
}

/// What went wrong in words of our own: the library's words carry the URL.
fn cause(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}
