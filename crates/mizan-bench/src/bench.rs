//! The table of benches. A new one is a file under `benches/` and a line here.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::benches::{growth, mask, post_bulk, post_http, post_sqlite, queue, ready, recon, start, webhook};
use crate::case::Case;

/// What a bench is told.
#[derive(Debug, Clone)]
pub struct Options {
    pub quick: bool,
    /// Sizes instead of the bench's own; empty for those.
    pub sizes: Vec<u64>,
}

impl Options {
    /// How long one stretch of load lasts.
    pub fn stretch(&self) -> Duration {
        Duration::from_secs(if self.quick { 3 } else { 10 })
    }

    /// How often subject and yardstick take turns.
    pub fn rounds(&self) -> usize {
        if self.quick { 2 } else { 3 }
    }
}

pub struct Bench {
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// How it measures, for `docs/performance.md`.
    pub method: &'static str,
    /// What holds the figures back, as profiles showed, and what could be tried next.
    pub limits: &'static str,
    pub run: fn(Options) -> BoxFuture<'static, anyhow::Result<Vec<Case>>>,
}

macro_rules! bench {
    ($name:literal, $module:ident) => {
        Bench {
            name: $name,
            about: $module::ABOUT,
            method: $module::METHOD,
            limits: $module::LIMITS,
            run: |options| Box::pin($module::run(options)),
        }
    };
}

/// In the order in which `all` runs them.
pub const ALL: &[Bench] = &[
    bench!("post-bulk", post_bulk),
    bench!("post-http", post_http),
    bench!("post-sqlite", post_sqlite),
    bench!("growth", growth),
    bench!("webhook", webhook),
    bench!("recon", recon),
    bench!("queue", queue),
    bench!("ready", ready),
    bench!("start", start),
    bench!("mask", mask),
];
