//! Why a story ended without its effect. Each variant is one thing that a caller can act on; the HTTP edge
//! gives each a status and a stable code.

use mizan_ledger::Refusal;
use mizan_payments::provider::{ProviderError, Rejection};
use mizan_payments::rollout;
use mizan_payments::withdrawal::InvalidTransition;
use mizan_recon::engine::MatchError;
use mizan_store::StoreError;

use crate::objects::ObjectError;

#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the caller names does not exist, or belongs to another tenant.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field of the request cannot be taken.
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error(transparent)]
    Posting(#[from] Refusal),
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The one who asked for a withdrawal, or proposed an adjustment, may not approve it.
    #[error("the one who asked for it may not approve it")]
    ApproverIsRequester,
    #[error("the player's documents have not been approved")]
    KycRequired,
    /// The route moves money and needs the header.
    #[error("the Idempotency-Key header is required")]
    IdempotencyKeyRequired,
    #[error("the Idempotency-Key was used with another body")]
    IdempotencyKeyReused,
    #[error("that name is taken: {0}")]
    Taken(&'static str),
    #[error("the provider '{0}' is not set up")]
    UnsupportedProvider(String),
    #[error("the method '{0}' is not offered here")]
    UnsupportedMethod(String),
    #[error(transparent)]
    Webhook(#[from] Rejection),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the credentials are wrong")]
    BadCredentials,
    #[error("the session has ended or never was")]
    NotSignedIn,
    #[error("this user may not do that")]
    Forbidden,
    #[error(transparent)]
    Flag(#[from] rollout::Refused),
    /// The queue of the writer is full.
    #[error("too much is waiting to be posted")]
    Busy,
    /// A run that is over cannot be cancelled; a finding that is resolved cannot be acknowledged.
    #[error("{noun} is {state}, so it cannot be {wanted}")]
    State {
        noun: &'static str,
        state: String,
        wanted: &'static str,
    },
    /// The file is no statement that can be read.
    #[error("{0}")]
    StatementRefused(String),
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The engine failed where the files are not at fault: its spill directory is full or cannot be written.
    #[error(transparent)]
    Matching(MatchError),
    /// A task of this process ended in the middle of its work.
    #[error("the work was interrupted")]
    Interrupted,
}

impl FlowError {
    pub fn invalid(field: &'static str, reason: impl ToString) -> Self {
        Self::Invalid {
            field,
            reason: reason.to_string(),
        }
    }

    /// Whether the whole story may be told again at once.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_retry())
    }
}

/// An error and its causes, in one line: for whoever reads a run's row and not the log.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // A transparent error says what its cause says.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
