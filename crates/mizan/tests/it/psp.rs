//! A payment service provider beside the application, in the process of the test.

use std::sync::Arc;

use chrono::TimeDelta;
use mizan_core::{Clock, SystemClock};
use mizan_mask::Secret;
use mizan_providers::mockpsp::simulator::{Config, Fault, Handle, Plan, Simulator};
use mizan_testkit::TestApp;
use tokio::net::TcpListener;

use crate::harness::{Mizan, SECRET};

/// A simulator that an application asks for payouts, and that tells it by webhooks what became of them.
pub struct Psp(Handle);

impl Psp {
    /// Starts one and the application again, with the address of the other each.
    pub async fn beside(app: &mut Mizan, plans: Vec<Plan>) -> Self {
        let psp = Self::start(app, plans).await;
        app.kill().await;
        app.start_again_with(&[("MOCKPSP_URL", &psp.0.base_url())]).await;
        psp
    }

    /// Starts one that the application does not know of yet.
    pub async fn start(app: &Mizan, plans: Vec<Plan>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let mut config = Config::new(7, Arc::new(SystemClock), Secret::from(SECRET));
        config.webhook_url = Some(format!("{}/api/v1/payments/webhook/mockpsp", app.base_url()));
        config.plans = plans;
        Self(Simulator::start(config, listener).expect("the simulator starts"))
    }

    pub fn url(&self) -> String {
        self.0.base_url()
    }

    /// Plants a fault in every event or call from now on.
    pub fn always(&self, fault: Fault) {
        self.0.plan(vec![Plan::chance(fault, 10_000)]);
    }

    /// Plants a fault in the next event or call.
    pub fn once(&self, fault: Fault) {
        self.0.plan(vec![Plan::next(fault, 1)]);
    }

    /// Plants a fault no longer.
    pub fn never(&self, fault: Fault) {
        self.0.plan(vec![Plan::chance(fault, 0)]);
    }

    /// Lets the webhooks go that a delay holds back.
    pub fn release(&self) {
        self.0.release_held();
    }

    /// The events or, for faults of calls, the idempotency keys in which a fault was planted.
    pub fn planted(&self, fault: Fault) -> Vec<String> {
        let all = self.0.planted().into_iter();
        all.filter(|it| it.fault == fault).map(|it| it.event_id).collect()
    }

    /// How many payouts the provider has paid.
    pub async fn paid_out(&self) -> usize {
        let now = SystemClock.now();
        let edge = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (edge(now - TimeDelta::hours(1)), edge(now + TimeDelta::hours(1)));
        let path = format!("/statement?from={from}&to={to}");
        let statement = TestApp::new(self.url()).get(&path).await.expect(200).text;
        statement
            .lines()
            .filter(|it| it.split(',').nth(2) == Some("withdraw"))
            .count()
    }
}
