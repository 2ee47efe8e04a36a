//! `mizan mockpsp`: a payment service provider to test against.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use mizan_config::MOCKPSP_TEST_SECRET;
use mizan_core::SystemClock;
use mizan_mask::Secret;
use mizan_providers::mockpsp::simulator::{Config, Simulator};
use tokio::net::TcpListener;

use super::exit::{self, Exit};
use crate::wire;

#[derive(Debug, Args)]
pub struct MockpspArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: String,
    /// Where to send webhooks.
    #[arg(long, default_value = "http://127.0.0.1:8001/api/v1/payments/webhook/mockpsp")]
    webhook_url: String,
    /// The same seed gives the same event ids and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The fee of a captured deposit, in basis points, on statements.
    #[arg(long, default_value_t = 0)]
    fee_bps: u32,
}

pub async fn run(args: MockpspArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    wire::logging::start(&loaded.settings.log, &wire::masker());
    let secret = loaded
        .settings
        .webhooks
        .secrets("mockpsp")
        .first()
        .cloned()
        .unwrap_or_else(|| Secret::from(MOCKPSP_TEST_SECRET));
    let listener = TcpListener::bind(&args.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    let mut config = Config::new(args.seed, Arc::new(SystemClock), secret);
    config.webhook_url = Some(args.webhook_url);
    config.fee_basis_points = args.fee_bps;
    let simulator = Simulator::start(config, listener)?;
    say!("mockpsp listens on {}", simulator.base_url());
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C cannot be waited for")?;
    simulator.shutdown().await.context("the simulator ended early")?;
    Ok(exit::DONE)
}
