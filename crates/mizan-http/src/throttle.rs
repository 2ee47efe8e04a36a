//! Counting failures of the last minute, in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use mizan_core::Timestamp;
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Code, codes};

const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// The most keys that are remembered.
const CAPACITY: usize = 50_000;

/// The failures of the last minute, by key.
struct Failures<K> {
    limit: usize,
    by_key: Mutex<HashMap<K, VecDeque<Timestamp>>>,
}

impl<K: Hash + Eq + Clone> Failures<K> {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            by_key: Mutex::default(),
        }
    }

    /// How many seconds until a key that failed too often may try again.
    fn blocked_for(&self, key: &K, now: Timestamp) -> Option<u32> {
        let mut all = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = all.get_mut(key) else {
            // A table that is full of live entries cannot count any more, so it lets nobody new in.
            return (all.len() >= CAPACITY && !forget_old(&mut all, now)).then_some(1);
        };
        drop_old(times, now);
        if times.len() < self.limit {
            return None;
        }
        let free_at = *times.front()? + WINDOW;
        let seconds = (free_at - now)
            .num_milliseconds()
            .max(0)
            .unsigned_abs()
            .div_ceil(1_000);
        Some(u32::try_from(seconds).unwrap_or(60).max(1))
    }

    fn count(&self, key: K, now: Timestamp) {
        let mut all = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CAPACITY && !all.contains_key(&key) && !forget_old(&mut all, now) {
            return;
        }
        let times = all.entry(key).or_default();
        drop_old(times, now);
        if times.len() < self.limit {
            times.push_back(now);
        }
    }
}

fn drop_old(times: &mut VecDeque<Timestamp>, now: Timestamp) {
    while times.front().is_some_and(|it| *it + WINDOW <= now) {
        times.pop_front();
    }
}

/// Forgets keys without a failure in the window; whether there is room now.
fn forget_old<K>(all: &mut HashMap<K, VecDeque<Timestamp>>, now: Timestamp) -> bool {
    all.retain(|_, times| times.back().is_some_and(|it| *it + WINDOW > now));
    all.len() < CAPACITY
}

/// One address; of IPv6 the network of its owner, who has a whole one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(it) => IpAddr::V4(it),
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

/// Failures to sign in: five a minute for one account from one address. Neither alone is counted: an account would
/// be locked for its owner by whoever knows the email, and an address for everybody behind the same proxy.
pub(crate) struct SignIns(Failures<([u8; 32], IpAddr)>);

impl Default for SignIns {
    fn default() -> Self {
        Self(Failures::new(5))
    }
}

/// Who tries to sign in, and from where.
#[derive(Clone)]
pub(crate) struct Attempt {
    /// A hash, so that a long email costs no memory.
    account: [u8; 32],
    address: IpAddr,
}

impl Attempt {
    pub(crate) fn new(kind: &str, email: &str, address: IpAddr) -> Self {
        let account = format!("{kind}:{}", email.trim().to_lowercase());
        Self {
            account: Sha256::digest(account.as_bytes()).into(),
            address: network(address),
        }
    }
}

impl SignIns {
    /// Refuses after too many failures. Asked before the password is checked, and again before the outcome is
    /// told: of many guesses at once, no more outcomes are learned than of as many in a row.
    pub(crate) fn check(&self, it: &Attempt, now: Timestamp) -> Result<(), ApiError> {
        match self.0.blocked_for(&(it.account, it.address), now) {
            Some(seconds) => Err(refused(&codes::TOO_MANY_ATTEMPTS, seconds)),
            None => Ok(()),
        }
    }

    pub(crate) fn failed(&self, it: &Attempt, now: Timestamp) {
        self.0.count((it.account, it.address), now);
    }
}

/// Rejected webhooks of one connection from one address.
pub(crate) struct Rejections(Failures<(String, IpAddr)>);

impl Rejections {
    pub(crate) fn new(limit: u32) -> Self {
        Self(Failures::new(limit as usize))
    }

    pub(crate) fn check(&self, provider: &str, address: IpAddr, now: Timestamp) -> Result<(), ApiError> {
        match self.0.blocked_for(&(provider.to_owned(), network(address)), now) {
            Some(seconds) => Err(refused(&codes::TOO_MANY_REJECTED, seconds)),
            None => Ok(()),
        }
    }

    pub(crate) fn count(&self, provider: &str, address: IpAddr, now: Timestamp) {
        self.0.count((provider.to_owned(), network(address)), now);
    }
}

fn refused(code: &'static Code, seconds: u32) -> ApiError {
    ApiError::plain(code).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_767_225_600 + second, 0).unwrap()
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn five_failures_a_minute_lock_the_account_for_that_address_alone() {
        let guard = SignIns::default();
        let ada = Attempt::new("staff", "Ada@example.com ", from("10.0.0.1"));
        for second in 0..5 {
            guard.check(&ada, at(second)).expect("still open");
            guard.failed(&ada, at(second));
        }
        let same = Attempt::new("staff", "ada@example.com", from("10.0.0.1"));
        assert_eq!(
            guard.check(&same, at(5)).unwrap_err().code(),
            &codes::TOO_MANY_ATTEMPTS
        );
        for (kind, email, address) in [
            ("staff", "ada@example.com", "10.0.0.2"),
            ("staff", "bob@example.com", "10.0.0.1"),
            ("player", "ada@example.com", "10.0.0.1"),
        ] {
            assert!(
                guard
                    .check(&Attempt::new(kind, email, from(address)), at(5))
                    .is_ok(),
                "{kind} {email} {address}"
            );
        }
        assert!(guard.check(&same, at(59)).is_err());
        assert!(
            guard.check(&same, at(60)).is_ok(),
            "the oldest failure is a minute old"
        );
    }

    #[test]
    fn an_address_cannot_walk_through_its_ipv6_network() {
        let guard = SignIns::default();
        for last in 0..5 {
            guard.failed(
                &Attempt::new("staff", "a@b", from(&format!("2001:db8::{last}"))),
                at(0),
            );
        }
        assert!(
            guard
                .check(&Attempt::new("staff", "a@b", from("2001:db8::ffff")), at(1))
                .is_err()
        );
    }

    #[test]
    fn a_full_table_stays_bounded_and_refuses_who_it_cannot_count() {
        let failures = Failures::new(5);
        for key in 0..=CAPACITY {
            failures.count(key, at(0));
        }
        assert_eq!(failures.by_key.lock().unwrap().len(), CAPACITY);
        assert!(failures.blocked_for(&(CAPACITY + 7), at(1)).is_some());
        assert!(
            failures.blocked_for(&(CAPACITY + 7), at(61)).is_none(),
            "old entries made room"
        );
    }
}
