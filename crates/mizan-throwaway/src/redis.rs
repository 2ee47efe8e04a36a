//! A real Redis server that is thrown away.
//!
//! As with PostgreSQL there is one that the tests of a process share ([`shared_redis`]), each with a
//! numbered database of its own ([`Redis::fresh_url`]), and one per fault test ([`Redis::start`]).

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::OnceCell,
};

use crate::{
    eventually,
    port::free_port,
    process_tree,
    warden::{self, Warden},
};

const PROGRAM: &str = "/usr/bin/redis-server";
const DATABASES: u32 = 1024;
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// What is left after the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing: a restarted server is empty.
    None,
    /// Everything it acknowledged: an append-only file, synced on every write.
    AppendOnly,
}

/// One server. Dropping it ends it and removes its directory.
pub struct Redis {
    warden: Arc<Warden>,
    port: u16,
    password: String,
    handed_out: AtomicU32,
}

/// The server that all tests of this process share; it ends with the process.
pub async fn shared_redis() -> anyhow::Result<&'static Redis> {
    static SHARED: OnceCell<Redis> = OnceCell::const_new();
    SHARED.get_or_try_init(Redis::start).await
}

impl Redis {
    /// Starts an empty server that persists nothing, on a free port of 127.0.0.1.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Persistence::None).await
    }

    pub async fn start_with(persistence: Persistence) -> anyhow::Result<Self> {
        let mut server = Self::prepare()?;
        for _ in 0..5 {
            match server.begin(persistence).await {
                Ok(()) => return Ok(server),
                // Another process took the port between our look and the server's.
                Err(_) if server.warden.log_tail().contains("Address already in use") => {
                    server.port = free_port()?;
                }
                Err(error) => return Err(error),
            }
        }
        bail!("five free ports in a row were taken before Redis could listen")
    }

    fn prepare() -> anyhow::Result<Self> {
        ensure!(
            Path::new(PROGRAM).exists(),
            "no {PROGRAM}; on Debian: apt-get install redis-server"
        );
        let directory = tempfile::Builder::new().prefix("mizan-redis-").tempdir()?.keep();
        let file = directory.join("redis.conf");
        let command = [PROGRAM, file.to_str().context("a path is not UTF-8")?];
        let warden = Arc::new(Warden::new(directory, "KILL", &command, None)?);
        let password = format!("{:032x}", rand::random::<u128>());
        Ok(Self {
            warden,
            port: free_port()?,
            password,
            handed_out: AtomicU32::new(1),
        })
    }

    async fn begin(&self, persistence: Persistence) -> anyhow::Result<()> {
        let directory = self.warden.directory();
        let append = if persistence == Persistence::AppendOnly {
            "yes"
        } else {
            "no"
        };
        let settings = format!(
            "bind 127.0.0.1\nport {}\nrequirepass {}\ndir {}\ndatabases {DATABASES}\nsave \"\"\n\
             appendonly {append}\nappendfsync always\n",
            self.port,
            self.password,
            directory.display(),
        );
        fs::write(directory.join("redis.conf"), settings)?;
        let pid = self.warden.start()?;
        let ready = eventually(START_TIMEOUT, || async move {
            if !process_tree::is_running(pid) {
                return Ok(false);
            }
            self.command(&["PING"]).await.map(|_| true)
        });
        if !ready
            .await
            .with_context(|| format!("Redis is not ready:\n{}", self.warden.log_tail()))?
        {
            let status = self.warden.reap().await?;
            bail!("Redis ended with status {status}:\n{}", self.warden.log_tail());
        }
        Ok(())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data and its log `server.log` are, while it lives.
    pub fn directory(&self) -> &Path {
        self.warden.directory()
    }

    /// `redis://…` of database 0, with the password in clear.
    pub fn url(&self) -> String {
        self.url_on(self.port)
    }

    /// The same server through another port of 127.0.0.1, for instance a [`crate::FaultProxy`]'s.
    pub fn url_on(&self, port: u16) -> String {
        format!("redis://:{}@127.0.0.1:{port}/0", self.password)
    }

    /// The URL of a numbered database that no other caller was given.
    pub fn fresh_url(&self) -> anyhow::Result<String> {
        let number = self.handed_out.fetch_add(1, Ordering::Relaxed);
        ensure!(
            number < DATABASES,
            "all {DATABASES} Redis databases of this process are handed out"
        );
        Ok(format!(
            "redis://:{}@127.0.0.1:{}/{number}",
            self.password, self.port
        ))
    }

    /// Empties all databases.
    pub async fn flush(&self) -> anyhow::Result<()> {
        self.command(&["FLUSHALL"]).await.map(drop)
    }

    /// Runs one command on a connection of its own, in database 0. Returns a string or number as text, nil
    /// as an empty text; other kinds of reply are refused.
    pub async fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut wire = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?);
        ask(&mut wire, &["AUTH", &self.password]).await?;
        ask(&mut wire, words).await
    }

    /// Whether the server answers a PING within a time limit.
    pub async fn answers_within(&self, limit: Duration) -> bool {
        matches!(
            tokio::time::timeout(limit, self.command(&["PING"])).await,
            Ok(Ok(_))
        )
    }

    /// Ends the server in order.
    pub async fn stop(&self) -> anyhow::Result<()> {
        warden::end_in_order(&self.warden, Signal::SIGTERM).await
    }

    /// Starts again on the same port, stopping it first when it runs. Reads back what it kept when it was, and
    /// is now, [`Persistence::AppendOnly`].
    pub async fn restart(&self, persistence: Persistence) -> anyhow::Result<()> {
        if self.warden.pid().is_ok() {
            self.stop().await?;
        }
        self.begin(persistence).await
    }

    /// Kills the server as a crash would.
    pub async fn kill9(&self) -> anyhow::Result<()> {
        warden::kill_at_once(&self.warden).await
    }

    /// Freezes the server: connections stay open and nothing answers.
    pub async fn pause(&self) -> anyhow::Result<()> {
        process_tree::pause_tree(self.warden.pid()?).await
    }

    /// Undoes [`Self::pause`].
    pub fn resume(&self) -> anyhow::Result<()> {
        process_tree::resume_tree(self.warden.pid()?)
    }

    /// Pid of the server.
    pub fn pid(&self) -> anyhow::Result<i32> {
        self.warden.pid()
    }
}

/// One request and its reply in RESP: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
async fn ask(wire: &mut BufReader<TcpStream>, words: &[&str]) -> anyhow::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        write!(request, "${}\r\n{word}\r\n", word.len())?;
    }
    wire.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    wire.read_line(&mut line).await?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("+" | ":", text)) => Ok(text.to_owned()),
        Some(("$", "-1")) => Ok(String::new()),
        Some(("$", length)) => {
            let mut text = vec![0; length.parse::<usize>()? + 2];
            wire.read_exact(&mut text).await?;
            text.truncate(text.len() - 2);
            Ok(String::from_utf8(text)?)
        }
        _ => bail!("Redis answered {line:?} to {}", words[0]),
    }
}
