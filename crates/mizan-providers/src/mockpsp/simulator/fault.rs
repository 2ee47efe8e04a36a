//! Which faults there are, which finding each leads to, and how many are wanted.

mod faults;

use serde::{Deserialize, Serialize};

pub(super) use self::faults::Faults;

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The event is never delivered. What follows on its payment is not delivered either.
    WebhookDrop,
    /// The event is delivered `times` times.
    WebhookDuplicate,
    /// The event is held for `delay_ms`, or until `POST /faults/release`; later ones overtake it.
    WebhookDelay,
    /// The event is delivered after the next one of its payment.
    WebhookReorder,
    /// The statement's amount differs by `minor`.
    StatementAlter,
    /// The statement lacks the row.
    StatementDrop,
    /// The statement has the row twice.
    StatementDuplicate,
    /// The statement has another currency.
    StatementCurrency,
    /// The statement says that it failed.
    StatementStatus,
    /// One fetch of the statement is answered with 503.
    StatementError,
    /// The payout is accepted and the call never answered.
    PayoutTimeout,
    /// The call is answered with 503; nothing was accepted.
    PayoutErrorBefore,
    /// The payout is accepted and the call answered with 500.
    PayoutErrorAfter,
    /// The payout is accepted and fails.
    PayoutFailure,
}

/// Where a fault acts. At most one fault of a group acts on one event or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Delivery,
    Statement,
    StatementCall,
    PayoutCall,
    Payout,
}

impl Fault {
    /// The type of finding that a reconciliation must report for it; `None` where all must end well.
    pub fn expected_finding(self) -> Option<&'static str> {
        match self {
            Self::WebhookDrop => Some("missing_in_ledger"),
            Self::StatementAlter => Some("amount_mismatch"),
            Self::StatementDrop => Some("missing_in_psp"),
            Self::StatementDuplicate => Some("duplicate_in_psp"),
            Self::StatementCurrency => Some("currency_mismatch"),
            Self::StatementStatus => Some("status_mismatch"),
            Self::WebhookDuplicate
            | Self::WebhookDelay
            | Self::WebhookReorder
            | Self::StatementError
            | Self::PayoutTimeout
            | Self::PayoutErrorBefore
            | Self::PayoutErrorAfter
            | Self::PayoutFailure => None,
        }
    }

    pub(super) fn group(self) -> Group {
        match self {
            Self::WebhookDrop | Self::WebhookDuplicate | Self::WebhookDelay | Self::WebhookReorder => {
                Group::Delivery
            }
            Self::StatementAlter
            | Self::StatementDrop
            | Self::StatementDuplicate
            | Self::StatementCurrency
            | Self::StatementStatus => Group::Statement,
            Self::StatementError => Group::StatementCall,
            Self::PayoutTimeout | Self::PayoutErrorBefore | Self::PayoutErrorAfter => Group::PayoutCall,
            Self::PayoutFailure => Group::Payout,
        }
    }
}

/// How often a fault is planted, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub fault: Fault,
    /// The next so many events (or calls) have it, whatever the chance.
    #[serde(default)]
    pub next: u32,
    /// The chance of every further one, in ten-thousandths; more than 10 000 is 10 000.
    #[serde(default)]
    pub per_10_000: u32,
    /// Only events of these types have it; none named: all that it makes sense for. A dropped webhook makes
    /// sense for deposits only, because a lost `withdraw_paid` is made good by a status query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<String>,
    /// Deliveries in all of a duplicated webhook.
    #[serde(default = "twice")]
    pub times: u32,
    /// How long a delayed webhook is held; without it, until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// By how many minor units an altered amount is larger; a negative number makes it smaller where it stays
    /// positive. Not 0.
    #[serde(default = "one")]
    pub minor: i64,
}

fn twice() -> u32 {
    2
}

fn one() -> i64 {
    1
}

impl Plan {
    /// The fault on the next `count` events or calls.
    pub fn next(fault: Fault, count: u32) -> Self {
        Self {
            fault,
            next: count,
            per_10_000: 0,
            event_types: Vec::new(),
            times: twice(),
            delay_ms: None,
            minor: one(),
        }
    }

    /// The fault by chance, in ten-thousandths.
    pub fn chance(fault: Fault, per_10_000: u32) -> Self {
        Self {
            per_10_000,
            ..Self::next(fault, 0)
        }
    }

    /// The same, only on events of these types.
    #[must_use]
    pub fn only_on(mut self, event_types: &[&str]) -> Self {
        self.event_types = event_types.iter().map(|it| (*it).to_owned()).collect();
        self
    }
}

/// One fault that was planted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planted {
    pub fault: Fault,
    /// The event; for a fault of a call the idempotency key, or `statement`.
    pub event_id: String,
    /// The type of finding that it must lead to.
    pub expected_finding: Option<&'static str>,
}
