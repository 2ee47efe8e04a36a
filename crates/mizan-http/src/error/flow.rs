//! What each error of a story is to a client. The causes of our own failures are logged, never shown.

use std::error::Error;

use mizan_flows::FlowError;
use mizan_ledger::Refusal;
use mizan_store::StoreError;

use super::{ApiError, codes};

impl From<FlowError> for ApiError {
    fn from(error: FlowError) -> Self {
        let detail = error.to_string();
        match error {
            FlowError::Store(error) => Self::from(error),
            FlowError::NotFound(noun) => Self::not_found(noun),
            FlowError::Invalid { field, reason } => Self::invalid(field, reason),
            FlowError::Posting(refusal) => refused(&refusal),
            FlowError::Transition(it) => {
                Self::new(&codes::INVALID_STATE_TRANSITION, &it).with("current_state", it.from.as_str())
            }
            FlowError::State { state, .. } => {
                Self::new(&codes::INVALID_STATE_TRANSITION, detail).with("current_state", state)
            }
            FlowError::ApproverIsRequester => Self::plain(&codes::APPROVER_IS_REQUESTER),
            FlowError::KycRequired => Self::plain(&codes::KYC_REQUIRED),
            FlowError::IdempotencyKeyRequired => Self::plain(&codes::IDEMPOTENCY_KEY_REQUIRED),
            FlowError::IdempotencyKeyReused => Self::plain(&codes::IDEMPOTENCY_KEY_REUSE_CONFLICT),
            FlowError::Taken(what) => Self::new(&codes::ALREADY_EXISTS, detail).with("field", what),
            FlowError::UnsupportedProvider(_) => Self::new(&codes::UNSUPPORTED_PROVIDER, detail),
            FlowError::UnsupportedMethod(_) => Self::new(&codes::UNSUPPORTED_METHOD, detail),
            FlowError::Webhook(rejection) => Self::new(
                codes::find(rejection.code()).unwrap_or(&codes::BAD_REQUEST),
                rejection,
            ),
            FlowError::Provider(error) => {
                tracing::warn!(error = chain(&error), "a provider could not be asked");
                Self::plain(&codes::PROVIDER_UNAVAILABLE)
            }
            FlowError::BadCredentials => Self::plain(&codes::INVALID_CREDENTIALS),
            FlowError::NotSignedIn => Self::plain(&codes::NOT_AUTHENTICATED),
            FlowError::Forbidden => Self::plain(&codes::FORBIDDEN),
            FlowError::Flag(_) => Self::new(&codes::FLAG_REFUSED, detail),
            FlowError::Busy => Self::too_busy(),
            FlowError::StatementRefused(_) => Self::new(&codes::STATEMENT_REFUSED, detail),
            FlowError::Objects(error) => {
                tracing::error!(error = chain(&error), "the object store failed");
                Self::plain(&codes::OBJECT_STORE_UNAVAILABLE).retry_after(1)
            }
            FlowError::Matching(error) => {
                tracing::error!(error = chain(&error), "a reconciliation could not be run");
                Self::plain(&codes::INTERNAL)
            }
            FlowError::Interrupted => {
                tracing::error!(error = detail, "a story was interrupted");
                Self::plain(&codes::INTERNAL)
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Overflow => return Self::plain(&codes::AMOUNT_OVERFLOW),
            StoreError::Unavailable(_) => &codes::DATABASE_UNAVAILABLE,
            StoreError::NotMigrated(_) => &codes::DATABASE_NOT_MIGRATED,
            StoreError::Archived { .. } => return Self::new(&codes::ENTRIES_ARCHIVED, error),
            StoreError::Collision { .. } => &codes::CONTENTION,
            StoreError::Constraint { .. }
            | StoreError::Corrupt { .. }
            | StoreError::RowCount { .. }
            | StoreError::Database(_) => &codes::INTERNAL,
        };
        tracing::error!(error = chain(&error), error_code = code.code, "the store failed");
        let answer = Self::plain(code);
        if code.status == 503 {
            answer.retry_after(1)
        } else {
            answer
        }
    }
}

fn refused(refusal: &Refusal) -> ApiError {
    let code = codes::find(refusal.code()).unwrap_or(&codes::BAD_REQUEST);
    let answer = ApiError::new(code, refusal);
    match refusal {
        Refusal::InsufficientFunds { short, .. } => answer.with("short_minor_units", *short),
        _ => answer,
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use mizan_core::AccountId;
    use mizan_payments::provider::Rejection;
    use mizan_payments::withdrawal::{Command, WithdrawalState, decide};

    use super::*;

    fn check(error: impl Into<FlowError>, status: u16, code: &str) {
        let seen = ApiError::from(error.into());
        assert_eq!((seen.status().as_u16(), seen.code().code), (status, code));
    }

    #[test]
    fn errors_of_stories_have_the_codes_of_the_contract() {
        let short = Refusal::InsufficientFunds {
            account: AccountId(1),
            short: 5,
        };
        check(short, 400, "INSUFFICIENT_FUNDS");
        check(Refusal::AlreadyReversed, 409, "ALREADY_REVERSED");
        check(FlowError::KycRequired, 403, "KYC_REQUIRED");
        check(FlowError::NotFound("run"), 404, "RUN_NOT_FOUND");
        check(
            FlowError::UnsupportedProvider("x".into()),
            400,
            "UNSUPPORTED_PROVIDER",
        );
        check(FlowError::Busy, 429, "TOO_BUSY");
        check(
            FlowError::IdempotencyKeyReused,
            409,
            "IDEMPOTENCY_KEY_REUSE_CONFLICT",
        );
        check(Rejection::SignatureMissing, 400, "WEBHOOK_SIGNATURE_MISSING");
        check(Rejection::SignatureInvalid, 401, "WEBHOOK_SIGNATURE_INVALID");
        check(
            StoreError::Unavailable("away".into()),
            503,
            "DATABASE_UNAVAILABLE",
        );
        check(StoreError::Database("x".into()), 500, "INTERNAL");
        let paid = decide(WithdrawalState::Paid, Command::Approve).unwrap_err();
        check(paid, 409, "INVALID_STATE_TRANSITION");
    }

    #[test]
    fn every_refusal_and_rejection_has_a_code_of_the_table() {
        let refusals = [
            Refusal::NoTransfers,
            Refusal::TooManyTransfers,
            Refusal::AmountNotPositive,
            Refusal::SameAccount,
            Refusal::AccountNotFound,
            Refusal::CurrencyMismatch,
            Refusal::Overflow,
            Refusal::IdConflict,
            Refusal::AlreadyReversed,
            Refusal::AtomicBatchRefused,
        ];
        let rejections = [
            Rejection::SignatureMissing,
            Rejection::TimestampInvalid,
            Rejection::SignatureInvalid,
            Rejection::NoSecret,
            Rejection::Malformed,
        ];
        let all = refusals
            .iter()
            .map(Refusal::code)
            .chain(rejections.map(Rejection::code));
        for code in all {
            assert!(codes::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn the_inside_is_never_shown() {
        let error = ApiError::from(StoreError::Database("password=hunter2 on db.internal".into()));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
