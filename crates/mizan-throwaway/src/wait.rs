//! Waiting for a condition with a deadline: the only place in the tests that polls.
//!
//! A test that sleeps is slow when it passes and wrong when the machine is busy. Where an event can be
//! awaited (a line of output, a channel, an exit) await that; where it cannot, poll it here.

use std::{fmt::Display, time::Duration};

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout_at};

const BETWEEN_PROBES: Duration = Duration::from_millis(10);

/// What one look at the world said: the awaited value, or why it is not there yet.
pub trait Probe {
    type Value;
    fn look(self) -> Result<Self::Value, String>;
}

impl Probe for bool {
    type Value = ();
    fn look(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("still false".into()) }
    }
}

impl<T> Probe for Option<T> {
    type Value = T;
    fn look(self) -> Result<T, String> {
        self.ok_or_else(|| "still none".into())
    }
}

impl<T, E: Display> Probe for Result<T, E> {
    type Value = T;
    fn look(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:#}"))
    }
}

/// Repeats `probe` until it yields `true`, `Some` or `Ok`, at most for `timeout`.
///
/// The deadline also bounds a probe that hangs. The error ends with what the last finished probe said.
pub async fn eventually<P, F, Answer>(timeout: Duration, mut probe: F) -> anyhow::Result<P::Value>
where
    P: Probe,
    F: FnMut() -> Answer,
    Answer: Future<Output = P>,
{
    let deadline = Instant::now() + timeout;
    let mut last = "no probe finished".to_owned();
    loop {
        match timeout_at(deadline, probe()).await.map(Probe::look) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(reason)) => last = reason,
            Err(_) => bail!("not within {timeout:?}: {last}"),
        }
        if Instant::now() + BETWEEN_PROBES > deadline {
            bail!("not within {timeout:?}: {last}");
        }
        sleep(BETWEEN_PROBES).await;
    }
}
