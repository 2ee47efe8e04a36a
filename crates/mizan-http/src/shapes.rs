//! The shapes of replies that flows make themselves, for the API's document. A test holds them against the views.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a wallet holds in one currency, in major units.
#[derive(ToSchema)]
pub(crate) struct Balance {
    currency: String,
    #[schema(example = "90.00")]
    available: String,
    #[schema(example = "10.00")]
    held: String,
    total: String,
    version: i64,
}

#[derive(ToSchema)]
pub(crate) struct Wallet {
    player_id: Uuid,
    balances: Vec<Balance>,
}

/// A deposit or a withdrawal as its player sees it.
#[derive(ToSchema)]
#[schema(as = PaymentTransaction)]
pub(crate) struct Transaction {
    id: String,
    /// `deposit` or `withdrawal`
    r#type: String,
    state: String,
    #[schema(example = "10.50")]
    amount: String,
    currency: String,
    method: String,
    created_at: DateTime<Utc>,
}

/// The reply to a deposit or a withdrawal request.
#[derive(ToSchema)]
pub(crate) struct Payment {
    transaction: Transaction,
    balance: Balance,
}

/// A withdrawal as finance sees it.
#[derive(ToSchema)]
pub(crate) struct Withdrawal {
    tx_id: Uuid,
    player_id: Uuid,
    #[schema(example = "10.50")]
    amount: String,
    currency: String,
    method: String,
    /// Shortened to its last characters.
    address: String,
    state: String,
    /// What the wallet had available after the hold.
    balance_after: String,
    provider: Option<String>,
    requested_by: String,
    reviewed_by: Option<String>,
    reviewed_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    paid_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One try of a payout.
#[derive(ToSchema)]
#[schema(as = PayoutAttempt)]
pub(crate) struct Attempt {
    id: Uuid,
    number: i32,
    provider: String,
    /// The idempotency key that the provider is given, the same on every repetition.
    provider_key: String,
    provider_ref: Option<String>,
    state: String,
    error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What became of one transaction of a bulk posting.
#[derive(ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct ItemVerdict {
    id: Uuid,
    /// `posted`, `replayed` or `refused`
    verdict: String,
    /// Of a refusal.
    error_code: Option<String>,
    detail: Option<String>,
}

/// The reply to a bulk posting.
#[derive(ToSchema)]
#[schema(as = BulkPosted)]
pub(crate) struct Bulk {
    posted: u64,
    replayed: u64,
    refused: u64,
    /// One per transaction of the request, in its order.
    items: Vec<ItemVerdict>,
}

#[derive(ToSchema)]
#[schema(as = PostedTransfer)]
pub(crate) struct Transfer {
    /// The code of the account.
    debit: String,
    credit: String,
    amount: String,
    currency: String,
}

/// A posted transaction.
#[derive(ToSchema)]
#[schema(as = LedgerTransaction)]
pub(crate) struct LedgerTransaction {
    id: Uuid,
    kind: String,
    transfers: Vec<Transfer>,
    reference: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<serde_json::Value>,
    /// The transaction that this one undoes.
    reverses: Option<Uuid>,
    reversed_by: Option<Uuid>,
    posted_at: DateTime<Utc>,
}

/// The reply to an adjustment.
#[derive(ToSchema)]
pub(crate) struct Adjustment {
    transaction_id: Uuid,
    player_id: Uuid,
    /// Signed, in major units.
    delta: String,
    currency: String,
    reason: String,
    balance: Balance,
}

/// What a replay did, or would do.
#[derive(ToSchema)]
#[schema(as = WebhookReplay)]
pub(crate) struct Replay {
    id: Uuid,
    dry_run: bool,
    /// The event after translation, or why it cannot be translated.
    #[schema(value_type = Object)]
    translated: serde_json::Value,
    /// The state before.
    state: String,
    /// Whether a job was queued.
    queued: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mizan_core::{Currency, Money, PlayerId, Timestamp, TransactionId, WebhookEventId, WithdrawalId};
    use mizan_flows::adjustments::AdjustmentView;
    use mizan_flows::transfers::{TransactionView, TransferView};
    use mizan_flows::views::{BalanceView, BulkView, PaymentView, VerdictView, WithdrawalView};
    use mizan_flows::webhook_inbox::ReplayView;
    use mizan_ledger::Refusal;
    use mizan_payments::withdrawal::WithdrawalState;
    use serde_json::Value;

    use super::*;

    fn check<T: ToSchema>(view: impl serde::Serialize) {
        let seen = serde_json::to_value(view).unwrap();
        let told = serde_json::to_value(T::schema()).unwrap();
        let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&told["properties"]), keys(&seen), "{}", T::name());
    }

    #[test]
    fn the_document_tells_what_flows_answer() {
        let at = Timestamp::UNIX_EPOCH;
        let withdrawal = mizan_payments::withdrawal::Withdrawal {
            id: WithdrawalId::new(),
            player: PlayerId::new(),
            amount: Money::new(1, Currency::TRY),
            method: String::new(),
            address: String::new(),
            state: WithdrawalState::Requested,
            provider: None,
            balance_after: 0,
            requested_by: String::new(),
            reviewed_by: None,
            reviewed_at: None,
            reason: None,
            paid_at: None,
            created_at: at,
            updated_at: at,
        };
        let text = String::new;
        let balance = BalanceView {
            currency: text(),
            available: text(),
            held: text(),
            total: text(),
            version: 0,
        };
        check::<Withdrawal>(WithdrawalView::from(&withdrawal));
        check::<Transaction>(PaymentView::from(&withdrawal));
        check::<Balance>(&balance);
        check::<ItemVerdict>(VerdictView::refused(TransactionId::new(), &Refusal::NoTransfers));
        check::<Bulk>(BulkView::of(Vec::new()));
        check::<Transfer>(TransferView {
            debit: text(),
            credit: text(),
            amount: text(),
            currency: text(),
        });
        check::<LedgerTransaction>(TransactionView {
            id: TransactionId::new(),
            kind: text(),
            transfers: Vec::new(),
            reference: None,
            metadata: None,
            reverses: None,
            reversed_by: None,
            posted_at: at,
        });
        check::<Adjustment>(AdjustmentView {
            transaction_id: TransactionId::new(),
            player_id: PlayerId::new(),
            delta: text(),
            currency: text(),
            reason: text(),
            balance,
        });
        check::<Replay>(ReplayView {
            id: WebhookEventId::new(),
            dry_run: true,
            translated: Value::Null,
            state: text(),
            queued: false,
        });
    }
}
