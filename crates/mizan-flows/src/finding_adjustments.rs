//! A finding leads to a correction of the ledger: one person proposes it, another approves it, then it is posted.

mod suggest;

use mizan_core::{AdjustmentId, FindingId, Money, Timestamp, TransactionId};
use mizan_ledger::{Account, AccountCode, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_store::finding_adjustments::{AdjustmentState, FindingAdjustment};
use mizan_store::finding_events::FindingEventKind;
use mizan_store::findings::{FindingStatus, StoredFinding};
use mizan_store::{Page, Paged, Tx};

pub use suggest::{Suggestion, suggest};

use crate::audit::{self, Change};
use crate::finding_work::{self, Told};
use crate::posting::post_one;
use crate::retry::retrying;
use crate::{App, Caller, FlowError, Result, wallets};

/// What is proposed: accounts by their codes, in the currency of the amount.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub debit: AccountCode,
    pub credit: AccountCode,
    /// Positive.
    pub amount: Money,
    pub reason: String,
}

/// What a second person makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Reject,
}

/// Proposes a correction. Nothing is posted before somebody else approves.
pub async fn propose(
    app: &App,
    caller: &Caller,
    finding: FindingId,
    new: &Proposal,
) -> Result<FindingAdjustment> {
    let reason = new.reason.trim();
    if !(3..=500).contains(&reason.len()) {
        return Err(FlowError::invalid("reason", "say why, in 3 to 500 bytes"));
    }
    if new.amount.minor <= 0 {
        return Err(FlowError::invalid(
            "amount",
            "use a positive amount; swap debit and credit for the other direction",
        ));
    }
    if new.debit == new.credit {
        return Err(FlowError::invalid("credit", "use two different accounts"));
    }
    retrying("finding_adjustment.propose", || {
        propose_once(app, caller, finding, new, reason)
    })
    .await
}

async fn propose_once(
    app: &App,
    caller: &Caller,
    id: FindingId,
    new: &Proposal,
    reason: &str,
) -> Result<FindingAdjustment> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let finding = tx.lock_finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    if finding.status == FindingStatus::Resolved {
        return Err(state("the finding", finding.status.as_str(), "adjusted"));
    }
    let debit = account(&mut *tx, &finding, "debit", &new.debit, new.amount, now).await?;
    let credit = account(&mut *tx, &finding, "credit", &new.credit, new.amount, now).await?;
    let adjustment = FindingAdjustment {
        id: AdjustmentId::new(),
        finding: id,
        debit: debit.id,
        credit: credit.id,
        amount: new.amount,
        reason: reason.to_owned(),
        state: AdjustmentState::Proposed,
        proposed_by: caller.actor.to_string(),
        proposed_at: now,
        decided_by: None,
        decided_at: None,
        decision_reason: None,
        transaction: None,
    };
    if !tx.insert_adjustment(&adjustment).await? {
        return Err(state(
            "an adjustment of this finding",
            "proposed",
            "proposed twice",
        ));
    }
    note(&mut *tx, caller, &adjustment, None, reason, now).await?;
    tx.commit().await?;
    Ok(adjustment)
}

/// Opens the accounts that Mizan keeps for the tenant; any other has to exist.
async fn account(
    tx: &mut dyn Tx,
    finding: &StoredFinding,
    field: &'static str,
    code: &AccountCode,
    amount: Money,
    now: Timestamp,
) -> Result<Account> {
    if *code == AccountCode::psp_clearing(&finding.provider) {
        return Ok(wallets::psp_clearing(tx, &finding.provider, amount.currency, now).await?);
    }
    for kind in [AccountKind::Adjustments, AccountKind::Fees] {
        if *code == AccountCode::of_tenant(kind) {
            return Ok(wallets::of_tenant(tx, code.clone(), kind, amount.currency, now).await?);
        }
    }
    let found = tx.account_by_code(code, amount.currency).await?;
    found.map(|it| it.account).ok_or_else(|| {
        let reason = format!("there is no account {} in {}", code.as_str(), amount.currency);
        FlowError::invalid(field, reason)
    })
}

/// Approves or rejects a proposal. Who proposed it may reject it, but never approve it.
pub async fn decide(
    app: &App,
    caller: &Caller,
    id: AdjustmentId,
    decision: Decision,
    reason: Option<&str>,
) -> Result<FindingAdjustment> {
    let reason = reason.map(str::trim).filter(|it| !it.is_empty());
    if reason.is_some_and(|it| it.len() > 500) {
        return Err(FlowError::invalid("reason", "use at most 500 bytes"));
    }
    if decision == Decision::Reject && reason.is_none() {
        return Err(FlowError::invalid("reason", "say why"));
    }
    retrying("finding_adjustment.decide", || {
        decide_once(app, caller, id, decision, reason)
    })
    .await
}

async fn decide_once(
    app: &App,
    caller: &Caller,
    id: AdjustmentId,
    decision: Decision,
    reason: Option<&str>,
) -> Result<FindingAdjustment> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let missing = || FlowError::NotFound("adjustment");
    let of = tx.adjustment(id).await?.ok_or_else(missing)?.finding;
    let mut finding = tx.lock_finding(of).await?.ok_or_else(missing)?;
    let mut adjustment = tx.lock_adjustment(id).await?.ok_or_else(missing)?;
    let wanted = match decision {
        Decision::Approve => AdjustmentState::Approved,
        Decision::Reject => AdjustmentState::Rejected,
    };
    if adjustment.state == wanted {
        return Ok(adjustment);
    }
    if adjustment.state != AdjustmentState::Proposed {
        return Err(state(
            "the adjustment",
            adjustment.state.as_str(),
            wanted.as_str(),
        ));
    }
    let actor = caller.actor.to_string();
    if decision == Decision::Approve {
        if adjustment.proposed_by == actor {
            return Err(FlowError::ApproverIsRequester);
        }
        let transaction = post(&mut *tx, &finding, &adjustment, &actor, now).await?;
        adjustment.transaction = Some(transaction);
        settle(&mut *tx, caller, &mut finding, transaction, now).await?;
    }
    adjustment.state = wanted;
    adjustment.decided_by = Some(actor);
    adjustment.decided_at = Some(now);
    adjustment.decision_reason = reason.map(str::to_owned);
    tx.update_adjustment(&adjustment).await?;
    let from = Some(AdjustmentState::Proposed);
    note(
        &mut *tx,
        caller,
        &adjustment,
        from,
        reason.unwrap_or_default(),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(adjustment)
}

/// Posts the correction under the id that it can only have once.
async fn post(
    tx: &mut dyn Tx,
    finding: &StoredFinding,
    adjustment: &FindingAdjustment,
    approver: &str,
    now: Timestamp,
) -> Result<TransactionId> {
    let mut accounts = Vec::with_capacity(2);
    for id in [adjustment.debit, adjustment.credit] {
        let found = tx.account(id).await?.ok_or(FlowError::NotFound("account"))?;
        accounts.push(found.account);
    }
    let id = TransactionId::of_effect(adjustment.id.0, "finding_adjustment");
    let transaction = NewTransaction {
        id,
        kind: PostingKind::ADJUSTMENT,
        legs: vec![Transfer {
            debit: adjustment.debit,
            credit: adjustment.credit,
            amount: adjustment.amount,
        }],
        reverses: None,
        reference: Some(finding.provider_event_id.clone()),
        metadata: Some(
            serde_json::json!({
                "finding_id": finding.id, "adjustment_id": adjustment.id, "reason": adjustment.reason,
                "proposed_by": adjustment.proposed_by, "approved_by": approver,
            })
            .to_string(),
        ),
    };
    let accounts: Vec<&Account> = accounts.iter().collect();
    post_one(tx, &accounts, transaction, now).await?;
    Ok(id)
}

/// The finding is resolved by what was posted.
async fn settle(
    tx: &mut dyn Tx,
    caller: &Caller,
    finding: &mut StoredFinding,
    transaction: TransactionId,
    now: Timestamp,
) -> Result<()> {
    let from = finding.status;
    let reason = format!("settled by transaction {transaction}");
    finding.status = FindingStatus::Resolved;
    finding.status_by = Some(caller.actor.to_string());
    finding.status_reason = Some(reason.clone());
    finding.settled_by = Some(transaction);
    finding.updated_at = now;
    tx.update_finding(finding).await?;
    let told = Told {
        kind: FindingEventKind::Status,
        from: Some(from.to_string()),
        to: Some(finding.status.to_string()),
        text: Some(reason),
    };
    Ok(finding_work::tell(tx, caller, finding.id, told, now).await?)
}

/// Tells of a proposal or of a decision: on the timeline and in the audit log.
async fn note(
    tx: &mut dyn Tx,
    caller: &Caller,
    it: &FindingAdjustment,
    from: Option<AdjustmentState>,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let from = from.map(|it| it.to_string());
    let reason = Some(reason.to_owned()).filter(|it| !it.is_empty());
    let told = Told {
        kind: FindingEventKind::Adjustment,
        from: from.clone(),
        to: Some(it.state.to_string()),
        text: reason.clone(),
    };
    finding_work::tell(tx, caller, it.finding, told, now).await?;
    let change = Change {
        action: "finding.adjustment",
        subject_type: "finding",
        subject_id: it.finding.to_string(),
        from,
        to: Some(it.state.to_string()),
        reason,
        details: Some(serde_json::json!({
            "adjustment_id": it.id, "debit_account_id": it.debit, "credit_account_id": it.credit,
            "amount": it.amount.major(), "currency": it.amount.currency.code(), "transaction_id": it.transaction,
        })),
    };
    Ok(audit::write(tx, caller, now, change).await?)
}

/// Proposals and what became of them, newest first; of one finding or of all.
pub async fn list(
    app: &App,
    caller: &Caller,
    finding: Option<FindingId>,
    state: Option<AdjustmentState>,
    page: &Page<AdjustmentId>,
) -> Result<Paged<FindingAdjustment, AdjustmentId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    if let Some(id) = finding {
        tx.finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    }
    Ok(tx.adjustments(finding, state, page).await?)
}

fn state(noun: &'static str, state: &str, wanted: &'static str) -> FlowError {
    FlowError::State {
        noun,
        state: state.to_owned(),
        wanted,
    }
}
