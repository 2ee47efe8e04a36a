//! The jobs that a process runs at a time, and how they end when it stops.

use std::collections::HashMap;
use std::sync::Arc;

use mizan_core::Job;
use mizan_flows::App;
use mizan_store::outbox::ClaimedJob;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt;
use crate::settings::WorkerSettings;

/// As many hands as a worker has. Clones share them.
#[derive(Clone)]
pub(crate) struct Crew {
    app: Arc<App>,
    settings: Arc<WorkerSettings>,
    hands: Arc<Semaphore>,
    tasks: TaskTracker,
    hand_back: CancellationToken,
}

/// Hands that are free. Those that get no job are free again when this is dropped.
pub(crate) struct Free(OwnedSemaphorePermit);

impl Free {
    pub fn count(&self) -> usize {
        self.0.num_permits()
    }
}

/// What one hand does.
enum Work {
    One(ClaimedJob),
    /// Events of one tenant, in one transaction as far as that goes.
    Together(Vec<ClaimedJob>),
}

impl Crew {
    pub fn new(app: Arc<App>, settings: Arc<WorkerSettings>) -> Self {
        Self {
            hands: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            tasks: TaskTracker::new(),
            hand_back: CancellationToken::new(),
            app,
            settings,
        }
    }

    /// Waits for a free hand, and returns all that are free; `None` once `stop` was asked for.
    pub async fn free(&self, stop: &CancellationToken) -> Option<Free> {
        let one = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            one = Arc::clone(&self.hands).acquire_owned() => one.ok()?,
        };
        let mut free = Free(one);
        let others = u32::try_from(self.hands.available_permits()).unwrap_or(u32::MAX);
        if let Ok(more) = Arc::clone(&self.hands).try_acquire_many_owned(others) {
            free.0.merge(more);
        }
        Some(free)
    }

    /// Starts what was claimed: the events of a tenant together, anything else by itself.
    pub fn start(&self, jobs: Vec<ClaimedJob>, free: &mut Free) {
        for work in grouped(jobs) {
            self.spawn(work, free.0.split(1));
        }
    }

    /// Without a hand, the work waits for one.
    fn spawn(&self, work: Work, hand: Option<OwnedSemaphorePermit>) {
        let crew = self.clone();
        self.tasks.spawn(async move {
            let hand = if hand.is_some() {
                hand
            } else {
                tokio::select! {
                    biased;
                    () = crew.hand_back.cancelled() => None, // the try below hands the job back
                    hand = Arc::clone(&crew.hands).acquire_owned() => hand.ok(),
                }
            };
            match work {
                Work::One(job) => attempt::hold(&crew.app, &crew.settings, &job, &crew.hand_back).await,
                Work::Together(jobs) => {
                    for job in attempt::together(&crew.app, jobs).await {
                        crew.spawn(Work::One(job), None);
                    }
                }
            }
            drop(hand);
        });
    }

    pub fn running(&self) -> usize {
        self.settings
            .concurrency
            .saturating_sub(self.hands.available_permits())
    }

    /// Waits until nothing runs.
    pub async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// Lets what runs end within the grace, then hands back what is left.
    pub async fn disband(&self) {
        self.tasks.close();
        if tokio::time::timeout(self.settings.grace, self.tasks.wait())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!(
            jobs = self.tasks.len(),
            "jobs that have not ended are handed back"
        );
        self.hand_back.cancel();
        if tokio::time::timeout(self.settings.lease, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::error!(
                jobs = self.tasks.len(),
                "jobs could not be handed back; their leases run out"
            );
        }
    }
}

pub(crate) fn is_event(job: &ClaimedJob) -> bool {
    matches!(job.job, Job::ApplyWebhook { .. })
}

fn grouped(jobs: Vec<ClaimedJob>) -> Vec<Work> {
    let (events, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_event);
    let mut by_tenant: HashMap<_, Vec<_>> = HashMap::new();
    for job in events {
        by_tenant.entry(job.tenant).or_default().push(job);
    }
    let batches = by_tenant.into_values().map(|mut batch| match batch.pop() {
        Some(job) if batch.is_empty() => Work::One(job),
        last => {
            batch.extend(last);
            Work::Together(batch)
        }
    });
    others.into_iter().map(Work::One).chain(batches).collect()
}
