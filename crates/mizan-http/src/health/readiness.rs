//! The checks behind `/api/ready`: side by side, each bounded, and shared by probes that come together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde::{Serialize, Serializer};
use tokio::time::Instant;

use super::changes::log_changes;
use super::report::{Check, Checks, Report};

/// How long probes share what one check found.
const SHARED_FOR: Duration = Duration::from_millis(250);

/// What a check may say. Nothing else leaves the process: no text of an error, no host, no URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Connected,
    Unreachable,
    Timeout,
    AuthFailed,
    NotConfigured,
    Head,
    Behind,
    Ahead,
    Diverged,
    Unknown,
}

impl Detail {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::AuthFailed => "auth_failed",
            Self::NotConfigured => "not_configured",
            Self::Head => "head",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Diverged => "diverged",
            Self::Unknown => "unknown",
        }
    }

    fn is_good(self) -> bool {
        matches!(self, Self::Connected | Self::Head)
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The revisions that are applied, and the newest of this build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revisions {
    pub current: Vec<String>,
    pub head: Vec<String>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    pub detail: Detail,
    /// Of the migrations only.
    pub revisions: Option<Revisions>,
}

impl From<Detail> for ProbeResult {
    fn from(detail: Detail) -> Self {
        Self {
            detail,
            revisions: None,
        }
    }
}

/// Asks one thing that the process depends on. The caller bounds the time, and drops a probe that takes longer.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    async fn check(&self) -> ProbeResult;

    /// What is known without an answer, when it takes too long.
    fn late(&self) -> ProbeResult {
        Detail::Timeout.into()
    }

    /// What is asked, masked, for the log: `postgresql://***@db:5432/mizan`.
    fn target(&self) -> String;
}

type Running = Shared<BoxFuture<'static, Arc<Report>>>;

#[derive(Default)]
struct Memory {
    last: Option<(Instant, Arc<Report>)>,
    running: Option<Running>,
}

struct Parts {
    db: Arc<dyn Probe>,
    /// `None` where none is configured.
    redis: Option<Arc<dyn Probe>>,
    migrations: Arc<dyn Probe>,
    bound: Duration,
    strict: bool,
    memory: Mutex<Memory>,
}

/// All checks of the process.
#[derive(Clone)]
pub struct Readiness(Arc<Parts>);

impl Readiness {
    /// `bound` is `READY_TIMEOUT_MS`; as the checks run side by side, it bounds the whole. In strict mode a Redis that is not configured fails.
    pub fn new(
        db: Arc<dyn Probe>,
        redis: Option<Arc<dyn Probe>>,
        migrations: Arc<dyn Probe>,
        bound: Duration,
        strict: bool,
    ) -> Self {
        Self(Arc::new(Parts {
            db,
            redis,
            migrations,
            bound,
            strict,
            memory: Mutex::default(),
        }))
    }

    /// What the checks find. Probes that come within 250 ms of each other share one run, which goes on when the
    /// one who started it hangs up.
    pub async fn report(&self) -> Arc<Report> {
        let running = {
            let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, report)) = &memory.last
                && at.elapsed() < SHARED_FOR
            {
                return report.clone();
            }
            memory
                .running
                .get_or_insert_with(|| start(self.0.clone()))
                .clone()
        };
        running.await
    }
}

/// Starts a run as a task of its own.
fn start(parts: Arc<Parts>) -> Running {
    let task = tokio::spawn({
        let parts = parts.clone();
        async move { Arc::new(parts.run().await) }
    });
    async move {
        let report = task
            .await
            .unwrap_or_else(|_| Arc::new(parts.judge(broken(), broken(), broken())));
        let mut memory = parts.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before = memory.last.as_ref().map(|(_, report)| &**report);
        log_changes(parts.db.as_ref(), parts.redis.as_deref(), before, &report);
        memory.last = Some((Instant::now(), report.clone()));
        memory.running = None;
        report
    }
    .boxed()
    .shared()
}

impl Parts {
    async fn run(&self) -> Report {
        let redis = async {
            match &self.redis {
                Some(probe) => self.ask(probe).await,
                None => (ProbeResult::from(Detail::NotConfigured), None),
            }
        };
        let (db, redis, migrations) = tokio::join!(self.ask(&self.db), redis, self.ask(&self.migrations),);
        // Both forms of the reply have the same members, also when nothing is known.
        let mut migrations = migrations.0;
        migrations.revisions.get_or_insert_default();
        self.judge(db, redis, (migrations, None))
    }

    async fn ask(&self, probe: &Arc<dyn Probe>) -> Answer {
        let started = Instant::now();
        let result = tokio::time::timeout(self.bound, probe.check()).await;
        let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (result.unwrap_or_else(|_| probe.late()), Some(latency_ms))
    }

    fn judge(&self, db: Answer, redis: Answer, migrations: Answer) -> Report {
        let unneeded = self.redis.is_none() && !self.strict;
        let check = |(result, latency_ms): Answer, ok: bool| {
            let revisions = result.revisions;
            Check {
                ok,
                detail: result.detail,
                latency_ms,
                current: revisions.as_ref().map(|it| it.current.clone()),
                head: revisions.map(|it| it.head),
            }
        };
        let (db_ok, migrations_ok) = (db.0.detail.is_good(), migrations.0.detail.is_good());
        let redis_ok = redis.0.detail.is_good() || unneeded;
        Report {
            ok: db_ok && redis_ok && migrations_ok,
            checks: Checks {
                db: check(db, db_ok),
                redis: check(redis, redis_ok),
                migrations: check(migrations, migrations_ok),
            },
        }
    }
}

/// What was found, and how long it took in milliseconds.
type Answer = (ProbeResult, Option<u64>);

/// The answer of a probe that panicked.
fn broken() -> Answer {
    (Detail::Unknown.into(), None)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers after a while, and counts how often it was asked.
    struct Fake {
        detail: Detail,
        after: Duration,
        asked: AtomicUsize,
    }

    impl Fake {
        fn new(detail: Detail, after_ms: u64) -> Arc<Self> {
            Arc::new(Self {
                detail,
                after: Duration::from_millis(after_ms),
                asked: AtomicUsize::new(0),
            })
        }
    }

    #[async_trait]
    impl Probe for Fake {
        async fn check(&self) -> ProbeResult {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let _ = tokio::time::timeout(self.after, std::future::pending::<()>()).await;
            self.detail.into()
        }

        fn target(&self) -> String {
            "fake".into()
        }
    }

    /// A Kubernetes probe waits a second; the answer is there before.
    const WHOLE: Duration = Duration::from_millis(900);
    const HANGS: u64 = 1_000_000;

    fn readiness(db: &Arc<Fake>, redis: Option<&Arc<Fake>>, migrations: Detail, strict: bool) -> Readiness {
        let redis = redis.map(|it| it.clone() as Arc<dyn Probe>);
        let bound = Duration::from_millis(800);
        Readiness::new(db.clone(), redis, Fake::new(migrations, 0), bound, strict)
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_a_time_out_within_the_bound() {
        let (db, redis) = (
            Fake::new(Detail::Connected, HANGS),
            Fake::new(Detail::Connected, HANGS),
        );
        let all = readiness(&db, Some(&redis), Detail::Head, true);
        let started = Instant::now();
        let report = all.report().await;
        assert!(started.elapsed() <= WHOLE, "{:?}", started.elapsed());
        assert!(!report.ok);
        assert_eq!(
            (report.checks.db.detail, report.checks.redis.detail),
            (Detail::Timeout, Detail::Timeout)
        );
        assert!(
            report.checks.migrations.ok,
            "one that hangs does not hold up the others"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn probes_that_come_together_share_one_check() {
        let db = Fake::new(Detail::Connected, 100);
        let all = readiness(&db, None, Detail::Head, false);
        let reports = futures::future::join_all((0..50).map(|_| all.report())).await;
        assert!(reports.iter().all(|it| it.ok));
        assert_eq!(db.asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(Duration::from_millis(200)).await;
        all.report().await;
        assert_eq!(db.asked.load(Ordering::SeqCst), 1, "still shared");
        tokio::time::advance(Duration::from_millis(60)).await;
        all.report().await;
        assert_eq!(db.asked.load(Ordering::SeqCst), 2, "asked again after 250 ms");
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_goes_on_when_its_first_prober_hangs_up() {
        let db = Fake::new(Detail::Connected, 100);
        let all = readiness(&db, None, Detail::Head, false);
        let _ = tokio::time::timeout(Duration::from_millis(10), all.report()).await;
        assert!(all.report().await.ok);
        assert_eq!(db.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_counts_depends_on_strictness() {
        let check = async |redis: Option<Detail>, migrations, strict, expected: bool| {
            let db = Fake::new(Detail::Connected, 0);
            let redis = redis.map(|it| Fake::new(it, 0));
            let seen = readiness(&db, redis.as_ref(), migrations, strict).report().await;
            assert_eq!(seen.ok, expected, "{seen:?}");
        };
        check(Some(Detail::Connected), Detail::Head, true, true).await;
        check(None, Detail::Head, false, true).await;
        check(None, Detail::Head, true, false).await;
        check(Some(Detail::Unreachable), Detail::Head, false, false).await;
        check(Some(Detail::Connected), Detail::Behind, false, false).await;
        check(Some(Detail::Connected), Detail::Unknown, true, false).await;
    }
}
