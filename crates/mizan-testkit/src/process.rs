//! Runs the `mizan` binary as an operator would: its own process, only the environment it is given.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{eventually, process_tree, warden::Leash};

/// How to start the binary. Nothing is inherited: no variable, no input, no terminal.
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `spawn` or `run`"]
pub struct MizanCommand {
    binary: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    input: Vec<u8>,
}

impl MizanCommand {
    /// `binary` is usually `env!("CARGO_BIN_EXE_mizan")`. It runs in the system's temporary directory.
    pub fn new(binary: impl AsRef<OsStr>) -> Self {
        Self {
            binary: binary.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: std::env::temp_dir(),
            input: Vec::new(),
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args
            .extend(args.into_iter().map(|it| it.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// What the process reads from its standard input, which then ends.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Starts it and returns at once.
    pub fn spawn(&self) -> anyhow::Result<MizanProcess> {
        let mut child = Command::new(&self.binary)
            .args(&self.args)
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        let pid = i32::try_from(child.id().context("the process has no pid")?)?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = self.input.clone();
            // A process that ends without reading all of its input is no failure of the test.
            tokio::spawn(async move { stdin.write_all(&input).await.ok() });
        }
        let (sender, output) = watch::channel(Vec::new());
        let sender = Arc::new(sender);
        let stdout = child.stdout.take().context("the process has no stdout")?;
        let stderr = child.stderr.take().context("the process has no stderr")?;
        let readers = [
            tokio::spawn(collect(Stream::Stdout, stdout, Arc::clone(&sender))),
            tokio::spawn(collect(Stream::Stderr, stderr, sender)),
        ];
        Ok(MizanProcess {
            child,
            pid,
            output,
            readers,
            leash: Leash::on(pid)?,
        })
    }

    /// Runs it to its end; kills it and fails when that takes longer than `limit`.
    pub async fn run(&self, limit: Duration) -> anyhow::Result<Finished> {
        let mut process = self.spawn()?;
        let code = process.exit_code(limit).await?;
        Ok(Finished {
            code,
            stdout: process.stdout(),
            stderr: process.stderr(),
        })
    }
}

/// How a process ended and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Exit status; 128 plus the signal when a signal ended it, as shells count.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A running process. Dropping it kills it.
pub struct MizanProcess {
    child: Child,
    pid: i32,
    output: watch::Receiver<Vec<Line>>,
    readers: [JoinHandle<()>; 2],
    #[expect(dead_code, reason = "kills the process when the test process dies first")]
    leash: Leash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

struct Line {
    stream: Stream,
    text: String,
}

impl MizanProcess {
    /// Returns the first line of either stream that contains `pattern`, already printed or still to come.
    pub async fn wait_for_line(&self, pattern: &str, limit: Duration) -> anyhow::Result<String> {
        let find = |lines: &[Line]| Some(lines.iter().find(|it| it.text.contains(pattern))?.text.clone());
        let mut output = self.output.clone();
        let ending = match timeout(limit, output.wait_for(|lines| find(lines).is_some())).await {
            Ok(Ok(lines)) => return find(&lines).context("a line vanished"),
            Ok(Err(_)) => "its output ended".to_owned(),
            Err(_) => format!("{limit:?} passed"),
        };
        bail!(
            "{ending} without a line containing {pattern:?}; it printed:\n{}",
            self.transcript()
        )
    }

    /// Waits until `GET {base_url}/api/ready` says 200; fails at once when the process ends instead.
    pub async fn wait_ready(&self, base_url: &str, limit: Duration) -> anyhow::Result<()> {
        let url = format!("{}/api/ready", base_url.trim_end_matches('/'));
        let client = reqwest::Client::builder().no_proxy().build()?;
        let ready = eventually(limit, || async {
            if !process_tree::is_running(self.pid) {
                return Ok(false);
            }
            let reply = client.get(&url).send().await.map_err(|error| error.to_string())?;
            if reply.status() == 200 {
                Ok(true)
            } else {
                Err(format!("{url} says {}", reply.status()))
            }
        });
        match ready.await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("it ended before it was ready; it printed:\n{}", self.transcript()),
            Err(error) => bail!("{error:#}; it printed:\n{}", self.transcript()),
        }
    }

    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        process_tree::signal(self.pid, signal)
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits for the end and for the last of its output. See [`Finished::code`]; kills it after `limit`.
    pub async fn exit_code(&mut self, limit: Duration) -> anyhow::Result<i32> {
        let Ok(status) = timeout(limit, self.child.wait()).await else {
            self.child.start_kill()?;
            bail!(
                "it did not end within {limit:?}; it printed:\n{}",
                self.transcript()
            );
        };
        for reader in &mut self.readers {
            if !reader.is_finished() {
                timeout(limit, reader)
                    .await
                    .context("a child of it keeps its output open")??;
            }
        }
        code(status?)
    }

    /// What it wrote to stdout so far, in whole lines.
    pub fn stdout(&self) -> String {
        self.text_of(|it| it == Stream::Stdout)
    }

    /// What it wrote to stderr so far, in whole lines.
    pub fn stderr(&self) -> String {
        self.text_of(|it| it == Stream::Stderr)
    }

    /// Both streams, in the order in which lines arrived.
    pub fn transcript(&self) -> String {
        self.text_of(|_| true)
    }

    fn text_of(&self, wanted: impl Fn(Stream) -> bool) -> String {
        let lines = self.output.borrow();
        lines
            .iter()
            .filter(|it| wanted(it.stream))
            .flat_map(|it| [it.text.as_str(), "\n"])
            .collect()
    }
}

async fn collect(stream: Stream, from: impl AsyncRead + Unpin, lines: Arc<watch::Sender<Vec<Line>>>) {
    let mut from = BufReader::new(from);
    let mut raw = Vec::new();
    // Bytes that are no UTF-8 must not end the reading: the process would block on a full pipe.
    while matches!(from.read_until(b'\n', &mut raw).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&raw)
            .trim_end_matches(['\n', '\r'])
            .to_owned();
        lines.send_modify(|all| all.push(Line { stream, text }));
        raw.clear();
    }
}

fn code(status: ExitStatus) -> anyhow::Result<i32> {
    status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .context("neither an exit status nor a signal")
}
