//! Processes of steps: started in a group of their own, and none left behind.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::pack::Command as What;

/// Marks every process of a run in its environment; children that leave their group still have it.
pub const MARK_RUN: &str = "MIZAN_GATE_RUN";
pub const MARK_STEP: &str = "MIZAN_GATE_STEP";

/// What a process is given.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A script, or words whose variables are replaced.
    pub what: What,
    pub cwd: Option<String>,
    pub env: BTreeMap<String, String>,
}

impl Plan {
    /// As a person would type it.
    pub fn shown(&self) -> String {
        let command = match &self.what {
            What::Script(script) => script.trim().to_owned(),
            What::Program(words) => words.iter().map(|it| quote(it)).collect::<Vec<_>>().join(" "),
        };
        match &self.cwd {
            Some(cwd) => format!("cd {}\n{command}", quote(cwd)),
            None => command,
        }
    }

    fn command(&self) -> Command {
        let mut command = match &self.what {
            What::Script(script) => {
                let mut bash = Command::new("bash");
                bash.args(["--noprofile", "--norc", "-euo", "pipefail", "-c", script]);
                bash
            }
            What::Program(words) => {
                let mut command = Command::new(words.first().map_or("", String::as_str));
                command.args(words.iter().skip(1));
                command
            }
        };
        command
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command
    }

    /// Starts it with an output for each stream.
    pub fn start(&self) -> io::Result<(Child, Group)> {
        self.spawn(self.command().stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts it with one output for both streams.
    pub fn start_joined(&self) -> io::Result<(Child, Group, tokio::net::unix::pipe::Receiver)> {
        let (reader, writer) = io::pipe()?;
        let reader = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into())?;
        let (child, group) = self.spawn(self.command().stdout(writer.try_clone()?).stderr(writer))?;
        Ok((child, group, reader))
    }

    fn spawn(&self, command: &mut Command) -> io::Result<(Child, Group)> {
        let child = command.spawn()?;
        let id = child.id().and_then(|it| i32::try_from(it).ok());
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        let mark = |name: &str| self.env.get(name).map(|it| format!("{name}={it}"));
        let marks = [mark(MARK_RUN), mark(MARK_STEP)].into_iter().flatten().collect();
        Ok((
            child,
            Group {
                id: Pid::from_raw(id),
                marks,
            },
        ))
    }
}

/// Shell quoting, where it is needed.
pub fn quote(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=@%+,".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// All processes of a step. Dropping it kills those that are left.
pub struct Group {
    id: Pid,
    marks: Vec<String>,
}

impl Group {
    /// Asks the group to end.
    pub fn terminate(&self) {
        // Those that are gone need no signal.
        let _ = killpg(self.id, Signal::SIGTERM);
    }

    /// Kills the group, and what left it.
    pub fn kill(&self) {
        let _ = killpg(self.id, Signal::SIGKILL);
        for pid in marked(&self.marks) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Processes whose environment has all of these lines. Those of other users cannot be read, and are none of ours.
fn marked(marks: &[String]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let is_marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let lines: Vec<&[u8]> = environment.split(|it| *it == 0).collect();
        !marks.is_empty() && marks.iter().all(|mark| lines.contains(&mark.as_bytes()))
    };
    let pids = entries.filter_map(|it| it.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(is_marked).map(Pid::from_raw).collect()
}

/// The exit code, or the signal that ended it.
pub fn ending(status: ExitStatus) -> Result<i32, String> {
    status.code().ok_or_else(|| {
        let number = status.signal().unwrap_or_default();
        match Signal::try_from(number) {
            Ok(signal) => format!("signal {number} ({signal})"),
            Err(_) => format!("signal {number}"),
        }
    })
}

/// Kills everything of a run when this process is killed itself: a shell that waits for the end of a pipe.
pub struct Leash {
    shell: std::process::Child,
}

const LEASH: &str = r#"read -r word && exit
for p in /proc/[0-9]*; do
  tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qxF "$1" && kill -s KILL "${p#/proc/}"
done"#;

impl Leash {
    pub fn on(run_id: &str) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        let shell = std::process::Command::new("/bin/sh")
            .args(["-c", LEASH, "leash", &format!("{MARK_RUN}={run_id}")])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        use io::Write;
        if let Some(mut word) = self.shell.stdin.take() {
            drop(writeln!(word, "done"));
        }
        drop(self.shell.wait());
    }
}
