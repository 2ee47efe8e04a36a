//! What an answer says of a payout. Pure, and pessimistic: only a refusal that can be read is a refusal.

use mizan_payments::provider::{PayoutReply, ProviderError};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use crate::mockpsp::wire::{PAYOUT_NOT_FOUND, PayoutStatus, PayoutView, Refusal};

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 200;

/// Reads the answer to `POST /payouts`.
pub(super) fn of_payout(status: StatusCode, body: &[u8]) -> PayoutReply {
    let unknown = |reason: String| PayoutReply::Unknown { reason };
    if status.is_success() {
        return read::<PayoutView>(body)
            .and_then(of_view)
            .unwrap_or_else(|| unknown("the answer cannot be read".to_owned()));
    }
    match read::<Refusal>(body) {
        Some(refusal) if is_about_the_payout(status) => PayoutReply::Failed {
            provider_ref: None,
            reason: shown(&format!("{}: {}", refusal.error_code, refusal.detail)),
        },
        _ => unknown(format!("the provider answered {}", status.as_u16())),
    }
}

/// Whether a refusal with this status is about the payout as it was asked for, and so would have met an
/// earlier call with the same key as well. A refusal of the caller (401, 403, 404, 429, …) or of the key (409)
/// says nothing about what an earlier call, whose answer was lost, has done.
fn is_about_the_payout(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 402 | 422)
}

/// Reads the answer to a status query.
///
/// "Never heard of it" must be said by the API itself: a bare 404 may come from anything in between.
pub(super) fn of_status(status: StatusCode, body: &[u8]) -> Result<PayoutReply, ProviderError> {
    if status.is_success() {
        return read::<PayoutView>(body)
            .and_then(of_view)
            .ok_or_else(|| ProviderError::Unreadable("it is no state of a payout".to_owned()));
    }
    let not_found = status == StatusCode::NOT_FOUND
        && read::<Refusal>(body).is_some_and(|it| it.error_code == PAYOUT_NOT_FOUND);
    if not_found {
        Ok(PayoutReply::NotFound)
    } else {
        Err(ProviderError::Status(status.as_u16()))
    }
}

fn of_view(view: PayoutView) -> Option<PayoutReply> {
    let provider_ref = usable(view.payout_id)?;
    Some(match view.status {
        PayoutStatus::Accepted => PayoutReply::Accepted { provider_ref },
        PayoutStatus::Paid => PayoutReply::Paid {
            provider_ref,
            event_id: usable(view.event_id?)?,
            at: mizan_core::clock::to_micros(view.at?),
        },
        PayoutStatus::Failed => PayoutReply::Failed {
            provider_ref: Some(provider_ref),
            reason: shown(&view.reason.unwrap_or_default()),
        },
    })
}

fn usable(id: String) -> Option<String> {
    crate::event_body::check_id("id", &id, 255).ok().map(|()| id)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn shown(reason: &str) -> String {
    reason
        .chars()
        .filter(|it| !it.is_control())
        .take(LONGEST_REASON)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variant's name, and the reason if there is one.
    fn pay(status: u16, body: &str) -> String {
        let reply = of_payout(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        format!("{reply:?}")
            .chars()
            .take_while(|it| it.is_alphabetic())
            .collect()
    }

    #[test]
    fn only_a_refusal_that_can_be_read_fails_a_payout() {
        let refusal = r#"{"error_code":"AMOUNT_INVALID","detail":"no"}"#;
        for (status, body, expected) in [
            (202, r#"{"payout_id":"po","status":"accepted"}"#, "Accepted"),
            (
                200,
                r#"{"payout_id":"po","status":"paid","event_id":"e","at":"2026-11-01T00:00:00Z"}"#,
                "Paid",
            ),
            (
                200,
                r#"{"payout_id":"po","status":"failed","reason":"closed account"}"#,
                "Failed",
            ),
            (200, r#"{"payout_id":"po","status":"paid"}"#, "Unknown"),
            (200, r#"{"payout_id":"","status":"accepted"}"#, "Unknown"),
            (200, r#"{"payout_id":"po","status":"queued"}"#, "Unknown"),
            (200, "", "Unknown"),
            (200, "<html>", "Unknown"),
            (422, refusal, "Failed"),
            (400, refusal, "Failed"),
            (422, "<html>", "Unknown"),
            (402, refusal, "Failed"),
            (401, refusal, "Unknown"),
            (403, refusal, "Unknown"),
            (404, refusal, "Unknown"),
            (404, "", "Unknown"),
            (408, refusal, "Unknown"),
            (409, refusal, "Unknown"),
            (429, refusal, "Unknown"),
            (302, refusal, "Unknown"),
            (500, refusal, "Unknown"),
            (503, "", "Unknown"),
        ] {
            assert_eq!(pay(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_the_api_itself_can_say_that_a_key_was_never_seen() {
        let not_found = StatusCode::NOT_FOUND;
        assert_eq!(
            of_status(not_found, br#"{"error_code":"PAYOUT_NOT_FOUND"}"#),
            Ok(PayoutReply::NotFound)
        );
        for body in ["", "404 page not found", r#"{"error_code":"NOT_FOUND"}"#] {
            assert_eq!(
                of_status(not_found, body.as_bytes()),
                Err(ProviderError::Status(404)),
                "{body}"
            );
        }
        assert!(matches!(
            of_status(StatusCode::OK, b"{}"),
            Err(ProviderError::Unreadable(_))
        ));
        assert_eq!(
            of_status(StatusCode::BAD_GATEWAY, b""),
            Err(ProviderError::Status(502))
        );
    }

    #[test]
    fn a_reason_is_cut_and_cleaned() {
        let body = format!(r#"{{"error_code":"X","detail":"a\n{}"}}"#, "y".repeat(10_000));
        let PayoutReply::Failed { reason, .. } = of_payout(StatusCode::BAD_REQUEST, body.as_bytes()) else {
            panic!("not failed")
        };
        assert_eq!(
            (reason.chars().count(), reason.contains('\n')),
            (LONGEST_REASON, false)
        );
    }
}
