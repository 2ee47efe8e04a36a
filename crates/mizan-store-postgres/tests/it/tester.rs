//! A migrated database of its own for each test, a store on it, and verbs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chrono::DateTime;
use mizan_core::{AccountId, Currency, Money, PlayerId, TenantId, Timestamp, TransactionId};
use mizan_ledger::posting::decide;
use mizan_ledger::{Account, AccountCode, AccountKind, Balance, Book, NewTransaction, PostingKind, Transfer};
use mizan_store::accounts::NewAccount;
use mizan_store::players::NewPlayer;
use mizan_store::transfers::PostingBatch;
use mizan_store::{Store, StoreError, Tx};
use mizan_store_postgres::{PostgresConfig, PostgresStore};
use mizan_testkit::{Database, Postgres, eventually, shared_postgres, template_database};
use tokio_postgres::{Client, NoTls};

pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Tester {
    pub server: &'static Postgres,
    pub database: Database,
    pub store: PostgresStore,
    pub tenant: TenantId,
    /// The owner of the tables, who may do anything.
    pub owner: Client,
}

/// A time, in seconds.
pub fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).expect("a time in range")
}

pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn migrate(url: String) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|it| it.to_string_lossy().ends_with(".up.sql"));
    files.sort();
    let client = connect(&url).await?;
    for file in files {
        let sql = fs::read_to_string(&file)?;
        client
            .batch_execute(&sql)
            .await
            .with_context(|| file.display().to_string())?;
    }
    Ok(())
}

impl Tester {
    pub async fn new() -> anyhow::Result<Self> {
        let server = shared_postgres().await?;
        let database = template_database(server, "migrated", migrate).await?;
        let store = PostgresStore::connect(&PostgresConfig::new(database.url().into()))?;
        let mut platform = store.platform().await?;
        let (tenant, _) = platform
            .ensure_tenant(&"default".parse()?, "Default", at(0))
            .await?;
        platform.commit().await?;
        Ok(Self {
            server,
            owner: connect(&database.url()).await?,
            database,
            store,
            tenant: tenant.id,
        })
    }

    pub async fn begin(&self) -> anyhow::Result<Box<dyn Tx>> {
        Ok(self.store.begin(self.tenant).await?)
    }

    pub async fn player(&self) -> anyhow::Result<PlayerId> {
        let id = PlayerId::new();
        let mut tx = self.begin().await?;
        let player = NewPlayer {
            id,
            email: format!("{id}@example.com"),
            username: "player".into(),
            password_hash: "-".into(),
            created_at: at(0),
        };
        assert!(tx.insert_player(&player).await?);
        tx.commit().await?;
        Ok(id)
    }

    /// An account of the tenant that may go below zero.
    pub async fn account(&self, code: &str) -> anyhow::Result<Account> {
        let mut tx = self.begin().await?;
        let (account, _) = tx.open_account(&custom(code)?).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// A wallet account of a new player.
    pub async fn wallet(&self, kind: AccountKind) -> anyhow::Result<Account> {
        let player = self.player().await?;
        let mut tx = self.begin().await?;
        let (account, _) = tx
            .open_account(&NewAccount {
                code: AccountCode::wallet(player, kind),
                kind,
                currency: Currency::TRY,
                player: Some(player),
                may_go_negative: false,
                created_at: at(0),
            })
            .await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Moves `minor` in `times` transactions of one transfer each, in a transaction of its own.
    pub async fn post(
        &self,
        debit: &Account,
        credit: &Account,
        minor: i64,
        times: usize,
    ) -> anyhow::Result<Vec<TransactionId>> {
        let mut tx = self.begin().await?;
        let batch: Vec<_> = (0..times).map(|_| transfer(debit, credit, minor)).collect();
        post_in(tx.as_mut(), &[debit, credit], &batch).await?;
        tx.commit().await?;
        Ok(batch.into_iter().map(|it| it.id).collect())
    }

    /// Waits until so many sessions of the store wait for a lock.
    pub async fn wait_for_waiters(&self, count: i64) -> anyhow::Result<()> {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually(PATIENCE, || async {
            let row = self
                .owner
                .query_one(waiting, &[])
                .await
                .map_err(|it| it.to_string())?;
            let seen: i64 = row.get(0);
            if seen == count {
                Ok(())
            } else {
                Err(format!("{seen} wait"))
            }
        })
        .await
    }
}

pub fn custom(code: &str) -> anyhow::Result<NewAccount> {
    Ok(NewAccount {
        code: code.parse()?,
        kind: AccountKind::Custom,
        currency: Currency::TRY,
        player: None,
        may_go_negative: true,
        created_at: at(0),
    })
}

pub fn transfer(debit: &Account, credit: &Account, minor: i64) -> NewTransaction {
    NewTransaction {
        id: TransactionId::new(),
        kind: PostingKind::TRANSFER,
        legs: vec![Transfer {
            debit: debit.id,
            credit: credit.id,
            amount: Money::new(minor, Currency::TRY),
        }],
        reverses: None,
        reference: Some("test".into()),
        metadata: Some(r#"{"a": 1}"#.into()),
    }
}

/// Locks, decides and writes, the way the posting flow does. Every transaction must post.
pub async fn post_in(
    tx: &mut dyn Tx,
    accounts: &[&Account],
    batch: &[NewTransaction],
) -> Result<(), StoreError> {
    let mut ids: Vec<AccountId> = accounts.iter().map(|it| it.id).collect();
    ids.sort_unstable();
    let locked = tx.lock_balances(&ids).await?;
    let mut book = Book::new(accounts.iter().map(|account| {
        Balance {
            account: account.id,
            currency: account.currency,
            posted: locked
                .iter()
                .find(|(id, _)| *id == account.id)
                .map(|(_, posted)| *posted),
            may_go_negative: account.may_go_negative,
        }
    }));
    let keys: Vec<_> = batch.iter().map(|it| it.id).collect();
    assert!(tx.known_transactions(&keys, keys.len()).await?.is_empty());
    let posted: Vec<_> = batch
        .iter()
        .map(|it| decide(it, &mut book).expect("it may post"))
        .collect();
    let transactions = batch
        .iter()
        .zip(posted.iter().map(|it| it.legs.as_slice()))
        .collect();
    tx.write_postings(&PostingBatch {
        transactions,
        deltas: book.deltas(),
        posted_at: at(1),
    })
    .await
}
