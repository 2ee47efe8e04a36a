//! The subject as operators run it: the release binary, its own process, its log in a file.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_testkit::{MizanCommand, MizanProcess, Signal, TestApp, eventually, port};
use serde_json::json;
use tempfile::TempDir;

const OWNER: &str = "owner@example.com";
pub const PASSWORD: &str = "correct horse battery";
/// Signs events of the `mockpsp` connection.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret-of-the-bench";
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary beside this one.
pub fn binary() -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("mizan");
    ensure!(
        beside.exists(),
        "{} is missing; build it first: cargo build --release -p mizan",
        beside.display()
    );
    Ok(beside)
}

/// A running `mizan serve`. Dropping it kills it.
pub struct Service {
    pub address: SocketAddr,
    pub process: MizanProcess,
    /// How it is started, with its port.
    command: MizanCommand,
    /// Where it writes its log; goes with it.
    directory: TempDir,
}

impl Service {
    /// Starts it and waits until the owner of the first start can sign in.
    pub async fn start(database_url: &str, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let service = Self::spawn(database_url, more)?;
        service.wait_ready().await?;
        eventually(PATIENCE, || async { service.token().await.is_ok() }).await?;
        Ok(service)
    }

    /// Starts it and returns at once.
    pub fn spawn(database_url: &str, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free_port()?));
        // The shell is replaced by the service at once: what is left is a log that goes to a file.
        let mut command = MizanCommand::new("/bin/sh")
            .args(["-c", "exec \"$0\" serve 2>>\"$1\""])
            .arg(binary()?)
            .arg(directory.path().join("log"))
            .current_dir(directory.path())
            .env("ENV", "test")
            .env("PORT", address.port().to_string())
            .env("DATABASE_URL", database_url)
            .env("MIZAN_ADMIN_EMAIL", OWNER)
            .env("MIZAN_ADMIN_PASSWORD", PASSWORD)
            .env("WEBHOOK_SECRET_MOCKPSP", WEBHOOK_SECRET)
            .env("MOCKPSP_URL", "http://127.0.0.1:9")
            .env("LOG_FORMAT", "json");
        for (name, value) in more {
            command = command.env(name, value);
        }
        Ok(Self {
            address,
            process: command.spawn()?,
            command,
            directory,
        })
    }

    /// Ends it as a power failure would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::SIGKILL)?;
        self.process.exit_code(PATIENCE).await.map(drop)
    }

    /// Starts it again on the same port, after [`Self::kill`].
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = self.command.spawn()?;
        Ok(())
    }

    pub async fn wait_ready(&self) -> anyhow::Result<()> {
        let ready = self.process.wait_ready(&self.base(), PATIENCE).await;
        ready.with_context(|| self.log_tail())
    }

    /// Empties the log, which would fill the disk in a long run. It is appended to, so writing goes on at its start.
    pub fn trim_log(&self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new()
            .write(true)
            .open(self.directory.path().join("log"))?;
        Ok(log.set_len(0)?)
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// An access token of the owner.
    pub async fn token(&self) -> anyhow::Result<String> {
        let app = TestApp::new(self.base());
        let request = app.request("POST".parse()?, "/api/v1/auth/login");
        let reply = app
            .try_send(request.json(&json!({ "email": OWNER, "password": PASSWORD })))
            .await?;
        let token = reply.body["access_token"].as_str();
        token
            .map(str::to_owned)
            .with_context(|| format!("no token: {} {}", reply.status, reply.text))
    }

    /// Freezes it while somebody else is measured, so that its housekeeping takes nothing from them.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::SIGSTOP)
    }

    pub fn resume(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::SIGCONT)
    }
}
