//! Events of `mockpsp` and `hmac`: one per request, its id in its body.

use mizan_core::Timestamp;
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{RawEvent, Rejection, Untranslatable};

use crate::event_body::{self, EventBody};

/// Takes the one event out of a request.
pub(crate) fn take_apart(body: &[u8]) -> Result<Vec<RawEvent>, Rejection> {
    let read = EventBody::read(body).map_err(|_| Rejection::Malformed)?;
    let event_id = read.event_id().map_err(|_| Rejection::Malformed)?;
    let event_type = read.event_type().map_err(|_| Rejection::Malformed)?;
    Ok(vec![RawEvent {
        event_id,
        event_type,
        body: body.to_vec(),
    }])
}

/// Reads the event; its id must be the one it was stored under.
pub(crate) fn translate(event: &RawEvent, received_at: Timestamp) -> Result<ProviderEvent, Untranslatable> {
    let body = EventBody::read(&event.body)?;
    if body.event_id()? != event.event_id {
        return Err(event_body::wrong(
            "provider_event_id",
            "is not the id that the event is kept under",
        ));
    }
    body.translate(event.event_id.clone(), received_at)
}
