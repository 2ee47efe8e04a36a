//! The role of the service may append to what is append-only, and nothing else.

use mizan_store::Store;
use mizan_store_postgres::{PostgresConfig, PostgresStore};
use tokio_postgres::error::SqlState;

use crate::tester::Tester;

#[tokio::test]
async fn the_service_cannot_change_or_delete_what_is_append_only() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    it.post(&a, &b, 10, 1).await?;
    assert!(it.store.journal_is_append_only().await?);

    it.owner.batch_execute("SET ROLE mizan_app").await?;
    for (table, column) in [
        ("journal", "amount"),
        ("transactions", "legs"),
        ("journal_archives", "file"),
        ("archived_balances", "posted"),
        ("reversals", "reversal_id"),
        ("chain_blocks", "hash"),
        ("provider_effects", "amount"),
        ("audit_log", "reason"),
    ] {
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let error = it.owner.batch_execute(&sql).await.expect_err(&sql);
            assert_eq!(error.code().map(SqlState::code), Some("42501"), "{sql}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_login_without_the_role_is_told_that_nothing_protects_the_journal() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let name = format!("plain_{}", it.database.name());
    it.owner
        .batch_execute(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'plain'; GRANT SELECT, INSERT, UPDATE, DELETE ON journal TO {name}"
        ))
        .await?;
    let url = format!(
        "postgresql://{name}:plain@127.0.0.1:{}/{}",
        it.server.port(),
        it.database.name()
    );
    let store = PostgresStore::connect(&PostgresConfig::new(url.into()))?;
    assert!(!store.journal_is_append_only().await?);
    Ok(())
}
