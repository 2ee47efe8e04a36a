//! Which webhook goes when: one lane per payment, each strictly in order, and the two places where webhooks wait.

use std::collections::{HashMap, VecDeque};

/// A webhook on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    pub event_id: String,
    pub body: Vec<u8>,
    /// How many times it is delivered.
    pub copies: u32,
}

/// All lanes. A lane that is in the map has a runner.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    running: HashMap<String, VecDeque<Parcel>>,
    /// Waiting to be overtaken by the next one of their lane.
    parked: HashMap<String, Vec<Parcel>>,
    /// Waiting to be released.
    held: Vec<(String, Parcel)>,
}

impl Lanes {
    /// Puts parcels at the end of a lane; `true` if the lane needs a runner.
    pub(super) fn push(&mut self, lane: &str, parcels: impl IntoIterator<Item = Parcel>) -> bool {
        let idle = !self.running.contains_key(lane);
        self.running.entry(lane.to_owned()).or_default().extend(parcels);
        idle
    }

    /// The next of a lane; the lane has no runner any more once there is none.
    pub(super) fn next(&mut self, lane: &str) -> Option<Parcel> {
        let next = self.running.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.running.remove(lane);
        }
        next
    }

    pub(super) fn park(&mut self, lane: String, parcel: Parcel) {
        self.parked.entry(lane).or_default().push(parcel);
    }

    pub(super) fn unpark(&mut self, lane: &str) -> Vec<Parcel> {
        self.parked.remove(lane).unwrap_or_default()
    }

    pub(super) fn unpark_all(&mut self) -> Vec<(String, Vec<Parcel>)> {
        self.parked.drain().collect()
    }

    pub(super) fn hold(&mut self, lane: String, parcel: Parcel) {
        self.held.push((lane, parcel));
    }

    pub(super) fn unhold_all(&mut self) -> Vec<(String, Parcel)> {
        std::mem::take(&mut self.held)
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }
}
