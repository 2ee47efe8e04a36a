//! Who kept the processors busy: the measured reason why something is not faster.

use std::fs;
use std::time::Instant;

use mizan_testkit::process_tree;

use crate::timing;

/// Ticks a second in `/proc`; the same on every Linux that user space sees.
const TICKS: f64 = 100.0;

/// Processor time of named process trees, from when it was started.
pub struct Meter {
    trees: Vec<(&'static str, i32, u64)>,
    began: Instant,
}

impl Meter {
    /// Names and the pids of their first processes.
    pub fn start(trees: &[(&'static str, i32)]) -> Self {
        Self {
            trees: trees
                .iter()
                .map(|(name, pid)| (*name, *pid, ticks_of_tree(*pid)))
                .collect(),
            began: timing::now(),
        }
    }

    /// Cores that were busy on average since then, by name.
    pub fn busy(&self) -> Vec<(&'static str, f64)> {
        let seconds = self.began.elapsed().as_secs_f64();
        let spent = |pid, before| timing::number(ticks_of_tree(pid).saturating_sub(before)) / TICKS;
        self.trees
            .iter()
            .map(|(name, pid, before)| (*name, spent(*pid, *before) / seconds))
            .collect()
    }

    /// `busy cores: PostgreSQL 1.20, mizan 0.55`
    pub fn words(&self) -> String {
        words(&self.busy())
    }
}

pub fn words(busy: &[(&'static str, f64)]) -> String {
    let parts: Vec<String> = busy
        .iter()
        .map(|(name, cores)| format!("{name} {cores:.2}"))
        .collect();
    format!("busy cores: {}", parts.join(", "))
}

/// `processor time each: PostgreSQL 120 µs, mizan serve 60 µs`: what depends less than a rate on who else is busy.
pub fn words_each(busy: &[(&'static str, f64)], rate: f64) -> String {
    let parts: Vec<String> = busy
        .iter()
        .map(|(name, cores)| format!("{name} {:.0} µs", cores / rate * 1_000_000.0))
        .collect();
    format!("processor time each: {}", parts.join(", "))
}

pub fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(0)
}

/// Of a process, of its children that have ended, and of those that live.
fn ticks_of_tree(pid: i32) -> u64 {
    // The bench's own children are servers and tools, which are counted by name.
    if pid == own_pid() {
        return ticks(pid, 2);
    }
    let living: u64 = process_tree::children(pid)
        .into_iter()
        .map(|it| ticks(it, 2))
        .sum();
    ticks(pid, 4) + living
}

/// The first `count` of user, system, children's user, children's system time.
fn ticks(pid: i32, count: usize) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields
        .split_whitespace()
        .skip(11)
        .take(count)
        .filter_map(|it| it.parse::<u64>().ok())
        .sum()
}

/// Seconds of processor time that a process has used.
pub fn cpu_seconds(pid: i32) -> f64 {
    timing::number(ticks(pid, 2)) / TICKS
}

/// A line of `/proc/<pid>/status` in MiB: `VmRSS` now, `VmHWM` the most so far.
pub fn memory_mib(pid: i32, line: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let found = status.lines().find(|it| it.starts_with(line))?;
    let kilobytes: u64 = found.split_whitespace().nth(1)?.parse().ok()?;
    Some(timing::number(kilobytes) / 1_024.0)
}
