//! The runner of an installation without a queue: claims from the outbox what is due, woken by a bell.

use std::sync::Arc;

use mizan_core::Timestamp;
use mizan_flows::{App, FlowError};
use mizan_store::outbox::ClaimedJob;
use mizan_store::{Platform, StoreError};
use tokio_util::sync::CancellationToken;

use crate::crew::{Crew, is_event};
use crate::settings::WorkerSettings;

/// Runs jobs until it is told to stop.
pub struct Runner {
    app: Arc<App>,
    settings: Arc<WorkerSettings>,
    crew: Crew,
}

impl Runner {
    pub fn new(app: Arc<App>, settings: WorkerSettings) -> Self {
        let settings = Arc::new(settings);
        Self {
            crew: Crew::new(Arc::clone(&app), Arc::clone(&settings)),
            app,
            settings,
        }
    }

    /// Runs until `stop`; then claims nothing more, and waits for what is running.
    pub async fn run(self, stop: CancellationToken) {
        let mut reachable = true;
        while let Some(mut free) = self.crew.free(&stop).await {
            let wanted = free.count();
            let found = match claim_due(&self.app, &self.settings, wanted).await {
                Ok(jobs) => {
                    if !reachable {
                        tracing::info!("jobs can be claimed again");
                        reachable = true;
                    }
                    let found = jobs.len();
                    self.crew.start(jobs, &mut free);
                    found
                }
                Err(error) => {
                    if reachable {
                        tracing::error!(error = &error as &dyn std::error::Error, "jobs cannot be claimed");
                        reachable = false;
                    }
                    0
                }
            };
            drop(free);
            if found >= wanted {
                continue; // there may be more
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.app.job_bell.notified() => {}
                () = tokio::time::sleep(self.settings.poll) => {}
            }
        }
        self.crew.disband().await;
    }

    /// Runs what is due until nothing is, and returns how many tries that took. For the command line and for
    /// tests, which want to know when everything is done.
    pub async fn run_until_idle(&self) -> Result<usize, FlowError> {
        let (never, mut tries) = (CancellationToken::new(), 0);
        while let Some(mut free) = self.crew.free(&never).await {
            let jobs = claim_due(&self.app, &self.settings, free.count()).await?;
            if jobs.is_empty() {
                break;
            }
            tries += jobs.len();
            self.crew.start(jobs, &mut free);
            drop(free);
            self.crew.idle().await;
        }
        Ok(tries)
    }
}

/// Claims what is due, oldest first.
pub(crate) async fn claim_due(
    app: &App,
    settings: &WorkerSettings,
    limit: usize,
) -> Result<Vec<ClaimedJob>, StoreError> {
    let now = app.now();
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let mut platform = app.store.platform().await?;
    let until = now + settings.lease_delta();
    let mut jobs = platform.claim_jobs(&settings.worker, now, until, limit).await?;
    join_company(&mut *platform, settings, now, &mut jobs).await?;
    if jobs.is_empty() {
        platform.rollback().await?;
    } else {
        platform.commit().await?;
    }
    Ok(jobs)
}

/// The most events that are claimed together on top of what there are hands for.
const BATCH: u32 = 256;

/// Claims more events where there is one: an event does not come alone, and together they are one transaction.
pub(crate) async fn join_company(
    platform: &mut dyn Platform,
    settings: &WorkerSettings,
    now: Timestamp,
    jobs: &mut Vec<ClaimedJob>,
) -> Result<(), StoreError> {
    let Some(kind) = jobs.iter().find(|it| is_event(it)).map(|it| it.job.kind()) else {
        return Ok(());
    };
    let until = now + settings.lease_delta();
    let more = platform
        .claim_jobs_of(kind, &settings.worker, now, until, BATCH)
        .await?;
    jobs.extend(more);
    Ok(())
}
