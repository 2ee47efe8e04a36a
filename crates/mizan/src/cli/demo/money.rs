//! What the players, finance and the provider do in the demo.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use mizan_core::{Currency, Money as Amount, PlayerId, WithdrawalId};
use mizan_flows::withdrawals::NewWithdrawal;
use mizan_flows::{App, Caller, FlowError, Keyed, payouts, players, recon_runs, staff, withdrawals};
use mizan_payments::withdrawal::{Command, WithdrawalState};
use mizan_payments::{Actor, Role};
use mizan_store::Page;
use mizan_store::recon_runs::ReconRun;
use mizan_store::tenants::Tenant;
use mizan_store::withdrawals::WithdrawalFilter;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Drives the money through the demo.
pub struct Money<'a> {
    app: &'a Arc<App>,
    tenant: &'a Tenant,
    provider: String,
    http: reqwest::Client,
    seed: u64,
}

impl<'a> Money<'a> {
    pub fn new(app: &'a Arc<App>, tenant: &'a Tenant, provider: String, seed: u64) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            app,
            tenant,
            provider,
            http,
            seed,
        })
    }

    fn random(&self, salt: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(31).wrapping_add(salt))
    }

    /// Registers players. They share one password: hashing it once each is what takes the time.
    pub async fn register(&self, count: u32) -> anyhow::Result<Vec<PlayerId>> {
        let mut all = Vec::new();
        for no in 1..=count {
            let email = format!("player{no}@example.com");
            let name = format!("player{no}");
            let id =
                players::register(self.app, self.tenant.id, None, &email, &name, "demo-password").await?;
            all.push(id);
        }
        Ok(all)
    }

    /// Pays at the provider, which tells Mizan by signed webhooks; a few payments are refunded or charged back.
    pub async fn deposit(
        &self,
        players: &[PlayerId],
        count: u32,
        mut tick: impl FnMut(),
    ) -> anyhow::Result<u64> {
        let mut random = self.random(1);
        for no in 0..count {
            let player = players[random.random_range(0..players.len())];
            let currency = [Currency::TRY, Currency::TRY, Currency::EUR][random.random_range(0..3)];
            let amount = Amount::new(random.random_range(5_000..500_000), currency);
            let body = serde_json::json!({
                "player_id": player, "tenant_id": self.tenant.key, "amount": amount.major(),
                "currency": currency.code(), "method": "card",
            });
            let payment = self.call("/payments", &body).await?;
            let id = payment["payment_id"]
                .as_str()
                .context("the provider gave the payment no id")?;
            if no % 50 == 25 {
                self.call(&format!("/payments/{id}/refund"), &serde_json::json!({}))
                    .await?;
            } else if no % 100 == 60 {
                self.call(&format!("/payments/{id}/chargeback"), &serde_json::json!({}))
                    .await?;
            }
            tick();
        }
        Ok(u64::from(count))
    }

    async fn call(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
        let url = format!("{}{path}", self.provider);
        let reply = self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(reply.json().await?)
    }

    /// Asks for withdrawals, reviews them, and starts payouts. Some are rejected or cancelled.
    pub async fn withdraw(
        &self,
        players: &[PlayerId],
        count: u32,
        mut tick: impl FnMut(),
    ) -> anyhow::Result<()> {
        let mut random = self.random(2);
        let system = Caller::system(self.tenant.id, "demo", None);
        let email = "finance@example.com";
        let finance = staff::create(self.app, &system, email, "demo-password", Role::Finance, false).await?;
        let finance = Caller {
            tenant: self.tenant.id,
            actor: Actor::Staff {
                id: finance,
                role: Role::Finance,
            },
            request_id: None,
        };
        for no in 0..count {
            let player = players[random.random_range(0..players.len())];
            let amount = Amount::new(random.random_range(1_000..60_000), Currency::TRY);
            if let Some(id) = self.request(player, amount, no).await? {
                self.review(&finance, player, id, no).await?;
            }
            tick();
        }
        Ok(())
    }

    /// `None` where the wallet has too little, which a demo has to have as well.
    async fn request(
        &self,
        player: PlayerId,
        amount: Amount,
        no: u32,
    ) -> anyhow::Result<Option<WithdrawalId>> {
        let caller = Caller {
            tenant: self.tenant.id,
            actor: Actor::Player(player),
            request_id: None,
        };
        let new = NewWithdrawal {
            player,
            amount,
            method: "iban".into(),
            address: format!("TR33000610051978645784{no:04}"),
        };
        let key = Keyed::new("demo/withdraw", &format!("withdraw-{no}"), b"")?;
        match withdrawals::request(self.app, &caller, &key, &new).await {
            Ok(reply) => {
                let body: serde_json::Value = serde_json::from_str(&reply.body)?;
                let id = body["transaction"]["id"]
                    .as_str()
                    .context("the reply has no id")?;
                Ok(Some(id.parse()?))
            }
            Err(FlowError::Posting(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn review(
        &self,
        finance: &Caller,
        player: PlayerId,
        id: WithdrawalId,
        no: u32,
    ) -> anyhow::Result<()> {
        let key = |what: &str| Keyed::new("demo/review", &format!("{what}-{no}"), b"");
        let app = self.app;
        match no % 10 {
            3 => {
                let why = Some("the documents do not fit");
                withdrawals::command(app, finance, &key("reject")?, id, Command::Reject, why).await?;
            }
            7 => {
                let caller = Caller {
                    tenant: self.tenant.id,
                    actor: Actor::Player(player),
                    request_id: None,
                };
                withdrawals::command(app, &caller, &key("cancel")?, id, Command::Cancel, None).await?;
            }
            _ => {
                withdrawals::command(app, finance, &key("approve")?, id, Command::Approve, None).await?;
                payouts::start(app, finance, &key("payout")?, id, None).await?;
            }
        }
        Ok(())
    }

    /// Waits until no job is due in the near future: those that wait longer wait for what never comes.
    pub async fn settle(&self) -> anyhow::Result<()> {
        loop {
            let mut platform = self.app.store.platform().await?;
            let depth = platform.queue_depth(self.app.now()).await?;
            let next = platform.next_job_at().await?;
            platform.rollback().await?;
            let soon = next.is_some_and(|it| it < self.app.now() + TimeDelta::seconds(5));
            anyhow::ensure!(depth.dead == 0, "{} jobs were given up", depth.dead);
            if !soon && !self.anybody_waits().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether a payout is under way.
    async fn anybody_waits(&self) -> anyhow::Result<bool> {
        let states = self.withdrawal_states().await?;
        let open = [WithdrawalState::PayoutPending, WithdrawalState::PayoutUnknown];
        Ok(open.iter().any(|it| states.contains_key(it.as_str())))
    }

    pub async fn withdrawal_states(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut tx = self.app.store.read(self.tenant.id).await?;
        let mut states = BTreeMap::new();
        for state in WithdrawalState::ALL {
            let filter = WithdrawalFilter {
                state: Some(state),
                ..WithdrawalFilter::default()
            };
            let page = Page {
                with_total: true,
                ..Page::first(1)
            };
            let total = tx.withdrawals(&filter, &page).await?.total.unwrap_or_default();
            if total > 0 {
                states.insert(state.as_str().to_owned(), total);
            }
        }
        tx.rollback().await?;
        Ok(states)
    }

    /// The runner may have been quicker than the demo to take the run; then it ends on its own.
    pub async fn wait_for_run(&self, mut run: ReconRun) -> anyhow::Result<ReconRun> {
        let caller = Caller::system(self.tenant.id, "demo", None);
        while !run.status.is_final() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            run = recon_runs::get(self.app, &caller, run.id).await?;
        }
        Ok(run)
    }
}
