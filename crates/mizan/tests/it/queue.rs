//! `mizan worker` and the queue in Redis: runs are carried once, whatever dies on the way.

mod deaths;
mod redis_away;
mod runs;
mod schedules;
mod start;

use mizan_testkit::{FaultProxy, MizanCommand, MizanProcess, Redis, Reply, Signal, TestApp, eventually};
use serde_json::{Value, json};

use crate::harness::{BINARY, Home, Mizan, PATIENCE, SECRET};
use crate::psp::Psp;
use crate::recon::RUNS;
use crate::verbs::Player;

pub const STARTED: &str = "reconciliation run started";
pub const COMPLETED: &str = "reconciliation run completed";

/// A service that queues, a provider behind a wire that can be held, and a Redis that can be taken away.
pub struct Floor {
    pub app: Mizan,
    pub redis: Redis,
    pub psp: Psp,
    pub wire: FaultProxy,
}

impl Floor {
    pub async fn start() -> Self {
        let redis = Redis::start().await.expect("Redis starts");
        let app = Mizan::start(Home::postgres().await, &[("REDIS_URL", &redis.url())]).await;
        let psp = Psp::start(&app, Vec::new()).await;
        let port = psp.url().rsplit(':').next().and_then(|it| it.parse().ok());
        let wire = FaultProxy::start(port.expect("a port")).await.expect("a wire");
        Self {
            app,
            redis,
            psp,
            wire,
        }
    }

    /// A worker in strict mode, with what its document names and where its provider is.
    pub fn command(&self, args: &[&str]) -> MizanCommand {
        strict_worker(&self.app.home.url(), &self.redis.url())
            .env("MOCKPSP_URL", format!("http://127.0.0.1:{}", self.wire.port()))
            .env("WEBHOOK_SECRET_MOCKPSP", SECRET)
            .args(args)
    }

    pub fn worker(&self, args: &[&str]) -> MizanProcess {
        self.command(args).spawn().expect("the worker starts")
    }

    /// A worker that has said that it takes jobs.
    pub async fn ready_worker(&self, args: &[&str]) -> MizanProcess {
        let worker = self.worker(args);
        saw(&worker, "taking jobs from queue").await;
        worker
    }

    /// Queues a run over a day on which nothing happened.
    pub async fn queue_quiet_day(&self) -> Reply {
        let body = json!({
            "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z",
        });
        let made = self.app.post(RUNS, body).await.expect(200);
        assert_eq!(made.body["status"], "queued", "{}", made.text);
        made
    }

    pub async fn status(&self, run: &str) -> Value {
        self.app.get(&format!("{RUNS}/{run}")).await.expect(200).body
    }

    /// Waits until a run has this status.
    pub async fn until(&self, run: &str, status: &str) -> Value {
        let reached = eventually(PATIENCE, || async {
            let body = self.status(run).await;
            if body["status"] == status {
                Ok(body)
            } else {
                Err(body.to_string())
            }
        });
        reached
            .await
            .unwrap_or_else(|error| panic!("{run} is not {status}: {error}"))
    }

    /// Pays at the provider, and lets a worker book it.
    pub async fn paid(&self, player: &Player, amounts: &[&str]) {
        for amount in amounts {
            let body = json!({
                "player_id": player.id, "tenant_id": "default", "amount": amount, "currency": "TRY", "method": "card",
            });
            let reply = TestApp::new(self.psp.url()).post("/payments", body).await;
            assert!((200..300).contains(&reply.status), "{}", reply.text);
        }
    }
}

/// The binary in the environment of the document: these three, and nothing else.
pub fn strict_worker(database: &str, redis: &str) -> MizanCommand {
    MizanCommand::new(BINARY)
        .env("ENV", "staging")
        .env("DATABASE_URL", database)
        .env("REDIS_URL", redis)
        .arg("worker")
}

pub fn id(run: &Reply) -> String {
    run.body["id"].as_str().expect("an id").to_owned()
}

pub async fn saw(process: &MizanProcess, line: &str) -> String {
    process
        .wait_for_line(line, PATIENCE)
        .await
        .expect("the line is logged")
}

/// The log lines with this message, as JSON.
pub fn said(process: &MizanProcess, message: &str) -> Vec<Value> {
    let lines = process.stderr();
    let all = lines
        .lines()
        .filter_map(|it| serde_json::from_str::<Value>(it).ok());
    all.filter(|it| it["message"] == message).collect()
}

/// Stops a worker in order, and expects it to end well.
pub async fn stopped(process: &mut MizanProcess) {
    process.signal(Signal::SIGTERM).expect("it is told to stop");
    let code = process.exit_code(PATIENCE).await.expect("it ends");
    assert_eq!(code, 0, "{}", process.transcript());
}
