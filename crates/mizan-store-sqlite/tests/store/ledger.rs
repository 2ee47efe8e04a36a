//! Accounts, postings and balances, with the edges of 64 bits.

use mizan_core::{AccountId, Currency, PlayerId, TransactionId};
use mizan_ledger::{AccountCode, AccountKind};
use mizan_store::accounts::{AccountFilter, NewAccount, WalletBalance};
use mizan_store::transfers::PostingBatch;
use mizan_store::{Page, Start, Store, StoreError, Tx};

use crate::harness::{Bench, account, at, bench, open, post, transaction};

async fn wallet_and_world(tx: &mut dyn Tx, player: PlayerId) -> (AccountId, AccountId) {
    (
        account(tx, AccountKind::Available, Some(player)).await,
        account(tx, AccountKind::World, None).await,
    )
}

fn only_deltas(deltas: Vec<(AccountId, i128)>) -> PostingBatch<'static> {
    PostingBatch {
        transactions: Vec::new(),
        deltas,
        posted_at: at(3),
    }
}

#[tokio::test]
async fn a_balance_that_would_leave_64_bits_is_refused_and_nothing_changes() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let (wallet, world) = wallet_and_world(&mut *tx, bench.player).await;
    let all = transaction(TransactionId::new(), world, wallet, i64::MAX);
    post(&mut *tx, &all, at(3)).await.unwrap();
    tx.commit().await.unwrap();
    for deltas in [
        vec![(wallet, 1)],
        vec![(world, -2)],
        vec![(wallet, i128::from(i64::MAX) * 2)],
        vec![(wallet, i128::MAX)],
    ] {
        let mut tx = bench.begin().await;
        let refused = tx.write_postings(&only_deltas(deltas.clone())).await;
        assert!(
            matches!(refused, Err(StoreError::Overflow)),
            "{deltas:?}: {refused:?}"
        );
    }
    let held = bench.read().await.account(wallet).await.unwrap().unwrap();
    assert_eq!(held.posted, i64::MAX);
    let mut tx = bench.begin().await;
    tx.write_postings(&only_deltas(vec![(world, i128::from(i64::MAX) * 2)]))
        .await
        .expect("a change wider than 64 bits between two balances that fit");
    assert_eq!(tx.account(world).await.unwrap().unwrap().posted, i64::MAX);
}

#[tokio::test]
async fn a_wallet_below_zero_is_refused_by_the_table_itself() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let (wallet, _) = wallet_and_world(&mut *tx, bench.player).await;
    tx.commit().await.unwrap();
    let mut tx = bench.begin().await;
    let refused = tx.write_postings(&only_deltas(vec![(wallet, -1)])).await;
    assert!(
        matches!(&refused, Err(StoreError::Constraint { table, constraint })
            if table == "balances" && constraint == "ck_balances_not_negative"),
        "{refused:?}"
    );
    tx.rollback().await.unwrap();
    let mut tx = bench.store.begin(mizan_core::TenantId(99)).await.unwrap();
    let foreign = tx.write_postings(&only_deltas(vec![(wallet, 1)])).await;
    assert!(
        matches!(foreign, Err(StoreError::RowCount { touched: 0, .. })),
        "{foreign:?}"
    );
}

#[tokio::test]
async fn accounts_are_opened_once_and_found_by_their_code() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let world = account(&mut *tx, AccountKind::World, None).await;
    let odd = open(&mut *tx, "a_b".parse().unwrap(), AccountKind::Custom, None).await;
    assert_eq!(account(&mut *tx, AccountKind::World, None).await, world);
    let again = NewAccount {
        code: AccountCode::of_tenant(AccountKind::World),
        kind: AccountKind::World,
        currency: Currency::EUR,
        player: None,
        may_go_negative: true,
        created_at: at(2),
    };
    assert!(
        tx.open_account(&again).await.unwrap().1,
        "another currency is another account"
    );
    assert!(!tx.open_account(&again).await.unwrap().1);

    let by_code = |code: &str| (code.parse::<AccountCode>().unwrap(), Currency::TRY);
    let found = tx
        .accounts_by_code(&[by_code("a_b"), by_code("nothing")])
        .await
        .unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [odd]);
    let (code, currency) = by_code("world");
    let seen = tx.account_by_code(&code, currency).await.unwrap().unwrap();
    assert_eq!((seen.account.id, seen.posted, seen.version), (world, 0, 0));
}

#[tokio::test]
async fn accounts_are_listed_by_what_they_are_page_by_page() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let (wallet, _) = wallet_and_world(&mut *tx, bench.player).await;
    for (code, player) in [("a_b", Some(bench.player)), ("axb", None)] {
        open(&mut *tx, code.parse().unwrap(), AccountKind::Custom, player).await;
    }
    let filters = [
        (AccountFilter::default(), 4),
        (
            AccountFilter {
                code_prefix: Some("a_".into()),
                ..AccountFilter::default()
            },
            1,
        ),
        (
            AccountFilter {
                code_prefix: Some("%".into()),
                ..AccountFilter::default()
            },
            0,
        ),
        (
            AccountFilter {
                player: Some(bench.player),
                ..AccountFilter::default()
            },
            2,
        ),
        (
            AccountFilter {
                kind: Some(AccountKind::World),
                currency: Some(Currency::EUR),
                ..AccountFilter::default()
            },
            0,
        ),
    ];
    for (filter, count) in filters {
        let page = Page {
            with_total: true,
            ..Page::first(10)
        };
        let seen = tx.accounts(&filter, &page).await.unwrap();
        assert_eq!(
            (seen.items.len() as u64, seen.total),
            (count, Some(count)),
            "{filter:?}"
        );
    }
    let first = tx
        .accounts(&AccountFilter::default(), &Page::first(3))
        .await
        .unwrap();
    let rest = Page {
        start: Start::After(first.next.unwrap()),
        ..Page::first(3)
    };
    let rest = tx.accounts(&AccountFilter::default(), &rest).await.unwrap();
    assert_eq!(
        rest.items.iter().map(|it| it.account.id).collect::<Vec<_>>(),
        [wallet]
    );
    assert_eq!(rest.next, None);
}

async fn three_postings(bench: &Bench) -> (AccountId, AccountId, Vec<TransactionId>) {
    let mut tx = bench.begin().await;
    let (wallet, world) = wallet_and_world(&mut *tx, bench.player).await;
    let mut ids = Vec::new();
    let moves = [
        (10, world, wallet, 100),
        (11, wallet, world, 30),
        (12, world, wallet, 5),
    ];
    for (second, debit, credit, minor) in moves {
        let new = transaction(TransactionId::new(), debit, credit, minor);
        post(&mut *tx, &new, at(second)).await.unwrap();
        ids.push(new.id);
    }
    tx.commit().await.unwrap();
    (wallet, world, ids)
}

#[tokio::test]
async fn what_is_posted_is_read_back_with_history_and_past_balances() {
    let bench = bench().await;
    let (wallet, world, ids) = three_postings(&bench).await;
    let mut tx = bench.read().await;
    for (second, balance) in [(9, 0), (10, 100), (11, 70), (12, 75)] {
        assert_eq!(
            tx.balance_at(wallet, at(second)).await.unwrap(),
            balance,
            "{second}"
        );
    }
    let all = Page {
        with_total: true,
        ..Page::first(2)
    };
    let page = tx.entries(wallet, &all).await.unwrap();
    let seen: Vec<_> = page
        .items
        .iter()
        .map(|it| (it.transaction, it.amount, it.balance_after, it.counterpart))
        .collect();
    assert_eq!(
        seen,
        [(ids[2], 5, Some(75), world), (ids[1], -30, Some(70), world)]
    );
    assert_eq!(page.total, Some(3));
    for start in [Start::After(page.next.unwrap()), Start::Offset(2)] {
        let rest = tx
            .entries(
                wallet,
                &Page {
                    start,
                    ..Page::first(2)
                },
            )
            .await
            .unwrap();
        assert_eq!(
            rest.items.iter().map(|it| it.transaction).collect::<Vec<_>>(),
            [ids[0]]
        );
    }
    let wallets = tx.wallet(bench.player).await.unwrap();
    assert_eq!(
        wallets,
        [WalletBalance {
            currency: Currency::TRY,
            available: 75,
            held: 0,
            version: 3
        }]
    );
}

#[tokio::test]
async fn a_transaction_id_is_posted_once_and_reversed_once() {
    let bench = bench().await;
    let (wallet, world, ids) = three_postings(&bench).await;
    let mut tx = bench.begin().await;
    let reversal = TransactionId::new();
    assert!(tx.claim_reversal(ids[0], reversal).await.unwrap());
    assert!(!tx.claim_reversal(ids[0], TransactionId::new()).await.unwrap());
    let stored = tx.transaction(ids[0]).await.unwrap().unwrap();
    let sent = transaction(ids[0], world, wallet, 100);
    assert_eq!(
        (stored.legs, stored.reversed_by),
        (sent.legs.clone(), Some(reversal))
    );
    assert_eq!(
        (stored.reference, stored.metadata),
        (sent.reference.clone(), sent.metadata.clone())
    );
    assert_eq!(stored.posted_at, at(10));
    let known = tx
        .known_transactions(&[ids[0], TransactionId::new()], 2)
        .await
        .unwrap();
    assert_eq!(
        known.into_iter().collect::<Vec<_>>(),
        [(ids[0], sent.fingerprint())]
    );
    let rival = post(&mut *tx, &sent, at(20)).await;
    assert!(matches!(rival, Err(StoreError::Collision { .. })), "{rival:?}");
    drop(tx);
    let mut foreign = bench.store.read(mizan_core::TenantId(99)).await.unwrap();
    assert_eq!(foreign.transaction(ids[0]).await.unwrap(), None);
    assert_eq!(foreign.account(wallet).await.unwrap(), None);
    assert_eq!(foreign.balance_at(wallet, at(99)).await.unwrap(), 0);
    assert_eq!(foreign.lock_balances(&[wallet]).await.unwrap(), []);
}

#[tokio::test]
async fn a_stored_word_that_cannot_be_read_is_named() {
    let bench = bench().await;
    let (wallet, ..) = three_postings(&bench).await;
    bench.tamper(&format!(
        "UPDATE accounts SET currency = 'ZZZ' WHERE id = {}",
        wallet.0
    ));
    let error = bench.read().await.account(wallet).await.unwrap_err();
    let seen = error.to_string();
    assert!(
        seen.starts_with(&format!("accounts.currency of row {} cannot be read", wallet.0)),
        "{seen}"
    );
}
