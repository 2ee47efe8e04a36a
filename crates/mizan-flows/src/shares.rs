//! How a bounded amount (waiting transactions, bytes of bodies, requests under way) is shared out between tenants.
//! Pure: it counts, and says yes or no.

use std::collections::HashMap;
use std::hash::Hash;

/// Everyone may hold as much as is still free. One alone gets half of the bound, two get a third each, and so on:
/// whoever floods is refused while there is room for those who come after.
#[derive(Debug)]
pub struct Shares<K> {
    bound: usize,
    held: HashMap<K, usize>,
    total: usize,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    pub fn new(bound: usize) -> Self {
        Self {
            bound,
            held: HashMap::new(),
            total: 0,
        }
    }

    /// What one holder may have while nobody else holds anything.
    pub fn alone(&self) -> usize {
        self.bound / 2
    }

    /// Takes an amount, unless its holder would then hold more than is left for all others.
    #[must_use]
    pub fn take(&mut self, who: &K, amount: usize) -> bool {
        let own = self.held.get(who).copied().unwrap_or(0).saturating_add(amount);
        let total = self.total.saturating_add(amount);
        if total > self.bound || own > self.bound - total {
            return false;
        }
        self.held.insert(who.clone(), own);
        self.total = total;
        true
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, who: &K, amount: usize) {
        if let Some(held) = self.held.get_mut(who) {
            let given = amount.min(*held);
            *held -= given;
            self.total -= given;
            if *held == 0 {
                self.held.remove(who);
            }
        }
    }

    pub fn total(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes one at a time until refused, and returns how many that were.
    fn fill(shares: &mut Shares<u8>, who: u8) -> usize {
        (0..1_000).take_while(|_| shares.take(&who, 1)).count()
    }

    #[test]
    fn who_floods_leaves_room_for_those_who_come_after() {
        let mut shares = Shares::new(120);
        assert_eq!(fill(&mut shares, 0), 60, "one alone gets half");
        assert_eq!(fill(&mut shares, 1), 30, "the next gets half of the rest");
        assert!(!shares.take(&0, 1));
        assert!(shares.take(&2, 15), "and there is still room");
        shares.give_back(&0, 60);
        assert!(shares.take(&1, 10), "what is given back can be taken by others");
    }

    #[test]
    fn what_is_larger_than_the_bound_is_refused() {
        let mut shares = Shares::new(100);
        assert!(!shares.take(&0, 51));
        assert!(!shares.take(&0, usize::MAX));
        assert!(shares.take(&0, 50));
        assert_eq!(shares.total(), 50);
    }

    proptest! {
        #[test]
        fn the_bound_holds_whatever_is_taken_and_everything_can_be_given_back(
            asked in proptest::collection::vec((0_u8..5, 1_usize..40), 0..200),
        ) {
            let mut shares = Shares::new(200);
            let mut taken = Vec::new();
            for (who, amount) in asked {
                if shares.take(&who, amount) {
                    taken.push((who, amount));
                }
                prop_assert!(shares.total() <= 200);
                prop_assert!(shares.held.values().all(|it| *it <= 100), "nobody has more than half");
                let newcomer = shares.take(&99, 1);
                prop_assert!(newcomer || shares.total() == 200, "a newcomer with a little gets in");
                if newcomer { shares.give_back(&99, 1); }
            }
            for (who, amount) in taken {
                shares.give_back(&who, amount);
            }
            prop_assert_eq!(shares.total(), 0);
            prop_assert!(shares.held.is_empty());
        }
    }
}
