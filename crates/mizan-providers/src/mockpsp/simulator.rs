//! A payment service provider to test against: an API, signed webhooks with retries, a statement, planted faults.
//!
//! Everything follows from a seed, a clock and the order of the calls: the same three give the same ids, the
//! same faults on the same events and the same statement. What is planted is kept in a list that says which
//! finding each fault must lead to, so that a run of the reconciliation can be held against it.

mod api;
mod book;
mod courier;
mod event;
mod fault;
mod lanes;
mod statement;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizan_core::Clock;
use mizan_mask::Secret;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::api::App;
use self::book::Book;
use self::courier::Courier;
pub use self::courier::Deliveries;
pub use self::fault::{Fault, Plan, Planted};
use super::backoff::Backoff;

/// What a simulator is made of.
pub struct Config {
    /// Same seed, same clock, same calls: same ids, faults and statement.
    pub seed: u64,
    pub clock: Arc<dyn Clock>,
    /// Where webhooks go; without one events are only in the statement.
    pub webhook_url: Option<String>,
    /// What webhooks are signed with.
    pub secret: Secret,
    /// If set, every call but `GET /health` needs it as a bearer token.
    pub api_key: Option<Secret>,
    /// The fee of a deposit, in hundredths of a percent, rounded down to minor units.
    pub fee_basis_points: u32,
    pub delivery: Delivery,
    /// What is planted from the start.
    pub plans: Vec<Plan>,
}

/// How webhooks are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// Deliveries on the way at the same time, at most. Those of one payment always go one after the other.
    pub concurrency: usize,
    /// Bound of one try.
    pub timeout: Duration,
    /// Tries until the receiver answers with 2xx.
    pub backoff: Backoff,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            concurrency: 8,
            timeout: Duration::from_secs(10),
            backoff: Backoff {
                tries: 10,
                first: Duration::from_millis(50),
                longest: Duration::from_secs(5),
            },
        }
    }
}

impl Config {
    /// No fee, no fault, no API key.
    pub fn new(seed: u64, clock: Arc<dyn Clock>, secret: Secret) -> Self {
        Self {
            seed,
            clock,
            webhook_url: None,
            secret,
            api_key: None,
            fee_basis_points: 0,
            delivery: Delivery::default(),
            plans: Vec::new(),
        }
    }
}

/// The way to start one.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Serves on `listener` until the handle is shut down or dropped. Must be called inside a tokio runtime.
    pub fn start(config: Config, listener: TcpListener) -> io::Result<Handle> {
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let courier = Courier::new(
            config.webhook_url,
            config.secret,
            Arc::clone(&config.clock),
            config.delivery,
            config.seed,
            stopped.clone(),
        )?;
        let app = Arc::new(App {
            book: Mutex::new(Book::new(config.seed, config.fee_basis_points, config.plans)),
            clock: config.clock,
            courier,
            api_key: config.api_key,
            stopped: stopped.clone(),
        });
        let router = api::router(Arc::clone(&app));
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(until(stopped))
                .await
        });
        Ok(Handle {
            addr,
            app,
            stop,
            server,
        })
    }
}

/// A running simulator.
pub struct Handle {
    addr: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
}

impl Handle {
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its API is: the `base_url` of a connection.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Everything that was planted so far, in order.
    pub fn planted(&self) -> Vec<Planted> {
        locked(&self.app.book).faults.planted().to_vec()
    }

    /// How many findings of each type a run over everything must have.
    pub fn expected_findings(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for expected in self.planted().iter().filter_map(|it| it.expected_finding) {
            *counts.entry(expected).or_default() += 1;
        }
        counts
    }

    /// Replaces the plan of each fault that is named; the others stay.
    pub fn plan(&self, plans: Vec<Plan>) {
        locked(&self.app.book).faults.configure(plans);
    }

    /// Lets the webhooks go that a delay holds back; says how many.
    pub fn release_held(&self) -> usize {
        self.app.courier.release_held()
    }

    pub fn deliveries(&self) -> Deliveries {
        self.app.courier.deliveries()
    }

    /// Waits until every webhook is delivered or given up. Those that wait for a successor to overtake them
    /// go now; those held until a release stay, and are counted in the answer.
    pub async fn quiesce(&self) -> Deliveries {
        self.app.courier.quiesce().await
    }

    /// Stops serving and delivering; calls that were left unanswered on purpose end.
    pub async fn shutdown(self) -> io::Result<()> {
        self.stop.send_replace(true);
        self.server.await.map_err(io::Error::other)?
    }
}

/// Ends when the simulator is shut down, or its handle is gone.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopped.wait_for(|it| *it).await;
}

/// No holder leaves half-done work behind, so what a panic left is as good as ever.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
