//! Jobs are claimed once, and a former holder is fenced off.

use std::collections::BTreeSet;

use mizan_core::{Job, RunId};
use mizan_store::Store;
use mizan_store::outbox::{Held, JobEnd, NewJob};

use crate::tester::{Tester, at};

async fn enqueue(it: &Tester, count: usize) -> anyhow::Result<()> {
    let mut tx = it.begin().await?;
    for _ in 0..count {
        let job = Job::RunReconciliation { run: RunId::new() };
        tx.enqueue(&NewJob {
            job,
            run_at: at(10),
            request_id: None,
            created_at: at(10),
        })
        .await?;
    }
    Ok(tx.commit().await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_skip_each_others_jobs_without_waiting() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 5).await?;
    let mut one = it.store.platform().await?;
    let mut two = it.store.platform().await?;
    let first = one.claim_jobs("one", at(20), at(80), 3).await?;
    let second = two.claim_jobs("two", at(20), at(80), 3).await?;
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(first.is_sorted_by_key(|it| it.id), "oldest first");
    let ids: BTreeSet<i64> = first.iter().chain(&second).map(|it| it.id).collect();
    assert_eq!(ids.len(), 5);
    one.commit().await?;
    two.rollback().await?;
    let depth = it.store.platform().await?.queue_depth(at(30)).await?;
    assert_eq!((depth.ready, depth.oldest_ready_s), (2, 20));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_former_holder_writes_is_refused() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 1).await?;
    let mut tx = it.store.platform().await?;
    let late = tx.claim_jobs("late", at(20), at(30), 1).await?.remove(0);
    assert!(
        tx.claim_jobs("quick", at(25), at(60), 1).await?.is_empty(),
        "the lease holds"
    );
    let quick = tx.claim_jobs("quick", at(31), at(60), 1).await?.remove(0);
    assert_eq!(
        (quick.id, quick.attempt, quick.token),
        (late.id, 2, late.token + 1)
    );
    assert!(!tx.renew_job(late.id, late.token, at(90)).await?);
    assert!(!tx.end_job(late.id, late.token, &JobEnd::Done, at(32)).await?);
    let again = JobEnd::Again {
        at: at(100),
        error: None,
    };
    assert!(tx.end_job(quick.id, quick.token, &again, at(33)).await?);
    assert_eq!(tx.next_job_at().await?, Some(at(100)));
    assert!(
        !tx.renew_job(quick.id, quick.token, at(90)).await?,
        "it is not held any more"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_read_is_buried_and_holds_nobody_up() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let bad = "INSERT INTO outbox (tenant_id, kind, job, run_at, created_at) VALUES ($1, 'x', '{}', $2, $2)";
    it.owner.execute(bad, &[&it.tenant.0, &at(1)]).await?;
    enqueue(&it, 1).await?;
    let mut tx = it.store.platform().await?;
    assert_eq!(tx.claim_jobs("w", at(20), at(80), 10).await?.len(), 1);
    assert_eq!(tx.queue_depth(at(20)).await?.dead, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_batch_only_jobs_that_are_still_held_end() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 3).await?;
    let mut tx = it.store.platform().await?;
    let kind = "run_reconciliation";
    assert!(
        tx.claim_jobs_of("apply_webhook", "one", at(20), at(30), 9)
            .await?
            .is_empty()
    );
    let claimed = tx.claim_jobs_of(kind, "one", at(20), at(30), 9).await?;
    assert_eq!(claimed.len(), 3);
    let held: Vec<_> = claimed
        .iter()
        .map(|it| Held {
            id: it.id,
            token: it.token,
        })
        .collect();
    let taken_over = tx.claim_jobs("two", at(31), at(60), 1).await?;
    tx.commit().await?;
    let mut tx = it.begin().await?;
    assert_eq!(
        tx.end_done(&held, at(32)).await?,
        2,
        "the third has another holder now"
    );
    tx.commit().await?;
    let mut tx = it.store.platform().await?;
    assert!(
        tx.renew_job(taken_over[0].id, taken_over[0].token, at(90))
            .await?
    );
    assert!(
        tx.claim_jobs("three", at(61), at(90), 9).await?.is_empty(),
        "the others are done"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_relayed_once_and_again_only_when_its_message_must_be_lost() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 3).await?;
    let mut tx = it.store.platform().await?;
    assert!(tx.relay_jobs(at(9), 10).await?.is_empty(), "not due yet");
    let first = tx.relay_jobs(at(20), 2).await?;
    assert!(
        first.len() == 2 && first.iter().all(|(_, due)| *due == at(10)),
        "{first:?}"
    );
    let rest = tx.relay_jobs(at(20), 10).await?;
    assert_eq!(rest.len(), 1, "what is marked is not given again");
    let ids: Vec<i64> = first.iter().chain(&rest).map(|it| it.0).collect();
    assert_eq!(tx.unrelay_jobs(&ids[..1]).await?, 1);
    assert_eq!(
        tx.relay_jobs(at(21), 10).await?.len(),
        1,
        "what could not be pushed is new again"
    );

    assert!(
        tx.relay_lost_jobs(at(30), at(20), 10).await?.is_empty(),
        "it may be on its way"
    );
    let claimed = tx.claim_listed_jobs("w", &ids[..2], at(30), at(40)).await?;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), ids[..2]);
    assert!(
        tx.claim_listed_jobs("v", &ids[..2], at(31), at(40))
            .await?
            .is_empty(),
        "both are held"
    );
    assert_eq!(
        tx.relay_lost_jobs(at(35), at(30), 10).await?,
        ids[2..],
        "what nobody took"
    );
    assert_eq!(
        tx.relay_lost_jobs(at(41), at(0), 10).await?,
        ids[..2],
        "what a dead worker held"
    );
    assert!(
        tx.relay_lost_jobs(at(42), at(0), 10).await?.is_empty(),
        "once a lease"
    );
    let again = tx.claim_listed_jobs("v", &ids, at(42), at(60)).await?;
    let lost: Vec<_> = again.iter().map(|it| (it.attempt, it.lost)).collect();
    assert_eq!(lost, [(2, 1), (2, 1), (1, 0)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_back_is_new_again_and_not_counted() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 1).await?;
    let mut tx = it.store.platform().await?;
    let ids: Vec<i64> = tx.relay_jobs(at(20), 10).await?.iter().map(|it| it.0).collect();
    // The clock of this worker is behind the relay's; what was relayed is due all the same.
    let job = tx.claim_listed_jobs("w", &ids, at(5), at(40)).await?.remove(0);
    assert!(
        tx.end_job(job.id, job.token, &JobEnd::HandedBack, job.run_at)
            .await?
    );
    assert_eq!(tx.relay_jobs(at(21), 10).await?.len(), 1);
    let next = tx.claim_listed_jobs("v", &ids, at(22), at(40)).await?.remove(0);
    assert_eq!((next.attempt, next.lost, next.token), (1, 0, job.token + 1));
    assert!(!tx.end_job(job.id, job.token, &JobEnd::Done, at(23)).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_last_holder_may_write_the_result() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    enqueue(&it, 1).await?;
    let mut tx = it.store.platform().await?;
    let late = tx.claim_jobs("late", at(20), at(30), 1).await?.remove(0);
    tx.commit().await?;
    assert!(
        it.begin().await?.hold_job(late.id, late.token).await?,
        "nobody else has it yet"
    );
    let mut tx = it.store.platform().await?;
    let quick = tx.claim_jobs("quick", at(31), at(60), 1).await?.remove(0);
    tx.commit().await?;
    assert!(!it.begin().await?.hold_job(late.id, late.token).await?);
    assert!(it.begin().await?.hold_job(quick.id, quick.token).await?);
    Ok(())
}
