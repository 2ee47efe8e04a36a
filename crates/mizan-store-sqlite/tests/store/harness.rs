//! A migrated file with a tenant, a connection and a player, and verbs for tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mizan_core::{AccountId, Currency, Money, PlayerId, ProviderKey, TenantId, Timestamp, TransactionId};
use mizan_ledger::posting::PostedLeg;
use mizan_ledger::{AccountCode, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_store::accounts::NewAccount;
use mizan_store::connections::Connection;
use mizan_store::players::NewPlayer;
use mizan_store::transfers::PostingBatch;
use mizan_store::{Page, Result, Store, Tx};
use mizan_store_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

/// The migrations, in order: what goes up, what goes down.
pub const MIGRATIONS: [(&str, &str); 12] = {
    macro_rules! migration {
        ($name:literal) => {
            (
                include_str!(concat!("../../migrations/", $name, ".up.sql")),
                include_str!(concat!("../../migrations/", $name, ".down.sql")),
            )
        };
    }
    [
        migration!("0001_application_role"),
        migration!("0002_tenants_and_people"),
        migration!("0003_ledger"),
        migration!("0004_deposits_and_withdrawals"),
        migration!("0005_webhooks_and_jobs"),
        migration!("0006_audit_and_flags"),
        migration!("0007_reconciliation_runs"),
        migration!("0008_reconciliation_findings"),
        migration!("0009_findings_work"),
        migration!("0010_queue_and_schedules"),
        migration!("0011_statements"),
        migration!("0013_bank_statements_of_runs"),
    ]
};

pub struct Bench {
    pub store: SqliteStore,
    pub path: PathBuf,
    pub tenant: TenantId,
    pub provider: ProviderKey,
    pub player: PlayerId,
    _dir: TempDir,
}

/// Seconds after a fixed moment.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600 + second, 123_456_000).expect("a time within range")
}

pub fn config() -> SqliteConfig {
    SqliteConfig {
        busy_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(30),
        ..SqliteConfig::default()
    }
}

/// A connection of its own, past the store: a hand in the database.
pub fn by_hand(path: &Path) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(30)).unwrap();
    db
}

pub fn migrate(path: &Path) {
    let db = by_hand(path);
    for (up, _) in MIGRATIONS {
        db.execute_batch(up).unwrap();
    }
    db.execute_batch(
        "CREATE TABLE mizan_migrations (revision TEXT PRIMARY KEY, name TEXT, checksum TEXT, applied_at TEXT) STRICT",
    )
    .unwrap();
}

pub async fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mizan.db");
    let store = SqliteStore::open(&path, config()).unwrap();
    migrate(&path);
    let mut platform = store.platform().await.unwrap();
    let key = "default".parse().unwrap();
    let (tenant, _) = platform.ensure_tenant(&key, "Default", at(0)).await.unwrap();
    platform.commit().await.unwrap();
    let bench = Bench {
        store,
        path,
        tenant: tenant.id,
        provider: "mockpsp".parse().unwrap(),
        player: PlayerId::new(),
        _dir: dir,
    };
    let mut tx = bench.begin().await;
    assert!(tx.insert_connection(&bench.connection()).await.unwrap());
    assert!(
        tx.insert_player(&player(bench.player, "ada@example.com"))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    bench
}

impl Bench {
    pub async fn begin(&self) -> Box<dyn Tx> {
        self.store.begin(self.tenant).await.unwrap()
    }

    pub async fn read(&self) -> Box<dyn Tx> {
        self.store.read(self.tenant).await.unwrap()
    }

    pub fn connection(&self) -> Connection {
        Connection {
            provider: self.provider.clone(),
            tenant: self.tenant,
            kind: "mockpsp".into(),
            merchant_account: Some("m-1".into()),
            base_url: None,
            created_at: at(0),
        }
    }

    /// Runs SQL past the store.
    pub fn tamper(&self, sql: &str) {
        by_hand(&self.path)
            .execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {sql}"))
            .unwrap();
    }
}

pub fn player(id: PlayerId, email: &str) -> NewPlayer {
    NewPlayer {
        id,
        email: email.into(),
        username: "ada".into(),
        password_hash: "$argon2id$…".into(),
        created_at: at(1),
    }
}

/// Opens an account by its code; a wallet account where a player is given.
pub async fn account(tx: &mut dyn Tx, kind: AccountKind, of: Option<PlayerId>) -> AccountId {
    let code = match of {
        Some(player) => AccountCode::wallet(player, kind),
        None => AccountCode::of_tenant(kind),
    };
    open(tx, code, kind, of).await
}

pub async fn open(
    tx: &mut dyn Tx,
    code: AccountCode,
    kind: AccountKind,
    player: Option<PlayerId>,
) -> AccountId {
    let account = NewAccount {
        code,
        kind,
        currency: Currency::TRY,
        player,
        may_go_negative: kind.may_go_negative(),
        created_at: at(2),
    };
    tx.open_account(&account).await.unwrap().0.id
}

pub fn transaction(id: TransactionId, debit: AccountId, credit: AccountId, minor: i64) -> NewTransaction {
    NewTransaction {
        id,
        kind: PostingKind::TRANSFER,
        legs: vec![Transfer {
            debit,
            credit,
            amount: Money::new(minor, Currency::TRY),
        }],
        reverses: None,
        reference: Some("ref-1".into()),
        metadata: Some("{\"a\":1}".into()),
    }
}

/// Posts one transfer on what the accounts hold now.
pub async fn post(tx: &mut dyn Tx, new: &NewTransaction, posted_at: Timestamp) -> Result<()> {
    let leg = new.legs[0];
    let mut ids = [leg.debit, leg.credit];
    ids.sort_unstable();
    let held: std::collections::HashMap<_, _> = tx.lock_balances(&ids).await?.into_iter().collect();
    let minor = leg.amount.minor;
    let posted = [PostedLeg {
        transfer: leg,
        debit_after: held[&leg.debit].checked_sub(minor),
        credit_after: held[&leg.credit].checked_add(minor),
    }];
    let mut deltas = vec![(leg.debit, -i128::from(minor)), (leg.credit, i128::from(minor))];
    deltas.sort_unstable();
    tx.write_postings(&PostingBatch {
        transactions: vec![(new, &posted)],
        deltas,
        posted_at,
    })
    .await
}

/// A first page that counts all rows as well.
pub fn counted<K>(limit: u32) -> Page<K> {
    Page {
        with_total: true,
        ..Page::first(limit)
    }
}
