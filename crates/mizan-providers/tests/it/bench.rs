//! What the tests share: a simulator, a receiver that checks every webhook as Mizan does, and a connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, TimeDelta};
use mizan_core::{Clock, Currency, ManualClock, Money, TimeWindow, Timestamp};
use mizan_mask::Secret;
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{Headers, PayoutRequest, Provider};
use mizan_providers::simulator::{Config, Delivery, Handle, Plan, Simulator};
use mizan_providers::{Backoff, ClientSettings, ConnectionConfig, build};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

pub const SECRET: &str = "a-secret-of-the-tests";
pub const PLAYER: &str = "0199e0a8-7c1f-7000-8000-000000000001";
pub const WITHDRAWAL: &str = "0199e0a8-7c1f-7000-8000-0000000000ff";

/// Tries that follow each other at once, so that no test waits.
pub const AT_ONCE: Backoff = Backoff {
    tries: 4,
    first: Duration::ZERO,
    longest: Duration::ZERO,
};

pub async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub fn start_of_time() -> Timestamp {
    DateTime::from_timestamp(1_793_500_000, 0).unwrap()
}

/// Takes webhooks as Mizan does: verify on the raw bytes, then translate.
pub struct Receiver {
    provider: Arc<dyn Provider>,
    clock: Arc<ManualClock>,
    events: Mutex<Vec<ProviderEvent>>,
    /// So many requests are answered with 500 first.
    pub failing: AtomicUsize,
    pub requests: AtomicUsize,
    active: AtomicUsize,
    pub most_active: AtomicUsize,
    /// If set, requests go on only in pairs.
    pairs: Option<Barrier>,
}

impl Receiver {
    /// The types of the events that were accepted, in order.
    pub fn seen(&self) -> Vec<&'static str> {
        self.events().iter().map(|it| it.kind.as_str()).collect()
    }

    pub fn events(&self) -> Vec<ProviderEvent> {
        self.events.lock().unwrap().clone()
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.requests.fetch_add(1, Ordering::SeqCst);
    let active = receiver.active.fetch_add(1, Ordering::SeqCst) + 1;
    receiver.most_active.fetch_max(active, Ordering::SeqCst);
    if let Some(pairs) = &receiver.pairs {
        pairs.wait().await;
    }
    receiver.active.fetch_sub(1, Ordering::SeqCst);
    let failing = receiver
        .failing
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
    if failing.is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let headers = Headers(
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
    );
    let now = receiver.clock.now();
    match receiver.provider.verify(&headers, &body, now) {
        Ok(events) => {
            for event in events {
                let event = receiver.provider.translate(&event, now).unwrap();
                receiver.events.lock().unwrap().push(event);
            }
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// All of it, wired.
pub struct Bench {
    pub clock: Arc<ManualClock>,
    pub receiver: Arc<Receiver>,
    pub psp: Handle,
    pub http: reqwest::Client,
}

#[derive(Default)]
pub struct Options {
    pub seed: u64,
    pub plans: Vec<Plan>,
    pub fee_basis_points: u32,
    pub api_key: Option<&'static str>,
    pub in_pairs: bool,
    pub concurrency: Option<usize>,
}

impl Bench {
    pub async fn with(plans: Vec<Plan>) -> Self {
        Self::of(Options {
            plans,
            ..Options::default()
        })
        .await
    }

    pub async fn of(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(start_of_time()));
        let receiver = Arc::new(Receiver {
            provider: connection(None, None),
            clock: Arc::clone(&clock),
            events: Mutex::default(),
            failing: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            active: AtomicUsize::new(0),
            most_active: AtomicUsize::new(0),
            pairs: options.in_pairs.then(|| Barrier::new(2)),
        });
        let hooks = listener().await;
        let url = format!("http://{}/hooks", hooks.local_addr().unwrap());
        let router = Router::new()
            .route("/hooks", post(receive))
            .with_state(Arc::clone(&receiver));
        tokio::spawn(async move { axum::serve(hooks, router).await });
        let mut config = Config::new(options.seed, clock.clone(), Secret::from(SECRET));
        config.webhook_url = Some(url);
        config.plans = options.plans;
        config.fee_basis_points = options.fee_basis_points;
        config.api_key = options.api_key.map(Secret::from);
        config.delivery = Delivery {
            backoff: AT_ONCE,
            concurrency: options.concurrency.unwrap_or(4),
            ..Delivery::default()
        };
        Self {
            clock,
            receiver,
            psp: Simulator::start(config, listener().await).unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Status and JSON of a POST.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let call = self.http.post(format!("{}{path}", self.psp.base_url()));
        let answer = call.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Makes a payment and says its id.
    pub async fn pay_in(&self, amount: &str) -> String {
        let (status, view) = self.post("/payments", payment(amount)).await;
        assert_eq!(status, 201, "{view}");
        view["payment_id"].as_str().unwrap().to_owned()
    }

    pub async fn refund(&self, payment: &str) {
        let (status, view) = self.post(&format!("/payments/{payment}/refund"), json!({})).await;
        assert_eq!(status, 200, "{view}");
    }

    pub fn connection(&self) -> Arc<dyn Provider> {
        connection(Some(self.psp.base_url()), None)
    }

    /// The statement of a day on both sides of now, as rows of cells without the header.
    pub async fn statement(&self) -> Vec<Vec<String>> {
        rows(
            &self
                .connection()
                .statement(around(self.clock.now()))
                .await
                .unwrap()
                .bytes,
        )
    }
}

/// A window of a day on both sides.
pub fn around(now: Timestamp) -> TimeWindow {
    TimeWindow::new(now - TimeDelta::days(1), now + TimeDelta::days(1)).unwrap()
}

pub fn rows(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(file);
    let expected = "provider_event_id,provider_ref,type,amount,fee,currency,status,occurred_at,payout_id";
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>().join(","),
        expected
    );
    reader
        .records()
        .map(|it| it.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

pub fn settings() -> ClientSettings {
    ClientSettings {
        timeout: Duration::from_secs(5),
        backoff: AT_ONCE,
        entropy: || 0,
        ..ClientSettings::default()
    }
}

pub fn connection(base_url: Option<String>, api_key: Option<&str>) -> Arc<dyn Provider> {
    connection_with(base_url, api_key, settings())
}

pub fn connection_with(
    base_url: Option<String>,
    api_key: Option<&str>,
    client: ClientSettings,
) -> Arc<dyn Provider> {
    let config = ConnectionConfig {
        base_url,
        api_key: api_key.map(Secret::from),
        client,
        ..ConnectionConfig::new("mockpsp".parse().unwrap(), "mockpsp", vec![Secret::from(SECRET)])
    };
    build("mockpsp", config).unwrap()
}

pub fn payment(amount: &str) -> Value {
    json!({"player_id": PLAYER, "tenant_id": "default", "amount": amount, "currency": "TRY", "method": "card"})
}

pub fn payout(key: &str, minor: i64) -> PayoutRequest {
    PayoutRequest {
        key: key.to_owned(),
        amount: Money::new(minor, Currency::TRY),
        method: "iban".to_owned(),
        address: "TR000000000000000000000000".to_owned(),
        withdrawal: WITHDRAWAL.to_owned(),
        player: PLAYER.to_owned(),
        tenant: "default".to_owned(),
    }
}
