//! Webhooks in: raw bytes, within bounds, to the flow that verifies and keeps them.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use mizan_core::ProviderKey;
use mizan_flows::{FlowError, webhook_intake};
use mizan_payments::provider::Headers;
use mizan_store::webhooks::Signature;

use crate::body::read;
use crate::error::{ApiError, codes};
use crate::login::Peer;
use crate::request_id::RequestId;
use crate::state::Edge;

/// Takes a provider's event.
///
/// The signature is checked over the raw bytes. The reply comes after the event is stored and before it is
/// applied; an event that is known already is 200 again, without any effect. At most 1 MiB.
#[utoipa::path(
    post, path = "/payments/webhook/{provider}", tag = "webhooks", operation_id = "take_webhook",
    request_body(content = String, content_type = "application/json", description = "As the provider sends it"),
    params(("provider" = String, Path, description = "The key of a connection")),
    responses((status = 200, description = "Stored; the body is what the provider expects"))
)]
pub(crate) async fn take(
    State(edge): State<Edge>,
    Peer(address): Peer,
    request_id: RequestId,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let provider: ProviderKey = provider
        .parse()
        .map_err(|_| ApiError::new(&codes::UNSUPPORTED_PROVIDER, "that is no key of a provider"))?;
    edge.rejections
        .check(provider.as_str(), address, edge.app.now())?;
    let bytes = read(
        &headers,
        body,
        edge.limits.webhook_body,
        edge.limits.body_patience,
    )
    .await?;
    let headers = plain(&headers);
    match webhook_intake::take(&edge.app, &provider, &headers, &bytes, request_id.into()).await {
        Ok(taken) => {
            if taken.signature == Signature::Unverified {
                // Whoever sends without a signature fills the inbox no faster than others are refused.
                edge.rejections.count(provider.as_str(), address, edge.app.now());
            }
            Ok(acknowledge(taken.acknowledgement))
        }
        Err(error) => {
            // A provider that is made up is not counted: names are endless, and nothing was read for it.
            if matches!(error, FlowError::Webhook(_)) {
                edge.rejections.count(provider.as_str(), address, edge.app.now());
            }
            Err(error.into())
        }
    }
}

/// Headers as adapters read them. What is no text cannot be part of a signature.
fn plain(headers: &HeaderMap) -> Headers {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    Headers(
        headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
            .collect(),
    )
}

fn acknowledge(body: &'static str) -> Response {
    let media_type = if body.starts_with('{') {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
