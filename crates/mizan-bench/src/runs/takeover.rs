//! `takeover`: a worker is killed, and another put to sleep past its lease, in the middle of a large run. Somebody
//! else ends the run, with the result of a run that nobody disturbed, and the sleeper's work is refused.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mizan_testkit::{Signal, eventually};
use serde_json::{Value, json};

use crate::floor::{Floor, Worker};
use crate::recon_rows::{FROM, Rows, TO};
use crate::server::Server;
use crate::{report, screen, timing};

pub const ABOUT: &str =
    "kill -9 and SIGSTOP of a worker in the middle of a large run: taken over, same digest";

/// How long a job may go without a sign of life.
const LEASE: Duration = Duration::from_secs(5);
/// The relay looks every 2 s for what was lost; the rest is for a busy machine.
const SLACK: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(5);
const STARTED: &str = "reconciliation run started";
const COMPLETED: &str = "reconciliation run completed";
/// What a worker says when its run is another's.
const REFUSED: [&str; 2] = ["the run is not ours any more", "the lease was lost"];

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// On each side.
    pub rows: u64,
}

/// Runs it and says whether everything held.
pub async fn run(plan: Plan) -> anyhow::Result<bool> {
    ensure!(
        (1_000..=100_000_000).contains(&plan.rows),
        "--rows: 1000 to 100000000"
    );
    let rows = Rows(plan.rows);
    let scene = Scene::set(rows).await?;
    let calm = scene.calm().await?;
    screen::note(&format!(
        "undisturbed: {:.1} s, digest {}",
        calm.took.as_secs_f64(),
        calm.digest
    ));
    let killed = scene.killed(&calm).await?;
    screen::note(&format!("killed: {killed}"));
    let slept = scene.slept(&calm).await?;
    screen::note(&format!("slept: {slept}"));
    let right = calm.findings == rows.differences();
    let held = right && killed["held"] == true && slept["held"] == true;
    let line = json!({
        "name": "takeover", "rows": plan.rows, "lease_s": LEASE.as_secs(), "undisturbed_s": calm.took.as_secs_f64(),
        "findings": calm.findings, "findings_expected": rows.differences(), "digest": calm.digest,
        "killed": killed, "slept": slept, "held": held,
    });
    report::keep_run(&line)?;
    screen::result(&line.to_string())?;
    Ok(held)
}

/// Both sides of the run, where they have to be.
struct Scene {
    floor: Floor,
    run: Value,
}

/// A run that nobody disturbed.
struct Calm {
    took: Duration,
    digest: String,
    findings: u64,
}

impl Scene {
    async fn set(rows: Rows) -> anyhow::Result<Self> {
        let floor = Floor::start().await?;
        screen::note(&format!(
            "{} rows go into the ledger and into a statement",
            rows.0
        ));
        rows.fill(&Server::store(&floor.database)?).await?;
        floor.server.tidy(&floor.database).await?;
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("statement.csv");
        rows.write_statement(&file)?;
        let statement = floor.upload(&file).await?;
        let run = json!({
            "provider": "mockpsp", "window_start": FROM, "window_end": TO, "statement_id": statement,
        });
        Ok(Self { floor, run })
    }

    async fn worker(&self) -> anyhow::Result<Worker> {
        let lease = LEASE.as_secs().to_string();
        self.floor
            .worker(&["--lease", &lease, "--concurrency", "1"])
            .await
    }

    async fn calm(&self) -> anyhow::Result<Calm> {
        let worker = self.worker().await?;
        let run = self.floor.completed(&self.ask().await?).await?;
        drop(worker);
        let stats = &run["stats_json"];
        let digest = stats["summary"]["digest"].as_str().context("no digest")?;
        Ok(Calm {
            took: Duration::from_millis(stats["duration_ms"].as_u64().context("no duration")?),
            digest: digest.to_owned(),
            findings: stats["summary"]["findings_total"].as_u64().context("no count")?,
        })
    }

    async fn ask(&self) -> anyhow::Result<String> {
        self.floor.queue(self.run.clone()).await
    }

    /// A worker that is in the middle of a run.
    async fn busy(&self, calm: &Calm) -> anyhow::Result<(Worker, String)> {
        let worker = self.worker().await?;
        let run = self.ask().await?;
        worker.says(STARTED, PATIENCE).await?;
        // The middle is found by time: the first run said how long one takes.
        tokio::time::sleep(calm.took / 3).await;
        let now = self.floor.run(&run).await?;
        ensure!(
            now["status"] == "running",
            "the run is over before it is disturbed; ask for more --rows: {now}"
        );
        Ok((worker, run))
    }

    async fn killed(&self, calm: &Calm) -> anyhow::Result<Value> {
        let (mut worker, run) = self.busy(calm).await?;
        worker.process.signal(Signal::SIGKILL)?;
        worker.process.exit_code(PATIENCE).await?;
        let died = timing::now();
        let other = self.worker().await?;
        let (until_taken, ended) = self.taken_over(&other, died, &run).await?;
        Ok(verdict(calm, until_taken, &ended, true))
    }

    /// How long it took until the other worker had the run, and how that ended.
    async fn taken_over(
        &self,
        other: &Worker,
        since: Instant,
        run: &str,
    ) -> anyhow::Result<(Duration, Value)> {
        other.says(STARTED, PATIENCE).await?;
        let until_taken = since.elapsed();
        Ok((until_taken, self.floor.completed(run).await?))
    }

    async fn slept(&self, calm: &Calm) -> anyhow::Result<Value> {
        let (sleeper, run) = self.busy(calm).await?;
        sleeper.process.signal(Signal::SIGSTOP)?;
        let slept = timing::now();
        let other = self.worker().await?;
        let (until_taken, ended) = self.taken_over(&other, slept, &run).await?;
        let before = self.written(&run).await?;
        sleeper.process.signal(Signal::SIGCONT)?;
        let refused = eventually(PATIENCE, || async {
            let log = sleeper.log();
            REFUSED.iter().any(|it| log.contains(it))
        });
        let refused = refused.await.is_ok();
        // It takes the next run in order, so whatever it did with the old one is done.
        drop(other);
        let next = self.floor.completed(&self.ask().await?).await?;
        let finished = next["stats_json"]["summary"]["digest"] == calm.digest;
        let claims = sleeper
            .log()
            .lines()
            .filter(|it| it.contains(COMPLETED) && it.contains(&run))
            .count();
        let untouched = self.written(&run).await? == before;
        let mut said = verdict(
            calm,
            until_taken,
            &ended,
            refused && untouched && claims == 0 && finished,
        );
        said["refused"] = refused.into();
        said["untouched"] = untouched.into();
        said["works_again"] = finished.into();
        Ok(said)
    }

    /// What only a worker that has the run may write: the run, and what stands in its name.
    async fn written(&self, run: &str) -> anyhow::Result<String> {
        let row = self.floor.run(run).await?;
        let sql =
            "SELECT count(*), count(DISTINCT (provider_event_id, finding_type)) FROM reconciliation_findings";
        let findings = self.floor.server.sql(&self.floor.database, sql).await?;
        Ok(format!("{row} {findings}"))
    }
}

/// Whether a run that was taken over ended as it should, in time, and found nothing that was not known.
fn verdict(calm: &Calm, until_taken: Duration, ended: &Value, more: bool) -> Value {
    let stats = &ended["stats_json"];
    let same = stats["summary"]["digest"] == calm.digest.as_str();
    let once = stats["findings_created"] == 0 && stats["findings_seen_again"] == calm.findings;
    let in_time = until_taken <= LEASE + SLACK;
    let twice = ended["attempts"] == 2;
    json!({
        "taken_over_after_s": until_taken.as_secs_f64(), "in_time": in_time, "attempts": ended["attempts"],
        "same_digest": same, "no_finding_twice": once, "held": same && once && in_time && twice && more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attempts: u64, digest: &str, created: u64, after: u64, held: bool) {
        let calm = Calm {
            took: LEASE,
            digest: "d".into(),
            findings: 3,
        };
        let ended = json!({ "attempts": attempts, "stats_json": {
            "summary": { "digest": digest }, "findings_created": created, "findings_seen_again": 3 } });
        let said = verdict(&calm, Duration::from_secs(after), &ended, true);
        assert_eq!(said["held"], held, "{said}");
    }

    #[test]
    fn a_run_holds_when_it_is_taken_over_in_time_and_ends_the_same_without_new_findings() {
        check(2, "d", 0, 8, true);
        check(1, "d", 0, 8, false);
        check(2, "other", 0, 8, false);
        check(2, "d", 1, 8, false);
        check(2, "d", 0, 60, false);
    }
}
