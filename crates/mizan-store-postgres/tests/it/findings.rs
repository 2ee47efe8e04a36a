//! Findings are kept once, by thousands.

use mizan_core::{FindingId, RunId, TimeWindow};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::connections::Connection;
use mizan_store::findings::{Answered, FindingFilter, FindingStatus, StoredFinding, Upserted};
use mizan_store::recon_runs::{ReconRun, RunStatus};

use crate::tester::{Tester, at};

/// A run that did not look at the bank, without a settlement lag.
fn answered(window: TimeWindow, run: RunId) -> Answered {
    Answered {
        provider: "mockpsp".parse().expect("a key"),
        run,
        window,
        lone_ledger: window,
        bank: false,
    }
}

async fn run(it: &Tester) -> anyhow::Result<RunId> {
    let id = RunId::new();
    let mut tx = it.begin().await?;
    tx.insert_connection(&Connection {
        provider: "mockpsp".parse()?,
        tenant: it.tenant,
        kind: "mockpsp".into(),
        merchant_account: None,
        base_url: None,
        created_at: at(0),
    })
    .await?;
    tx.insert_run(&ReconRun {
        id,
        provider: "mockpsp".parse()?,
        window: TimeWindow::new(at(0), at(100))?,
        dry_run: false,
        statement: None,
        bank_statement: None,
        idempotency_key: None,
        fingerprint: vec![],
        status: RunStatus::Running,
        attempts: 1,
        stats_json: None,
        error_json: None,
        created_by: "system:test".into(),
        created_at: at(0),
        updated_at: at(0),
        started_at: None,
        finished_at: None,
    })
    .await?;
    tx.commit().await?;
    Ok(id)
}

fn finding(event: usize, run: RunId) -> anyhow::Result<StoredFinding> {
    Ok(StoredFinding {
        id: FindingId::new(),
        provider: "mockpsp".parse()?,
        provider_event_id: format!("evt_{event}"),
        provider_ref: None,
        finding_type: FindingType::AmountMismatch,
        severity: Severity::Error,
        status: FindingStatus::Open,
        currency: None,
        statement_amount: Some(1),
        ledger_amount: None,
        transaction: None,
        details: "{}".into(),
        run: Some(run),
        last_run: Some(run),
        occurred_at: Some(at(50)),
        created_at: at(1),
        updated_at: at(1),
        status_by: None,
        status_reason: None,
        assigned_to: None,
        settled_by: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_run_sees_again_reopens_and_resolves() -> anyhow::Result<()> {
    const MANY: usize = 9_000;
    let it = Tester::new().await?;
    let (first, second) = (run(&it).await?, run(&it).await?);
    let mut tx = it.begin().await?;
    let found: Vec<_> = (0..MANY).map(|n| finding(n, first)).collect::<Result<_, _>>()?;
    let done = tx.upsert_findings(&found).await?;
    assert_eq!(
        (done.created, done.seen_again, done.reopened),
        (MANY as u64, 0, 0)
    );
    for (n, status) in [(0, FindingStatus::Resolved), (1, FindingStatus::Ignored)] {
        let mut one = tx.lock_finding(found[n].id).await?.expect("it was kept");
        one.status = status;
        tx.update_finding(&one).await?;
    }

    let again: Vec<_> = (0..10)
        .chain([MANY])
        .map(|n| finding(n, second))
        .collect::<Result<_, _>>()?;
    let expected = Upserted {
        created: 1,
        seen_again: 9,
        reopened: 1,
    };
    assert_eq!(tx.upsert_findings(&again).await?, expected);
    let reopened = tx.finding(found[0].id).await?.expect("it keeps its id");
    assert_eq!(
        (reopened.status, reopened.run, reopened.last_run),
        (FindingStatus::Open, Some(first), Some(second))
    );
    let ignored = tx.finding(found[1].id).await?.expect("it keeps its id");
    assert_eq!(ignored.status, FindingStatus::Ignored);

    let window = TimeWindow::new(at(50), at(51))?;
    let gone = tx.resolve_vanished(&answered(window, second), at(2)).await?;
    assert_eq!(gone, MANY as u64 - 10);
    let resolved = tx.finding(found[10].id).await?.expect("it was kept");
    assert_eq!(resolved.status, FindingStatus::Resolved);
    assert_eq!(resolved.status_by.as_deref(), Some("system:reconciliation"));
    assert!(
        resolved
            .status_reason
            .is_some_and(|it| it.contains(&second.to_string()))
    );
    let open = FindingFilter {
        status: Some(FindingStatus::Open),
        ..FindingFilter::default()
    };
    assert_eq!(
        tx.count_findings(&open).await?,
        [(FindingType::AmountMismatch, 10)]
    );
    Ok(())
}
