//! Takes webhooks of one connection on a port and prints what became of each: to try a sender's signing.
//!
//! `cargo run -p mizan-providers --example receive_webhooks -- <kind> <secret>` prints its address first.
//! Events go to `/api/v1/payments/webhook/example`, as with `mizan serve`; nothing is stored.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mizan_core::{Clock, SystemClock};
use mizan_mask::Secret;
use mizan_payments::provider::{Headers, Provider, Rejection};
use mizan_providers::{ConnectionConfig, build};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(secret)) = (arguments.next(), arguments.next()) else {
        return Err("usage: receive_webhooks <kind> <secret>".into());
    };
    let config = ConnectionConfig::new("example".parse()?, kind.clone(), vec![Secret::from(secret)]);
    let router = Router::new()
        .route("/api/v1/payments/webhook/example", post(receive))
        .with_state(build(&kind, config)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn receive(
    State(provider): State<Arc<dyn Provider>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let headers = Headers(
        headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
    );
    let now = SystemClock.now();
    let (status, said) = match provider.verify(&headers, &body, now) {
        Ok(events) => {
            let read: Vec<_> = events.iter().map(|it| provider.translate(it, now)).collect();
            (StatusCode::OK, format!("{read:?}"))
        }
        Err(rejection @ (Rejection::SignatureMissing | Rejection::Malformed)) => {
            (StatusCode::BAD_REQUEST, rejection.code().to_owned())
        }
        Err(rejection) => (StatusCode::UNAUTHORIZED, rejection.code().to_owned()),
    };
    println!("{} {said}", status.as_u16());
    (status, said)
}
