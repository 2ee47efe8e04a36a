//! A real PostgreSQL server that is thrown away.
//!
//! Most tests share one per test binary ([`shared_postgres`]) and take a database of their own on it
//! ([`fresh_database`], [`template_database`]). A test that stops, kills or pauses a server starts one for
//! itself ([`Postgres::start`]). Commits are durable as in production: `fsync` and `synchronous_commit` are on.

mod backup;
mod database;
mod install;
mod seed;

pub use database::{Database, fresh_database, template_database};

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    sync::OnceCell,
};

use crate::{
    eventually,
    port::free_port,
    process_tree,
    warden::{self, Warden},
};
use install::Install;

const SUPERUSER: &str = "mizan";
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Quick to start and small; everything that decides what a commit means is left as in production.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
max_wal_size = 512MB
checkpoint_timeout = 30min
timezone = UTC
";

/// One server with its own data directory. Dropping it ends it and removes the directory.
pub struct Postgres {
    install: Install,
    warden: Arc<Warden>,
    port: u16,
    password: String,
    databases: AtomicU32,
    templates: Mutex<HashMap<String, Arc<OnceCell<Database>>>>,
}

/// The server that all tests of this process share; it ends with the process.
pub async fn shared_postgres() -> anyhow::Result<&'static Postgres> {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    SHARED.get_or_try_init(Postgres::start).await
}

impl Postgres {
    /// Starts the newest installed version on a free port of 127.0.0.1, in about 0.3 s.
    pub async fn start() -> anyhow::Result<Self> {
        let mut server = tokio::task::spawn_blocking(Self::prepare).await??;
        for _ in 0..5 {
            let settings = format!("{SETTINGS}port = {}\n", server.port);
            fs::write(
                server.warden.directory().join("data/postgresql.auto.conf"),
                settings,
            )?;
            match server.begin().await {
                Ok(()) => return Ok(server),
                // Another process took the port between our look and the server's.
                Err(_) if server.warden.log_tail().contains("Address already in use") => {
                    server.port = free_port()?;
                }
                Err(error) => return Err(error),
            }
        }
        bail!("five free ports in a row were taken before PostgreSQL could listen")
    }

    fn prepare() -> anyhow::Result<Self> {
        let install = Install::newest()?;
        let planted = seed::plant(&install)?;
        let (postgres, data) = (install.program("postgres"), planted.directory.join("data"));
        let command = [postgres.to_str(), Some("-D"), data.to_str()];
        let command: Option<Vec<&str>> = command.into_iter().collect();
        let command = command.context("a path is not UTF-8")?;
        let warden = Warden::new(planted.directory, "QUIT", &command, install.user.as_ref())?;
        Ok(Self {
            install,
            warden: Arc::new(warden),
            port: free_port()?,
            password: planted.password,
            databases: AtomicU32::new(1),
            templates: Mutex::default(),
        })
    }

    async fn begin(&self) -> anyhow::Result<()> {
        let pid = self.warden.start()?;
        let ready = eventually(START_TIMEOUT, || async move {
            if process_tree::is_running(pid) {
                self.is_ready(pid).then_some(true)
            } else {
                Some(false)
            }
        });
        if !ready
            .await
            .with_context(|| format!("PostgreSQL is not ready:\n{}", self.warden.log_tail()))?
        {
            let status = self.warden.reap().await?;
            bail!(
                "PostgreSQL ended with status {status}:\n{}",
                self.warden.log_tail()
            );
        }
        Ok(())
    }

    /// Line 1 of the pid file is the server's pid, line 8 says `ready` (what `pg_ctl --wait` looks at).
    /// A killed server leaves its file behind, hence the pid.
    fn is_ready(&self, pid: i32) -> bool {
        let file =
            fs::read_to_string(self.warden.directory().join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data and its log `server.log` are, while it lives.
    pub fn directory(&self) -> &Path {
        self.warden.directory()
    }

    /// Major version, for example 15.
    pub fn version(&self) -> u32 {
        self.install.version
    }

    /// `postgresql://…` of the maintenance database, with the password in clear.
    pub fn url(&self) -> String {
        Database::new("postgres".into(), self).url()
    }

    /// As [`Postgres::url`], in SQLAlchemy's spelling: `postgresql+asyncpg://…` for `asyncpg`.
    pub fn url_with_driver(&self, driver: &str) -> String {
        Database::new("postgres".into(), self).url_with_driver(driver)
    }

    /// Runs SQL with `psql`, without a driver of our own. Returns the rows, unaligned, `|` between columns.
    pub async fn psql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let outcome = Command::new(self.install.program("psql"))
            .args([
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-U",
                SUPERUSER,
            ])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
            .env_clear()
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run psql")?;
        let mut text = String::from_utf8_lossy(&outcome.stdout).trim_end().to_owned();
        if !outcome.status.success() {
            write!(text, "{}", String::from_utf8_lossy(&outcome.stderr))?;
            bail!("psql: {}", text.trim());
        }
        Ok(text)
    }

    /// Whether the server answers the first message of the protocol within a time limit.
    ///
    /// The kernel accepts connections for a paused server: only an answer shows that it lives.
    pub async fn answers_within(&self, limit: Duration) -> bool {
        let exchange = async {
            let mut wire = TcpStream::connect(("127.0.0.1", self.port)).await?;
            wire.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?; // SSLRequest
            wire.read_u8().await
        };
        matches!(tokio::time::timeout(limit, exchange).await, Ok(Ok(b'N' | b'S')))
    }

    /// Ends the server in order ("fast": connections are closed, a checkpoint is written).
    pub async fn stop(&self) -> anyhow::Result<()> {
        warden::end_in_order(&self.warden, Signal::SIGINT).await
    }

    /// Starts again on the same port and data. Stops it first when it runs; recovers after [`Self::kill9`].
    pub async fn restart(&self) -> anyhow::Result<()> {
        if self.warden.pid().is_ok() {
            self.stop().await?;
        }
        self.begin().await
    }

    /// Kills server and backends as a crash would.
    pub async fn kill9(&self) -> anyhow::Result<()> {
        warden::kill_at_once(&self.warden).await
    }

    /// Freezes server and backends: connections stay open and nothing answers.
    pub async fn pause(&self) -> anyhow::Result<()> {
        process_tree::pause_tree(self.warden.pid()?).await
    }

    /// Undoes [`Self::pause`].
    pub fn resume(&self) -> anyhow::Result<()> {
        process_tree::resume_tree(self.warden.pid()?)
    }

    /// Pid of the server and of each process it started.
    pub fn pids(&self) -> anyhow::Result<Vec<i32>> {
        let server = self.warden.pid()?;
        let mut pids = process_tree::children(server);
        pids.insert(0, server);
        ensure!(
            process_tree::is_running(server),
            "PostgreSQL has ended:\n{}",
            self.warden.log_tail()
        );
        Ok(pids)
    }
}
