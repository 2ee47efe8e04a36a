//! Signals to a process and to the processes it started.
//!
//! A process group does not do for PostgreSQL: each backend makes a group of its own. `/proc` knows
//! who is whose child.

use std::{fs, time::Duration};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::eventually;

/// Much longer than a signal ever takes to be delivered.
const DELIVERY: Duration = Duration::from_secs(10);

/// Sends a signal to one process. A process that is already gone is no error.
pub fn signal(pid: i32, signal: Signal) -> anyhow::Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => anyhow::bail!("cannot send {signal} to process {pid}: {error}"),
    }
}

/// Stops a process and its children. All of them are stopped when it returns.
pub async fn pause_tree(pid: i32) -> anyhow::Result<()> {
    pause(pid).await?; // first: a stopped parent starts no more children
    for child in children(pid) {
        pause(child).await?;
    }
    Ok(())
}

/// A signal is delivered some time after it is sent; until then the process may still fork.
async fn pause(pid: i32) -> anyhow::Result<()> {
    signal(pid, Signal::SIGSTOP)?;
    eventually(DELIVERY, || async { !is_running(pid) || state(pid) == Some('T') }).await
}

/// Undoes [`pause_tree`].
pub fn resume_tree(pid: i32) -> anyhow::Result<()> {
    children(pid)
        .into_iter()
        .try_for_each(|child| signal(child, Signal::SIGCONT))?;
    signal(pid, Signal::SIGCONT)
}

/// Kills a process and its children with SIGKILL, as a power cut would. Its children are gone when it
/// returns; the process itself is its parent's to reap.
pub async fn kill_tree(pid: i32) -> anyhow::Result<()> {
    pause(pid).await?;
    let family = children(pid);
    family
        .iter()
        .try_for_each(|child| signal(*child, Signal::SIGKILL))?;
    signal(pid, Signal::SIGKILL)?;
    eventually(DELIVERY, || async {
        !family.iter().any(|child| is_running(*child))
    })
    .await
}

/// Direct children of a process, in no order.
pub fn children(pid: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|candidate| stat(*candidate).is_some_and(|(_, parent)| parent == pid))
        .collect()
}

/// The state letter of `/proc/<pid>/stat`, for example `T` for stopped; `None` once it is gone.
pub fn state(pid: i32) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

/// Whether the process exists and has not ended. A zombie has ended.
pub fn is_running(pid: i32) -> bool {
    state(pid).is_some_and(|it| it != 'Z' && it != 'X')
}

/// State and parent. The name before them is in brackets and may itself contain brackets and spaces.
fn stat(pid: i32) -> Option<(char, i32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
