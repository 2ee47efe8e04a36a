//! What belongs to no tenant: signing in, jobs, signing keys, the chain.

use mizan_core::{Job, RunId, StaffId, TransactionId, WebhookEventId};
use mizan_ledger::AccountKind;
use mizan_ledger::chain::{Head, seal, verify};
use mizan_payments::Role;
use mizan_store::Store;
use mizan_store::outbox::{JobEnd, NewJob, QueueDepth};
use mizan_store::platform::SigningKey;
use mizan_store::staff::NewStaff;

use crate::harness::{Bench, account, at, bench, by_hand, post, transaction};

#[tokio::test]
async fn tenants_people_and_connections_are_found_by_what_they_show() {
    let bench = bench().await;
    let mut platform = bench.store.platform().await.unwrap();
    assert!(!platform.has_owner().await.unwrap());
    let key = "default".parse().unwrap();
    let (tenant, made) = platform.ensure_tenant(&key, "Other", at(9)).await.unwrap();
    assert_eq!((tenant.name.as_str(), made), ("Default", false));
    assert_eq!(platform.tenant_by_key(&key).await.unwrap(), Some(tenant.clone()));
    assert_eq!(
        platform.tenant_by_id(tenant.id).await.unwrap(),
        Some(tenant.clone())
    );
    assert_eq!(platform.tenants().await.unwrap(), [tenant]);
    let players = platform.players_by_email("ada@example.com").await.unwrap();
    assert_eq!((players[0].0, players[0].1.id), (bench.tenant, bench.player));
    let connection = platform.connection_by_key(&bench.provider).await.unwrap();
    assert_eq!(connection, Some(bench.connection()));
    assert_eq!(platform.all_connections().await.unwrap(), [bench.connection()]);
    assert_eq!(platform.api_key_by_prefix("none").await.unwrap(), None);
    platform.rollback().await.unwrap();

    let staff = NewStaff {
        id: StaffId::new(),
        email: "boss@example.com".into(),
        password_hash: "hash".into(),
        role: Role::Owner,
        platform: false,
        created_at: at(1),
    };
    let mut tx = bench.begin().await;
    assert!(tx.insert_staff(&staff).await.unwrap());
    tx.commit().await.unwrap();
    let mut platform = bench.store.platform().await.unwrap();
    assert!(platform.has_owner().await.unwrap());
    let (seen, hash) = platform
        .staff_by_email("boss@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((seen.id, hash.as_str()), (staff.id, "hash"));
}

#[tokio::test]
async fn signing_keys_are_made_once_rotated_and_forgotten() {
    let bench = bench().await;
    let key = |kid: &str, second| SigningKey {
        kid: kid.into(),
        secret: vec![7; 32],
        created_at: at(second),
        retired_at: None,
    };
    let mut platform = bench.store.platform().await.unwrap();
    assert!(platform.insert_signing_key(&key("a", 1), true).await.unwrap());
    assert!(!platform.insert_signing_key(&key("b", 2), true).await.unwrap());
    assert!(platform.insert_signing_key(&key("b", 2), false).await.unwrap());
    assert_eq!(platform.retire_other_signing_keys("b", at(3)).await.unwrap(), 1);
    let kids = |keys: Vec<SigningKey>| keys.into_iter().map(|it| it.kid).collect::<Vec<_>>();
    assert_eq!(kids(platform.signing_keys().await.unwrap()), ["a", "b"]);
    assert_eq!(
        platform.delete_signing_keys_retired_before(at(4)).await.unwrap(),
        1
    );
    assert_eq!(kids(platform.signing_keys().await.unwrap()), ["b"]);
    platform.commit().await.unwrap();
}

async fn enqueue(bench: &Bench, seconds: &[i64]) {
    let mut tx = bench.begin().await;
    for second in seconds {
        let job = NewJob {
            job: Job::RunReconciliation { run: RunId::new() },
            run_at: at(*second),
            request_id: Some("r".into()),
            created_at: at(0),
        };
        tx.enqueue(&job).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn jobs_are_claimed_once_fenced_and_ended() {
    let bench = bench().await;
    enqueue(&bench, &[2, 1, 50]).await;
    let mut platform = bench.store.platform().await.unwrap();
    assert_eq!(platform.next_job_at().await.unwrap(), Some(at(1)));
    let depth = QueueDepth {
        ready: 2,
        running: 0,
        dead: 0,
        oldest_ready_s: 9,
    };
    assert_eq!(platform.queue_depth(at(10)).await.unwrap(), depth);
    assert_eq!(
        platform.claim_jobs("w", at(0), at(5), 9).await.unwrap(),
        [],
        "nothing is due"
    );

    let jobs = platform.claim_jobs("w", at(10), at(20), 9).await.unwrap();
    let ids: Vec<_> = jobs.iter().map(|it| it.id).collect();
    assert_eq!(ids, [2, 1], "oldest first");
    assert_eq!(
        (jobs[0].attempt, jobs[0].token, jobs[0].tenant),
        (1, 1, bench.tenant)
    );
    assert_eq!(platform.claim_jobs("v", at(15), at(30), 9).await.unwrap(), []);
    assert!(platform.renew_job(2, 1, at(25)).await.unwrap());

    let taken = platform.claim_jobs("v", at(22), at(40), 9).await.unwrap();
    assert_eq!(
        (taken.len(), taken[0].id, taken[0].token, taken[0].attempt),
        (1, 1, 2, 2)
    );
    assert!(
        !platform.end_job(1, 1, &JobEnd::Done, at(23)).await.unwrap(),
        "the former holder is fenced off"
    );
    assert!(!platform.renew_job(1, 1, at(99)).await.unwrap());
    let again = JobEnd::Again {
        at: at(60),
        error: Some("later".into()),
    };
    assert!(platform.end_job(1, 2, &again, at(23)).await.unwrap());
    assert!(platform.end_job(2, 1, &JobEnd::Done, at(23)).await.unwrap());
    assert!(!platform.end_job(2, 1, &JobEnd::Done, at(23)).await.unwrap());
    let last = platform.claim_jobs("w", at(55), at(70), 9).await.unwrap();
    let dead = JobEnd::Dead {
        error: "gave up".into(),
    };
    assert!(
        platform
            .end_job(last[0].id, last[0].token, &dead, at(56))
            .await
            .unwrap()
    );
    assert_eq!(platform.queue_depth(at(56)).await.unwrap().dead, 1);
    assert_eq!(platform.next_job_at().await.unwrap(), Some(at(60)));
    assert_eq!(platform.delete_done_jobs(at(23), 9).await.unwrap(), 0);
    assert_eq!(platform.delete_done_jobs(at(24), 9).await.unwrap(), 1);
    assert_eq!(platform.delete_idempotency_keys(at(99), 9).await.unwrap(), 0);
    platform.commit().await.unwrap();
}

#[tokio::test]
async fn a_job_is_relayed_once_and_again_only_when_its_message_must_be_lost() {
    let bench = bench().await;
    enqueue(&bench, &[10, 10, 10]).await;
    let mut tx = bench.store.platform().await.unwrap();
    assert_eq!(tx.relay_jobs(at(9), 10).await.unwrap(), [], "not due yet");
    assert_eq!(tx.relay_jobs(at(20), 2).await.unwrap().len(), 2);
    assert_eq!(
        tx.relay_jobs(at(20), 10).await.unwrap().len(),
        1,
        "what is marked is not given again"
    );
    assert_eq!(tx.unrelay_jobs(&[1]).await.unwrap(), 1);
    assert_eq!(
        tx.relay_jobs(at(21), 10).await.unwrap().len(),
        1,
        "what could not be pushed is new again"
    );

    assert!(
        tx.relay_lost_jobs(at(30), at(20), 10).await.unwrap().is_empty(),
        "it may be on its way"
    );
    let claimed = tx.claim_listed_jobs("w", &[1, 2], at(30), at(40)).await.unwrap();
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2]);
    assert!(
        tx.claim_listed_jobs("v", &[1, 2], at(31), at(40))
            .await
            .unwrap()
            .is_empty(),
        "both are held"
    );
    assert_eq!(
        tx.relay_lost_jobs(at(35), at(30), 10).await.unwrap(),
        [3],
        "what nobody took"
    );
    assert_eq!(
        tx.relay_lost_jobs(at(41), at(0), 10).await.unwrap(),
        [1, 2],
        "what a dead worker held"
    );
    assert!(
        tx.relay_lost_jobs(at(42), at(0), 10).await.unwrap().is_empty(),
        "once a lease"
    );
    // The clock of this worker is behind the relay's; what was relayed is due all the same.
    let late = tx
        .claim_listed_jobs("v", &[3], at(5), at(60))
        .await
        .unwrap()
        .remove(0);
    assert!(
        tx.end_job(late.id, late.token, &JobEnd::HandedBack, late.run_at)
            .await
            .unwrap()
    );
    tx.relay_jobs(at(42), 10).await.unwrap();
    let again = tx
        .claim_listed_jobs("v", &[1, 2, 3], at(42), at(60))
        .await
        .unwrap();
    let counts: Vec<_> = again.iter().map(|it| (it.attempt, it.lost)).collect();
    assert_eq!(
        counts,
        [(2, 1), (2, 1), (1, 0)],
        "what was handed back is not counted"
    );
    tx.commit().await.unwrap();
    assert!(
        !bench.begin().await.hold_job(1, 1).await.unwrap(),
        "the first holder is fenced off"
    );
    assert!(bench.begin().await.hold_job(1, 2).await.unwrap());
}

#[tokio::test]
async fn a_job_that_cannot_be_read_does_not_hold_up_the_others() {
    let bench = bench().await;
    enqueue(&bench, &[1, 2]).await;
    bench.tamper("UPDATE outbox SET job = '{}' WHERE id = 1");
    let mut platform = bench.store.platform().await.unwrap();
    let jobs = platform.claim_jobs("w", at(10), at(20), 9).await.unwrap();
    assert_eq!(jobs.iter().map(|it| it.id).collect::<Vec<_>>(), [2]);
    assert_eq!(platform.queue_depth(at(10)).await.unwrap().dead, 1);
}

#[tokio::test]
async fn looking_does_not_wait_for_the_writer_and_writing_does() {
    let bench = bench().await;
    enqueue(&bench, &[50]).await;
    let mut tx = bench.begin().await;
    let mut platform = bench.store.platform().await.unwrap();
    assert!(
        platform
            .connection_by_key(&bench.provider)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(platform.claim_jobs("w", at(10), at(20), 9).await.unwrap(), []);
    let job = NewJob {
        job: Job::ApplyWebhook {
            event: WebhookEventId::new(),
        },
        run_at: at(60),
        request_id: None,
        created_at: at(1),
    };
    tx.enqueue(&job).await.unwrap();
    let claim = tokio::spawn(async move { platform.claim_jobs("w", at(70), at(80), 9).await });
    tx.commit().await.unwrap();
    let claimed = claim.await.unwrap().unwrap();
    assert_eq!(claimed.len(), 2, "the writer sees what was committed before it");
}

#[tokio::test]
async fn the_journal_is_sealed_and_a_changed_row_is_seen() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let wallet = account(&mut *tx, AccountKind::Available, Some(bench.player)).await;
    let world = account(&mut *tx, AccountKind::World, None).await;
    for second in 0..3 {
        let new = transaction(TransactionId::new(), world, wallet, 10);
        post(&mut *tx, &new, at(second)).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut platform = bench.store.platform().await.unwrap();
    assert!(platform.lock_chain().await.unwrap());
    assert_eq!(platform.chain_head().await.unwrap(), Head::EMPTY);
    let end = platform.complete_up_to().await.unwrap();
    let rows = platform.journal_rows(0, end, 10).await.unwrap();
    assert_eq!(rows.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let block = seal(&Head::EMPTY, &rows).unwrap();
    platform.insert_block(&block, at(9)).await.unwrap();
    let head = platform.chain_head().await.unwrap();
    assert_eq!((head.block, head.seq, head.hash), (1, 3, block.hash));
    assert_eq!(
        platform.blocks_after(0, 9).await.unwrap(),
        std::slice::from_ref(&block)
    );
    platform.commit().await.unwrap();

    by_hand(&bench.path)
        .execute_batch("UPDATE journal SET reference = 'other' WHERE seq = 2")
        .unwrap();
    let mut platform = bench.store.platform().await.unwrap();
    let rows = platform.journal_rows(0, end, 10).await.unwrap();
    let mut breaks = Vec::new();
    verify(&Head::EMPTY, &block, &rows, &mut breaks);
    let seen: Vec<_> = breaks.iter().map(ToString::to_string).collect();
    assert_eq!(seen, ["journal row 2 (block 1) was changed after it was sealed"]);
}
