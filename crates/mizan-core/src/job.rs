//! Work that is done after a commit. A job leaves through an outbox row written in the same transaction
//! as the change that asks for it, so neither can exist without the other.

use serde::{Deserialize, Serialize};

use crate::ids::{RunId, WebhookEventId, WithdrawalId};

/// One piece of work. Every job is safe to run twice: it looks at the row it names and does what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Translate a stored webhook event and apply it.
    ApplyWebhook { event: WebhookEventId },
    /// Ask the provider to pay the open attempt of a withdrawal, or what became of it.
    ExecutePayout { withdrawal: WithdrawalId },
    /// Compare a provider's statement with the ledger.
    RunReconciliation { run: RunId },
}

impl Job {
    /// The name in logs and metric labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApplyWebhook { .. } => "apply_webhook",
            Self::ExecutePayout { .. } => "execute_payout",
            Self::RunReconciliation { .. } => "run_reconciliation",
        }
    }
}
