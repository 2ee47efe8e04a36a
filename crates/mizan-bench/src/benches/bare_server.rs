//! The yardstick of `webhook`: a server that reads a body, does nothing with it and says 200.

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;

use crate::screen;

/// Prints its address, then serves until it is killed.
pub async fn serve() -> anyhow::Result<()> {
    let read = |body: Bytes| async move {
        if body.is_empty() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        }
    };
    let routes = Router::new().fallback(post(read));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    screen::result(&format!("listening on {}", listener.local_addr()?))?;
    axum::serve(listener, routes).await?;
    Ok(())
}
