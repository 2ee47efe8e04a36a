//! A program that is run to its end, and what it took.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::{timing, usage};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    pub seconds: f64,
    pub cpu: f64,
    pub memory: f64,
}

/// Runs a program to its end, looking at its memory and processor time all along. What it prints is short.
pub fn watch(command: &mut Command) -> anyhow::Result<(Used, String)> {
    let began = timing::now();
    let name = command.get_program().display().to_string();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("{name} cannot be run"))?;
    let pid = i32::try_from(child.id())?;
    let (mut cpu, mut memory): (f64, f64) = (0.0, 0.0);
    let seconds = loop {
        memory = memory.max(usage::memory_mib(pid, "VmHWM").unwrap_or(0.0));
        cpu = cpu.max(usage::cpu_seconds(pid));
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{name} ended with {status}");
            break began.elapsed().as_secs_f64();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut said = String::new();
    let mut stdout = child.stdout.take().context("no output")?;
    std::io::Read::read_to_string(&mut stdout, &mut said)?;
    Ok((Used { seconds, cpu, memory }, said))
}
