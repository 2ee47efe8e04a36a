//! Keeps a server from outliving the test process, however that ends.
//!
//! A small shell is the server's parent and waits on a pipe from us. When the pipe closes (the test
//! dropped the server, `main` returned, the process was killed with SIGKILL) it ends the server and
//! removes its directory. The kernel could do the first with `PR_SET_PDEATHSIG`, but only from unsafe
//! code, and it would fire when the *thread* that started the server ends.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use nix::{sys::signal::Signal, unistd::User};

use crate::process_tree;

/// The shell that owns a server and the server's directory.
pub struct Warden {
    directory: PathBuf,
    shell: Mutex<Shell>,
}

struct Shell {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    server: Option<i32>,
}

impl Warden {
    /// Takes ownership of `directory`. `end` is what ends the server for good, `command` its program
    /// and arguments. With a `user`, all of it runs as that user, who must own the directory.
    pub fn new(directory: PathBuf, end: &str, command: &[&str], user: Option<&User>) -> anyhow::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", include_str!("warden/warden.sh"), "warden", end])
            .arg(&directory)
            .args(command)
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0); // Ctrl-C is for the test process, whose end is then noticed
        if let Some(user) = user {
            shell.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let mut child = shell.spawn().context("cannot run /bin/sh")?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("the warden has no output")?);
        Ok(Self {
            directory,
            shell: Mutex::new(Shell {
                child,
                orders,
                answers,
                server: None,
            }),
        })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts the server and returns its pid; whether it is ready is for the caller to find out.
    pub fn start(&self) -> anyhow::Result<i32> {
        self.with_shell(|shell| {
            anyhow::ensure!(shell.server.is_none(), "the server is already running");
            let pid = shell.ask("start")?;
            shell.server = Some(pid);
            Ok(pid)
        })
    }

    /// The pid of the server; an error when it is stopped.
    pub fn pid(&self) -> anyhow::Result<i32> {
        self.with_shell(|shell| shell.server.context("the server is not running"))
    }

    /// Waits for the server to end and returns its exit status as a shell sees it.
    pub async fn reap(self: &Arc<Self>) -> anyhow::Result<i32> {
        let this = Arc::clone(self);
        let wait = move || {
            this.with_shell(|shell| {
                shell.server.context("the server is not running")?;
                let status = shell.ask("reap")?;
                shell.server = None;
                Ok(status)
            })
        };
        tokio::task::spawn_blocking(wait).await?
    }

    /// The last lines the server logged, for an error message.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.directory.join("server.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn with_shell<T>(&self, act: impl FnOnce(&mut Shell) -> anyhow::Result<T>) -> anyhow::Result<T> {
        act(&mut self.shell.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shell {
    fn ask(&mut self, order: &str) -> anyhow::Result<i32> {
        let orders = self.orders.as_mut().context("the warden is closed")?;
        writeln!(orders, "{order}").context("the warden is gone")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        answer
            .trim()
            .parse()
            .with_context(|| format!("the warden answered {answer:?} to {order}"))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(server) = self.server {
            // Children that are paused would otherwise hold up the end of their parent. Nothing to be
            // done about a failure here: the shell kills what it can.
            process_tree::resume_tree(server).ok();
        }
        drop(self.orders.take());
        self.child.wait().ok();
    }
}

/// Kills a process that we started ourselves when this process dies first; harmless once dropped.
pub struct Leash {
    shell: Child,
}

impl Leash {
    pub fn on(pid: i32) -> anyhow::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args([
                "-c",
                "read -r word || kill -s KILL \"$1\"",
                "leash",
                &pid.to_string(),
            ])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot run /bin/sh")?;
        Ok(Self { shell })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(mut order) = self.shell.stdin.take() {
            writeln!(order, "let go").ok();
        }
        self.shell.wait().ok();
    }
}

/// Sends the server a signal that lets it end in order, and waits until it has.
pub(crate) async fn end_in_order(warden: &Arc<Warden>, signal: Signal) -> anyhow::Result<()> {
    process_tree::signal(warden.pid()?, signal)?;
    let status = warden.reap().await?;
    anyhow::ensure!(
        status == 0,
        "the server ended with status {status}:\n{}",
        warden.log_tail()
    );
    Ok(())
}

/// Kills the server and its children, and waits until all of them are gone.
pub(crate) async fn kill_at_once(warden: &Arc<Warden>) -> anyhow::Result<()> {
    process_tree::kill_tree(warden.pid()?).await?;
    warden.reap().await.map(drop)
}
