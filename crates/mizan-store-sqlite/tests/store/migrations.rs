//! The SQL files on a populated database: up, down, up again.

use mizan_core::TransactionId;
use mizan_ledger::AccountKind;

use crate::harness::{MIGRATIONS, account, at, bench, by_hand, post, transaction};

fn schema(db: &rusqlite::Connection) -> Vec<String> {
    db.prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'mizan_migrations' ORDER BY sql",
    )
    .unwrap()
    .query_map([], |row| row.get(0))
    .unwrap()
    .map(Result::unwrap)
    .collect()
}

#[tokio::test]
async fn migrations_go_down_and_up_again_on_a_populated_database() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let wallet = account(&mut *tx, AccountKind::Available, Some(bench.player)).await;
    let world = account(&mut *tx, AccountKind::World, None).await;
    post(
        &mut *tx,
        &transaction(TransactionId::new(), world, wallet, 5),
        at(3),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();

    let db = by_hand(&bench.path);
    db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let before = schema(&db);
    for (_, down) in MIGRATIONS.iter().rev() {
        db.execute_batch(down).unwrap();
    }
    assert_eq!(
        schema(&db),
        ["CREATE TABLE sqlite_sequence(name,seq)"],
        "down leaves nothing"
    );
    for (up, _) in MIGRATIONS {
        db.execute_batch(up).unwrap();
    }
    assert_eq!(schema(&db), before);
}

#[tokio::test]
async fn money_that_is_no_positive_integer_is_refused_by_the_tables() {
    let bench = bench().await;
    let db = by_hand(&bench.path);
    for amount in ["0", "-1", "1.5", "'x'", "9223372036854775808", "NULL"] {
        let sql = format!(
            "INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount,
                                  currency, fingerprint, posted_at)
             VALUES (1, '01920000-0000-7000-8000-000000000000', 0, 'transfer', 1, 2, {amount}, 'TRY', x'00',
                     '2026-01-01T00:00:00.000000Z')"
        );
        assert!(db.execute_batch(&sql).is_err(), "{amount}");
        let good = sql.replace(amount, "7");
        if amount == "1.5" {
            db.execute_batch(&good).expect("only the amount is wrong");
        }
    }
}
