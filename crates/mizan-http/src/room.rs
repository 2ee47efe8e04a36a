//! Room for requests and for their bodies: bounded, shared out between tenants, and given back when the request ends.

use std::sync::{Arc, Mutex, PoisonError};

use mizan_core::TenantId;
use mizan_flows::shares::Shares;

use crate::error::ApiError;

/// Nobody in particular, as long as nobody is signed in.
type Who = Option<TenantId>;

/// A bounded amount of something.
#[derive(Clone)]
pub(crate) struct Room {
    shares: Arc<Mutex<Shares<Who>>>,
    /// What there is room for, as a label.
    what: &'static str,
}

/// A part of the room, until it is dropped.
pub(crate) struct Taken {
    shares: Arc<Mutex<Shares<Who>>>,
    who: Who,
    amount: usize,
}

impl Room {
    pub(crate) fn new(what: &'static str, bound: usize) -> Self {
        Self {
            shares: Arc::new(Mutex::new(Shares::new(bound))),
            what,
        }
    }

    /// Takes a part, unless the tenant has its share already: then nothing is read and nothing is done.
    pub(crate) fn take(&self, who: Who, amount: usize) -> Result<Taken, ApiError> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if !shares.take(&who, amount) {
            metrics::counter!("mizan_http_refused_busy_total", "by" => self.what).increment(1);
            return Err(ApiError::too_busy());
        }
        Ok(Taken {
            shares: Arc::clone(&self.shares),
            who,
            amount,
        })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.give_back(&self.who, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::codes;

    #[test]
    fn a_tenant_that_has_its_share_is_told_to_come_again_and_others_are_not() {
        let room = Room::new("bodies", 100);
        let (a, b) = (Some(TenantId(1)), Some(TenantId(2)));
        let first = room.take(a, 50).expect("half of it");
        let refused = room.take(a, 1).err().expect("no more than half");
        assert_eq!(refused.code(), &codes::TOO_BUSY);
        assert!(room.take(b, 20).is_ok());
        drop(first);
        assert!(room.take(a, 50).is_ok(), "what was given back can be taken again");
    }
}
