//! Two callers who want to make the same thing.

use futures::future::join_all;
use mizan_store::idempotency::{Claim, IdempotencyKey, KeptReply, StoredReply};
use mizan_store::platform::SigningKey;
use mizan_store::{Store, StoreError};

use crate::tester::{Tester, at, custom, post_in, transfer};

fn key() -> IdempotencyKey {
    IdempotencyKey {
        route: "POST /api/v1/player/wallet/deposit".into(),
        key: "k".into(),
    }
}

/// Writers keep replies without claiming their keys first. The rival has read that the key is new, waits when it
/// writes, and is told that somebody came first: it does all of it again, and finds the reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_batches_with_one_key_the_later_one_waits_and_starts_again() -> anyhow::Result<()> {
    fn kept(key: &IdempotencyKey) -> KeptReply<'_> {
        KeptReply {
            key,
            fingerprint: b"body",
            status: 201,
            body: "{}",
        }
    }
    let it = Tester::new().await?;
    let mut first = it.begin().await?;
    first.insert_replies(&[kept(&key())], at(1)).await?;
    let (store, tenant) = (it.store.clone(), it.tenant);
    let rival = tokio::spawn(async move {
        let mut tx = store.begin(tenant).await?;
        let used = tx.used_keys(&[&key()]).await?;
        assert!(used.is_empty(), "what is not committed is not seen");
        tx.insert_replies(&[kept(&key())], at(2)).await
    });
    it.wait_for_waiters(1).await?;
    first.commit().await?;
    let refused = rival.await?.expect_err("the key is used");
    assert!(matches!(refused, StoreError::Collision { .. }), "{refused}");
    let mut again = it.begin().await?;
    let used = again.used_keys(&[&key()]).await?;
    assert_eq!(used[&key()].reply.body, "{}");
    assert_eq!(used[&key()].fingerprint, b"body");
    Ok(())
}

/// Lets a first transaction claim the key, a rival wait for it, and the first one end.
async fn second_claim(commit: bool) -> anyhow::Result<Claim> {
    let it = Tester::new().await?;
    let mut first = it.begin().await?;
    assert_eq!(first.claim_key(&key(), b"body", at(1)).await?, Claim::New);
    let (store, tenant) = (it.store.clone(), it.tenant);
    let rival = tokio::spawn(async move {
        let mut tx = store.begin(tenant).await?;
        let claim = tx.claim_key(&key(), b"other", at(2)).await?;
        tx.rollback().await?;
        anyhow::Ok(claim)
    });
    it.wait_for_waiters(1).await?;
    if commit {
        let reply = StoredReply {
            status: 201,
            body: "{}".into(),
        };
        first.keep_reply(&key(), &reply).await?;
        first.commit().await?;
    } else {
        first.rollback().await?;
    }
    rival.await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rival_for_a_key_waits_and_gets_the_reply() -> anyhow::Result<()> {
    let expected = Claim::Used {
        fingerprint: b"body".to_vec(),
        reply: StoredReply {
            status: 201,
            body: "{}".into(),
        },
    };
    assert_eq!(second_claim(true).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_claim_was_undone_is_new_again() -> anyhow::Result<()> {
    assert_eq!(second_claim(false).await?, Claim::New);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_open_one_account_and_all_get_it() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut first = it.begin().await?;
    let (opened, fresh) = first.open_account(&custom("float")?).await?;
    assert!(fresh);
    let rivals = (0..6).map(|_| {
        let (store, tenant) = (it.store.clone(), it.tenant);
        tokio::spawn(async move {
            let mut tx = store.begin(tenant).await?;
            let found = tx.open_account(&custom("float")?).await?;
            tx.commit().await?;
            anyhow::Ok(found)
        })
    });
    let rivals: Vec<_> = rivals.collect();
    it.wait_for_waiters(6).await?;
    first.commit().await?;
    for rival in join_all(rivals).await {
        assert_eq!(rival??, (opened.clone(), false));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_reversals_is_claimed() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    let original = it.post(&a, &b, 5, 1).await?[0];
    let reversal = transfer(&b, &a, 5);
    let mut first = it.begin().await?;
    assert!(first.claim_reversal(original, reversal.id).await?);
    let (store, tenant) = (it.store.clone(), it.tenant);
    let rival = tokio::spawn(async move {
        let mut tx = store.begin(tenant).await?;
        let claimed = tx
            .claim_reversal(original, mizan_core::TransactionId::new())
            .await?;
        tx.rollback().await?;
        anyhow::Ok(claimed)
    });
    it.wait_for_waiters(1).await?;
    post_in(first.as_mut(), &[&a, &b], std::slice::from_ref(&reversal)).await?;
    first.commit().await?;
    assert!(!rival.await??);
    let found = it.begin().await?.transaction(original).await?;
    assert_eq!(found.and_then(|it| it.reversed_by), Some(reversal.id));
    Ok(())
}

fn signing_key(n: u8) -> SigningKey {
    SigningKey {
        kid: format!("kid-{n}"),
        secret: vec![n; 32],
        created_at: at(0),
        retired_at: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_make_one_signing_key() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut first = it.store.platform().await?;
    assert!(first.insert_signing_key(&signing_key(0), true).await?);
    let rivals = (1..=4).map(|n| {
        let store = it.store.clone();
        tokio::spawn(async move {
            let mut platform = store.platform().await?;
            let made = platform.insert_signing_key(&signing_key(n), true).await?;
            platform.commit().await?;
            anyhow::Ok(made)
        })
    });
    let rivals: Vec<_> = rivals.collect();
    it.wait_for_waiters(4).await?;
    first.commit().await?;
    for rival in join_all(rivals).await {
        assert!(!rival??);
    }
    assert_eq!(it.store.platform().await?.signing_keys().await?, [signing_key(0)]);
    Ok(())
}
