//! Posting ledger transactions: names accounts, hands the work to the writer, reads transactions back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use mizan_core::{AccountId, Currency, Money, Timestamp, TransactionId};
use mizan_ledger::posting::Group;
use mizan_ledger::{
    Account, AccountCode, AccountKind, NewTransaction, Posted, PostingKind, Refusal, Transfer,
};
use mizan_store::transfers::StoredTransaction;
use serde::Serialize;

use crate::audit::{self, Change};
use crate::posting::post_one;
use crate::retry::retrying;
use crate::writer::{Request, Shape};
use crate::{App, Caller, FlowError, Keyed, Reply, Result};

/// One transfer of a request, with accounts by code.
#[derive(Debug, Clone)]
pub struct LegRequest {
    pub debit: AccountCode,
    pub credit: AccountCode,
    pub amount: Money,
}

/// One transaction of a request.
#[derive(Debug, Clone)]
pub struct TransactionRequest {
    /// Picked by the caller.
    pub id: TransactionId,
    pub kind: PostingKind,
    pub transfers: Vec<LegRequest>,
    pub reference: Option<String>,
    /// The caller's own JSON object, as text.
    pub metadata: Option<String>,
}

/// The most transactions of one bulk request.
pub const MAX_BULK: usize = 8_192;

/// A transfer as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferView {
    pub debit: String,
    pub credit: String,
    pub amount: String,
    pub currency: String,
}

/// A posted transaction as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransactionView {
    pub id: TransactionId,
    pub kind: String,
    pub transfers: Vec<TransferView>,
    pub reference: Option<String>,
    pub metadata: Option<serde_json::Value>,
    pub reverses: Option<TransactionId>,
    pub reversed_by: Option<TransactionId>,
    pub posted_at: Timestamp,
}

impl TransactionView {
    pub(crate) fn of_new(
        it: &NewTransaction,
        accounts: &HashMap<AccountId, Account>,
        posted_at: Timestamp,
    ) -> Self {
        Self {
            id: it.id,
            kind: it.kind.as_str().to_owned(),
            transfers: views(&it.legs, accounts),
            reference: it.reference.clone(),
            metadata: it
                .metadata
                .as_deref()
                .and_then(|it| serde_json::from_str(it).ok()),
            reverses: it.reverses,
            reversed_by: None,
            posted_at,
        }
    }

    pub(crate) fn of_stored(it: &StoredTransaction, accounts: &HashMap<AccountId, Account>) -> Self {
        Self {
            id: it.id,
            kind: it.kind.as_str().to_owned(),
            transfers: views(&it.legs, accounts),
            reference: it.reference.clone(),
            metadata: it
                .metadata
                .as_deref()
                .and_then(|it| serde_json::from_str(it).ok()),
            reverses: it.reverses,
            reversed_by: it.reversed_by,
            posted_at: it.posted_at,
        }
    }
}

fn views(legs: &[Transfer], accounts: &HashMap<AccountId, Account>) -> Vec<TransferView> {
    let name = |id| {
        accounts
            .get(&id)
            .map_or_else(|| id.0.to_string(), |it| it.code.to_string())
    };
    legs.iter()
        .map(|leg| TransferView {
            debit: name(leg.debit),
            credit: name(leg.credit),
            amount: leg.amount.major(),
            currency: leg.amount.currency.to_string(),
        })
        .collect()
}

/// Posts one transaction. Sending the same body again is safe and moves no money twice.
pub async fn post(app: &App, caller: &Caller, key: Keyed, request: TransactionRequest) -> Result<Reply> {
    let (transactions, accounts) = resolve(app, caller, vec![request]).await?;
    let group = Group {
        transactions,
        atomic: true,
    };
    app.writer
        .post(Request {
            tenant: caller.tenant,
            key,
            group,
            accounts,
            shape: Shape::Single,
        })
        .await
}

/// Posts many transactions, with a verdict for each. With `atomic`, one refusal refuses them all.
pub async fn post_bulk(
    app: &App,
    caller: &Caller,
    key: Keyed,
    requests: Vec<TransactionRequest>,
    atomic: bool,
) -> Result<Reply> {
    if requests.is_empty() || requests.len() > MAX_BULK {
        return Err(FlowError::invalid(
            "transactions",
            format!("send 1 to {MAX_BULK} transactions"),
        ));
    }
    let (transactions, accounts) = resolve(app, caller, requests).await?;
    let group = Group { transactions, atomic };
    app.writer
        .post(Request {
            tenant: caller.tenant,
            key,
            group,
            accounts,
            shape: Shape::Bulk,
        })
        .await
}

async fn resolve(
    app: &App,
    caller: &Caller,
    requests: Vec<TransactionRequest>,
) -> Result<(Vec<NewTransaction>, HashMap<AccountId, Account>)> {
    let mut wanted: Vec<(AccountCode, Currency)> = requests
        .iter()
        .flat_map(|it| &it.transfers)
        .flat_map(|it| {
            [
                (it.debit.clone(), it.amount.currency),
                (it.credit.clone(), it.amount.currency),
            ]
        })
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let known = app
        .writer
        .accounts()
        .find(&*app.store, caller.tenant, &wanted)
        .await?;
    if let Some(held) = known.values().find(|it| it.kind == AccountKind::Held) {
        return Err(FlowError::invalid(
            "transfers",
            format!("{} is moved by withdrawals only", held.code),
        ));
    }
    // What cannot be found is refused by the decision, item by item. It gets an id that no account has, and two
    // of them are not the same account.
    let nobody = |it: &(AccountCode, Currency)| {
        let place = wanted.binary_search(it).unwrap_or_default();
        AccountId(i64::try_from(place).map_or(i64::MIN, |it| -1 - it))
    };
    let id = |code: &AccountCode, currency| {
        let wanted = (code.clone(), currency);
        known
            .get(&wanted)
            .map_or_else(|| nobody(&wanted), |account| account.id)
    };
    let transactions = requests
        .into_iter()
        .map(|it| NewTransaction {
            id: it.id,
            kind: it.kind,
            legs: it
                .transfers
                .iter()
                .map(|leg| Transfer {
                    debit: id(&leg.debit, leg.amount.currency),
                    credit: id(&leg.credit, leg.amount.currency),
                    amount: leg.amount,
                })
                .collect(),
            reverses: None,
            reference: it.reference,
            metadata: it.metadata,
        })
        .collect();
    Ok((transactions, known.into_values().map(|it| (it.id, it)).collect()))
}

/// Reads a transaction back.
pub async fn get(app: &App, caller: &Caller, id: TransactionId) -> Result<TransactionView> {
    let mut tx = app.store.read(caller.tenant).await?;
    let stored = tx
        .transaction(id)
        .await?
        .ok_or(FlowError::NotFound("transaction"))?;
    let accounts = accounts_of(&mut *tx, &stored.legs).await?;
    Ok(TransactionView::of_stored(&stored, &accounts))
}

async fn accounts_of(tx: &mut dyn mizan_store::Tx, legs: &[Transfer]) -> Result<HashMap<AccountId, Account>> {
    let mut accounts = HashMap::new();
    for id in legs.iter().flat_map(|it| [it.debit, it.credit]) {
        if let Entry::Vacant(place) = accounts.entry(id) {
            let found = tx.account(id).await?.ok_or(FlowError::NotFound("account"))?;
            place.insert(found.account);
        }
    }
    Ok(accounts)
}

/// Undoes a transaction by a new one that names it. Once: a second reversal is refused.
pub async fn reverse(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    original: TransactionId,
    reason: &str,
) -> Result<Reply> {
    let reason = reason.trim();
    if !(3..=128).contains(&reason.len()) {
        return Err(FlowError::invalid("reason", "say why, in 3 to 128 bytes"));
    }
    retrying("reversal", || reverse_once(app, caller, key, original, reason)).await
}

async fn reverse_once(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    original: TransactionId,
    reason: &str,
) -> Result<Reply> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    let stored = tx
        .transaction(original)
        .await?
        .ok_or(FlowError::NotFound("transaction"))?;
    let accounts = accounts_of(&mut *tx, &stored.legs).await?;
    if accounts.values().any(|it| it.kind == AccountKind::Held) {
        return Err(FlowError::invalid(
            "id",
            "a withdrawal's transaction is undone by the withdrawal",
        ));
    }
    let reversal = TransactionId::of_effect(original.0, "reversal");
    if !tx.claim_reversal(original, reversal).await? {
        return Err(Refusal::AlreadyReversed.into());
    }
    let transaction =
        mizan_ledger::reversal::reverse(reversal, original, &stored.legs, Some(reason.to_owned()));
    let view = TransactionView::of_new(&transaction, &accounts, now);
    let all: Vec<_> = accounts.values().collect();
    let _posted: Option<Posted> = post_one(&mut *tx, &all, transaction, now).await?;
    let change = Change {
        action: "ledger.reverse",
        subject_type: "transaction",
        subject_id: original.to_string(),
        reason: Some(reason.to_owned()),
        details: Some(serde_json::json!({ "reversal": reversal })),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    let reply = key.keep(&mut *tx, Reply::made(201, &view)).await?;
    tx.commit().await?;
    Ok(reply)
}
