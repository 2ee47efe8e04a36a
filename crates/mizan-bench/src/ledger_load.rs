//! Accounts with money on them, the transfers between them, and posting these through the library.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use mizan_core::{AccountId, Clock, Currency, Money, SystemClock, TenantId, TransactionId};
use mizan_flows::writer::{Request, Shape, Writer};
use mizan_flows::{FlowError, Keyed};
use mizan_ledger::posting::Group;
use mizan_ledger::{Account, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_store::Store;
use mizan_store::accounts::NewAccount;

use crate::timing;

/// How many accounts there are money moves between.
pub const ACCOUNTS: usize = 10_000;
/// Transactions of one bulk request.
pub const BATCH: usize = 8_000;
/// Bulk requests under way at a time.
const CALLERS: usize = 4;
const ROUTE: &str = "POST /api/v1/ledger/transactions/bulk";
/// Minor units on each account: more than a bench ever moves.
const FUNDS: i64 = 1_000_000_000_000;

/// Who pays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Any account of one half pays any of the other half, or the other way round.
    Spread,
    /// One side of every transfer is one of the first so many accounts.
    Hot(usize),
    /// As `Spread`, but every hundredth is paid by an account that has nothing.
    Refusals,
}

impl Mix {
    /// Where in the list the two sides are, ends included.
    pub fn sides(self) -> [(usize, usize); 2] {
        match self {
            Self::Spread | Self::Refusals => [(0, ACCOUNTS / 2 - 1), (ACCOUNTS / 2, ACCOUNTS - 1)],
            Self::Hot(count) => [(0, count - 1), (count, ACCOUNTS - 1)],
        }
    }
}

/// A sequence of numbers that look random (SplitMix64): drawing one costs a nanosecond.
pub struct Draw(u64);

impl Draw {
    pub fn from(seed: u64) -> Self {
        Self(seed)
    }

    /// From `from` to `to`, both included.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        from + usize::try_from(mixed % ((to - from + 1) as u64)).unwrap_or(0)
    }
}

/// One transfer, by places in the list of accounts. `None` pays from the account that has nothing.
pub fn draw(draw: &mut Draw, mix: Mix, number: usize) -> (Option<usize>, usize, i64) {
    let [(a_from, a_to), (b_from, b_to)] = mix.sides();
    let (a, b) = (draw.between(a_from, a_to), draw.between(b_from, b_to));
    let amount = i64::try_from(draw.between(1, 500)).unwrap_or(1);
    let (debit, credit) = if draw.between(0, 1) == 0 { (a, b) } else { (b, a) };
    let refused = mix == Mix::Refusals && number % 100 == 50;
    ((!refused).then_some(debit), credit, amount)
}

/// A tenant with accounts that have money on them, and a writer.
#[derive(Clone)]
pub struct Books {
    pub store: Arc<dyn Store>,
    pub tenant: TenantId,
    pub accounts: Arc<Vec<Account>>,
    pub empty: Account,
    by_id: Arc<HashMap<AccountId, Account>>,
    writer: Writer,
    requests: Arc<AtomicU64>,
}

impl Books {
    /// Opens the accounts in the default tenant and puts money on them.
    pub async fn open(store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut platform = store.platform().await?;
        let (tenant, _) = platform
            .ensure_tenant(&"default".parse()?, "default", clock.now())
            .await?;
        platform.commit().await?;

        let mut tx = store.begin(tenant.id).await?;
        let mut accounts = Vec::with_capacity(ACCOUNTS + 2);
        for number in 0..ACCOUNTS + 2 {
            let new = NewAccount {
                code: code(number).parse()?,
                kind: AccountKind::Custom,
                currency: Currency::TRY,
                player: None,
                may_go_negative: number == ACCOUNTS + 1,
                created_at: clock.now(),
            };
            accounts.push(tx.open_account(&new).await?.0);
        }
        tx.commit().await?;
        let by_id = accounts.iter().map(|it| (it.id, it.clone())).collect();
        let source = accounts.pop().context("there is a source")?;
        let empty = accounts.pop().context("there is an empty account")?;
        let books = Self {
            writer: Writer::start(Arc::clone(&store), clock),
            tenant: tenant.id,
            accounts: Arc::new(accounts),
            empty,
            by_id: Arc::new(by_id),
            store,
            requests: Arc::default(),
        };
        for some in books.accounts.chunks(BATCH) {
            let funded = some
                .iter()
                .map(|it| transaction(source.id, it.id, FUNDS))
                .collect();
            books.post(funded).await?;
        }
        Ok(books)
    }

    /// Posts one bulk request and returns the body of the reply.
    async fn post(&self, transactions: Vec<NewTransaction>) -> anyhow::Result<String> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}-{number}", TransactionId::new());
        let request = Request {
            tenant: self.tenant,
            key: Keyed::new(ROUTE, &key, key.as_bytes())?,
            group: Group {
                transactions,
                atomic: false,
            },
            accounts: (*self.by_id).clone(),
            shape: Shape::Bulk,
        };
        match self.writer.post(request).await {
            Ok(reply) => Ok(reply.body),
            Err(FlowError::Busy) => bail!("the writer is busy: fewer requests at a time are needed"),
            Err(error) => Err(error.into()),
        }
    }

    fn batch(&self, numbers: &mut Draw, mix: Mix) -> Vec<NewTransaction> {
        let one = |number| {
            let (debit, credit, amount) = draw(numbers, mix, number);
            let debit = debit.map_or(self.empty.id, |it| self.accounts[it].id);
            transaction(debit, self.accounts[credit].id, amount)
        };
        (0..BATCH).map(one).collect()
    }

    /// Posts bulk requests for a while and returns how many transfers were decided in a second. Every reply is
    /// checked: as many posted and refused as planted.
    pub async fn stretch(&self, mix: Mix, lasting: Duration) -> anyhow::Result<f64> {
        let began = timing::now();
        let callers = (0..CALLERS as u64).map(|caller| {
            let books = self.clone();
            tokio::spawn(async move {
                let mut numbers = Draw::from(caller << 32 | books.requests.load(Ordering::Relaxed));
                let mut replies = Vec::new();
                while began.elapsed() < lasting {
                    let batch = books.batch(&mut numbers, mix);
                    replies.push(books.post(batch).await?);
                }
                anyhow::Ok(replies)
            })
        });
        let ended = try_join_all(callers).await?;
        let took = began.elapsed();
        let mut decided = 0;
        for replies in ended {
            for reply in replies? {
                check(&reply, mix)?;
                decided += BATCH as u64;
            }
        }
        Ok(timing::rate(decided, took))
    }

    /// Posts until the journal has so many rows; returns how many rows a second that were.
    pub async fn fill(&self, rows: u64) -> anyhow::Result<f64> {
        let have = self.store.count_journal().await?;
        let began = timing::now();
        let batches = rows.saturating_sub(have).div_ceil(BATCH as u64);
        let left = Arc::new(AtomicU64::new(batches));
        let callers = (0..CALLERS as u64).map(|caller| {
            let (books, left) = (self.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                let mut numbers = Draw::from(have << 8 | caller);
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                    .is_ok()
                {
                    let batch = books.batch(&mut numbers, Mix::Spread);
                    check(&books.post(batch).await?, Mix::Spread)?;
                }
                anyhow::Ok(())
            })
        });
        for ended in try_join_all(callers).await? {
            ended?;
        }
        Ok(timing::rate(batches * BATCH as u64, began.elapsed()))
    }

    /// That balances and journal agree, whoever wrote them.
    pub async fn verify(&self) -> anyhow::Result<u64> {
        for broken in [
            self.store.broken_balances().await?,
            self.store.broken_sums().await?,
        ] {
            ensure!(
                broken.is_empty(),
                "the books do not agree after the load: {:?}",
                broken.first()
            );
        }
        Ok(self.store.count_journal().await?)
    }
}

/// The code of an account by its place.
pub fn code(number: usize) -> String {
    format!("bench:{number:05}")
}

fn transaction(debit: AccountId, credit: AccountId, minor: i64) -> NewTransaction {
    let amount = Money {
        minor,
        currency: Currency::TRY,
    };
    NewTransaction {
        id: TransactionId::new(),
        kind: PostingKind::TRANSFER,
        legs: vec![Transfer {
            debit,
            credit,
            amount,
        }],
        reverses: None,
        reference: None,
        metadata: None,
    }
}

/// Whether a bulk reply refuses what had to be refused, item by item, and nothing else.
pub fn check(reply: &str, mix: Mix) -> anyhow::Result<()> {
    if mix != Mix::Refusals {
        let begin = reply.chars().take(80).collect::<String>();
        ensure!(
            reply.starts_with(&format!("{{\"posted\":{BATCH},")),
            "not everything was posted: {begin}"
        );
        return Ok(());
    }
    let reply: serde_json::Value = serde_json::from_str(reply)?;
    let items = reply["items"].as_array().context("a bulk reply has items")?;
    ensure!(items.len() == BATCH, "{} verdicts of {BATCH}", items.len());
    for (number, item) in items.iter().enumerate() {
        let expected = if number % 100 == 50 { "refused" } else { "posted" };
        ensure!(
            item["verdict"] == expected,
            "transfer {number} should be {expected}: {item}"
        );
        let right = expected == "posted" || item["error_code"] == "INSUFFICIENT_FUNDS";
        ensure!(right, "refused for another reason: {item}");
    }
    Ok(())
}
