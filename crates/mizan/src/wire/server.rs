//! The HTTP server: its state, its probes, and how it drains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use mizan_config::Settings;
use mizan_flows::App;
use mizan_http::health::{Probe, Readiness};
use mizan_http::{HttpState, Limits, VersionInfo};
use mizan_store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::build;
use super::probes::{DatabaseProbe, MigrationsProbe, RedisProbe};

/// How long `/api/ready` says no before the port is closed, so that a load balancer has heard of it.
const DRAIN: Duration = Duration::from_secs(1);
/// How long requests that are under way may take to end.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until `stop`, then drains. The first look at everything is logged before the first request.
pub async fn serve(
    app: Arc<App>,
    settings: Settings,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ready = Arc::new(readiness(&settings, &app.store)?);
    let metrics = metrics()?;
    let state = HttpState {
        app,
        ready: Arc::clone(&ready),
        version: VersionInfo {
            version: build::VERSION.to_owned(),
            git_sha: build::GIT_SHA.to_owned(),
            build_time: build::BUILD_TIME.to_owned(),
        },
        environment: settings.mode.env.as_str().to_owned(),
        cors: settings.cors.origins.clone(),
        metrics: metrics.clone().filter(|_| settings.listen.metrics_port.is_none()),
        draining: stop.clone(),
        limits: Limits::default(),
    };
    tokio::spawn(async move { ready.report().await });
    if let Some(handle) = metrics {
        expose(handle, &settings.listen.host, settings.listen.metrics_port, &stop).await?;
    }
    let service = mizan_http::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let closing = CancellationToken::new();
    let server = axum::serve(listener, service).with_graceful_shutdown(closing.clone().cancelled_owned());
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        ended = &mut server => return ended.context("the server ended"),
        () = stop.cancelled() => {}
    }
    let drained = async {
        tokio::time::sleep(DRAIN).await;
        closing.cancel();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = &mut server => ended.context("the server ended"),
        () = drained => {
            tracing::warn!("requests were cut off: they took longer than the server waits");
            Ok(())
        }
    }
}

/// The probes of the database and of its migrations.
pub fn database_probes(settings: &Settings, store: &Arc<dyn Store>) -> (Arc<dyn Probe>, Arc<dyn Probe>) {
    let target = settings.database.masked();
    let database = DatabaseProbe {
        store: Arc::clone(store),
        target: target.clone(),
    };
    (
        Arc::new(database),
        Arc::new(MigrationsProbe {
            store: Arc::clone(store),
            target,
        }),
    )
}

fn readiness(settings: &Settings, store: &Arc<dyn Store>) -> anyhow::Result<Readiness> {
    let (database, migrations) = database_probes(settings, store);
    let redis: Option<Arc<dyn Probe>> = match &settings.redis {
        Some(redis) => Some(Arc::new(
            RedisProbe::new(redis).context("the Redis client cannot be set up")?,
        )),
        None => None,
    };
    Ok(Readiness::new(
        database,
        redis,
        migrations,
        settings.ready.timeout,
        settings.mode.strict,
    ))
}

/// Installs the recorder, once per process; a second server in it serves no metrics.
pub fn metrics() -> anyhow::Result<Option<PrometheusHandle>> {
    let buckets = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    let builder = PrometheusBuilder::new()
        .set_buckets(&buckets)
        .context("the buckets are not in order")?;
    Ok(builder.install_recorder().ok())
}

/// Keeps the metrics in order, and serves them on a port of their own where one is named.
pub async fn expose(
    handle: PrometheusHandle,
    host: &str,
    port: Option<u16>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if let Some(port) = port {
        let bound = TcpListener::bind((host, port)).await;
        let listener = bound.with_context(|| format!("{host}:{port} cannot be listened on"))?;
        tokio::spawn(serve_metrics(handle.clone(), listener, stop.clone()));
    }
    tokio::spawn(upkeep(handle, stop.clone()));
    Ok(())
}

/// Serves `/metrics` on a port of its own, for scrapers that must not reach the API.
async fn serve_metrics(handle: PrometheusHandle, listener: TcpListener, stop: CancellationToken) {
    let headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    let render = move || std::future::ready((headers, handle.render()));
    let routes = axum::Router::new().route("/metrics", axum::routing::get(render));
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the metrics port is served no more");
    }
}

/// Keeps the memory of histograms bounded.
async fn upkeep(handle: PrometheusHandle, stop: CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => handle.run_upkeep(),
        }
    }
}
