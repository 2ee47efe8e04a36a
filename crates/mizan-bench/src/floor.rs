//! An installation with a queue: PostgreSQL, Redis, `mizan serve`, a simulated provider, and as many `mizan worker`
//! processes as wanted.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_testkit::{Database, MizanCommand, MizanProcess, Redis, Reply, TestApp, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::Server;
use crate::subject::{Service, WEBHOOK_SECRET, binary};

pub const RUNS: &str = "/api/v1/reconciliation/runs";
const STATEMENTS: &str = "/api/v1/reconciliation/statements";
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a run may take before something must be wrong.
const RUN_PATIENCE: Duration = Duration::from_mins(15);

pub struct Floor {
    pub server: Server,
    pub database: Database,
    pub redis: Redis,
    pub service: Service,
    /// As the owner, whose token outlives the run.
    pub api: TestApp,
    psp: String,
    #[expect(dead_code, reason = "the simulated provider ends with this")]
    simulator: MizanProcess,
    /// Uploaded statements, and the logs of workers.
    directory: TempDir,
    workers: AtomicUsize,
}

impl Floor {
    pub async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let server = Server::start().await?;
        let database = server.database().await?;
        let redis = Redis::start().await?;
        let simulator = MizanCommand::new(binary()?)
            .args(["mockpsp", "--listen", "127.0.0.1:0"])
            .env("ENV", "test")
            .env("DATABASE_URL", database.url())
            .env("WEBHOOK_SECRET_MOCKPSP", WEBHOOK_SECRET)
            .spawn()?;
        let line = simulator.wait_for_line("mockpsp listens on ", PATIENCE).await?;
        let psp = line.rsplit(' ').next().context("no address")?.to_owned();
        let objects = directory.path().join("objects").display().to_string();
        let settings = [
            ("REDIS_URL", redis.url()),
            ("MOCKPSP_URL", psp.clone()),
            ("MIZAN_OBJECT_STORE", objects),
            ("MIZAN_STAFF_TOKEN_SECONDS", "86400".to_owned()),
        ];
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let service = Service::start(&database.url(), &settings).await?;
        let api = TestApp::new(service.base()).with_token(service.token().await?);
        Ok(Self {
            server,
            database,
            redis,
            service,
            api,
            psp,
            simulator,
            directory,
            workers: AtomicUsize::default(),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.service.address
    }

    pub fn token(&self) -> anyhow::Result<&str> {
        self.api.token().context("the owner has a token")
    }

    /// What a process of this installation is told.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let objects = self.directory.path().join("objects");
        vec![
            ("ENV", "test".to_owned()),
            ("DATABASE_URL", self.database.url()),
            ("REDIS_URL", self.redis.url()),
            ("MOCKPSP_URL", self.psp.clone()),
            ("MIZAN_OBJECT_STORE", objects.display().to_string()),
            ("WEBHOOK_SECRET_MOCKPSP", WEBHOOK_SECRET.to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
        ]
    }

    /// Starts a worker and waits until it takes jobs. Dropping it kills it.
    pub async fn worker(&self, args: &[&str]) -> anyhow::Result<Worker> {
        let number = self.workers.fetch_add(1, Ordering::Relaxed);
        let log = self.directory.path().join(format!("worker-{number}.log"));
        // The shell is replaced by the worker at once: what is left is a log that goes to a file.
        let mut command = MizanCommand::new("/bin/sh")
            .args(["-c", "log=$1; shift; exec \"$0\" worker \"$@\" 2>>\"$log\""])
            .arg(binary()?)
            .arg(&log)
            .args(args)
            .current_dir(self.directory.path());
        for (name, value) in self.environment() {
            command = command.env(name, value);
        }
        let worker = Worker {
            process: command.spawn()?,
            log,
        };
        worker.says("taking jobs from queue", PATIENCE).await?;
        Ok(worker)
    }

    /// Uploads a statement and returns its id.
    pub async fn upload(&self, file: &Path) -> anyhow::Result<String> {
        const BOUNDARY: &str = "a-line-that-no-statement-of-a-bench-has";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"provider\"\r\n\r\nmockpsp\r\n--{BOUNDARY}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"statement.csv\"\r\n\r\n"
        )
        .into_bytes();
        body.extend(std::fs::read(file)?);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let reply = self
            .api
            .post_bytes(STATEMENTS, body, &[("Content-Type", kind)])
            .await;
        ensure!(reply.status == 201, "the statement is refused: {}", reply.text);
        text(&reply, "id")
    }

    /// Queues a run and returns its id.
    pub async fn queue(&self, run: Value) -> anyhow::Result<String> {
        let reply = self.api.post(RUNS, run).await;
        ensure!(reply.status == 200, "the run is refused: {}", reply.text);
        text(&reply, "id")
    }

    pub async fn run(&self, id: &str) -> anyhow::Result<Value> {
        let reply = self.api.get(&format!("{RUNS}/{id}")).await;
        ensure!(reply.status == 200, "the run cannot be looked at: {}", reply.text);
        Ok(reply.body)
    }

    /// Waits until a run has completed.
    pub async fn completed(&self, id: &str) -> anyhow::Result<Value> {
        let ended = eventually(RUN_PATIENCE, || async {
            let run = self.run(id).await.map_err(|error| error.to_string())?;
            match run["status"].as_str() {
                Some("queued" | "running") => Err(run.to_string()),
                _ => Ok(run),
            }
        });
        let run = ended.await?;
        ensure!(run["status"] == "completed", "the run did not complete: {run}");
        Ok(run)
    }
}

fn text(reply: &Reply, name: &str) -> anyhow::Result<String> {
    let found = reply.body[name].as_str();
    Ok(found
        .with_context(|| format!("no {name}: {}", reply.text))?
        .to_owned())
}

/// The body of a run over one day of provider `mockpsp`; days are told apart by their number.
pub fn quiet_day(number: u64) -> Value {
    let (year, day) = (1_980 + number / 28, 1 + number % 28);
    json!({
        "provider": "mockpsp",
        "window_start": format!("{year}-02-{day:02}T00:00:00Z"),
        "window_end": format!("{year}-02-{day:02}T12:00:00Z"),
    })
}

/// A worker with its log in a file.
pub struct Worker {
    pub process: MizanProcess,
    log: PathBuf,
}

impl Worker {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until its log has this.
    pub async fn says(&self, words: &str, limit: Duration) -> anyhow::Result<()> {
        let said = eventually(limit, || async { self.log().contains(words) });
        said.await
            .with_context(|| format!("a worker did not say {words:?}: {}", self.log()))
    }
}
