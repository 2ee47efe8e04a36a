//! Reconciliation runs and findings: every method once.

use mizan_core::{Currency, FindingId, RunId, TimeWindow, TransactionId};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::findings::{Answered, FindingFilter, FindingStatus, StoredFinding, Upserted};
use mizan_store::recon_runs::{ReconRun, RunFilter, RunStatus};

use crate::harness::{Bench, at, bench, counted};

fn run(bench: &Bench, key: Option<&str>) -> ReconRun {
    ReconRun {
        id: RunId::new(),
        provider: bench.provider.clone(),
        window: TimeWindow::new(at(0), at(100)).unwrap(),
        dry_run: false,
        statement: None,
        bank_statement: None,
        idempotency_key: key.map(str::to_owned),
        fingerprint: vec![1],
        status: RunStatus::Queued,
        attempts: 0,
        stats_json: None,
        error_json: None,
        created_by: "staff:1".into(),
        created_at: at(0),
        updated_at: at(0),
        started_at: None,
        finished_at: None,
    }
}

fn finding(bench: &Bench, event: &str, run: RunId) -> StoredFinding {
    StoredFinding {
        id: FindingId::new(),
        provider: bench.provider.clone(),
        provider_event_id: event.into(),
        provider_ref: None,
        finding_type: FindingType::AmountMismatch,
        severity: Severity::Error,
        status: FindingStatus::Open,
        currency: Some(Currency::TRY),
        statement_amount: Some(10),
        ledger_amount: Some(9),
        transaction: Some(TransactionId::new()),
        details: "{}".into(),
        run: Some(run),
        last_run: Some(run),
        occurred_at: Some(at(50)),
        created_at: at(60),
        updated_at: at(60),
        status_by: None,
        status_reason: None,
        assigned_to: None,
        settled_by: None,
    }
}

/// A run that did not look at the bank, without a settlement lag.
fn answered(bench: &Bench, window: TimeWindow, run: RunId) -> Answered {
    Answered {
        provider: bench.provider.clone(),
        run,
        window,
        lone_ledger: window,
        bank: false,
    }
}

#[tokio::test]
async fn runs_are_kept_by_their_key() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let mut first = run(&bench, Some("k"));
    assert_eq!(tx.insert_run(&first).await.unwrap(), None);
    assert_eq!(
        tx.insert_run(&run(&bench, Some("k"))).await.unwrap(),
        Some(first.clone())
    );
    for _ in 0..2 {
        assert_eq!(tx.insert_run(&run(&bench, None)).await.unwrap(), None);
    }
    (first.status, first.attempts, first.stats_json) = (RunStatus::Completed, 1, Some("{}".into()));
    (first.started_at, first.finished_at) = (Some(at(1)), Some(at(2)));
    tx.update_run(&first).await.unwrap();
    assert_eq!(tx.lock_run(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(tx.run(first.id).await.unwrap(), Some(first.clone()));
    let filter = RunFilter {
        provider: Some(bench.provider.clone()),
        status: Some(RunStatus::Completed),
    };
    let page = tx.runs(&filter, &counted(5)).await.unwrap();
    assert_eq!((page.items, page.total), (vec![first], Some(1)));
}

#[tokio::test]
async fn findings_are_seen_again_resolved_and_reopened() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let (one, two) = (run(&bench, None), run(&bench, None));
    for run in [&one, &two] {
        assert_eq!(tx.insert_run(run).await.unwrap(), None);
    }
    let found = [finding(&bench, "a", one.id), finding(&bench, "b", one.id)];
    let counts = |created, seen_again, reopened| Upserted {
        created,
        seen_again,
        reopened,
    };
    assert_eq!(tx.upsert_findings(&found).await.unwrap(), counts(2, 0, 0));

    let mut again = finding(&bench, "a", two.id);
    again.statement_amount = Some(11);
    assert_eq!(
        tx.upsert_findings(&[again.clone()]).await.unwrap(),
        counts(0, 1, 0)
    );
    let window = TimeWindow::new(at(0), at(100)).unwrap();
    assert_eq!(
        tx.resolve_vanished(&answered(&bench, window, two.id), at(70))
            .await
            .unwrap(),
        1
    );
    let a = tx.finding(found[0].id).await.unwrap().unwrap();
    assert_eq!(
        (a.statement_amount, a.run, a.last_run, a.status),
        (Some(11), Some(one.id), Some(two.id), FindingStatus::Open)
    );
    let mut b = tx.lock_finding(found[1].id).await.unwrap().unwrap();
    assert_eq!(
        b.status_reason,
        Some(format!("not found again by run {}", two.id))
    );
    assert_eq!(b.status, FindingStatus::Resolved);
    let back = finding(&bench, "b", two.id);
    assert_eq!(tx.upsert_findings(&[back]).await.unwrap(), counts(0, 0, 1));

    (b.status, b.status_by) = (FindingStatus::Ignored, Some("staff:1".into()));
    tx.update_finding(&b).await.unwrap();
    let back = finding(&bench, "b", two.id);
    assert_eq!(tx.upsert_findings(&[back]).await.unwrap(), counts(0, 1, 0));
    let filter = FindingFilter {
        provider: Some(bench.provider.clone()),
        finding_type: Some(FindingType::AmountMismatch),
        severity: Some(Severity::Error),
        status: Some(FindingStatus::Ignored),
        run: Some(two.id),
        ..FindingFilter::default()
    };
    let page = tx.findings(&filter, &counted(5)).await.unwrap();
    assert_eq!((page.items[0].id, page.total), (b.id, Some(1)));
    assert_eq!(
        tx.count_findings(&FindingFilter::default()).await.unwrap(),
        [(FindingType::AmountMismatch, 2)]
    );
}
