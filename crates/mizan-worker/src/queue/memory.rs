//! The queue of one process, for tests of what stands on a queue. It can be taken away and emptied.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mizan_core::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{Backlog, Beat, Message, Queue, QueueError, Result};

#[derive(Default)]
struct State {
    away: bool,
    last: u64,
    waiting: VecDeque<(u64, i64, Timestamp)>,
    /// Entry → job, when it was marked, who has it and since when.
    taken: BTreeMap<u64, (i64, Timestamp, String, Instant)>,
    beats: BTreeMap<String, Beat>,
}

#[derive(Default)]
pub struct MemoryQueue {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, thiserror::Error)]
#[error("taken away")]
struct TakenAway;

impl MemoryQueue {
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it does not answer, or answers again.
    pub fn set_away(&self, away: bool) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).away = away;
        self.bell.notify_waiters();
    }

    /// Loses everything it carries.
    pub fn flush(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.clear();
        state.taken.clear();
        state.beats.clear();
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.away {
            return Err(QueueError::Away(Box::new(TakenAway)));
        }
        Ok(work(&mut state))
    }

    fn take_now(&self, worker: &str, limit: usize) -> Result<Vec<Message>> {
        self.with(|state| {
            let count = limit.min(state.waiting.len());
            let given: Vec<_> = state.waiting.drain(..count).collect();
            let since = Instant::now();
            given
                .into_iter()
                .map(|(entry, job, at)| {
                    state.taken.insert(entry, (job, at, worker.to_owned(), since));
                    Message {
                        entry: entry.to_string(),
                        job,
                    }
                })
                .collect()
        })
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn ping(&self) -> Result<()> {
        self.with(|_| ())
    }

    async fn push(&self, jobs: &[i64], at: Timestamp) -> Result<()> {
        self.with(|state| {
            for job in jobs {
                state.last += 1;
                state.waiting.push_back((state.last, *job, at));
            }
        })?;
        self.bell.notify_one();
        Ok(())
    }

    async fn take(&self, worker: &str, limit: usize, wait: Duration) -> Result<Vec<Message>> {
        let taken = self.take_now(worker, limit)?;
        if !taken.is_empty() {
            return Ok(taken);
        }
        let _ = timeout(wait, self.bell.notified()).await;
        self.take_now(worker, limit)
    }

    async fn settle(&self, messages: &[Message]) -> Result<()> {
        self.with(|state| {
            let entries = messages.iter().filter_map(|it| it.entry.parse::<u64>().ok());
            for entry in entries {
                state.taken.remove(&entry);
            }
        })
    }

    async fn reclaim(&self, worker: &str, idle: Duration, limit: usize) -> Result<Vec<Message>> {
        self.with(|state| {
            let now = Instant::now();
            let old = state
                .taken
                .iter_mut()
                .filter(|(_, it)| now.duration_since(it.3) >= idle);
            old.take(limit)
                .map(|(entry, it)| {
                    (it.2, it.3) = (worker.to_owned(), now);
                    Message {
                        entry: entry.to_string(),
                        job: it.0,
                    }
                })
                .collect()
        })
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.with(|state| {
            let waiting = state.waiting.iter().map(|it| (it.0, it.2));
            let taken = state.taken.iter().map(|(entry, it)| (*entry, it.1));
            Backlog {
                messages: (state.waiting.len() + state.taken.len()) as u64,
                oldest: waiting.chain(taken).min_by_key(|it| it.0).map(|it| it.1),
            }
        })
    }

    async fn leave(&self, worker: &str) -> Result<()> {
        self.with(|state| {
            state.beats.remove(worker);
        })
    }

    async fn beat(&self, beat: &Beat, stale: Duration) -> Result<()> {
        self.with(|state| {
            state.beats.insert(beat.worker.clone(), beat.clone());
            state
                .beats
                .retain(|_, it| (beat.at - it.at).to_std().unwrap_or_default() <= stale);
        })
    }

    async fn beats(&self) -> Result<Vec<Beat>> {
        self.with(|state| state.beats.values().cloned().collect())
    }
}
