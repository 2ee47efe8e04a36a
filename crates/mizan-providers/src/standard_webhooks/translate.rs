//! Events of `standard-webhooks`: one per request; its id is the `webhook-id` header, whatever the body says.

use mizan_core::Timestamp;
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{Headers, RawEvent, Rejection, Untranslatable};

use super::verify::ID;
use crate::event_body::{EventBody, check_id};
use crate::signature::required;

/// The longest `webhook-id`, in bytes.
const MAX_ID: usize = 255;

/// Takes the one event out of a request.
pub(crate) fn take_apart(headers: &Headers, body: &[u8]) -> Result<Vec<RawEvent>, Rejection> {
    let event_id = required(headers, ID).ok_or(Rejection::Malformed)?;
    check_id(ID, event_id, MAX_ID).map_err(|_| Rejection::Malformed)?;
    let event_type = EventBody::read(body)
        .and_then(|it| it.event_type())
        .map_err(|_| Rejection::Malformed)?;
    Ok(vec![RawEvent {
        event_id: event_id.to_owned(),
        event_type,
        body: body.to_vec(),
    }])
}

/// Reads the event under the id it is kept under.
pub(crate) fn translate(event: &RawEvent, received_at: Timestamp) -> Result<ProviderEvent, Untranslatable> {
    EventBody::read(&event.body)?.translate(event.event_id.clone(), received_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: &str) -> Headers {
        Headers(vec![("Webhook-Id".into(), value.into())])
    }

    #[test]
    fn the_header_is_the_id_and_the_body_needs_none() {
        let body = br#"{"event_type":"deposit_captured","provider_event_id":"other","provider_ref":"p",
            "amount":"1.00","currency":"TRY"}"#;
        let events = take_apart(&id("msg_1"), body).unwrap();
        assert_eq!(events.len(), 1);
        let event = translate(&events[0], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((event.event_id.as_str(), event.amount.minor), ("msg_1", 100));
    }

    #[test]
    fn without_a_usable_id_there_is_no_event() {
        let body = br#"{"event_type":"deposit_captured"}"#;
        for headers in [Headers::default(), id(""), id(&"x".repeat(256)), id("a\tb")] {
            assert_eq!(
                take_apart(&headers, body),
                Err(Rejection::Malformed),
                "{headers:?}"
            );
        }
    }
}
