//! What stories answer, in the shapes that clients see. Domain types stay free of serialization.

use mizan_core::money::major;
use mizan_core::{Money, PlayerId, Timestamp, TransactionId};
use mizan_ledger::{Refusal, Verdict};
use mizan_payments::deposit::Deposit;
use mizan_payments::payout::Attempt;
use mizan_payments::withdrawal::Withdrawal;
use mizan_store::accounts::WalletBalance;
use serde::Serialize;

/// What a wallet holds in one currency, in major units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalanceView {
    pub currency: String,
    pub available: String,
    pub held: String,
    pub total: String,
    pub version: i64,
}

impl BalanceView {
    pub fn of(balance: &WalletBalance) -> Self {
        let show = |minor: i128| major(minor, balance.currency);
        Self {
            currency: balance.currency.to_string(),
            available: show(balance.available.into()),
            held: show(balance.held.into()),
            total: show(i128::from(balance.available) + i128::from(balance.held)),
            version: balance.version,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WalletView {
    pub player_id: PlayerId,
    pub balances: Vec<BalanceView>,
}

/// A deposit or a withdrawal as its player sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub state: String,
    pub amount: String,
    pub currency: String,
    pub method: String,
    pub created_at: Timestamp,
}

impl From<&Deposit> for PaymentView {
    fn from(it: &Deposit) -> Self {
        Self {
            id: it.id.to_string(),
            kind: "deposit",
            state: it.state.to_string(),
            amount: it.amount.major(),
            currency: it.amount.currency.to_string(),
            method: it.method.clone(),
            created_at: it.created_at,
        }
    }
}

impl From<&Withdrawal> for PaymentView {
    fn from(it: &Withdrawal) -> Self {
        Self {
            id: it.id.to_string(),
            kind: "withdrawal",
            state: it.state.to_string(),
            amount: it.amount.major(),
            currency: it.amount.currency.to_string(),
            method: it.method.clone(),
            created_at: it.created_at,
        }
    }
}

/// The reply to a deposit or a withdrawal request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentReply {
    pub transaction: PaymentView,
    pub balance: BalanceView,
}

/// A withdrawal as finance sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithdrawalView {
    pub tx_id: String,
    pub player_id: PlayerId,
    pub amount: String,
    pub currency: String,
    pub method: String,
    /// Where the money goes, shortened to its last characters.
    pub address: String,
    pub state: String,
    /// What the wallet had available after the hold.
    pub balance_after: String,
    pub provider: Option<String>,
    pub requested_by: String,
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<Timestamp>,
    pub reason: Option<String>,
    pub paid_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<&Withdrawal> for WithdrawalView {
    fn from(it: &Withdrawal) -> Self {
        Self {
            tx_id: it.id.to_string(),
            player_id: it.player,
            amount: it.amount.major(),
            currency: it.amount.currency.to_string(),
            method: it.method.clone(),
            address: shorten(&it.address),
            state: it.state.to_string(),
            balance_after: Money::new(it.balance_after, it.amount.currency).major(),
            provider: it.provider.as_ref().map(ToString::to_string),
            requested_by: it.requested_by.clone(),
            reviewed_by: it.reviewed_by.clone(),
            reviewed_at: it.reviewed_at,
            reason: it.reason.clone(),
            paid_at: it.paid_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// Keeps the last four characters of an address: enough to tell two apart.
fn shorten(address: &str) -> String {
    let tail: Vec<char> = address.chars().rev().take(4).collect();
    if address.chars().count() <= 8 {
        return "***".into();
    }
    format!("***{}", tail.into_iter().rev().collect::<String>())
}

/// One try of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    pub id: String,
    pub number: i32,
    pub provider: String,
    pub provider_key: String,
    pub provider_ref: Option<String>,
    pub state: String,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<&Attempt> for AttemptView {
    fn from(it: &Attempt) -> Self {
        Self {
            id: it.id.to_string(),
            number: it.number,
            provider: it.provider.to_string(),
            provider_key: it.provider_key.clone(),
            provider_ref: it.provider_ref.clone(),
            state: it.state.to_string(),
            error: it.error.clone(),
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// What became of one transaction of a posting request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerdictView {
    pub id: TransactionId,
    /// `posted`, `replayed` or `refused`.
    pub verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl VerdictView {
    pub fn of(id: TransactionId, verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Posted(_) => Self {
                id,
                verdict: "posted",
                error_code: None,
                detail: None,
            },
            Verdict::Replayed => Self {
                id,
                verdict: "replayed",
                error_code: None,
                detail: None,
            },
            Verdict::Refused(refusal) => Self::refused(id, refusal),
        }
    }

    pub fn refused(id: TransactionId, refusal: &Refusal) -> Self {
        let detail = Some(refusal.to_string());
        Self {
            id,
            verdict: "refused",
            error_code: Some(refusal.code()),
            detail,
        }
    }
}

/// The reply to a bulk posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BulkView {
    pub posted: usize,
    pub replayed: usize,
    pub refused: usize,
    /// One per transaction of the request, in its order.
    pub items: Vec<VerdictView>,
}

impl BulkView {
    pub fn of(items: Vec<VerdictView>) -> Self {
        let count = |word| items.iter().filter(|it| it.verdict == word).count();
        Self {
            posted: count("posted"),
            replayed: count("replayed"),
            refused: count("refused"),
            items,
        }
    }
}
