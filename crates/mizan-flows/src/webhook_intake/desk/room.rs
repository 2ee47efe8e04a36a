//! How much may wait at the desk: bounded in events and in bytes, and no provider may take all of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mizan_core::ProviderKey;
use mizan_store::webhooks::WebhookEvent;

/// The seats of the whole room. A small event takes one; so what waits has at most 64 MiB of bodies.
const SEATS: usize = 8_192;
/// What one provider may take: a flood of one leaves room for the others.
const SHARE: usize = SEATS / 2;
/// A body takes one more seat for each of these.
const BYTES: usize = 8_192;

#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_provider: HashMap<ProviderKey, usize>,
}

/// The seats of one delivery; dropping them frees them.
#[derive(Debug)]
pub(super) struct Seats {
    room: Arc<Room>,
    provider: ProviderKey,
    count: usize,
}

impl Room {
    /// Seats a delivery, or `None` if there is no room. A delivery that is larger than a share is seated where
    /// its provider has nothing else waiting: it fits into a request, so it fits here.
    pub fn seat(room: &Arc<Self>, provider: &ProviderKey, events: &[WebhookEvent]) -> Option<Seats> {
        let count = events.iter().map(|it| 1 + it.body.len() / BYTES).sum::<usize>();
        let mut taken = room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_provider.get(provider).copied().unwrap_or(0);
        if taken.all + count.min(SHARE) > SEATS || (own > 0 && own + count > SHARE) {
            return None;
        }
        taken.all += count;
        *taken.by_provider.entry(provider.clone()).or_default() += count;
        drop(taken);
        Some(Seats {
            room: Arc::clone(room),
            provider: provider.clone(),
            count,
        })
    }
}

impl Seats {
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        let mut taken = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(self.count);
        if let Some(own) = taken.by_provider.get_mut(&self.provider) {
            *own = own.saturating_sub(self.count);
            if *own == 0 {
                taken.by_provider.remove(&self.provider);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mizan_core::{Timestamp, WebhookEventId};
    use mizan_store::webhooks::{EventState, Signature};

    use super::*;

    fn event(bytes: usize) -> WebhookEvent {
        WebhookEvent {
            id: WebhookEventId::new(),
            provider: "acme".parse().unwrap(),
            provider_event_id: "evt".into(),
            event_type: "ping".into(),
            headers: "{}".into(),
            body: vec![b' '; bytes],
            signature: Signature::Valid,
            state: EventState::Received,
            parked_on: None,
            error: None,
            attempts: 0,
            request_id: None,
            received_at: Timestamp::UNIX_EPOCH,
            applied_at: None,
        }
    }

    #[test]
    fn a_provider_that_floods_the_room_leaves_seats_for_others_and_gets_its_own_back() {
        let room: Arc<Room> = Arc::default();
        let (acme, other): (ProviderKey, ProviderKey) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let small = [event(400)];
        let taken: Vec<_> = std::iter::from_fn(|| Room::seat(&room, &acme, &small)).collect();
        assert_eq!(taken.len(), SHARE);
        let large = [event(1 << 20)];
        let theirs: Vec<_> = std::iter::from_fn(|| Room::seat(&room, &other, &large)).collect();
        assert_eq!(theirs.len(), SHARE / 129, "bytes count as well");
        drop(taken);
        assert!(Room::seat(&room, &acme, &small).is_some());
        drop(theirs);
        assert_eq!(room.0.lock().unwrap().all, 0);
        assert!(room.0.lock().unwrap().by_provider.is_empty());
    }

    #[test]
    fn a_delivery_larger_than_a_share_is_seated_alone() {
        let room: Arc<Room> = Arc::default();
        let acme: ProviderKey = "acme".parse().unwrap();
        let many = vec![event(0); SHARE + 1];
        let seated = Room::seat(&room, &acme, &many);
        assert!(seated.is_some());
        assert!(Room::seat(&room, &acme, &many).is_none());
    }
}
