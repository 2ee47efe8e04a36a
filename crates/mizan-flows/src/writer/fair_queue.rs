//! Who posts next: a queue for each tenant, served in turns by what their requests cost. Pure.
//!
//! Deficit round robin: at its turn a tenant is credited [`TURN`] transactions and served while its credit lasts;
//! what is larger than its credit waits until enough turns have paid for it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What a tenant is credited at its turn, in transactions.
pub(super) const TURN: usize = 256;

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<(usize, T)>,
    credit: usize,
}

/// Requests that wait, by tenant.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    lanes: HashMap<K, Lane<T>>,
    /// Whose turn is next. Everyone in it has a lane with something in it.
    turns: VecDeque<K>,
}

impl<K: Eq + Hash + Clone, T> FairQueue<K, T> {
    pub(super) fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, who: &K, cost: usize, item: T) {
        if let Some(lane) = self.lanes.get_mut(who) {
            lane.waiting.push_back((cost, item));
            return;
        }
        let lane = Lane {
            waiting: VecDeque::from([(cost, item)]),
            credit: 0,
        };
        self.lanes.insert(who.clone(), lane);
        self.turns.push_back(who.clone());
    }

    /// Takes requests until they cost `most` or nothing waits; the last one may go over it. In the first round
    /// nobody spends more than one turn, so whatever costs no more than that does not wait behind somebody's savings.
    pub(super) fn take(&mut self, most: usize) -> Vec<T> {
        let mut taken = Vec::new();
        let mut cost = 0;
        let mut first_round = self.turns.len();
        while cost < most {
            let Some(who) = self.turns.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&who) else {
                continue;
            };
            lane.credit += TURN;
            let saved = if first_round > 0 { lane.credit - TURN } else { 0 };
            first_round = first_round.saturating_sub(1);
            while cost < most
                && let Some((price, _)) = lane.waiting.front()
                && saved + price <= lane.credit
                && let Some((price, item)) = lane.waiting.pop_front()
            {
                lane.credit -= price;
                cost += price;
                taken.push(item);
            }
            if lane.waiting.is_empty() {
                self.lanes.remove(&who);
            } else {
                self.turns.push_back(who);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BATCH: usize = 8_192;

    #[test]
    fn a_single_request_does_not_wait_behind_a_flood_of_bulk_requests() {
        let mut queue = FairQueue::new();
        for number in 0..8 {
            queue.push(&'a', BATCH, ('a', number));
        }
        // The flood has saved up for its next bulk; the single that comes now is still in the very next batch.
        for round in 0..4 {
            queue.push(&'b', 1, ('b', round));
            let taken = queue.take(BATCH);
            assert!(taken.contains(&('b', round)), "round {round}: {taken:?}");
        }
    }

    #[test]
    fn a_flood_alone_is_served_at_full_speed() {
        let mut queue = FairQueue::new();
        for number in 0..4 {
            queue.push(&'a', BATCH, number);
        }
        for number in 0..4 {
            assert_eq!(queue.take(BATCH), [number]);
        }
        assert!(queue.take(BATCH).is_empty());
    }

    #[test]
    fn tenants_that_always_wait_get_the_same_whatever_the_size_of_their_requests() {
        let mut queue = FairQueue::new();
        let mut served = HashMap::from([('a', 0), ('b', 0), ('c', 0)]);
        let costs = [('a', 8_192), ('b', 100), ('c', 1)];
        for (who, cost) in costs {
            for _ in 0..200_000 / cost {
                queue.push(&who, cost, (who, cost));
            }
        }
        while served.values().sum::<usize>() < 300_000 {
            for (who, cost) in queue.take(BATCH) {
                *served.entry(who).or_default() += cost;
            }
        }
        for (who, amount) in &served {
            assert!((90_000..110_000).contains(amount), "{who}: {served:?}");
        }
    }

    proptest! {
        /// A random interleaving of arrivals and batches, held against plain lists.
        #[test]
        fn everything_is_taken_once_and_in_order_of_its_tenant(
            steps in proptest::collection::vec(prop_oneof![
                3 => (0_u8..6, 1_usize..9_000).prop_map(Some),
                1 => Just(None),
            ], 0..300),
        ) {
            let mut queue = FairQueue::new();
            let mut expected: HashMap<u8, VecDeque<(usize, usize)>> = HashMap::new();
            let mut waiting = 0;
            let drain = std::iter::repeat_n(None, 2_000);
            for (number, step) in steps.into_iter().chain(drain).enumerate() {
                if let Some((who, cost)) = step {
                    queue.push(&who, cost, (who, number, cost));
                    expected.entry(who).or_default().push_back((number, cost));
                    waiting += 1;
                    continue;
                }
                // Small requests that are first in their lane are in the next batch.
                let owed: Vec<(u8, usize)> = expected
                    .iter()
                    .filter_map(|(who, lane)| Some((*who, lane.front()?)))
                    .filter(|(_, (_, cost))| *cost <= TURN)
                    .map(|(who, (number, _))| (who, *number))
                    .collect();
                let taken = queue.take(BATCH);
                prop_assert!(taken.is_empty() == (waiting == 0), "a batch is empty when nothing waits, only then");
                for (who, number) in owed {
                    prop_assert!(taken.iter().any(|it| (it.0, it.1) == (who, number)), "{who} waited with {number}");
                }
                let cost: usize = taken.iter().map(|it| it.2).sum();
                prop_assert!(cost < BATCH + 9_000);
                for (who, number, cost) in taken {
                    let next = expected.get_mut(&who).and_then(VecDeque::pop_front);
                    prop_assert_eq!(next, Some((number, cost)));
                    waiting -= 1;
                }
            }
            prop_assert_eq!(waiting, 0);
        }
    }
}
