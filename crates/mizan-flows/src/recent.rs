//! What was looked up a moment ago, so that a client that sends thousands of requests a second does not have
//! its account read thousands of times.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use mizan_core::Timestamp;

/// How long a look-up holds. What another replica revokes is refused here this much later; what this one
/// revokes is forgotten at once.
const HOLDS: TimeDelta = TimeDelta::seconds(1);
/// More are not kept.
const MOST: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Recent<K, V>(Mutex<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.get(key)?;
        (*at <= now && now - *at < HOLDS).then(|| value.clone())
    }

    pub(crate) fn keep(&self, key: K, value: V, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, (now, value));
    }

    /// Forgets everything: what was revoked is looked up again.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_holds_for_a_second_and_not_longer() {
        let recent = Recent::default();
        let at = Timestamp::UNIX_EPOCH;
        recent.keep("a", 1, at);
        assert_eq!(recent.get(&"a", at + TimeDelta::milliseconds(999)), Some(1));
        assert_eq!(recent.get(&"a", at + TimeDelta::seconds(1)), None);
        assert_eq!(
            recent.get(&"a", at - TimeDelta::seconds(1)),
            None,
            "a clock that went back proves nothing"
        );
        recent.clear();
        assert_eq!(recent.get(&"a", at), None);
    }
}
